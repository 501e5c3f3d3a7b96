"""Lists of accounts: read from a file, made in requests of a thousand."""

import csv
import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

import msgspec

from malleposte.cli.caller import Caller, run
from malleposte.cli.exit_codes import USAGE, Trouble
from malleposte.cli.progress import shown
from malleposte.cli.sizes import octets
from malleposte.node.config import Configuration
from malleposte.operations.accounts import AddAccount
from malleposte.operations.accounts_many import (
    MAX_AT_ONCE,
    AccountOutcome,
    AccountsAdded,
    AddAccounts,
)

MAX_ACCOUNTS = 1_000_000
Outcome = Literal["made", "there", "refused"]
COLUMNS = ("address", "name", "password", "quota", "locale", "time_zone", "role")


@dataclass(frozen=True, slots=True)
class Defaults:
    """What counts where a list says nothing."""

    generate: bool
    quota: int | None
    locale: str


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a line of a list: as ``AccountOutcome``, and which line it is."""

    line: int
    address: str
    outcome: Outcome
    text: str = ""
    password: str = ""


def read(path: Path, defaults: Defaults) -> list[tuple[int, AddAccount] | Line]:
    """The accounts of a list, each with its line; or why that line cannot be one. Raises ``Trouble``
    where it is no list at all."""
    try:
        if str(path) == "-":
            # Whatever the terminal's encoding is.
            with open(sys.stdin.fileno(), encoding="utf-8-sig", newline="", closefd=False) as file:
                return list(_parsed(file, "standard input", defaults))
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(_parsed(file, str(path), defaults))
    except UnicodeDecodeError:
        name = "standard input" if str(path) == "-" else path
        raise Trouble(USAGE, f"{name} is not UTF-8: write it in that encoding") from None
    except OSError as error:
        raise Trouble(USAGE, f"{path}: {error.strerror}") from None
    except csv.Error as error:
        raise Trouble(USAGE, f"{path}: {error}") from None


def _parsed(
    lines: TextIO, source: str, defaults: Defaults
) -> Iterator[tuple[int, AddAccount] | Line]:
    columns: list[str] | None = None
    before, first = _first(lines)
    reader = csv.reader(itertools.chain([first], lines), delimiter=_delimiter(first))
    for count, cells in enumerate(reader):
        if not cells or cells[0].lstrip().startswith("#") or not any(cells):
            continue
        number = before + reader.line_num
        if columns is None:
            columns = _columns(cells, f"{source}, line {number}")
            if columns != ["address"] or cells[0].strip().lower() == "address":
                continue
        if count > MAX_ACCOUNTS:
            raise Trouble(USAGE, f"{source}: more than {MAX_ACCOUNTS:,} lines")
        values = dict(zip(columns, (cell.strip() for cell in cells), strict=False))
        try:
            if any(cells[len(columns) :]):
                raise Trouble(USAGE, "more cells than columns")
            yield number, _account(values, defaults)
        except Trouble as trouble:
            address = values.get("address", "")
            yield Line(line=number, address=address, outcome="refused", text=trouble.text)


def _first(lines: TextIO) -> tuple[int, str]:
    """How many lines are passed over, and the first one that counts: spreadsheets may say before it what
    stands between cells."""
    for number, line in enumerate(lines):
        bare = line.strip()
        if bare and not bare.startswith("#") and not bare.lower().startswith("sep="):
            return number, line
    return 0, ""


def _delimiter(first: str) -> str:
    """What stands between cells: spreadsheets of countries with a decimal comma write semicolons."""
    return max(",;\t", key=first.count)


def _columns(cells: list[str], where: str) -> list[str]:
    """The names of the columns, from a first line that says ``address``; without one: addresses."""
    names = [cell.strip().lower().replace("-", "_") for cell in cells]
    while names and not names[-1]:
        names.pop()
    if "address" not in names:
        if len(names) == 1:
            return ["address"]
        raise Trouble(USAGE, f"{where}: a list with columns names them first: {', '.join(COLUMNS)}")
    for name in names:
        if name not in COLUMNS:
            raise Trouble(
                USAGE, f"{where}: unknown column {name!r}; there are {', '.join(COLUMNS)}"
            )
    return names


def _account(values: dict[str, str], defaults: Defaults) -> AddAccount:
    password = values.get("password", "")
    quota = values.get("quota", "")
    return AddAccount(
        address=values.get("address", ""),
        name=values.get("name", ""),
        password=password,
        generate=defaults.generate and not password,
        quota=octets(quota) if quota else defaults.quota,
        locale=values.get("locale") or defaults.locale,
        time_zone=values.get("time_zone") or "UTC",
        role=values.get("role", ""),
    )


def add(
    configuration: Configuration, listed: list[tuple[int, AddAccount] | Line], *, quiet: bool
) -> list[Line]:
    """Make them; what became of each line, in order."""
    wanted = [one for one in listed if not isinstance(one, Line)]

    async def work(caller: Caller) -> list[AccountOutcome]:
        outcomes: list[AccountOutcome] = []
        with shown("accounts", quiet=quiet) as bar:
            for at in range(0, len(wanted), MAX_AT_ONCE):
                some = tuple(account for _, account in wanted[at : at + MAX_AT_ONCE])
                request = AddAccounts(accounts=some)
                done = await caller.call("account.add-many", request, AccountsAdded)
                outcomes += done.accounts
                bar.report(len(outcomes), len(wanted))
        return outcomes

    made = [
        Line(
            line=line,
            address=one.address,
            outcome=one.outcome,
            text=one.text,
            password=one.password,
        )
        for (line, _), one in zip(wanted, run(configuration, work), strict=True)
    ]
    return sorted((*made, *(one for one in listed if isinstance(one, Line))), key=_by_line)


def _by_line(one: Line) -> int:
    return one.line
