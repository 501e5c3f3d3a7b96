"""Numbered schema steps and their runner.

``NNNN_name.sql`` is the common part of step NNNN in SQLite's dialect; ``NNNN_name.DIALECT.sql`` follows
it. Steps only go forward, each in one transaction with its record in ``migration``; the writer runs
them on SQLite, whoever holds the advisory lock on PostgreSQL. A database that is ahead of this program
is refused.
"""

import re
import time
from importlib import resources

from malleposte.store.dialect import Dialect, Tx
from malleposte.store.errors import SchemaMismatch

_TYPES = (
    (r"\bINTEGER\b", "BIGINT"),
    (r"\bBLOB\b", "BYTEA"),
    (r"\) STRICT(, WITHOUT ROWID)?;", ");"),
)

_LEDGER = (
    "CREATE TABLE IF NOT EXISTS migration (step INTEGER PRIMARY KEY, name TEXT NOT NULL,"
    " applied_at INTEGER NOT NULL, rows_before TEXT NOT NULL, rows_after TEXT NOT NULL)"
)
_COUNTED = ("account", "mailbox", "email", "membership", "blob")


def steps() -> list[tuple[int, str]]:
    """Numbers and names of all steps, in order."""
    names = {
        path.name.split(".")[0]
        for path in resources.files(__name__).iterdir()
        if path.name.endswith(".sql")
    }
    return sorted((int(name[:4]), name) for name in names)


def statements(name: str, dialect: Dialect) -> list[str]:
    """The statements of one step in one dialect."""
    folder = resources.files(__name__)
    text = ""
    for file in (f"{name}.sql", f"{name}.{dialect}.sql"):
        path = folder / file
        if path.is_file():
            part = path.read_text(encoding="utf-8")
            text += translate(part) if dialect == "postgres" and file == f"{name}.sql" else part
    return split(text)


def translate(sql: str) -> str:
    """SQLite's schema types as PostgreSQL's."""
    for pattern, replacement in _TYPES:
        sql = re.sub(pattern, replacement, sql)
    return sql


def split(text: str) -> list[str]:
    """Statements of a script; a ``;`` ends one only at the end of a line outside BEGIN … END."""
    found: list[str] = []
    current: list[str] = []
    for line in text.splitlines():
        bare = line.split("--", 1)[0].rstrip()
        if bare or current:
            current.append(bare)
        whole = "\n".join(current)
        if bare.endswith(";") and (
            "TRIGGER" not in whole or re.search(r"\bEND;$", whole) or "EXECUTE FUNCTION" in whole
        ):
            found.append(whole.rstrip(";"))
            current = []
    return [statement for statement in found if statement.strip()]


async def applied(tx: Tx) -> int:
    """The last step this database has; 0 for an empty one."""
    ledger = translate(_LEDGER) if tx.dialect == "postgres" else _LEDGER
    await tx.run(ledger)
    row = await tx.row("SELECT max(step) FROM migration")
    return int(row[0] or 0) if row else 0


async def migrate(tx: Tx, *, upto: int | None = None) -> list[str]:
    """Bring an open transaction's database to the newest step; the names of the steps run.

    Raises ``SchemaMismatch`` when the database is newer than this program.
    """
    have = await applied(tx)
    known = steps()
    if have > known[-1][0]:
        raise SchemaMismatch(
            f"the database is at schema step {have}, this program knows {known[-1][0]}:"
            " start the newer version that wrote it, or restore a copy made before"
        )
    run: list[str] = []
    for number, name in known:
        if number <= have or (upto is not None and number > upto):
            continue
        before = await _counts(tx) if have or run else "{}"
        for statement in statements(name, tx.dialect):
            await tx.run(statement)
        await tx.run(
            "INSERT INTO migration (step, name, applied_at, rows_before, rows_after)"
            " VALUES ($1, $2, $3, $4, $5)",
            number,
            name,
            int(time.time()),
            before,
            await _counts(tx),
        )
        run.append(name)
    return run


async def _counts(tx: Tx) -> str:
    counts = []
    for table in _COUNTED:
        row = await tx.row(f"SELECT count(*) FROM {table}")
        counts.append(f'"{table}": {row[0] if row else 0}')
    return "{" + ", ".join(counts) + "}"
