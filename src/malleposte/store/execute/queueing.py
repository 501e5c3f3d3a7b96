"""The queue: recipients elsewhere, taken by lease, each with one outcome for each try.

A route (a domain, a relay) has a row of its own that says when something of it is due; not before the way
itself is open again. So a dead destination with a million messages costs one row a try, and what is
due is found among the routes, not among the recipients.

A lease is a due time in the future with the number of the try: whoever dies leaves what is due again
later, and an outcome that comes after its lease went to another is not taken (decision 0015).
"""

from collections.abc import Iterable, Sequence

from malleposte.store import dialect
from malleposte.store.commands import (
    FAILED,
    WAITS,
    AddJob,
    Closing,
    Outcome,
    RecordOutcomes,
    TakeQueued,
)
from malleposte.store.dialect import Row, Sql, any_of, both
from malleposte.store.execute.handing import NEVER, due
from malleposte.store.execute.records import add_job
from malleposte.store.execute.tracing import ATTEMPT
from malleposte.store.results import Done, Taken, TakenMessage, TakenRecipient
from malleposte.store.work import Work

_INT = "bigint"

_DUE_ROUTES = Sql(
    sqlite="SELECT route, failures FROM queue_route WHERE due_at <= $1"
    " AND route NOT IN (SELECT value FROM json_each($2)) ORDER BY due_at, route LIMIT $3",
    postgres="SELECT route, failures FROM queue_route WHERE due_at <= $1"
    " AND route <> ALL($2::text[]) ORDER BY due_at, route LIMIT $3 FOR UPDATE SKIP LOCKED",
)
_DUE_OF = Sql(
    sqlite="SELECT route, failures FROM queue_route WHERE due_at <= $1"
    " AND route IN (SELECT value FROM json_each($2)) ORDER BY due_at, route LIMIT $3",
    postgres="SELECT route, failures FROM queue_route WHERE due_at <= $1"
    " AND route = ANY($2::text[]) ORDER BY due_at, route LIMIT $3 FOR UPDATE SKIP LOCKED",
)
_DUE = (
    "SELECT message, n, address, notify, original, attempts, warned FROM queue_recipient"
    " WHERE route = $1 AND state = 0 AND due_at <= $2 ORDER BY due_at, message, n LIMIT $3"
)
_TAKE = dialect.Bulk(
    sqlite="UPDATE queue_recipient SET due_at = $1, attempts = attempts + 1"
    " WHERE message = $2 AND n = $3",
    postgres="UPDATE queue_recipient SET due_at = v.due_at, attempts = attempts + 1"
    " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS v(due_at, message, n)"
    " WHERE queue_recipient.message = v.message AND queue_recipient.n = v.n",
    types=(_INT, _INT, _INT),
)
_FIRST = (
    "coalesce((SELECT min(r.due_at) FROM queue_recipient r WHERE r.route = queue_route.route"
    f" AND r.state = 0), {NEVER})"
)
_NEXT_OF_ROUTE = f"UPDATE queue_route SET due_at = {_FIRST} WHERE route = $1"
_NEXT = f"SELECT due_at FROM queue_route WHERE due_at < {NEVER} ORDER BY due_at LIMIT 1"
_MESSAGES = both(
    "SELECT id, trace, account, sender, blob, prefix, size, needs, ret, envelope, created_at,"
    " expires_at FROM queue_message WHERE {ids} ORDER BY id",
    ids=any_of("id", 1),
)
_TRIED = both(
    "SELECT r.message, r.n, r.attempts, r.address, r.route, m.trace, m.blob FROM queue_recipient r"
    " JOIN queue_message m ON m.id = r.message WHERE {messages} AND r.state = 0",
    messages=any_of("r.message", 1),
)
_OF_TRY = (
    "SELECT 1 FROM queue_recipient WHERE message = $1 AND n = $2 AND attempts = $3 AND state = 0"
)
_IS_TAKEN = Sql(sqlite=_OF_TRY, postgres=f"{_OF_TRY} FOR UPDATE")
_SETTLE = dialect.Bulk(
    sqlite="UPDATE queue_recipient SET state = $1, due_at = $2,"
    " said = CASE WHEN $3 = '' THEN said ELSE $3 END,"
    " warned = CASE WHEN $4 = 1 THEN 1 ELSE warned END, route = $5 WHERE message = $6 AND n = $7",
    postgres="UPDATE queue_recipient SET state = v.state, due_at = v.due_at,"
    " said = CASE WHEN v.said = '' THEN queue_recipient.said ELSE v.said END,"
    " warned = CASE WHEN v.warned = 1 THEN 1 ELSE queue_recipient.warned END,"
    " route = v.route FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[],"
    " $6::bigint[], $7::bigint[]) AS v(state, due_at, said, warned, route, message, n)"
    " WHERE queue_recipient.message = v.message AND queue_recipient.n = v.n",
    types=(_INT, _INT, "text", _INT, "text", _INT, _INT),
)
_OPEN = both(
    "SELECT DISTINCT message FROM queue_recipient WHERE {messages} AND state < 2",
    messages=any_of("message", 1),
)
_DROP_RECIPIENTS = both(
    "DELETE FROM queue_recipient WHERE {messages}", messages=any_of("message", 1)
)
_DROP_MESSAGES = both("DELETE FROM queue_message WHERE {ids}", ids=any_of("id", 1))
_TOUCH = both("UPDATE blob SET touched_at = $1 WHERE {ids}", ids=any_of("id", 2))
_CLOSE = (
    f"INSERT INTO queue_route (route, due_at, closed_until, failures, said)"
    f" VALUES ($1, {NEVER}, $2, 1, $3)"
    " ON CONFLICT (route) DO UPDATE SET closed_until = excluded.closed_until,"
    " due_at = CASE WHEN queue_route.due_at > excluded.closed_until THEN queue_route.due_at"
    " ELSE excluded.closed_until END,"
    " failures = queue_route.failures + 1, said = excluded.said"
)
OPEN_ROUTE = (
    f"UPDATE queue_route SET due_at = {_FIRST}, closed_until = 0, failures = 0, said = ''"
    " WHERE route = $1 AND closed_until > 0"
)
_DROP_ROUTES = f"DELETE FROM queue_route WHERE due_at = {NEVER} AND closed_until <= $1"
SAID = 1_000
"""Characters of an answer that are kept."""

