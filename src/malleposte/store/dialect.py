"""What the store asks of a database, the same for SQLite and PostgreSQL.

All statements are SQL text with parameters ``$1``, ``$2`` … whose first occurrences stand in order
(SQLite numbers them so, PostgreSQL by name). Where the dialects differ, a ``Sql`` holds both texts side
by side. Calls are coroutines; on SQLite they never suspend, so the writer process drives them without
an event loop (``drive``) and a worker awaits them for the price of a call.

Nothing here knows what a table means.
"""

from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

Dialect = Literal["sqlite", "postgres"]
Row = tuple[Any, ...]
T = TypeVar("T")


class Tally:
    """Statements this process has had run, for the figures: growth shows in them first."""

    __slots__ = ("statements",)

    def __init__(self) -> None:
        self.statements = 0


TALLY = Tally()


@dataclass(frozen=True, slots=True)
class Sql:
    """One statement in both dialects."""

    sqlite: str
    postgres: str


@dataclass(frozen=True, slots=True)
class Bulk:
    """One statement run over many rows of parameters.

    ``sqlite`` takes one row a time (``executemany``); ``postgres`` takes a column at a time, each an
    array of the type named in ``types``, as ``unnest`` wants them: one statement a batch.
    """

    sqlite: str
    postgres: str
    types: tuple[str, ...]


def insert(table: str, columns: dict[str, str], *, on_conflict: str = "") -> Bulk:
    """A bulk INSERT of ``columns`` (name to PostgreSQL type) into ``table``."""
    names = ", ".join(columns)
    marks = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
    arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(columns.values(), 1))
    tail = f" {on_conflict}" if on_conflict else ""
    return Bulk(
        sqlite=f"INSERT INTO {table} ({names}) VALUES ({marks}){tail}",
        postgres=f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays}){tail}",
        types=tuple(columns.values()),
    )


def update(table: str, key: str, columns: dict[str, str]) -> Bulk:
    """A bulk UPDATE of ``columns`` by ``key`` (an integer); parameters: the columns, then the key."""
    sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(columns, 1))
    sets_v = ", ".join(f"{name} = v.{name}" for name in columns)
    types = (*columns.values(), "bigint")
    arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(types, 1))
    names = ", ".join((*columns, "key_"))
    return Bulk(
        sqlite=f"UPDATE {table} SET {sets} WHERE {key} = ${len(types)}",
        postgres=f"UPDATE {table} SET {sets_v} FROM unnest({arrays}) AS v({names})"
        f" WHERE {table}.{key} = v.key_",
        types=types,
    )


class Reader(Protocol):
    """Reads; each call sees one committed state of the database."""

    dialect: Dialect

    async def rows(self, sql: str | Sql, *parameters: Any) -> list[Row]:
        """All rows of a statement. A list parameter goes where ``ANY_OF`` stands."""
        ...

    async def row(self, sql: str | Sql, *parameters: Any) -> Row | None:
        """The first row, or None."""
        ...


class Tx(Reader, Protocol):
    """An open transaction; committed or rolled back by whoever opened it."""

    async def run(self, sql: str | Sql, *parameters: Any) -> int:
        """Run a statement; the number of rows it changed."""
        ...

    async def many(self, bulk: Bulk, rows: Sequence[Row]) -> None:
        """Run a bulk statement over rows of parameters, in order."""
        ...

    async def all(self, parts: Sequence[tuple[Bulk, Sequence[Row]]]) -> None:
        """Run bulk statements that do not see each other's rows, in one round trip where that helps."""
        ...


def any_of(column: str, parameter: int, kind: str = "bigint") -> Sql:
    """A condition ``column`` in a list given as one parameter."""
    return Sql(
        sqlite=f"{column} IN (SELECT value FROM json_each(${parameter}))",
        postgres=f"{column} = ANY(${parameter}::{kind}[])",
    )


def both(template: str, **parts: Sql) -> Sql:
    """A statement from a template with named holes that differ by dialect."""
    return Sql(
        sqlite=template.format(**{name: part.sqlite for name, part in parts.items()}),
        postgres=template.format(**{name: part.postgres for name, part in parts.items()}),
    )


def drive(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends, as those over SQLite are."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    work.close()
    raise RuntimeError("a store call over SQLite waited for something")


def placeholders(rows: Iterable[Row]) -> list[list[Any]]:
    """Rows turned into columns, as ``unnest`` takes them."""
    return [list(column) for column in zip(*rows, strict=True)]
