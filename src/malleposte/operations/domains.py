"""Domains: add, list, delete."""

from typing import cast

import msgspec

from malleposte.directory.addresses import new_domain, normalise_domain, shown_domain
from malleposte.operations.context import Context
from malleposte.operations.errors import accepted
from malleposte.operations.exchange import Progress
from malleposte.operations.registry import Request, Response, Subject, operation
from malleposte.policy.audit import Detail
from malleposte.store.commands import CreateDomain, DeleteDomain
from malleposte.store.results import Created, Refused

MAX_DOMAINS = 5_000
"""Domains in one list: a line of the admin socket holds them."""


class AddDomain(Request, frozen=True, kw_only=True):
    """``organisation``: name of the organisation, for the first domain."""

    domain: str
    organisation: str = ""

    def subject(self) -> Subject:
        """See ``Request``."""
        return Subject("domain", self.domain)


class DomainAdded(Response, frozen=True, kw_only=True):
    """``made``: False where it was there."""

    domain: str
    made: bool

    def outcome(self) -> dict[str, Detail]:
        """See ``Response``."""
        return {"made": self.made}


@operation("domain.add", AddDomain, DomainAdded)
async def add(context: Context, request: AddDomain, progress: Progress) -> DomainAdded:
    """Make a domain with postmaster@ and abuse@. Again: it is there, nothing changes."""
    name = new_domain(request.domain)
    act = CreateDomain(name=name, organisation=request.organisation.strip())
    result = await context.carry_out(act, made=True)
    if isinstance(result, Refused) and result.reason == "exists":
        return DomainAdded(domain=name, made=False)
    cast("Created", accepted(result))
    return DomainAdded(domain=name, made=True)


class DomainShown(msgspec.Struct, frozen=True, kw_only=True):
    """``domain`` as the store keeps it (A-labels), ``shown`` as people read it; ``alias_of``: the domain it
    is another name of, '' for none. ``catch_all``: who has what comes to addresses that are not in use, ''
    nobody; ``relay``: the server of its relayed addresses (host:port), of which there are ``relayed``;
    ``forwarding``: inside or anywhere, '' as its organisation has it."""

    domain: str
    shown: str
    status: str
    organisation: str
    accounts: int
    aliases: int
    alias_of: str = ""
    catch_all: str = ""
    relay: str = ""
    relayed: int = 0
    forwarding: str = ""


class ListDomains(Request, frozen=True, kw_only=True):
    """All of them."""


class Domains(Response, frozen=True, kw_only=True):
    """In the order of their names."""

    domains: tuple[DomainShown, ...]


@operation("domain.list", ListDomains, Domains, audit="refused")
async def list_(context: Context, request: ListDomains, progress: Progress) -> Domains:
    """Every domain with the number of its accounts and aliases."""
    rows = await context.store.reader.rows(
        "SELECT d.name, d.status, o.name,"
        " (SELECT count(*) FROM address a WHERE a.domain = d.id AND a.kind = 'primary'),"
        " (SELECT count(*) FROM address a WHERE a.domain = d.id AND a.kind = 'alias'),"
        " coalesce(c.name, ''),"
        " coalesce((SELECT a.address FROM address_target t JOIN account a ON a.id = t.account"
        " WHERE t.address = '*@' || d.name ORDER BY a.id LIMIT 1), ''), d.relay,"
        " (SELECT count(*) FROM address a WHERE a.domain = d.id AND a.kind = 'relayed'), d.forwarding"
        " FROM domain d JOIN organisation o ON o.id = d.organisation"
        " LEFT JOIN domain c ON c.id = d.alias_of ORDER BY d.name LIMIT $1",
        MAX_DOMAINS,
    )
    return Domains(
        domains=tuple(
            DomainShown(
                domain=name,
                shown=shown_domain(name),
                status=status,
                organisation=organisation,
                accounts=accounts,
                aliases=aliases,
                alias_of=alias_of,
                catch_all=catch_all,
                relay=relay,
                relayed=relayed,
                forwarding=forwarding,
            )
            for (
                name,
                status,
                organisation,
                accounts,
                aliases,
                alias_of,
                catch_all,
                relay,
                relayed,
                forwarding,
            ) in rows
        )
    )


class RemoveDomain(Request, frozen=True, kw_only=True):
    """Only a domain without accounts and aliases can go."""

    domain: str

    def subject(self) -> Subject:
        """See ``Request``."""
        return Subject("domain", self.domain)


class DomainRemoved(Response, frozen=True, kw_only=True):
    """It is gone."""

    domain: str


@operation("domain.delete", RemoveDomain, DomainRemoved)
async def delete(context: Context, request: RemoveDomain, progress: Progress) -> DomainRemoved:
    """Remove a domain that nothing uses. Again: refused, there is no such domain."""
    name = normalise_domain(request.domain)
    accepted(await context.carry_out(DeleteDomain(name=name)))
    return DomainRemoved(domain=name)
