"""PatchObject (RFC 8620 §5.3): which values of an object are to be others."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from malleposte.services.jmap.errors import SetError

DEPTH: Final = 8
"""Levels of a path; no object of JMAP is deeper by names."""

Path = tuple[str, ...]


def paths(patch: Mapping[str, Any]) -> dict[Path, Any]:
    """The values by their paths. Raises ``SetError`` where one path lies within another."""
    found: dict[Path, Any] = {}
    for pointer, value in patch.items():
        # The slash that a JSON pointer begins with is left out (RFC 6901).
        steps = tuple(
            step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/", DEPTH)
        )
        if len(steps) > DEPTH:
            raise _invalid(f"{pointer[:100]!r} is too deep")
        if steps in found:
            raise _invalid(f"{pointer!r} stands there twice")
        found[steps] = value
    before: Path = ()
    for path in sorted(found):
        # The paths that begin with a path follow it, with nothing else between.
        if before and path[: len(before)] == before:
            raise _invalid(f"{'/'.join(path)!r} is a part of {'/'.join(before)!r}")
        before = path
    return found


def applied(patch: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """An object with the changes of a patch; what is null is left out: it has its default then. Raises
    ``SetError``."""
    found = deepcopy(dict(current))
    for path, value in paths(patch).items():
        place: Any = found
        for step in path[:-1]:
            # Nothing is reached into that is not there, nor into a list.
            if not isinstance(place, dict) or not isinstance(place.get(step), dict):
                raise _invalid(f"There is nothing at {'/'.join(path)!r} to change")
            place = place[step]
        if value is None:
            place.pop(path[-1], None)
        else:
            place[path[-1]] = value
    return found


def _invalid(description: str) -> SetError:
    return SetError("invalidPatch", description)