_OUTCOMES = {WAITS: "deferred", FAILED: "failed"}


async def take_queued(work: Work, command: TakeQueued) -> Taken:
    """Execute ``TakeQueued``."""
    await work.flush()
    tx, now = work.tx, work.now
    if command.only:
        skip = set(command.skip)
        chosen = [route for route in command.only if route not in skip]
        found = await tx.rows(_DUE_OF, now, chosen, command.routes)
    else:
        found = await tx.rows(_DUE_ROUTES, now, list(command.skip), command.routes)
    recipients: dict[int, list[TakenRecipient]] = {}
    leases: list[Row] = []
    for route, failures in found:
        for row in await tx.rows(_DUE, route, now, command.each):
            message, n, address, notify, original, attempts, warned = row
            leases.append((now + command.seconds, message, n))
            one = TakenRecipient(
                n=n,
                address=address,
                route=route,
                notify=notify,
                original=original,
                attempt=attempts + 1,
                warned=bool(warned),
                failures=failures,
            )
            recipients.setdefault(message, []).append(one)
    if leases:
        await tx.many(_TAKE, leases)
    for route, _ in found:
        await tx.run(_NEXT_OF_ROUTE, route)
    messages = [
        TakenMessage(
            id=row[0],
            trace=row[1],
            account=row[2],
            sender=row[3],
            blob=row[4],
            prefix=bytes(row[5]),
            size=row[6],
            needs=row[7],
            ret=row[8],
            envelope=row[9],
            created_at=row[10],
            expires_at=row[11],
            recipients=tuple(recipients[row[0]]),
        )
        for row in (await tx.rows(_MESSAGES, list(recipients)) if recipients else ())
    ]
    following = await tx.row(_NEXT)
    return Taken(messages=tuple(messages), due_at=int(following[0]) if following else 0)


