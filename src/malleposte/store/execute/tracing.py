"""Traces: that a message came, and what each attempt to deliver it came to."""

from collections.abc import Sequence

from malleposte.store import dialect
from malleposte.store.commands import Deliver
from malleposte.store.results import Filed
from malleposte.store.work import Work

_INT = "bigint"
_TRACE = dialect.insert(
    "trace",
    {
        "id": _INT,
        "at": _INT,
        "direction": "text",
        "sender": "text",
        "message_id": "text",
        "record": "bytea",
    },
    on_conflict="ON CONFLICT DO NOTHING",
)
ATTEMPT = dialect.insert(
    "trace_attempt",
    {
        "trace": _INT,
        "at": _INT,
        "address": "text",
        "attempt": _INT,
        "outcome": "text",
        "host": "text",
        "said": "text",
    },
    on_conflict="ON CONFLICT DO NOTHING",
)
_ADDRESS = "SELECT address FROM account WHERE id = $1"


async def trace(work: Work, command: Deliver, filed: Sequence[Filed]) -> None:
    """Gather the trace of a delivery; of those who refused it a line each, under the account's address."""
    number = command.trace_id
    work.add(
        _TRACE,
        (
            number,
            work.now,
            command.direction,
            command.sender,
            command.rendered.message_id,
            command.trace,
        ),
    )
    for one in filed:
        if one.refused:
            row = await work.tx.row(_ADDRESS, one.account)
            if row is not None:
                work.add(ATTEMPT, (number, work.now, row[0], 0, "refused", "", one.refused))
