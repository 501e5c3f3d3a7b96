"""``malleposte domain alias``, ``catch-all``, ``relay`` and ``forwarding``."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from malleposte.cli.caller import Caller, ask, run
from malleposte.cli.commands.group import lines_of
from malleposte.cli.exit_codes import OK, USAGE, Trouble
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, table
from malleposte.directory.addresses import shown_address, shown_domain
from malleposte.operations.domain_routes import (
    AllowForwarding,
    CatchAll,
    DomainRoutes,
    NameDomain,
    RelayDomain,
    RelayedAddresses,
    ShowRoutes,
)

Flag = Annotated[bool, Parameter(negative="")]


def alias(
    name: str, of: str | None = None, /, *, none: Flag = False, common: Common = DEFAULT
) -> int:
    """Make a domain another name of one: each address of that is in both.

    Parameters
    ----------
    name
        The domain, without addresses of its own.
    of
        The domain it is another name of; without it: what is set now.
    none
        A domain by itself again.
    """
    request = None if _asked(of, none) else NameDomain(domain=name, of=of or "")
    return _done("domain.alias", name, request, common)


def catch_all(
    name: str, account: str | None = None, /, *, none: Flag = False, common: Common = DEFAULT
) -> int:
    """Set the account that gets mail to addresses that are not in use.

    Parameters
    ----------
    name
        The domain.
    account
        Address of the account; without it: what is set now.
    none
        Refuse such mail, as by default.
    """
    request = None if _asked(account, none) else CatchAll(domain=name, account=account or "")
    return _done("domain.catch-all", name, request, common)


def forwarding(
    name: str,
    rule: Literal["inside", "anywhere", "default"] | None = None,
    /,
    *,
    organisation: Flag = False,
    common: Common = DEFAULT,
) -> int:
    """Set whether mail of a domain may be forwarded to other servers.

    Parameters
    ----------
    name
        The domain.
    rule
        inside, anywhere, or default (as the organisation has it); without it: what is set now.
    organisation
        Set it for the organisation of the domain.
    """
    request = None
    if rule is not None:
        chosen = "" if rule == "default" else rule
        request = AllowForwarding(domain=name, rule=chosen, organisation=organisation)
    return _done("domain.forwarding", name, request, common)


def relay(
    name: str,
    host: str | None = None,
    /,
    *,
    recipients: Path | None = None,
    add: Path | None = None,
    remove: Path | None = None,
    none: Flag = False,
    common: Common = DEFAULT,
) -> int:
    """Have mail for a list of addresses of a domain go to another server.

    Parameters
    ----------
    name
        The domain.
    host
        That server, as mail.inside.example or mail.inside.example:2525; without it: what is set now.
    recipients
        A file with all addresses that are there, one a line: no others are taken.
    add
        A file with further ones.
    remove
        A file with those that are there no more.
    none
        No other server; its list must be empty.
    """
    lists = [(mode, path) for mode, path in (("=", recipients), ("+", add), ("-", remove)) if path]
    if len(lists) > 1:
        raise Trouble(USAGE, "give one of --recipients, --add and --remove")
    wanted = [
        RelayedAddresses(domain=name, addresses=lines_of(path), mode=mode) for mode, path in lists
    ]
    server = None if _asked(host, none) else RelayDomain(domain=name, host=host or "")

    async def all_of_it(caller: Caller) -> DomainRoutes:
        done = None
        if server is not None and host:
            done = await caller.call("domain.relay", server, DomainRoutes)
        for request in wanted:
            done = await caller.call("domain.recipients", request, DomainRoutes)
        if server is not None and not host:
            done = await caller.call("domain.relay", server, DomainRoutes)
        return done or await caller.call("domain.routes", ShowRoutes(domain=name), DomainRoutes)

    return _told(run(common.configuration(), all_of_it), common)


def _asked(value: str | None, none: bool) -> bool:
    """Whether only what is set now is asked for."""
    if value is not None and none:
        raise Trouble(USAGE, "--none and a value contradict each other")
    return value is None and not none


def _done(
    operation: str,
    name: str,
    request: NameDomain | CatchAll | AllowForwarding | None,
    common: Common,
) -> int:
    if request is None:
        operation, asked = "domain.routes", ShowRoutes(domain=name)
        return _told(ask(common.configuration(), operation, asked, DomainRoutes), common)
    return _told(ask(common.configuration(), operation, request, DomainRoutes), common)


def _told(done: DomainRoutes, common: Common) -> int:
    if common.json:
        as_json(done)
        return OK
    rule = "to other servers too" if done.forwarding == "anywhere" else "inside only"
    relayed = f"{done.relay}, {done.relayed:,} addresses" if done.relay else "none"
    table(
        ("", shown_domain(done.domain)),
        [
            ("another name of", shown_domain(done.alias_of) if done.alias_of else "none"),
            ("catch-all", shown_address(done.catch_all) if done.catch_all else "none: refused"),
            ("relay", relayed),
            ("forwarding", f"{rule} (as the organisation)" if done.inherited else rule),
        ],
    )
    return OK
