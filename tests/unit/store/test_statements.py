"""Every SQL text of the store: its parameters stand in order, and both databases understand it."""

import re
from pathlib import Path

import apsw
import asyncpg
import pytest

from malleposte.store.committer import Committer
from malleposte.store.dialect import Bulk
from support import sql_texts
from support.postgres import Server

CONSTANTS = list(sql_texts.constants())
INLINE, PUT_TOGETHER = sql_texts.inline()
ALL = CONSTANTS + INLINE

KNOWN_DIALECTS = {
    "SELECT floor(extract(epoch": "postgres",
    # Statements that only ever go to one database.
    "PRAGMA": "sqlite",
    "SELECT next FROM sequence": "sqlite",
    "UPDATE sequence": "sqlite",
    "SELECT pg_advisory_xact_lock": "postgres",
    "SELECT pg_notify": "postgres",
}


def _goes_to(text: str, dialect: str) -> bool:
    return all(
        only == dialect for start, only in KNOWN_DIALECTS.items() if text.lstrip().startswith(start)
    )


def test_the_statements_are_found() -> None:
    """Guards the search itself: were it blind, the tests below would pass over nothing."""
    assert len(CONSTANTS) > 100
    assert len(INLINE) > 60
    names = {name.rpartition(".")[0] for name, _ in CONSTANTS}
    assert {
        "malleposte.store.messages",
        "malleposte.store.marks",
        "malleposte.store.execute.filing",
        "malleposte.store.execute.flagging",
        "malleposte.store.read.emails",
        "malleposte.store.fsck.emails",
    } <= names
    # Put together from local names; each is run by the tests of what it does.
    files = {where.rpartition(":")[0].removeprefix("malleposte.store.") for where in PUT_TOGETHER}
    assert files <= {
        "dialect",
        "execute.address_books",
        "execute.cards",
        "execute.contact_heads",
        "execute.early",
        "execute.purging",
        "execute.ranges",
        "execute.submissions",
        "fsck",
        "fsck.finding",
        "fsck.records",
        "migrations",
        "postgres",
        "queries",
        "read.change_log",
        "read.contacts",
        "read.emails",
        "read.submissions",
        "read.thread_mailboxes",
        "read.threads",
        "sqlite",
        "unread_threads",
        "view_rows",
    }


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_parameters_first_occur_in_order(dialect: str) -> None:
    """SQLite numbers ``$n`` by first occurrence, PostgreSQL by name: only so do they agree."""
    wrong = []
    for name, statement in ALL:
        text = sql_texts.texts(statement, dialect)  # type: ignore[arg-type]
        seen = list(dict.fromkeys(int(n) for n in re.findall(r"\$(\d+)", text)))
        if seen != list(range(1, len(seen) + 1)):
            wrong.append((name, seen, text))
    assert wrong == []


def test_a_bulk_statement_has_a_type_for_each_parameter() -> None:
    for name, statement in ALL:
        if isinstance(statement, Bulk):
            for text in (statement.sqlite, statement.postgres):
                assert len(set(re.findall(r"\$\d+", text))) == len(statement.types), name


def test_sqlite_understands_every_statement(tmp_path: Path) -> None:
    committer = Committer(tmp_path)
    connection = committer.db.connection
    wrong = []
    for name, statement in ALL:
        text = sql_texts.texts(statement, "sqlite")
        if not _goes_to(text, "sqlite"):
            continue
        count = len(set(re.findall(r"\$\d+", text)))
        try:
            connection.execute(f"EXPLAIN {text}", (None,) * count).fetchall()
        except apsw.Error as error:
            wrong.append((name, str(error), text))
    committer.close()
    assert wrong == []


@pytest.mark.postgres
async def test_postgresql_understands_every_statement(postgres_server: Server) -> None:
    connection = await asyncpg.connect(await postgres_server.cleaned())
    wrong = []
    try:
        for name, statement in ALL:
            text = sql_texts.texts(statement, "postgres")
            if not _goes_to(text, "postgres"):
                continue
            try:
                await connection.prepare(text)
            except asyncpg.PostgresError as error:
                wrong.append((name, str(error), text))
    finally:
        await connection.close()
    assert wrong == []
