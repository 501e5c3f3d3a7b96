"""SORT and UID SORT (RFC 5256 §3, RFC 5957; ESORT, RFC 5267 §3)."""

from typing import TYPE_CHECKING, Final

from malleposte.services.imapd.search_program import Positions
from malleposte.services.imapd.searching import Saving, extended, find, plain, searched
from malleposte.services.imapd.sort_keys import in_order
from malleposte.wire.imap.commands.search import SearchReturn
from malleposte.wire.imap.commands.sort import Sort

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

_ORDERLESS: Final = frozenset({SearchReturn.COUNT, SearchReturn.SAVE})
"""Result options to which the order of messages is all the same."""


async def sort(session: "Session", command: Sort) -> bytes:
    """RFC 5256 §3; MIN and MAX are the first and the last of the order (RFC 5267 §3)."""
    with Saving(session, command):
        evaluation, hits = await find(session, command.tag, command.key)
        order: Positions = hits
        if command.returns is None or command.returns - _ORDERLESS:
            async with session.service.turns.large(len(hits)):
                order = await in_order(evaluation, command.criteria, hits)
        if command.returns is None:
            await plain(session, b"SORT", command, evaluation, order)
        else:
            await extended(session, command, evaluation, order)
    return searched(session, command.tag)


HANDLERS: Final = {Sort: sort}
