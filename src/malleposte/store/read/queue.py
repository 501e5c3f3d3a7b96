"""The queue as people look at it: messages with their recipients, ways, counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from malleposte.store.dialect import Reader, Row, any_of, both

PAGE: Final = 200
"""Messages of a page, with all of their recipients up to ``RECIPIENTS``."""
RECIPIENTS: Final = 5_000
"""Recipients of a page: whoever has more is asked for by number."""


@dataclass(frozen=True, slots=True)
class QueuedRecipient:
    """One recipient that is not done. ``closed_until``: the way itself failed, ``why`` says how;
    0 where it works. ``state`` as in ``commands``."""

    n: int
    address: str
    route: str
    state: int
    due_at: int
    attempts: int
    said: str
    closed_until: int
    why: str


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message on its way. ``held``: why nothing is tried, '' where it is."""

    id: int
    trace: int
    account: int
    sender: str
    size: int
    created_at: int
    expires_at: int
    held: str
    recipients: tuple[QueuedRecipient, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """How much waits. ``oldest``: when the oldest came, 0 for nothing."""

    messages: int
    waiting: int
    held: int
    oldest: int


def of_domain(at: int) -> str:
    """That the domain of ``r.address`` is the parameter of that number (lower case, A-labels)."""
    return f"substr(lower(r.address), length(r.address) - length(${at})) = '@' || ${at}"


_COLUMNS = "m.id, m.trace, m.account, m.sender, m.size, m.created_at, m.expires_at, m.held"
_AFTER = f"SELECT {_COLUMNS} FROM queue_message m WHERE m.id > $1 ORDER BY m.id LIMIT $2"
_OF_ACCOUNT = (
    f"SELECT {_COLUMNS} FROM queue_message m WHERE m.id > $1 AND m.account = $2"
    " ORDER BY m.id LIMIT $3"
)
_OF_DOMAIN = (
    f"SELECT {_COLUMNS} FROM queue_message m WHERE m.id > $1 AND ($2 <> '') AND EXISTS (SELECT 1"
    f" FROM queue_recipient r WHERE r.message = m.id AND r.state < 2 AND {of_domain(2)})"
    " ORDER BY m.id LIMIT $3"
)
_NUMBERS = (
    "SELECT m.id FROM queue_message m WHERE m.id > $1 AND ($2 = 0 OR m.account = $2)"
    " AND ($3 = '' OR EXISTS (SELECT 1 FROM queue_recipient r WHERE r.message = m.id AND r.state < 2"
    f" AND {of_domain(3)})) ORDER BY m.id LIMIT $4"
)
_ROUTES = (
    "SELECT r.message, r.n, r.address, r.route, m.sender FROM queue_recipient r"
    " JOIN queue_message m ON m.id = r.message WHERE (r.message > $1 OR (r.message = $1 AND r.n > $2))"
    " AND r.state < 2 ORDER BY r.message, r.n LIMIT $3"
)
_HELD = (
    f"SELECT {_COLUMNS} FROM queue_message m WHERE m.id > $1 AND EXISTS"
    " (SELECT 1 FROM queue_recipient r WHERE r.message = m.id AND r.state = 1) ORDER BY m.id LIMIT $2"
)
_THESE = both(
    f"SELECT {_COLUMNS} FROM queue_message m WHERE {{ids}} ORDER BY m.id", ids=any_of("m.id", 1)
)
_RECIPIENTS = both(
    "SELECT r.message, r.n, r.address, r.route, r.state, r.due_at, r.attempts, r.said,"
    " coalesce(q.closed_until, 0), coalesce(q.said, '') FROM queue_recipient r"
    " LEFT JOIN queue_route q ON q.route = r.route WHERE {messages} AND r.state < 2"
    " ORDER BY r.message, r.n LIMIT $2",
    messages=any_of("r.message", 1),
)
_TOTALS = (
    "SELECT (SELECT count(*) FROM queue_message), (SELECT count(*) FROM queue_recipient WHERE state = 0),"
    " (SELECT count(*) FROM queue_recipient WHERE state = 1),"
    " (SELECT coalesce(min(created_at), 0) FROM queue_message"
    " WHERE id = (SELECT min(id) FROM queue_message))"
)


async def page(
    reader: Reader,
    *,
    after: int = 0,
    account: int = 0,
    domain: str = "",
    held: bool = False,
    limit: int = PAGE,
) -> list[QueuedMessage]:
    """Messages after one, oldest first: all, or an account's, those to a domain, those that are held."""
    most = max(1, min(limit, PAGE))
    if domain:
        rows = await reader.rows(_OF_DOMAIN, after, domain, most)
    elif account:
        rows = await reader.rows(_OF_ACCOUNT, after, account, most)
    elif held:
        rows = await reader.rows(_HELD, after, most)
    else:
        rows = await reader.rows(_AFTER, after, most)
    return await _whole(reader, rows)


async def these(reader: Reader, messages: Sequence[int]) -> list[QueuedMessage]:
    """Messages by number; those that have left are left out."""
    return await _whole(reader, await reader.rows(_THESE, list(messages[:PAGE])))


async def numbers(
    reader: Reader, *, after: int, account: int = 0, domain: str = "", limit: int
) -> list[int]:
    """Numbers of messages after one, of an account (0: of all), with a recipient of a domain ('': any)."""
    return [row[0] for row in await reader.rows(_NUMBERS, after, account, domain, limit)]


@dataclass(frozen=True, slots=True)
class RoutedRecipient:
    """A recipient with its route and who sends."""

    message: int
    n: int
    address: str
    route: str
    sender: str


async def routed(reader: Reader, after: tuple[int, int], *, limit: int) -> list[RoutedRecipient]:
    """Recipients that wait or are held, after one (message, n)."""
    rows = await reader.rows(_ROUTES, after[0], after[1], limit)
    return [RoutedRecipient(*row) for row in rows]


async def _whole(reader: Reader, rows: list[Row]) -> list[QueuedMessage]:
    found: dict[int, list[QueuedRecipient]] = {row[0]: [] for row in rows}
    if found:
        for message, *rest in await reader.rows(_RECIPIENTS, list(found), RECIPIENTS):
            found[message].append(QueuedRecipient(*rest))
    return [_message(row, found[row[0]]) for row in rows]


def _message(row: Row, recipients: list[QueuedRecipient]) -> QueuedMessage:
    number, trace, account, sender, size, created, expires, held = row
    return QueuedMessage(
        number, trace, account, sender, size, created, expires, held, tuple(recipients)
    )


async def totals_of(reader: Reader, account: int) -> tuple[int, int]:
    """How many recipients of an account's mail wait, and how many are held."""
    row = await reader.row(
        "SELECT coalesce(sum(CASE WHEN r.state = 0 THEN 1 ELSE 0 END), 0),"
        " coalesce(sum(CASE WHEN r.state = 1 THEN 1 ELSE 0 END), 0) FROM queue_message m"
        " JOIN queue_recipient r ON r.message = m.id WHERE m.account = $1",
        account,
    )
    return (int(row[0]), int(row[1])) if row is not None else (0, 0)


async def totals(reader: Reader) -> Totals:
    """How much waits in all."""
    row = await reader.row(_TOTALS)
    return Totals(*row) if row else Totals(0, 0, 0, 0)
