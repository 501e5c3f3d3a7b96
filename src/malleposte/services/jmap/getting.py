"""What the ``get`` methods have in common (RFC 8620 §5.1)."""

from collections.abc import Collection, Sequence

from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.settings import JmapSettings


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
