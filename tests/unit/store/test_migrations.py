"""Migrations: forward on a filled database, each step whole or not at all, never backward."""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from malleposte.store import migrations
from malleposte.store.dialect import Tx
from malleposte.store.errors import SchemaMismatch
from malleposte.store.migrations import migrate, split, statements, steps, translate
from malleposte.store.postgres import PostgresTx
from malleposte.store.read.rights import ALL
from malleposte.store.sqlite import Sqlite
from support import first_step
from support.postgres import Server
from support.store import Clock, House, Place, inbox

LAST = steps()[-1][0]
NUMBER = LAST + 1
NAME = f"{NUMBER:04}_next"
NEXT = """
-- Expand: a step that only this test has.
CREATE TABLE contact (
  id   INTEGER PRIMARY KEY,
  card BLOB NOT NULL        -- JSContact
) STRICT;
ALTER TABLE mailbox ADD COLUMN colour TEXT NOT NULL DEFAULT 'none';
UPDATE mailbox SET colour = 'blue' WHERE role = 'inbox';
"""
NEXT_SQLITE = """
CREATE TRIGGER contact_stays BEFORE DELETE ON contact
BEGIN
  SELECT RAISE(ABORT, 'contacts stay');
END;
"""
NEXT_POSTGRES = """
CREATE FUNCTION contact_stays() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'contacts stay'; END $$;
CREATE TRIGGER contact_stays BEFORE DELETE ON contact
  FOR EACH ROW EXECUTE FUNCTION contact_stays();
"""


