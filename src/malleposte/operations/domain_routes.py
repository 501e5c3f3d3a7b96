"""Domains: other names, catch-all, relay, and whether mail may be forwarded to other servers."""

from typing import cast

from malleposte.directory.addresses import normalise, normalise_domain
from malleposte.operations.context import Context
from malleposte.operations.errors import accepted, invalid, refusal
from malleposte.operations.exchange import Progress
from malleposte.operations.finding import account_id, own_domain
from malleposte.operations.registry import Request, Response, Subject, operation
from malleposte.policy.audit import Detail
from malleposte.policy.forwarding import RULES
from malleposte.store.commands import (
    MAX_RELAYED,
    SetCatchAll,
    SetDomain,
    SetOrganisation,
    SetRelayed,
)
from malleposte.store.results import Done


class OfDomain(Request, frozen=True, kw_only=True):
    """A request about one domain."""

    domain: str

    def subject(self) -> Subject:
        """See ``Request``."""
        return Subject("domain", self.domain)


class DomainRoutes(Response, frozen=True, kw_only=True):
    """Where mail of a domain goes. ``forwarding``: what counts, its own or (``inherited``) the
    organisation's; ``relayed``: addresses in the relay's list."""

    domain: str
    alias_of: str = ""
    catch_all: str = ""
    relay: str = ""
    relayed: int = 0
    forwarding: str = "inside"
    inherited: bool = True


_SHOWN = (
    "SELECT coalesce(c.name, ''), d.relay, d.forwarding, o.forwarding,"
    " (SELECT count(*) FROM address p WHERE p.domain = d.id AND p.kind = 'relayed'),"
    " coalesce((SELECT min(a.address) FROM address_target t JOIN account a ON a.id = t.account"
    " WHERE t.address = '*@' || d.name), '')"
    " FROM domain d JOIN organisation o ON o.id = d.organisation"
    " LEFT JOIN domain c ON c.id = d.alias_of WHERE d.name = $1"
)


async def _shown(context: Context, name: str) -> DomainRoutes:
    row = await context.store.reader.row(_SHOWN, name)
    if row is None:
        raise refusal("no-such-domain", f"there is no domain {name}")
    alias_of, relay, own, organisation, relayed, catch_all = row
    return DomainRoutes(
        domain=name,
        alias_of=alias_of,
        catch_all=catch_all,
        relay=relay,
        relayed=relayed,
        forwarding=own or organisation,
        inherited=not own,
    )


class ShowRoutes(OfDomain, frozen=True, kw_only=True):
    """Where mail of a domain goes."""


@operation("domain.routes", ShowRoutes, DomainRoutes, audit="refused")
async def routes(context: Context, request: ShowRoutes, progress: Progress) -> DomainRoutes:
    """What is set for a domain."""
    return await _shown(context, await own_domain(context.store.reader, request.domain))


class NameDomain(OfDomain, frozen=True, kw_only=True):
    """``of``: the domain it is another name of; '' for a domain by itself."""

    of: str = ""

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"of": self.of}


@operation("domain.alias", NameDomain, DomainRoutes)
async def alias(context: Context, request: NameDomain, progress: Progress) -> DomainRoutes:
    """Make a domain another name of one, or a domain by itself again. Again: nothing changes."""
    name = await own_domain(context.store.reader, request.domain)
    of = normalise_domain(request.of) if request.of else ""
    accepted(await context.carry_out(SetDomain(name=name, alias_of=of)))
    return await _shown(context, name)


class CatchAll(OfDomain, frozen=True, kw_only=True):
    """``account``: address of the account that gets what is for nobody; '' for none."""

    account: str = ""

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"account": self.account}


