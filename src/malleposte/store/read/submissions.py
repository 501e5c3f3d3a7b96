"""Identities and submissions as they are kept, and what became of submitted mail."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from malleposte.store.dialect import Reader, Row, any_of, both


class Identity(NamedTuple):
    """From whom an account writes."""

    n: int
    address: str
    state: bytes


class Submission(NamedTuple):
    """An email that was submitted."""

    n: int
    identity: int
    email: int
    thread: int
    send_at: int
    trace: int
    canceled: int
    state: bytes


class Queued(NamedTuple):
    """A recipient in the queue, of the message with a trace."""

    trace: int
    address: str
    state: int
    attempts: int
    said: str


class Tried(NamedTuple):
    """What became of a try."""

    trace: int
    address: str
    outcome: str
    host: str
    said: str


class Moved(NamedTuple):
    """What changed of a kind since a modseq."""

    created: list[int]
    updated: list[int]
    destroyed: list[int]
    modseq: int
    more: bool


_SUBMISSIONS: Final = (
    "SELECT n, identity, email, thread, send_at, trace, canceled, state FROM email_submission"
    " WHERE account = $1 AND gone = 0"
)
_SOME: Final = both(f"{_SUBMISSIONS} AND {{ids}}", ids=any_of("n", 2))
_QUEUED: Final = both(
    "SELECT m.trace, r.address, r.state, r.attempts, r.said FROM queue_message m"
    " JOIN queue_recipient r ON r.message = m.id WHERE {traces} LIMIT 5000",
    traces=any_of("m.trace", 1),
)
_TRIED: Final = both(
    "SELECT trace, address, outcome, host, said FROM trace_attempt WHERE {traces}"
    " AND outcome IN ('delivered', 'failed', 'removed') LIMIT 5000",
    traces=any_of("trace", 1),
)


class Progress(NamedTuple):
    """How far a submission has come: recipients that are left in the queue, whether one of them was tried,
    and ends."""

    n: int
    before: str
    left: int
    begun: int
    ends: int

    @property
    def text(self) -> str:
        """As it is kept."""
        return f"{self.left} {min(self.begun, 1)} {self.ends}"

    @property
    def moved(self) -> bool:
        """Whether it shows otherwise than when it was last looked at."""
        if not self.before:
            return not self.left or bool(self.begun or self.ends)
        return self.text != self.before


_LEFT: Final = (
    "FROM queue_message m JOIN queue_recipient r ON r.message = m.id"
    " WHERE m.trace = s.trace AND m.account = s.account AND r.state < 2"
)
MOST_OPEN: Final = 500
"""Submissions looked at; the latest."""
OPEN: Final = (
    f"SELECT s.n, s.progress, (SELECT count(*) {_LEFT}), (SELECT count(*) {_LEFT} AND r.attempts > 0),"
    " (SELECT count(*) FROM trace_attempt t WHERE t.trace = s.trace"
    " AND t.outcome IN ('delivered', 'failed', 'removed'))"
    " FROM email_submission s WHERE s.account = $1 AND s.ended = 0 AND s.gone = 0 AND s.canceled = 0"
    " ORDER BY s.n DESC LIMIT $2"
)


async def modseq(reader: Reader, table: str, account: int) -> int:
    """The state of a kind: when something of it last changed."""
    row = await reader.row(
        f"SELECT coalesce(max(modseq), 0) FROM {_table(table)} WHERE account = $1", account
    )
    return int(row[0]) if row is not None else 0


async def identities(reader: Reader, account: int) -> list[Identity]:
    """An account's, in the order they were made."""
    rows = await reader.rows(
        "SELECT n, address, state FROM identity WHERE account = $1 AND gone = 0 ORDER BY n", account
    )
    return [Identity(n, address, bytes(state)) for n, address, state in rows]


async def addresses(reader: Reader, account: int) -> set[str]:
    """Addresses that have an identity, or had one."""
    rows = await reader.rows("SELECT address FROM identity WHERE account = $1", account)
    return {row[0] for row in rows}


async def submissions(reader: Reader, account: int, ids: Sequence[int]) -> list[Submission]:
    """Some of an account's."""
    rows = await reader.rows(_SOME, account, list(ids))
    return list(map(_submission, rows))


async def of_trace(reader: Reader, account: int, trace: int) -> Submission | None:
    """The one of a message that was handed over, of the latest."""
    row = await reader.row(f"{_SUBMISSIONS} AND trace = $2 ORDER BY n DESC LIMIT 1", account, trace)
    return None if row is None else _submission(row)


async def latest(reader: Reader, account: int, most: int) -> list[Submission]:
    """The last ones of an account."""
    rows = await reader.rows(f"{_SUBMISSIONS} ORDER BY n DESC LIMIT $2", account, most)
    return list(map(_submission, rows))


class Listed(NamedTuple):
    """A submission as lists are made of it."""

    n: int
    identity: int
    email: int
    thread: int
    send_at: int
    canceled: int


async def listed(reader: Reader, account: int) -> list[Listed]:
    """All of an account, in the order they were made."""
    rows = await reader.rows(
        "SELECT n, identity, email, thread, send_at, canceled FROM email_submission"
        " WHERE account = $1 AND gone = 0 ORDER BY n",
        account,
    )
    return [Listed(*row) for row in rows]


async def waiting(reader: Reader, account: int, most: int) -> list[Submission]:
    """Those of which something is in the queue, the latest first."""
    rows = await reader.rows(
        f"{_SUBMISSIONS} AND canceled = 0 AND EXISTS (SELECT 1 FROM queue_message m"
        " WHERE m.trace = email_submission.trace) ORDER BY n DESC LIMIT $2",
        account,
        most,
    )
    return list(map(_submission, rows))


async def some_moved(reader: Reader, account: int) -> bool:
    """Whether submissions came further than their modseqs tell (``NoteProgress``)."""
    rows = await reader.rows(OPEN, account, MOST_OPEN)
    return any(Progress(*row).moved for row in rows)


async def queued(reader: Reader, traces: Sequence[int]) -> list[Queued]:
    """What of some messages is in the queue."""
    return [Queued(*row) for row in await reader.rows(_QUEUED, list(traces))]


async def tried(reader: Reader, traces: Sequence[int]) -> list[Tried]:
    """How some messages ended."""
    return [Tried(*row) for row in await reader.rows(_TRIED, list(traces))]


async def moved(reader: Reader, table: str, account: int, since: int, most: int) -> Moved:
    """Changes since a modseq, ``most`` of them. Each change has a modseq of its own."""
    rows = await reader.rows(
        f"SELECT n, modseq, gone FROM {_table(table)} WHERE account = $1 AND modseq > $2"
        " ORDER BY modseq LIMIT $3",
        account,
        since,
        most + 1,
    )
    more, rows = len(rows) > most, rows[:most]
    new = [row for row in rows if row[0] > since]
    return Moved(
        [n for n, _, gone in new if not gone],
        [n for n, _, gone in rows if n <= since and not gone],
        [n for n, _, gone in rows if n <= since and gone],
        rows[-1][1] if rows else since,
        more,
    )


def _submission(row: Row) -> Submission:
    return Submission._make((*row[:-1], bytes(row[-1])))


def _table(table: str) -> str:
    if table not in ("identity", "email_submission", "share_notification"):
        raise ValueError(table)
    return table
