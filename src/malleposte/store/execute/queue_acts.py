"""What people do with queued mail: hold, release, try now, send elsewhere, remove; and its routes."""

from malleposte.store import dialect
from malleposte.store.commands import (
    FAILED,
    HELD,
    MOST_CHANGED,
    MOST_REROUTED,
    WAITS,
    ChangeQueued,
    Reroute,
)
from malleposte.store.dialect import Row, any_of, both
from malleposte.store.execute.handing import due
from malleposte.store.execute.queueing import OPEN_ROUTE, SAID, let_go
from malleposte.store.execute.tracing import ATTEMPT
from malleposte.store.read.queue import of_domain
from malleposte.store.results import Done, Refused
from malleposte.store.work import Work

_INT = "bigint"

_STATES = {"hold": (WAITS,), "release": (HELD,), "retry": (WAITS,)}
_WORDS = {
    "hold": "held",
    "release": "released",
    "retry": "retried",
    "remove": "removed",
    "redirect": "redirected",
}
_CHOSEN = both(
    "SELECT r.message, r.n, r.state, r.attempts, r.address, r.route, m.trace, m.blob"
    " FROM queue_recipient r JOIN queue_message m ON m.id = r.message"
    " WHERE {messages} AND ($2 < 0 OR r.n = $2) AND r.state < 2"
    f" AND ($3 = '' OR {of_domain(3)})",
    messages=any_of("r.message", 1),
)
_CHANGE = dialect.Bulk(
    sqlite="UPDATE queue_recipient SET state = $1, due_at = $2, address = $3, route = $4"
    " WHERE message = $5 AND n = $6",
    postgres="UPDATE queue_recipient SET state = v.state, due_at = v.due_at, address = v.address,"
    " route = v.route FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[],"
    " $5::bigint[], $6::bigint[]) AS v(state, due_at, address, route, message, n)"
    " WHERE queue_recipient.message = v.message AND queue_recipient.n = v.n",
    types=(_INT, _INT, "text", "text", _INT, _INT),
)
_HOLD = both("UPDATE queue_message SET held = $1 WHERE {ids}", ids=any_of("id", 2))
_RELEASE = both(
    # Its time begins anew: what was held for long is not given up at the first trouble.
    "UPDATE queue_message SET expires_at = CASE WHEN held = '' THEN expires_at"
    " ELSE $1 + expires_at - created_at END, held = CASE WHEN EXISTS (SELECT 1 FROM queue_recipient r"
    " WHERE r.message = queue_message.id AND r.state = 1) THEN held ELSE '' END WHERE {ids}",
    ids=any_of("id", 2),
)
_REROUTE = dialect.Bulk(
    sqlite="UPDATE queue_recipient SET route = $1,"
    " due_at = CASE WHEN attempts > 0 AND due_at > $2 THEN $2 ELSE due_at END"
    " WHERE message = $3 AND n = $4 AND state < 2",
    postgres="UPDATE queue_recipient SET route = v.route,"
    " due_at = CASE WHEN attempts > 0 AND due_at > v.now THEN v.now ELSE due_at END"
    " FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS v(route, now, message, n)"
    " WHERE queue_recipient.message = v.message AND queue_recipient.n = v.n"
    " AND queue_recipient.state < 2",
    types=("text", _INT, _INT, _INT),
)
_NEXT_OF = both(
    "SELECT route, min(due_at) FROM queue_recipient WHERE {messages} AND state = 0 GROUP BY route",
    messages=any_of("message", 1),
)
_OF_ACCOUNT = (
    "SELECT m.id FROM queue_message m WHERE m.account = $1 AND EXISTS (SELECT 1 FROM queue_recipient r"
    " WHERE r.message = m.id AND (r.state = $2 OR r.state = $3)) ORDER BY m.id LIMIT $4"
)


async def change_queued(work: Work, command: ChangeQueued) -> Done | Refused:
    """Execute ``ChangeQueued``. What is being tried at this moment may still go out by that try."""
    word = _WORDS.get(command.act)
    if (
        word is None
        or (command.account and command.act in ("redirect", "retry"))
        or (command.act == "redirect" and not (command.address and command.route))
    ):
        return Refused(
            reason="bad-name", text=f"nothing to do with a queued message: {command.act}"
        )
    await work.flush()
    states = _STATES.get(command.act, (WAITS, HELD))
    messages = list(command.messages)
    if command.account:
        found = await work.tx.rows(
            _OF_ACCOUNT, command.account, states[0], states[-1], MOST_CHANGED
        )
        messages = [row[0] for row in found]
    rows = await work.tx.rows(_CHOSEN, messages, command.n, command.domain)
    rows = [row for row in rows if row[2] in states]
    if not rows:
        return Done()
    changed: list[Row] = []
    ways = {(one.message, one.n): one.route for one in command.routes}
    for message, n, state, attempts, address, route, trace, _ in rows:
        new_state = {"hold": HELD, "release": WAITS, "remove": FAILED}.get(command.act, state)
        # Of a redirected copy the trace says so at the address it had.
        work.add(ATTEMPT, (trace, work.now, address, attempts, word, "", command.said[:SAID]))
        if command.act == "redirect":
            address, route = command.address, command.route
        route = ways.get((message, n), route)
        changed.append((new_state, work.now, address, route, message, n))
    await work.tx.many(_CHANGE, changed)
    if command.act == "hold":
        held = command.said[:SAID] or "held"
        await work.tx.run(_HOLD, held, sorted({row[0] for row in rows}))
    elif command.act == "release":
        await work.tx.run(_RELEASE, work.now, sorted({row[0] for row in rows}))
    if command.act == "remove":
        await let_go(work, {row[0]: row[7] for row in rows})
    else:
        routes = {route: work.now for state, _, _, route, *_ in changed if state == WAITS}
        due(work, routes.items())
        await work.flush()
        if command.act == "retry":
            for route in sorted(routes):
                await work.tx.run(OPEN_ROUTE, route)
    return Done(count=len(rows), more=bool(command.account) and len(messages) == MOST_CHANGED)


async def reroute(work: Work, command: Reroute) -> Done:
    """Execute ``Reroute``. What is being tried at this moment is tried to its end."""
    await work.flush()
    moves = sorted((one.message, one.n, one.route) for one in command.moves[:MOST_REROUTED])
    if not moves:
        return Done()
    await work.tx.many(_REROUTE, [(route, work.now, message, n) for message, n, route in moves])
    rows = await work.tx.rows(_NEXT_OF, sorted({message for message, _, _ in moves}))
    due(work, ((route, at) for route, at in rows))
    await work.flush()
    return Done(count=len(moves))
