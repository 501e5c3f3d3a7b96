"""TLS towards other servers: policies that were fetched, exceptions with an end, results of a day."""

from malleposte.store import dialect
from malleposte.store.commands import (
    AddTlsResults,
    DropTlsResults,
    MarkStsPolicy,
    PutStsPolicy,
    SetTlsException,
    SweepTls,
)
from malleposte.store.commands.tls import MOST_FAILURES
from malleposte.store.results import Done
from malleposte.store.work import Work

_INT = "bigint"
_DAY = 86_400
_PUT = (
    "INSERT INTO sts_policy"
    " (domain, id, policy, fetched_at, expires_at, tried_at, used_at, failed)"
    " VALUES ($1, $2, $3, $4, $5, $4, $4, '')"
    " ON CONFLICT (domain) DO UPDATE SET id = excluded.id, policy = excluded.policy,"
    " fetched_at = excluded.fetched_at, expires_at = excluded.expires_at,"
    " tried_at = excluded.tried_at, failed = ''"
)
_COUNT = dialect.insert(
    "tls_result",
    {
        "day": _INT,
        "domain": "text",
        "key": "text",
        "policy": "text",
        "failure": "text",
        "sessions": _INT,
    },
    on_conflict="ON CONFLICT (day, domain, key) DO UPDATE SET"
    " sessions = tls_result.sessions + excluded.sessions",
)


async def put_sts_policy(work: Work, command: PutStsPolicy) -> Done:
    """Execute ``PutStsPolicy``."""
    count = await work.tx.run(
        _PUT,
        command.domain,
        command.id,
        command.policy,
        work.now,
        work.now + command.seconds,
    )
    return Done(count=count)


async def mark_sts_policy(work: Work, command: MarkStsPolicy) -> Done:
    """Execute ``MarkStsPolicy``."""
    count = 0
    if command.used:
        count = await work.tx.run(
            "UPDATE sts_policy SET used_at = $1 WHERE domain = $2", work.now, command.domain
        )
    if command.failed:
        count = await work.tx.run(
            "UPDATE sts_policy SET tried_at = $1, failed = $2 WHERE domain = $3",
            work.now,
            command.failed[:1000],
            command.domain,
        )
    return Done(count=count)


async def set_tls_exception(work: Work, command: SetTlsException) -> Done:
    """Execute ``SetTlsException``."""
    if not command.until:
        count = await work.tx.run(
            "DELETE FROM tls_exception WHERE destination = $1", command.destination
        )
        return Done(count=count)
    count = await work.tx.run(
        "INSERT INTO tls_exception (destination, until, why, made_at, made_by)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (destination) DO UPDATE SET"
        " until = excluded.until, why = excluded.why, made_at = excluded.made_at,"
        " made_by = excluded.made_by",
        command.destination,
        command.until,
        command.why,
        work.now,
        command.by,
    )
    return Done(count=count)


async def add_tls_results(work: Work, command: AddTlsResults) -> Done:
    """Execute ``AddTlsResults``. Other servers choose how they fail: what is told apart is bounded."""
    counts = sorted(command.counts, key=lambda one: (one.domain, one.key))
    known: dict[str, set[str]] = {}
    for domain in dict.fromkeys(one.domain for one in counts):
        found = await work.tx.rows(
            "SELECT key FROM tls_result WHERE day = $1 AND domain = $2", command.day, domain
        )
        known[domain] = {row[0] for row in found}
    rows: dict[tuple[str, str], tuple[str, str, int]] = {}
    for one in counts:
        key, failure = one.key, one.failure
        there = known[one.domain]
        if key not in there and len(there) >= MOST_FAILURES and one.rest_key:
            key, failure = one.rest_key, one.rest
        # Twice as many are never written: of a policy that changes all the time the rest is no small one.
        if key not in there and len(there) >= 2 * MOST_FAILURES:
            continue
        there.add(key)
        before = rows.get((one.domain, key), ("", "", 0))[2]
        rows[one.domain, key] = (one.policy, failure, before + one.sessions)
    if rows:
        await work.tx.many(
            _COUNT,
            [(command.day, domain, key, *row) for (domain, key), row in sorted(rows.items())],
        )
    return Done(count=len(rows))


async def drop_tls_results(work: Work, command: DropTlsResults) -> Done:
    """Execute ``DropTlsResults``."""
    count = await work.tx.run(
        "DELETE FROM tls_result WHERE day = $1 AND domain = $2", command.day, command.domain
    )
    return Done(count=count)


async def sweep_tls(work: Work, command: SweepTls) -> Done:
    """Execute ``SweepTls``. An exception that ended is shown for a month."""
    count = await work.tx.run("DELETE FROM sts_policy WHERE expires_at <= $1", work.now)
    count += await work.tx.run("DELETE FROM tls_result WHERE day < $1", command.before)
    count += await work.tx.run("DELETE FROM tls_exception WHERE until <= $1", work.now - 30 * _DAY)
    return Done(count=count)
