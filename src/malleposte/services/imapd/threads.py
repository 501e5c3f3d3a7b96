"""THREAD and UID THREAD (RFC 5256 §3): the trees of messages, from stored keys."""

from array import array
from collections.abc import Generator
from typing import TYPE_CHECKING, Final, TypeVar

from malleposte.mime import ThreadKey, header_thread_key, read_thread_key
from malleposte.services.imapd.replies import Refuse
from malleposte.services.imapd.search_content import BODIES
from malleposte.services.imapd.searching import find, searched, send
from malleposte.services.imapd.sort_keys import sent
from malleposte.services.imapd.thread_trees import Forest, References, TooMany, ordered_subject
from malleposte.store.ids import LOW
from malleposte.store.opened import HEADER_BYTES, Opened
from malleposte.store.read import emails as read_emails
from malleposte.store.read.emails import Damaged
from malleposte.wire.imap import codes
from malleposte.wire.imap.commands.thread import Thread, ThreadAlgorithm

if TYPE_CHECKING:
    from malleposte.services.imapd.search_program import Evaluation, Positions
    from malleposte.services.imapd.session import Session

T = TypeVar("T")

ROWS: Final = 200
"""Messages whose keys are read at a time: some 1 ms."""

NODES: Final = 500_000
"""Messages and ids they refer to in one THREAD: some 100 MB."""

_COLUMNS: Final = ("w.thread_key", "e.sent_at", "e.received_at")
_NOTHING: Final = ThreadKey(0, 0, False, ())


async def thread(session: "Session", command: Thread) -> bytes:
    """RFC 5256 §3."""
    evaluation, hits = await find(session, command.tag, command.key)
    too_many = Refuse(f"A THREAD takes at most {NODES} messages", codes.LIMIT)
    if len(hits) > NODES:
        raise too_many
    async with session.service.turns.large(len(hits)):
        kind = _References if command.algorithm is ThreadAlgorithm.REFERENCES else _Subjects
        builder = kind(evaluation)
        try:
            await builder.read(hits)
        except TooMany:
            raise too_many from None
        forest = await _sliced(evaluation, builder.forest())
        numbers = await evaluation.numbers(builder.positions, uid=command.uid)
        await send(session, forest.pieces(numbers))
    return searched(session, command.tag)


async def _sliced(run: "Evaluation", work: Generator[None, None, T]) -> T:
    """The result of work that yields between its pieces."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        await run.pause()


class _Builder:
    """Reads what an algorithm needs of each message; those gone for good are left out."""

    def __init__(self, run: "Evaluation") -> None:
        self._run = run
        self.positions = array("I")
        self._dates = array("q")

    def add(self, key: ThreadKey) -> None:
        """The key of the next message. Raises ``TooMany``."""
        raise NotImplementedError

    def forest(self) -> Generator[None, None, Forest]:
        """The trees."""
        raise NotImplementedError

    async def read(self, hits: "Positions") -> None:
        """Add all of the positions. Raises ``TooMany``."""
        run = self._run
        reader = run.session.service.store.reader
        for start in range(0, len(hits), ROWS):
            part = hits[start : start + ROWS]
            numbers = [run.emails[at] for at in part]
            rows = await run.session.reading(
                read_emails.columns_of(reader, run.account, numbers, _COLUMNS)
            )
            by_number = {row[0]: row for row in rows}
            # Filed before keys were kept.
            old = await self._from_headers([row[0] for row in rows if row[1] is None])
            for at, number in zip(part, numbers, strict=True):
                row = by_number.get(number)
                if row is None:
                    continue
                key = old.get(number, _NOTHING) if row[1] is None else read_thread_key(row[1])
                self.add(key)
                self.positions.append(at)
                self._dates.append(sent(row[2], row[3]))
            await run.pause(start, len(hits))

    async def _from_headers(self, numbers: list[int]) -> dict[int, ThreadKey]:
        run = self._run
        session, store = run.session, run.session.service.store
        found: dict[int, ThreadKey] = {}
        for start in range(0, len(numbers), BODIES):
            part = numbers[start : start + BODIES]
            for stored in await session.reading(
                read_emails.stored_of(store.reader, run.account, part)
            ):
                opened = Opened(store, stored)
                try:
                    begin, end = opened.header((await opened.parts())[0])
                    header = await opened.octets(begin, min(end, begin + HEADER_BYTES))
                except Damaged:
                    continue  # a message without references
                found[stored.email & LOW] = read_thread_key(header_thread_key(header))
                await run.pause()
        return found


class _References(_Builder):
    def __init__(self, run: "Evaluation") -> None:
        super().__init__(run)
        self._links = References(NODES)

    def add(self, key: ThreadKey) -> None:
        self._links.add(key)

    def forest(self) -> Generator[None, None, Forest]:
        return self._links.forest(self._dates)


class _Subjects(_Builder):
    def __init__(self, run: "Evaluation") -> None:
        super().__init__(run)
        self._found = array("Q")

    def add(self, key: ThreadKey) -> None:
        self._found.append(key.subject)

    def forest(self) -> Generator[None, None, Forest]:
        return ordered_subject(self._found, self._dates)


HANDLERS: Final = {Thread: thread}
