"""Lists of accounts: read from a file, made in requests of a thousand."""

import csv
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

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
COLUMNS = ("address", "name", "password", "quota", "locale", "time_zone", "role")


@dataclass(frozen=True, slots=True)
class Defaults:
    """What counts where a list says nothing."""

    generate: bool
    quota: int | None
    locale: str


def read(path: Path, defaults: Defaults) -> list[AddAccount]:
    """The accounts of a list. Raises ``Trouble`` with the number of the first line that is wrong."""
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


def _parsed(lines: Iterable[str], source: str, defaults: Defaults) -> Iterator[AddAccount]:
    columns: list[str] | None = None
    reader = csv.reader(lines)
    for count, cells in enumerate(reader):
        if not cells or cells[0].lstrip().startswith("#") or not any(cells):
            continue
        if columns is None:
            columns = _columns(cells, f"{source}, line {reader.line_num}")
            if columns != ["address"] or cells[0].strip().lower() == "address":
                continue
        if count > MAX_ACCOUNTS:
            raise Trouble(USAGE, f"{source}: more than {MAX_ACCOUNTS:,} lines")
        if len(cells) > len(columns):
            raise Trouble(USAGE, f"{source}, line {reader.line_num}: more cells than columns")
        values = dict(zip(columns, (cell.strip() for cell in cells), strict=False))
        yield _account(values, defaults)


def _columns(cells: list[str], where: str) -> list[str]:
    """The names of the columns, from a first line that says ``address``; without one: addresses."""
    names = [cell.strip().lower().replace("-", "_") for cell in cells]
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
        address=values["address"],
        name=values.get("name", ""),
        password=password,
        generate=defaults.generate and not password,
        quota=octets(quota) if quota else defaults.quota,
        locale=values.get("locale") or defaults.locale,
        time_zone=values.get("time_zone") or "UTC",
        role=values.get("role", ""),
    )


def add(
    configuration: Configuration, wanted: list[AddAccount], *, quiet: bool
) -> list[AccountOutcome]:
    """Make them; what became of each, in order."""

    async def work(caller: Caller) -> list[AccountOutcome]:
        outcomes: list[AccountOutcome] = []
        with shown("accounts", quiet=quiet) as bar:
            for at in range(0, len(wanted), MAX_AT_ONCE):
                request = AddAccounts(accounts=tuple(wanted[at : at + MAX_AT_ONCE]))
                done = await caller.call("account.add-many", request, AccountsAdded)
                outcomes += done.accounts
                bar.report(len(outcomes), len(wanted))
        return outcomes

    return run(configuration, work)
