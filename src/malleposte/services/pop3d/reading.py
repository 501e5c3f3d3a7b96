"""RETR and TOP: a message read by its stored frames and sent slice by slice.

Invariants: of a message larger than a frame no more than two are in memory; what LIST said is what is
sent, but for dots that are doubled and a CRLF at the end where none was stored. Small messages are read
a few ahead for who asks for one after the other, as programs do.
"""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING, Final, NoReturn, cast

import structlog

from malleposte.services.connection import ConnectionLost
from malleposte.store import PermanentFailure, StoreError
from malleposte.store.ids import LOW
from malleposte.store.read import emails as read_emails
from malleposte.store.read.emails import Damaged, Stored
from malleposte.wire.pop3 import Code, Err, Ok

if TYPE_CHECKING:
    from malleposte.services.pop3d.session import Session

log = structlog.get_logger(__name__)

AHEAD: Final = 8
"""Messages read at once for who asks in order: 256 KB of stored content at the most."""
_GONE: Final = Err("This message was deleted elsewhere", Code.PERMANENT)
_DAMAGED: Final = Err("This message is damaged; ask your administrator", Code.PERMANENT)


class Reading:
    """What a session has read ahead, and how much it was sent."""

    __slots__ = ("_ahead", "_next", "messages", "octets")

    def __init__(self) -> None:
        self.messages = 0
        """Messages sent whole."""
        self.octets = 0
        """Octets of them, and of the beginnings of others."""
        self._ahead: dict[int, Stored] = {}
        self._next = -1

    async def find(self, session: "Session", at: int) -> Stored | None:
        """The stored email at a position; None: it is gone for good."""
        drop = session.drop
        number = drop.emails[at]
        found = self._ahead.pop(number, None)
        if found is None:
            count = AHEAD if at == self._next else 1
            numbers = [drop.emails[n] for n in drop.numbers(at, at + count)]
            rows = await read_emails.stored_of(
                session.service.store.reader, drop.account, sorted(numbers)
            )
            self._ahead = {row.email & LOW: row for row in rows}
            found = self._ahead.pop(number, None)
        self._next = at + 1
        return found


async def send(session: "Session", at: int, response: Ok, *, whole: bool = True) -> None:
    """Send the message at a position, or what TOP wants of it."""
    stored = await session.reading.find(session, at)
    if stored is None:
        session.engine.reply(_GONE)
        return
    store = session.service.store
    stored_pieces = read_emails.read(store.reader, store.blobs, stored, 0, stored.size)
    begun = False
    try:
        # What is left before its end closes its file now, not some time later.
        async with (
            contextlib.aclosing(cast("AsyncGenerator[bytes]", stored_pieces)) as read,
            contextlib.aclosing(_once_the_next_is_there(read)) as pieces,
        ):
            async for piece in pieces:
                if not begun:
                    session.engine.begin(response)
                    begun = True
                elif session.dismissed:
                    _break_off(session)
                session.reading.octets += len(piece)
                wanted = session.engine.piece(piece)
                session.say()
                await session.relieve()
                if not wanted:
                    break
    except Damaged as error:
        log.error("pop3_damaged", email=stored.email, error=str(error))
        if begun:
            _break_off(session)
        session.engine.reply(_DAMAGED)
        return
    except StoreError as error:
        if not begun:
            raise
        if isinstance(error, PermanentFailure):
            session.service.observer.defect("pop3 store")
        else:
            log.warning("pop3_store_away", error=str(error))
        _break_off(session)
    if not begun:
        session.engine.begin(response)
    session.engine.end()
    session.reading.messages += whole


def _break_off(session: "Session") -> NoReturn:
    """End a session in the middle of a message: nothing that follows would be understood."""
    session.connection.abort()
    raise ConnectionLost


async def _once_the_next_is_there(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """Each piece when the one behind it could be read, too: of a message whose content is damaged
    nothing is sent, not even the lines that were put before it."""
    held: bytes | None = None
    async for piece in pieces:
        if held is not None:
            yield held
        held = piece
    if held is not None:
        yield held
