"""Copies of a message that leave: rows of the queue, in the transaction that files the local copies."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from malleposte.store import dialect
from malleposte.store.commands import HELD, SUSPENDED, WAITS, Deliver, Enclosed, Handing
from malleposte.store.execute.allowing import admitted
from malleposte.store.work import Work

if TYPE_CHECKING:
    from malleposte.store.execute.filing import Known

_INT = "bigint"
_MESSAGE = dialect.insert(
    "queue_message",
    {
        "id": _INT,
        "trace": _INT,
        "account": _INT,
        "sender": "text",
        "blob": _INT,
        "prefix": "bytea",
        "size": _INT,
        "needs": _INT,
        "ret": "text",
        "envelope": "text",
        "created_at": _INT,
        "expires_at": _INT,
        "held": "text",
    },
)
_RECIPIENT = dialect.insert(
    "queue_recipient",
    {
        "message": _INT,
        "n": _INT,
        "address": "text",
        "route": "text",
        "notify": "text",
        "original": "text",
        "state": _INT,
        "due_at": _INT,
        "attempts": _INT,
        "warned": _INT,
        "said": "text",
    },
)
_EARLIER = (
    " ON CONFLICT (route) DO UPDATE SET due_at = CASE"
    " WHEN queue_route.due_at <= excluded.due_at THEN queue_route.due_at"
    " WHEN queue_route.closed_until > excluded.due_at THEN queue_route.closed_until"
    " ELSE excluded.due_at END"
)
_ROUTE_COLUMNS = "route, due_at, closed_until, failures, said"
_ROUTE = dialect.Bulk(
    sqlite=f"INSERT INTO queue_route ({_ROUTE_COLUMNS}) VALUES ($1, $2, 0, 0, ''){_EARLIER}",
    # One row a route, in one order: transactions never wait for each other in a ring.
    postgres=f"INSERT INTO queue_route ({_ROUTE_COLUMNS}) SELECT route, min(due_at), 0, 0, ''"
    " FROM unnest($1::text[], $2::bigint[]) AS v(route, due_at) GROUP BY route ORDER BY route"
    + _EARLIER,
    types=("text", _INT),
)

NEVER: Final = (1 << 63) - 1
"""The due time of a route of which nothing waits."""


async def hand_on(
    work: Work,
    command: Deliver,
    known: "Known",
    handings: Sequence[Handing],
    message: Deliver | Enclosed | None = None,
) -> None:
    """Gather the rows of copies of a delivery that leave. ``message``: a variant of it that does."""
    leaves = message or command
    numbers = await work.numbers("queue_message", len(handings))
    for number, handing in zip(numbers, handings, strict=True):
        held = handing.held or await _suspended(work, handing) or await admitted(work, handing)
        _hand_one(work, command, leaves, handing, known, number, held)


async def _suspended(work: Work, handing: Handing) -> str:
    """Why what an account wrote rests, '' where it may leave: it was suspended a moment ago."""
    if handing.account <= 0 or handing.by:
        return ""
    row = await work.tx.row("SELECT status FROM account WHERE id = $1", handing.account)
    return SUSPENDED if row is not None and row[0] == "suspended" else ""


def _hand_one(
    work: Work,
    command: Deliver,
    leaves: Deliver | Enclosed,
    handing: Handing,
    known: "Known",
    message: int,
    held: str,
) -> None:
    blob = known.blob(work, handing.organisation, leaves.content, id(leaves))
    size = leaves.content.size + len(handing.prefix)
    work.add(
        _MESSAGE,
        (message, command.trace_id, handing.account, handing.sender, blob, handing.prefix, size)
        + (
            handing.needs,
            handing.ret,
            handing.envelope,
            work.now,
            handing.expires_at,
            held,
        ),
    )
    state = HELD if held else WAITS
    first: dict[str, int] = {}
    for n, relay in enumerate(handing.relays):
        at = max(relay.due_at, work.now)
        work.add(
            _RECIPIENT,
            (message, n, relay.address, relay.route, relay.notify, relay.original)
            + (state, at, 0, 0, ""),
        )
        first[relay.route] = min(at, first.get(relay.route, NEVER))
    if state == WAITS:
        due(work, first.items())


def due(work: Work, routes: Iterable[tuple[str, int]]) -> None:
    """Gather that something of these routes is due at a time, or when the way is open again."""
    for row in routes:
        work.add(_ROUTE, row)


async def make_routes(work: Work) -> None:
    """Make the rows of routes anew from the recipients that wait; what is known of the ways stays."""
    rows = await work.tx.rows(
        "SELECT route, min(due_at) FROM queue_recipient WHERE state = 0 GROUP BY route"
    )
    due(work, ((route, at) for route, at in rows))
    await work.flush()
