"""Small records: secrets, audit, jobs, leases."""

from collections.abc import Mapping

import msgspec

from malleposte.store.commands import (
    AddJob,
    FinishJob,
    LeaseJobs,
    PutSecret,
    RecordAudit,
    RetireKey,
    TakeLease,
)
from malleposte.store.dialect import Sql
from malleposte.store.results import Done, Leased, LeasedJob, LeaseTaken, Refused
from malleposte.store.work import Work

FORGOTTEN = 90 * 86_400
"""Seconds for which it is known of a record that it can go from the zone."""
_DUE = Sql(
    sqlite="SELECT id, kind, key, payload, epoch, attempts FROM job WHERE run_at <= $1"
    " AND until <= $1 AND kind IN (SELECT value FROM json_each($2)) ORDER BY run_at, id LIMIT $3",
    postgres="SELECT id, kind, key, payload, epoch, attempts FROM job WHERE run_at <= $1"
    " AND until <= $1 AND kind = ANY($2::text[]) ORDER BY run_at, id LIMIT $3"
    " FOR UPDATE SKIP LOCKED",
)


async def put_secret(work: Work, command: PutSecret) -> Done | Refused:
    """Execute ``PutSecret``."""
    if not command.sealed:
        gone = await work.tx.run("DELETE FROM secret WHERE name = $1", command.name)
        return Done(count=gone)
    written = await work.tx.run(
        "INSERT INTO secret (name, sealed, key_id, updated_at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, key_id = excluded.key_id,"
        " updated_at = excluded.updated_at WHERE NOT $5",
        command.name,
        command.sealed,
        command.key_id,
        work.now,
        command.fresh,
    )
    if not written:
        return Refused(reason="exists", text=f"there is a secret of the name {command.name}")
    return Done()


async def retire_key(work: Work, command: RetireKey) -> Done:
    """Execute ``RetireKey``. Records that have not been needed for ``FORGOTTEN`` are forgotten."""
    gone = await work.tx.run("DELETE FROM secret WHERE name = $1", command.name)
    await work.tx.run("DELETE FROM dkim_retired WHERE until <= $1", work.now - FORGOTTEN)
    for selector, record in command.records if gone else ():
        await work.tx.run(
            "INSERT INTO dkim_retired (domain, selector, record, retired_at, until)"
            " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (domain, selector) DO UPDATE SET"
            " record = excluded.record, retired_at = excluded.retired_at, until = excluded.until",
            command.domain,
            selector,
            record,
            work.now,
            command.until,
        )
    return Done(count=gone)


async def record_audit(
    work: Work, command: RecordAudit, remarks: Mapping[str, str] | None = None
) -> Done:
    """Execute ``RecordAudit``; ``remarks`` are details that only the act itself could tell."""
    details = command.details
    if remarks:
        details = msgspec.json.encode({**msgspec.json.decode(details), **remarks}).decode()
    await work.tx.run(
        "INSERT INTO audit (at, actor, operation, target, outcome, details)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        work.now,
        command.actor,
        command.operation,
        command.target,
        command.outcome,
        details,
    )
    return Done()


async def add_job(work: Work, command: AddJob) -> Done:
    """Execute ``AddJob``."""
    (job,) = await work.numbers("job", 1)
    changed = await work.tx.run(
        "INSERT INTO job (id, kind, key, payload, run_at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (kind, key) DO NOTHING",
        job,
        command.kind,
        command.key,
        command.payload,
        command.run_at,
    )
    return Done(count=changed)


async def lease_jobs(work: Work, command: LeaseJobs) -> Leased:
    """Execute ``LeaseJobs``: a job whose holder died is due again when its lease runs out."""
    await work.flush()
    rows = await work.tx.rows(_DUE, work.now, list(command.kinds), command.limit)
    jobs = []
    for job, kind, key, payload, epoch, attempts in rows:
        await work.tx.run(
            "UPDATE job SET holder = $1, epoch = $2, until = $3, attempts = $4 WHERE id = $5",
            command.holder,
            epoch + 1,
            work.now + command.seconds,
            attempts + 1,
            job,
        )
        jobs.append(
            LeasedJob(
                id=job,
                kind=kind,
                key=key,
                payload=bytes(payload),
                epoch=epoch + 1,
                attempts=attempts + 1,
            )
        )
    return Leased(jobs=tuple(jobs))


async def finish_job(work: Work, command: FinishJob) -> Done | Refused:
    """Execute ``FinishJob``; refused when the lease passed to another meanwhile."""
    if command.retry_in:
        changed = await work.tx.run(
            "UPDATE job SET holder = '', until = 0, run_at = $1, last_error = $2"
            " WHERE id = $3 AND epoch = $4",
            work.now + command.retry_in,
            command.error[:1000],
            command.job,
            command.epoch,
        )
    else:
        changed = await work.tx.run(
            "DELETE FROM job WHERE id = $1 AND epoch = $2", command.job, command.epoch
        )
    return Done() if changed else Refused(reason="lease-lost")


async def take_lease(work: Work, command: TakeLease) -> LeaseTaken:
    """Execute ``TakeLease``: the epoch grows with each new holder."""
    row = await work.tx.row(
        "INSERT INTO lease (name, holder, epoch, until) VALUES ($1, $2, 1, $3)"
        " ON CONFLICT (name) DO UPDATE SET epoch ="
        " CASE WHEN lease.holder = excluded.holder THEN lease.epoch ELSE lease.epoch + 1 END,"
        " holder = excluded.holder, until = excluded.until"
        " WHERE lease.holder = excluded.holder OR lease.until <= $4"
        " RETURNING epoch, until",
        command.name,
        command.holder,
        work.now + command.seconds,
        work.now,
    )
    if row is None:
        return LeaseTaken(epoch=0, until=0)
    return LeaseTaken(epoch=row[0], until=row[1])
