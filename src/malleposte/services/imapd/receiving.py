"""Commands with messages in them: each is announced, refused or taken, and all are filed at the end.

The messages of a command stand in one spool, one after the other: small ones in memory, more in an
unnamed file (``delivery.spool``), so that a session's memory depends neither on their size nor on their
number. What can be refused is refused before a message is sent.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import structlog

from malleposte.delivery.spool import Spool
from malleposte.services.imapd import updates
from malleposte.services.imapd.replies import Refuse, failed
from malleposte.store import PermanentFailure, TemporaryFailure
from malleposte.store import flags as store_flags
from malleposte.wire.imap.events import AppendAborted, AppendData, AppendEnd, AppendStart, Closed
from malleposte.wire.imap.flags import DELETED

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Announced:
    """One message of a command: where it begins in the spool, and how it is to be filed."""

    begin: int
    flags: int
    keywords: tuple[str, ...]
    deleted: bool
    received_at: int

    @classmethod
    def of(cls, start: AppendStart, begin: int) -> Self:
        """What a client said of a message."""
        bits, words = store_flags.split(start.flags)
        return cls(
            begin,
            bits,
            tuple(flag for flag in start.flags if flag.lower() in words),
            DELETED in start.flags,
            int(start.date.timestamp() if start.date else time.time()),
        )


class Received:
    """The messages of one command, as far as they have come."""

    __slots__ = ("messages", "spool")

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self.messages: list[Announced] = []

    @contextmanager
    def octets(self) -> Iterator[list[bytes | memoryview]]:
        """Each message."""
        ends = [message.begin for message in self.messages[1:]] + [self.spool.size]
        with self.spool.buffer() as whole:
            parts = [whole[m.begin : end] for m, end in zip(self.messages, ends, strict=True)]
            try:
                yield parts
            finally:
                for part in parts:
                    if isinstance(part, memoryview):
                        part.release()


class Filing(Protocol):
    """What a command does with its messages."""

    async def check(self, start: AppendStart, before: int) -> None:
        """Refuse (``Refuse``) an announced message; ``before``: octets of those that came before it."""
        ...

    async def file(self, received: Received) -> bytes:
        """File them all or none; the tagged response. Raises what the store raises, and ``OSError``."""
        ...


async def receive(session: "Session", start: AppendStart, filing: Filing) -> None:
    """The whole of a command, from its first message's announcement to its answer."""
    tag = start.command.tag
    received = Received(Spool(session.service.store.incoming, session.actor))
    try:
        try:
            if not await _take_all(session, start, filing, received):
                return
        except Refuse as refusal:
            session.engine.refuse_append(refusal.reply(tag))
            return
        except (TemporaryFailure, OSError) as error:
            session.engine.refuse_append(failed(tag, error))
            return
        answer = await _answer(session, tag, filing, received)
        if session.qresync and session.selected is not None:
            updates.hold_back(session)
        session.send(answer)
        session.engine.command_done()
    finally:
        received.spool.close()


async def _take_all(
    session: "Session", start: AppendStart, filing: Filing, received: Received
) -> bool:
    """Take the messages; False where the command broke off and the engine has answered."""
    event: AppendStart | AppendEnd | None = start
    while isinstance(event, AppendStart):
        await filing.check(event, received.spool.size)
        received.spool.expect(event.size)
        received.messages.append(Announced.of(event, received.spool.size))
        session.engine.accept_append()
        event = await _take(session, received.spool)
    return event is not None


async def _take(session: "Session", spool: Spool) -> AppendStart | AppendEnd | None:
    """Take one message; what comes behind it, None where the command broke off."""
    while True:
        event = await session.next_event()
        if isinstance(event, AppendData):
            spool.write(event.data)
        elif isinstance(event, AppendStart | AppendEnd):
            return event
        elif isinstance(event, AppendAborted | Closed):
            return None


async def _answer(session: "Session", tag: bytes, filing: Filing, received: Received) -> bytes:
    try:
        return await filing.file(received)
    except Refuse as refusal:
        return refusal.reply(tag)
    except (TemporaryFailure, OSError) as error:
        log.warning("imap_store_away", error=str(error))
        return failed(tag, error)
    except PermanentFailure as error:
        session.service.observer.defect("store")
        return failed(tag, error)