class Files:
    """The package's steps and one more, as ``importlib.resources`` gives them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files(self, _name: str) -> Path:
        return self.folder


@pytest.fixture
def more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the real steps, used in their place; tests add to it."""
    folder = tmp_path / "steps"
    folder.mkdir()
    for path in Path(migrations.__file__).parent.glob("*.sql"):
        (folder / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(migrations, "resources", Files(folder))
    return folder


def add_step(folder: Path, *, common: str = NEXT) -> None:
    (folder / f"{NAME}.sql").write_text(common)
    (folder / f"{NAME}.sqlite.sql").write_text(NEXT_SQLITE)
    (folder / f"{NAME}.postgres.sql").write_text(NEXT_POSTGRES)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def empty(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    """A database without any table."""
    if request.param == "sqlite":
        yield Place(tmp_path / "data")
        return
    server: Server = request.getfixturevalue("postgres_server")
    dsn = await server.database(empty=True)
    yield Place(tmp_path / "data", dsn)
    await server.drop(dsn)


@contextlib.asynccontextmanager
async def transaction(place: Place) -> AsyncIterator[Tx]:
    """An open transaction on a database; committed unless something is raised."""
    if place.dsn:
        connection = await asyncpg.connect(place.dsn)
        try:
            async with connection.transaction():
                yield PostgresTx(connection)
        finally:
            await connection.close()
    else:
        place.folder.mkdir(exist_ok=True)
        db = Sqlite(place.database, writable=True, create=True)
        try:
            db.begin()
            try:
                yield db
            except BaseException:
                db.rollback()
                raise
            db.commit()
        finally:
            db.close()


async def fill(place: Place) -> list[tuple[int, str]]:
    """Some mail; what must be the same after the step."""
    async with place.open() as store:
        house = House(store, place, Clock())
        await house.domain("example.org")
        account = await house.account()
        await house.fill(account, 3)
        await house.mailbox(account, "a", "b")
        return await content(house)


async def content(house: House) -> list[tuple[int, str]]:
    rows = await house.rows("SELECT id, name FROM mailbox ORDER BY id")
    rows += await house.rows("SELECT uid, CAST(email AS TEXT) FROM membership ORDER BY uid")
    return [(row[0], row[1]) for row in rows]


async def test_all_steps_from_nothing_and_once(empty: Place) -> None:
    async with transaction(empty) as tx:
        assert await migrate(tx) == [name for _, name in steps()]
    async with transaction(empty) as tx:
        assert await migrate(tx) == []
        rows = await tx.rows("SELECT step, name, rows_before FROM migration ORDER BY step")
    assert rows[0] == (1, "0001_initial", "{}")


async def test_a_step_runs_on_a_filled_database(empty: Place, more: Path) -> None:
    before = await fill(empty)
    add_step(more)
    async with empty.open() as store:
        house = House(store, empty, Clock())
        assert await content(house) == before
        rows = await house.rows("SELECT name, colour FROM mailbox WHERE colour <> 'none'")
        assert rows == [("INBOX", "blue")]
        ((counted, after),) = await house.rows(
            f"SELECT rows_before, rows_after FROM migration WHERE step = {NUMBER}"
        )
        assert json.loads(counted) == json.loads(after)
        assert json.loads(after) == {
            "account": 1,
            "mailbox": 8,
            "email": 3,
            "membership": 3,
            "blob": 3,
        }
        await house.fill(1, 1)
        assert len(await house.uids(inbox(1))) == 4
        async with empty.raw() as tx:
            await tx.run("INSERT INTO contact (id, card) VALUES (1, $1)", b"{}")
        with pytest.raises(Exception, match="contacts stay"):
            await house.attempt("DELETE FROM contact")
    async with empty.open() as store:
        assert await House(store, empty, Clock()).value("SELECT max(step) FROM migration") == NUMBER


async def _rows(tx: Tx, columns: dict[str, str]) -> dict[str, list[tuple[object, ...]]]:
    """What stands in columns of tables."""
    return {
        table: sorted(await tx.rows(f"SELECT {names} FROM {table}"), key=repr)
        for table, names in columns.items()
    }


async def _columns(tx: Tx) -> dict[str, str]:
    """The columns of each table that has rows."""
    if tx.dialect == "sqlite":
        found = await tx.rows(
            "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c"
            " WHERE m.type = 'table'"
        )
    else:
        found = await tx.rows(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public'"
        )
    names: dict[str, list[str]] = {}
    for table, column in found:
        names.setdefault(table, []).append(column)
    columns = {table: ", ".join(sorted(own)) for table, own in names.items()}
    rows = await _rows(tx, columns)
    # What the store keeps about itself goes on.
    return {t: c for t, c in columns.items() if rows[t] and t not in ("migration", "sequence")}


async def test_mail_of_the_first_step_is_the_same_after_the_last(empty: Place) -> None:
    """Whoever installed the first version upgrades to this one."""
    async with transaction(empty) as tx:
        await migrate(tx, upto=1)
        await first_step.fill(tx)
        columns = await _columns(tx)
        before = await _rows(tx, columns)
    assert len(columns) > 20, "hardly a table has anything: this shows nothing"
    async with transaction(empty) as tx:
        assert await migrate(tx) == [name for number, name in steps() if number > 1]
        after = await _rows(tx, columns)
        for table, added in first_step.LATER.items():
            for row in added:
                after[table].remove(row)
        assert after == before
    async with empty.open() as store:
        house = House(store, empty, Clock())
        assert await house.fsck() == []
        for n, message in enumerate(first_step.MESSAGES):
            octets = await house.bytes_of(first_step.INBOX + n)
            assert octets == first_step.PREFIX + message
        # It goes on: numbers that were given are not given again.
        await house.fill(first_step.ADA, 1)
        assert await house.uids(first_step.INBOX) == [1, 2, 4]
        assert await house.account("eve") == 3
        assert await house.fsck() == []


async def test_a_step_that_fails_leaves_nothing(empty: Place, more: Path) -> None:
    before = await fill(empty)
    add_step(more, common=NEXT + "\nUPDATE no_such_table SET x = 1;\n")
    for _ in range(2):
        with pytest.raises(Exception, match="no_such_table"):
            async with empty.open():
                pass
    for path in more.glob(f"{NAME}.*"):
        path.unlink()
    async with empty.open() as store:
        house = House(store, empty, Clock())
        assert await content(house) == before
        assert await house.value("SELECT max(step) FROM migration") == LAST
        with pytest.raises(Exception, match="colour"):
            await house.rows("SELECT colour FROM mailbox")
        assert await house.fsck() == []


async def test_a_database_newer_than_the_program_is_refused(empty: Place, more: Path) -> None:
    add_step(more)
    await fill(empty)
    for path in more.glob(f"{NAME}.*"):
        path.unlink()
    for _ in range(2):
        with pytest.raises(SchemaMismatch, match=f"step {NUMBER}, this program knows {LAST}"):
            async with empty.open():
                pass
    add_step(more)
    async with empty.open() as store:
        assert await House(store, empty, Clock()).fsck() == []


async def test_steps_up_to_one(empty: Place, more: Path) -> None:
    add_step(more)
    async with transaction(empty) as tx:
        assert await migrate(tx, upto=LAST) == [name for _, name in steps() if name != NAME]
    async with transaction(empty) as tx:
        assert await migrate(tx) == [NAME]


@pytest.mark.postgres
async def test_nodes_that_start_together_migrate_once(postgres_server: Server) -> None:
    import asyncio

    from malleposte.store.postgres import migrate_postgres

    dsn = await postgres_server.database(empty=True)
    done = await asyncio.gather(*(migrate_postgres(dsn) for _ in range(5)))
    assert sorted(map(len, done)) == [0, 0, 0, 0, len(steps())]
    await postgres_server.drop(dsn)


@pytest.mark.postgres
async def test_both_dialects_have_the_same_tables_and_columns(
    tmp_path: Path, postgres_server: Server
) -> None:
    place = Place(tmp_path / "data")
    async with place.open() as store:
        rows = await store.reader.rows(
            "SELECT m.name, c.name, CASE c.type WHEN 'INTEGER' THEN 'bigint' WHEN 'BLOB' THEN"
            " 'bytea' ELSE lower(c.type) END, c.\"notnull\" OR c.pk > 0, c.pk"
            " FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
            " AND m.name NOT LIKE 'sqlite_%'"
        )
        indexes = await store.reader.rows(
            "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
        )
    ours = {(table, column, kind, bool(needed)) for table, column, kind, needed, _ in rows}
    keys = {(table, column, pk) for table, column, _, _, pk in rows if pk}
    connection = await asyncpg.connect(await postgres_server.cleaned())
    try:
        theirs = {
            tuple(row)
            for row in await connection.fetch(
                "SELECT table_name, column_name, data_type, is_nullable = 'NO'"
                " FROM information_schema.columns WHERE table_schema = 'public'"
            )
        }
        their_keys = {
            tuple(row)
            for row in await connection.fetch(
                "SELECT k.table_name, k.column_name, k.ordinal_position::int"
                " FROM information_schema.table_constraints c"
                " JOIN information_schema.key_column_usage k USING (constraint_name, table_name)"
                " WHERE c.constraint_type = 'PRIMARY KEY' AND c.table_schema = 'public'"
            )
        }
        their_indexes = {
            row[0]
            for row in await connection.fetch(
                "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'"
            )
        }
    finally:
        await connection.close()
    only_sqlite = {"sequence"}  # real sequences on PostgreSQL
    assert {row for row in ours if row[0] not in only_sqlite} == theirs
    assert {row for row in keys if row[0] not in only_sqlite} == their_keys
    assert {row[0] for row in indexes} <= their_indexes


# Scripts ------------------------------------------------------------------------------------------


def test_statements_end_at_the_end_of_a_line() -> None:
    script = "CREATE TABLE a (x); -- one; two\n\n-- three;\nINSERT INTO a\n  VALUES (';\n');\n"
    assert split("SELECT 1;\nSELECT 2;\n") == ["SELECT 1", "SELECT 2"]
    assert split(script)[0] == "CREATE TABLE a (x)"
    assert split("-- nothing;\n\n") == []


def test_triggers_are_one_statement() -> None:
    one_line = "CREATE TRIGGER t BEFORE DELETE ON a BEGIN SELECT RAISE(ABORT, 'x'); END;"
    assert split(one_line + "\nSELECT 1;") == [one_line.rstrip(";"), "SELECT 1"]
    found = split(NEXT_SQLITE + "SELECT 1;\n")
    assert len(found) == 2
    assert found[0].startswith("CREATE TRIGGER")
    assert found[0].endswith("END")
    found = split(NEXT_POSTGRES + "SELECT 1;\n")
    assert [statement.split(maxsplit=2)[1] for statement in found] == ["FUNCTION", "TRIGGER", "1"]


def test_types_are_translated() -> None:
    text = "CREATE TABLE a (\n  id INTEGER PRIMARY KEY, b BLOB\n) STRICT, WITHOUT ROWID;"
    assert translate(text) == "CREATE TABLE a (\n  id BIGINT PRIMARY KEY, b BYTEA\n);"


def test_every_step_has_statements_in_both_dialects() -> None:
    numbers = [number for number, _ in steps()]
    assert numbers == list(range(1, len(numbers) + 1))
    for _, name in steps():
        assert statements(name, "sqlite")
        assert statements(name, "postgres")


async def test_lists_of_rights_get_a_row_of_the_owner(empty: Place) -> None:
    """Step 7: what was granted before stays, and stays a list (decision 0012)."""
    one, two = 5 << 32 | 1, 6 << 32 | 3
    async with transaction(empty) as tx:
        await migrate(tx, upto=6)
        for mailbox, grantee in ((one, 7), (one, 0), (two, 7)):
            await tx.run(
                "INSERT INTO mailbox_right (mailbox, grantee, letters) VALUES ($1, $2, 'lr')",
                mailbox,
                grantee,
            )
        await migrate(tx)
        rows = await tx.rows("SELECT mailbox, grantee, letters FROM mailbox_right")
    assert sorted(rows) == sorted(
        [(one, 7, "lr"), (one, 0, "lr"), (two, 7, "lr"), (one, 5, ALL), (two, 6, ALL)]
    )
