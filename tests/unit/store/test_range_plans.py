"""Statements over UID ranges cost what the ranges hold, not what the mailbox does."""

import re
from pathlib import Path

import pytest

from malleposte.store import alone
from malleposte.store.dialect import Sql
from malleposte.store.execute import copying, expunging, flagging
from malleposte.store.read import emails
from malleposte.store.sqlite import Sqlite

_STATEMENTS = [
    pytest.param(value, id=f"{module.__name__.rpartition('.')[2]}.{name}")
    for module in (copying, expunging, flagging, emails)
    for name, value in vars(module).items()
    if isinstance(value, Sql) and "json_each" in value.sqlite and "BETWEEN r.first" in value.sqlite
]


def test_they_are_found() -> None:
    assert len(_STATEMENTS) >= 5


@pytest.mark.parametrize("statement", _STATEMENTS)
async def test_membership_is_searched_by_uid(statement: Sql, tmp_path: Path) -> None:
    async with alone(tmp_path):
        db = Sqlite(tmp_path / "store.db", writable=False)
        try:
            count = len(set(re.findall(r"\$\d+", statement.sqlite)))
            plan = db.connection.execute(
                f"EXPLAIN QUERY PLAN {statement.sqlite}", ("[[1,2]]",) + (1,) * (count - 1)
            ).fetchall()
        finally:
            db.close()
    steps = [str(row[3]) for row in plan]
    assert any(step.startswith("SEARCH m ") and "uid>? AND uid<?" in step for step in steps), steps
