"""``malleposte alias …``."""

from cyclopts import App

from malleposte.cli.caller import Caller, ask, run
from malleposte.cli.exit_codes import OK
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, say, table
from malleposte.directory.addresses import shown_address
from malleposte.operations.aliases import (
    AddAlias,
    AliasLine,
    AliasPage,
    AliasRemoved,
    AliasShown,
    ListAliases,
    RemoveAlias,
    ReplaceAlias,
)

alias = App(name="alias", help="Aliases: further addresses that reach accounts, or lead elsewhere.")


@alias.command
def add(address: str, /, *targets: str, common: Common = DEFAULT) -> int:
    """Make an alias, or have one reach further targets.

    Parameters
    ----------
    address
        The alias.
    targets
        Addresses of the accounts it reaches; also at other servers, where mail may be forwarded there.
    """
    request = AddAlias(address=address, targets=targets)
    return _told(ask(common.configuration(), "alias.add", request, AliasShown), common)


@alias.command(name="set")
def set_(address: str, /, *targets: str, common: Common = DEFAULT) -> int:
    """Make an alias, or have one reach these targets and no others.

    Parameters
    ----------
    address
        The alias.
    targets
        Addresses of the accounts it reaches; also at other servers, where mail may be forwarded there.
    """
    request = ReplaceAlias(address=address, targets=targets)
    return _told(ask(common.configuration(), "alias.set", request, AliasShown), common)


def _told(done: AliasShown, common: Common) -> int:
    if common.json:
        as_json(done)
    else:
        targets = ", ".join(map(shown_address, done.targets))
        say(f"{shown_address(done.address)} reaches {targets}")
    return OK


@alias.command
def delete(address: str, /, *, common: Common = DEFAULT) -> int:
    """Delete an alias; the accounts it reached stay.

    Parameters
    ----------
    address
        The alias.
    """
    request = RemoveAlias(address=address)
    done = ask(common.configuration(), "alias.delete", request, AliasRemoved)
    if common.json:
        as_json(done)
    else:
        say(f"{shown_address(done.address)} was deleted")
    return OK


@alias.command(name="list")
def list_(*, domain: str = "", common: Common = DEFAULT) -> int:
    """List aliases, and the addresses that always reach the administrators.

    Parameters
    ----------
    domain
        Only those in this domain.
    """

    async def all_of_them(caller: Caller) -> list[AliasLine]:
        found: list[AliasLine] = []
        while True:
            request = ListAliases(after=found[-1].address if found else "", domain=domain)
            page = await caller.call("alias.list", request, AliasPage)
            found += page.aliases
            if not page.more:
                return found

    found = run(common.configuration(), all_of_them)
    if common.json:
        as_json({"aliases": found})
        return OK
    table(
        ("alias", "reaches"),
        [
            (
                shown_address(line.address),
                "the administrators"
                if line.kind == "system"
                else ", ".join(map(shown_address, line.targets)),
            )
            for line in found
        ],
    )
    return OK