@operation("domain.catch-all", CatchAll, DomainRoutes)
async def catch_all(context: Context, request: CatchAll, progress: Progress) -> DomainRoutes:
    """Set who gets mail to addresses that are not in use, or nobody. Again: nothing changes."""
    reader = context.store.reader
    name = await own_domain(reader, request.domain)
    account = await account_id(reader, request.account) if request.account else 0
    accepted(await context.carry_out(SetCatchAll(domain=name, account=account)))
    return await _shown(context, name)


class RelayDomain(OfDomain, frozen=True, kw_only=True):
    """``host``: ``name`` or ``name:port`` of the server that has the mailboxes; '' for none."""

    host: str = ""

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"host": self.host}


@operation("domain.relay", RelayDomain, DomainRoutes)
async def relay(context: Context, request: RelayDomain, progress: Progress) -> DomainRoutes:
    """Set the server that a domain's relayed addresses are at, or none. Again: nothing changes."""
    name = await own_domain(context.store.reader, request.domain)
    host = host_and_port(request.host) if request.host else ""
    accepted(await context.carry_out(SetDomain(name=name, relay=host)))
    return await _shown(context, name)


def host_and_port(typed: str) -> str:
    """``host:port`` as the store keeps it. Raises ``OperationError``."""
    text = typed.strip().lower()
    host, port = text, "25"
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    good = bool(host) and len(host) <= 253 and not any(c.isspace() or c in "[]/@" for c in host)
    if not good or not port.isdecimal() or not 0 < int(port) < 65536:
        raise invalid(f"{typed!r} is no server: give NAME, NAME:PORT, or [ADDRESS]:PORT")
    return f"[{host}]:{int(port)}" if ":" in host else f"{host}:{int(port)}"


class RelayedAddresses(OfDomain, frozen=True, kw_only=True):
    """The addresses at a domain's relay. ``mode``: ``=``, ``+`` or ``-``."""

    addresses: tuple[str, ...]
    mode: str = "="

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"mode": self.mode, "addresses": len(self.addresses)}


@operation("domain.recipients", RelayedAddresses, DomainRoutes)
async def recipients(
    context: Context, request: RelayedAddresses, progress: Progress
) -> DomainRoutes:
    """Set, add or remove addresses that are at a domain's relay. Again: nothing changes."""
    if request.mode not in ("=", "+", "-"):
        raise invalid("the mode is =, + or -")
    if len(request.addresses) > MAX_RELAYED:
        raise invalid(f"at most {MAX_RELAYED:,} addresses at a time: add the others after them")
    name = await own_domain(context.store.reader, request.domain)
    addresses = [
        normalise(one if "@" in one else f"{one}@{name}")
        for one in request.addresses
        if one.strip()
    ]
    command = SetRelayed(domain=name, addresses=tuple(dict.fromkeys(addresses)), mode=request.mode)
    cast("Done", accepted(await context.carry_out(command)))
    return await _shown(context, name)


class AllowForwarding(OfDomain, frozen=True, kw_only=True):
    """``rule``: ``inside``, ``anywhere``, or '' as the organisation has it. ``organisation``: set it for
    the organisation of the domain instead."""

    rule: str
    organisation: bool = False

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"rule": self.rule, "organisation": self.organisation}


@operation("domain.forwarding", AllowForwarding, DomainRoutes)
async def forwarding(
    context: Context, request: AllowForwarding, progress: Progress
) -> DomainRoutes:
    """Set whether mail may be forwarded to other servers. Again: nothing changes."""
    reader = context.store.reader
    name = await own_domain(reader, request.domain)
    if request.rule not in (RULES if request.organisation else ("", *RULES)):
        raise invalid(f"the rule is one of {', '.join(RULES)}")
    if request.organisation:
        row = await reader.row("SELECT organisation FROM domain WHERE name = $1", name)
        accepted(
            await context.carry_out(
                SetOrganisation(organisation=row[0] if row else 0, forwarding=request.rule)
            )
        )
    else:
        accepted(await context.carry_out(SetDomain(name=name, forwarding=request.rule)))
    return await _shown(context, name)