async def record_outcomes(work: Work, command: RecordOutcomes) -> Done:
    """Execute ``RecordOutcomes``."""
    taken = await settle(work, command.outcomes)
    await _routes(work, command.routes)
    for report in command.reports:
        if report.tries and taken.isdisjoint(report.tries):
            continue
        job = AddJob(kind=report.kind, key=report.key, payload=report.payload, run_at=work.now)
        await add_job(work, job)
    return Done(count=len(taken))


async def is_taken(work: Work, outcome: Outcome) -> bool:
    """Whether a try is still its holder's, who alone settles it until this transaction ends."""
    tried = (outcome.message, outcome.n, outcome.attempt)
    return await work.tx.row(_IS_TAKEN, *tried) is not None


async def settle(work: Work, outcomes: Sequence[Outcome]) -> set[tuple[int, int, int]]:
    """Keep what became of tries; those (message, n, attempt) of which it was taken."""
    await work.flush()
    tx = work.tx
    wanted = sorted({outcome.message for outcome in outcomes})
    tried = {
        (row[0], row[1], row[2]): row[3:]
        for row in (await tx.rows(_TRIED, wanted) if wanted else ())
    }
    settled: list[Row] = []
    taken: set[tuple[int, int, int]] = set()
    blobs: dict[int, int] = {}
    again: dict[str, int] = {}
    for outcome in outcomes:
        row = tried.pop((outcome.message, outcome.n, outcome.attempt), None)
        if row is None:
            continue  # its lease went to another, or a person has dealt with it
        address, route, trace, blob = row
        taken.add((outcome.message, outcome.n, outcome.attempt))
        blobs[outcome.message] = blob
        route = outcome.route or route
        settled.append(_settled(outcome, route))
        if outcome.said or outcome.state != WAITS:
            work.add(ATTEMPT, _attempt(work, outcome, trace, address))
        if outcome.state == WAITS:
            again[route] = min(outcome.due_at, again.get(route, NEVER))
    if settled:
        await tx.many(_SETTLE, settled)
        await let_go(work, blobs)
    due(work, again.items())
    await work.flush()
    return taken


def _settled(outcome: Outcome, route: str) -> Row:
    return (
        outcome.state,
        outcome.due_at,
        outcome.said[:SAID],
        int(outcome.warned),
        route,
        outcome.message,
        outcome.n,
    )


def _attempt(work: Work, outcome: Outcome, trace: int, address: str) -> Row:
    word = _OUTCOMES.get(outcome.state, "delivered")
    said, host = outcome.said[:SAID], outcome.host[:SAID]
    return (trace, work.now, address, outcome.attempt, word, host, said)


async def let_go(work: Work, blobs: dict[int, int]) -> None:
    """Forget messages without a recipient left; their content stays for who reports on them."""
    messages = sorted(blobs)
    still = {row[0] for row in await work.tx.rows(_OPEN, messages)}
    gone = [message for message in messages if message not in still]
    if gone:
        await work.tx.run(_DROP_RECIPIENTS, gone)
        await work.tx.run(_DROP_MESSAGES, gone)
        await work.tx.run(_TOUCH, work.now, sorted({blobs[message] for message in gone}))


async def _routes(work: Work, routes: Iterable[Closing]) -> None:
    for closing in sorted(routes, key=lambda one: one.route):
        if closing.until:
            await work.tx.run(_CLOSE, closing.route, closing.until, closing.said[:SAID])
        else:
            await work.tx.run(OPEN_ROUTE, closing.route)
    await work.tx.run(_DROP_ROUTES, work.now)
