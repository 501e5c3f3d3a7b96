"""What became of messages: their traces, found by who sent them, to whom, by what name or when.

The number of a trace begins with the time it came, so that a time is a range of numbers and no index but
that of the numbers is kept. What else is asked for is looked for in slices, newest first, each a bounded
statement; the caller goes on below ``Found.below``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from malleposte.store.dialect import Reader, any_of, both

SLICE: Final = 2_000
"""Traces a statement brings: some MB at the most."""
_TIME: Final = 31
"""Bits behind the seconds in a trace's number."""

_PAGE = (
    "SELECT id, at, direction, sender, coalesce(message_id, ''), record FROM trace"
    " WHERE id >= $1 AND id < $2 ORDER BY id DESC LIMIT $3"
)
_ATTEMPTS = both(
    "SELECT trace, at, address, attempt, outcome, host, said FROM trace_attempt WHERE {traces}"
    " ORDER BY trace, at, attempt LIMIT $2",
    traces=any_of("trace", 1),
)
_WAITING = both(
    "SELECT m.trace, m.id, r.address, r.state,"
    " CASE WHEN coalesce(q.closed_until, 0) > r.due_at THEN q.closed_until ELSE r.due_at END, m.held,"
    " CASE WHEN coalesce(q.closed_until, 0) > 0 THEN q.said ELSE r.said END FROM queue_message m"
    " JOIN queue_recipient r ON r.message = m.id LEFT JOIN queue_route q ON q.route = r.route"
    " WHERE {traces} AND r.state < 2"
    " ORDER BY m.id, r.n LIMIT $2",
    traces=any_of("m.trace", 1),
)
_ADDRESSES = both("SELECT id, address FROM account WHERE {ids}", ids=any_of("id", 1))
LINES: Final = 5_000
"""Attempts, and recipients that wait, of one page."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt came to, or what somebody did. ``at``: Unix seconds."""

    at: int
    address: str
    attempt: int
    outcome: str
    host: str
    said: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A recipient that still is in the queue. ``state`` as in ``commands``; ``due_at``: when it is tried,
    also where its way is closed until then; ``held``: why, '' not."""

    message: int
    address: str
    state: int
    due_at: int
    held: str
    said: str


@dataclass(slots=True)
class Trace:
    """One message. ``record``: what the receiving worker wrote (``delivery.receive``)."""

    id: int
    at: int
    direction: str
    sender: str
    message_id: str
    record: dict[str, Any]
    attempts: list[Attempt] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)

    @property
    def became(self) -> dict[int, list[tuple[str, str]]]:
        """What scripts did with accounts' copies: each what, and where to."""
        found = self.record.get("became", {})
        return {account: [(one[0], one[1]) for one in fates] for account, fates in found.items()}

    @property
    def forwarded(self) -> dict[str, str]:
        """Addresses elsewhere that it went on to, with the address of ours that leads there."""
        found = self.record.get("onward", ())
        return {str(one[0]): str(one[1]) for one in found}

    @property
    def recipients(self) -> list[tuple[str, tuple[int, ...]]]:
        """The addresses of the envelope, each with the accounts of ours that it reaches."""
        return [(to[0], tuple(to[1])) for to in self.record.get("to", ())]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: parts of addresses, whatever their case, and of the Message-ID; '' anything."""

    sender: str = ""
    recipient: str = ""
    message_id: str = ""

    def fits(self, trace: Trace) -> bool:
        """Whether a trace is one of those."""
        if self.sender and self.sender.casefold() not in _senders(trace):
            return False
        if self.message_id and self.message_id.strip("<> ") not in trace.message_id:
            return False
        wanted = self.recipient.casefold()
        return not wanted or any(wanted in address.casefold() for address, _ in trace.recipients)


def _senders(trace: Trace) -> str:
    """The envelope's sender and who had signed in: either is how people know whom it came from."""
    return f"{trace.sender}\n{trace.record.get('login', '')}".casefold()


@dataclass(frozen=True, slots=True)
class Found:
    """Traces, newest first. ``below``: where to go on; 0: there are no more. ``looked_at``: how many
    were looked through."""

    traces: list[Trace]
    below: int
    looked_at: int


def first_of(second: int) -> int:
    """The first number that a trace of a second can have."""
    return second << _TIME


async def find(
    reader: Reader, wanted: Wanted, since: int, below: int, *, most: int, look_at: int
) -> Found:
    """At most ``most`` traces with numbers from ``since`` up to before ``below``; some ``look_at`` traces
    are looked through, then the caller decides whether to go on."""
    found: list[Trace] = []
    looked_at = 0
    while len(found) < most and looked_at < look_at:
        rows = await reader.rows(_PAGE, since, below, SLICE)
        for number, at, direction, sender, message_id, record in rows:
            below = number
            looked_at += 1
            trace = Trace(number, at, direction, sender, message_id, _decoded(record))
            if wanted.fits(trace):
                found.append(trace)
                if len(found) == most:
                    break
        else:
            if len(rows) < SLICE:
                below = 0
                break
    await _complete(reader, found)
    return Found(found, below, looked_at)


async def waited_until(reader: Reader, number: int) -> int:
    """The moment until which a message was to wait (RFC 4865), 0 where it was not to, or has no trace any
    more."""
    row = await reader.row("SELECT record FROM trace WHERE id = $1", number) if number else None
    found = _decoded(row[0]).get("until", 0) if row is not None else 0
    return found if isinstance(found, int) else 0


async def accounts(reader: Reader, traces: Sequence[Trace]) -> dict[int, str]:
    """Addresses of the accounts that traces name; those that are gone are left out."""
    reached = {a for trace in traces for _, some in trace.recipients for a in some}
    ids = sorted(reached | {a for trace in traces for a in trace.became})
    return {row[0]: row[1] for row in await reader.rows(_ADDRESSES, ids)} if ids else {}


def _decoded(record: bytes) -> dict[str, Any]:
    try:
        found = msgspec.msgpack.decode(record)
    except msgspec.DecodeError:
        return {}  # what cannot be read must not hide that the message came
    return found if isinstance(found, dict) else {}


async def _complete(reader: Reader, traces: list[Trace]) -> None:
    """Add what became of those that went on."""
    if not traces:
        return
    by_number = {trace.id: trace for trace in traces}
    for number, *attempt in await reader.rows(_ATTEMPTS, list(by_number), LINES):
        by_number[number].attempts.append(Attempt(*attempt))
    for number, *waiting in await reader.rows(_WAITING, list(by_number), LINES):
        by_number[number].waiting.append(Waiting(*waiting))
