"""The window of a ``query`` (RFC 8620 §5.5), whatever is queried."""

from collections.abc import Callable
from typing import Final

from malleposte.services.jmap.arguments import Query
from malleposte.services.jmap.errors import MethodError

MOST: Final = 5_000
"""Ids given at once; a window on a screen has fifty."""


def window(query: Query, total: int, place: Callable[[str], int]) -> tuple[int, int]:
    """(position of the first id, how many); ``place`` says where an id stands, -1 for nowhere. Raises
    ``MethodError``."""
    limit = MOST if query.limit is None else min(query.limit, MOST)
    if query.anchor is not None:
        at = place(query.anchor)
        if at < 0:
            raise MethodError("anchorNotFound")
        start = max(at + query.anchor_offset, 0)
    elif query.position < 0:
        start = max(total + query.position, 0)
    else:
        start = query.position
    return start, limit


def limited(query: Query) -> dict[str, int]:
    """The ``limit`` of the answer, where it is not the client's."""
    return {"limit": MOST} if query.limit is None or query.limit > MOST else {}
