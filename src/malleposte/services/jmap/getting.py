"""What the ``get`` methods have in common (RFC 8620 §5.1)."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from malleposte.services.jmap.arguments import Get
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.settings import JmapSettings

Found = TypeVar("Found")


def properties(asked: Sequence[str] | None, known: Collection[str]) -> list[str]:
    """The properties to show, ``id`` among them. Raises ``MethodError``."""
    if asked is None:
        return list(known)
    for name in asked:
        if name not in known:
            raise MethodError("invalidArguments", f"There is no property {name!r}")
    return list(dict.fromkeys(["id", *asked]))


def distinct(ids: Sequence[str], settings: JmapSettings) -> list[str]:
    """Ids, each once. Raises ``MethodError`` where they are too many."""
    found = list(dict.fromkeys(ids))
    if len(found) > settings.max_objects_in_get:
        raise MethodError(
            "requestTooLarge", f"At most {settings.max_objects_in_get} objects are given at once"
        )
    return found


def chosen(
    ids: Sequence[str] | None,
    settings: JmapSettings,
    find: Callable[[str], Found | None],
    every: Iterable[Found],
) -> tuple[list[Found], list[str]]:
    """The objects asked for, ``every`` one where no ids are named; and the ids of which there is none.
    Raises ``MethodError``."""
    if ids is None:
        return list(every), []
    asked = {text: find(text) for text in distinct(ids, settings)}
    there = [one for one in asked.values() if one is not None]
    return there, [text for text, one in asked.items() if one is None]


def answer(
    arguments: Get,
    state: str,
    names: Sequence[str],
    objects: Iterable[Mapping[str, Any]],
    missing: Sequence[str],
) -> dict[str, Any]:
    """The answer, of objects that have all these properties or more."""
    return {
        "accountId": arguments.account_id,
        "state": state,
        "list": [{name: one[name] for name in names} for one in objects],
        "notFound": list(missing),
    }
