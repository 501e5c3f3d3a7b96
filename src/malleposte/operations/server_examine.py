"""What the server can say about itself, for ``doctor``: facts, no judgement."""

import msgspec

from malleposte.operations.context import Context
from malleposte.operations.exchange import Progress
from malleposte.operations.node_key import key_ids
from malleposte.operations.registry import Request, Response, operation
from malleposte.store.migrations import steps

LISTED = 20
"""Names given of what there may be thousands of."""
FAILED_ATTEMPTS = 3
"""Tries after which a job is named: the first ones may have met a restart."""
_POSTGRES = ("server_version", "fsync", "synchronous_commit", "full_page_writes")


class FailedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that was tried several times."""

    kind: str
    key: str
    attempts: int
    error: str


class Examine(Request, frozen=True, kw_only=True):
    """Everything there is to say."""


class Facts(Response, frozen=True, kw_only=True):
    """``schema`` and ``schema_known``: the database's step and the program's. ``unreached``: system
    addresses that reach nobody. ``without_password``: how many accounts, and the first of them.
    ``key_ids``: node keys that something in the store is sealed with, in hexadecimal. ``database``:
    settings of PostgreSQL, by name."""

    dialect: str
    schema: int
    schema_known: int
    domains: tuple[str, ...]
    accounts: int
    unreached: tuple[str, ...]
    administrators: tuple[str, ...]
    without_password: int
    without_password_first: tuple[str, ...]
    failed_jobs: tuple[FailedJob, ...]
    key_ids: tuple[str, ...]
    database: dict[str, str]


@operation("server.examine", Examine, Facts, audit="refused")
async def run(context: Context, request: Examine, progress: Progress) -> Facts:
    """Look at the store. Again: looked at again."""
    reader = context.store.reader

    async def number(sql: str) -> int:
        row = await reader.row(sql)
        return int(row[0] or 0) if row else 0

    domains = [r[0] for r in await reader.rows("SELECT name FROM domain ORDER BY name")]
    system = await reader.rows("SELECT address FROM address WHERE kind = 'system' ORDER BY address")
    unreached = []
    for (address,) in system:
        local, _, domain = address.rpartition("@")
        if not (await context.book.resolve(local, domain)).accounts:
            unreached.append(address)
    administrators = await reader.rows(
        "SELECT DISTINCT a.address FROM account a JOIN role_grant r ON r.account = a.id"
        " WHERE r.role IN ('owner', 'administrator') AND a.status = 'active' ORDER BY a.address"
    )
    bare = (
        "FROM account a WHERE a.status = 'active' AND a.kind = 'person'"
        " AND NOT EXISTS (SELECT 1 FROM credential c WHERE c.account = a.id)"
    )
    first = await reader.rows(f"SELECT a.address {bare} ORDER BY a.address LIMIT $1", LISTED)
    jobs = await reader.rows(
        "SELECT kind, key, attempts, last_error FROM job WHERE attempts >= $1"
        " ORDER BY attempts DESC, id LIMIT $2",
        FAILED_ATTEMPTS,
        LISTED,
    )
    settings: dict[str, str] = {}
    if reader.dialect == "postgres":
        for name in _POSTGRES:
            row = await reader.row("SELECT current_setting($1)", name)
            settings[name] = row[0] if row else ""
    return Facts(
        dialect=reader.dialect,
        schema=await number("SELECT max(step) FROM migration"),
        schema_known=steps()[-1][0],
        domains=tuple(domains[:LISTED]),
        accounts=await number("SELECT count(*) FROM account WHERE status <> 'deleted'"),
        unreached=tuple(unreached[:LISTED]),
        administrators=tuple(r[0] for r in administrators[:LISTED]),
        without_password=await number(f"SELECT count(*) {bare}"),
        without_password_first=tuple(r[0] for r in first),
        failed_jobs=tuple(
            FailedJob(kind=kind, key=key, attempts=attempts, error=error)
            for kind, key, attempts, error in jobs
        ),
        key_ids=await key_ids(reader),
        database=settings,
    )
