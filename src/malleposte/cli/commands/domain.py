"""``malleposte domain …``."""

from cyclopts import App

from malleposte.cli.caller import run
from malleposte.cli.exit_codes import OK
from malleposte.cli.options import DEFAULT, Common
from malleposte.cli.output import as_json, say, table
from malleposte.directory.addresses import shown_address, shown_domain
from malleposte.operations.domains import (
    AddDomain,
    DomainAdded,
    DomainRemoved,
    Domains,
    ListDomains,
    RemoveDomain,
)

domain = App(name="domain", help="Domains whose mail this server takes.")
domain.command(
    "malleposte.cli.commands.domain_dkim:dkim",
    name="dkim",
    help="DKIM keys of a domain: list them, make new ones, retire old ones.",
)
domain.command(
    "malleposte.cli.commands.domain_mta_sts:mta_sts",
    name="mta-sts",
    help="How others are to encrypt mail to a domain (MTA-STS).",
)
for _name, _words in (
    ("alias", "Make a domain another name of one."),
    ("catch-all", "Who gets mail to addresses that are not in use."),
    ("relay", "Have mail for a list of addresses go to another server."),
    ("forwarding", "Whether mail may be forwarded to other servers."),
):
    domain.command(
        f"malleposte.cli.commands.domain_routes:{_name.replace('-', '_')}", name=_name, help=_words
    )


@domain.command
def add(name: str, /, *, organisation: str = "", common: Common = DEFAULT) -> int:
    """Add a domain, with postmaster@ and abuse@ in it.

    Parameters
    ----------
    name
        The domain, such as example.org.
    organisation
        Name of the organisation; only the first domain makes one.
    """
    request = AddDomain(domain=name, organisation=organisation)
    done = run(
        common.configuration(), lambda caller: caller.call("domain.add", request, DomainAdded)
    )
    if common.json:
        as_json(done)
    else:
        say(f"{shown_domain(done.domain)} was {'added' if done.made else 'there already'}")
    return OK


@domain.command(name="list")
def list_(*, common: Common = DEFAULT) -> int:
    """List the domains."""
    found = run(
        common.configuration(), lambda caller: caller.call("domain.list", ListDomains(), Domains)
    ).domains
    if common.json:
        as_json({"domains": found})
        return OK
    table(
        (
            "domain",
            "status",
            "accounts",
            "aliases",
            "organisation",
            "another name of",
            "catch-all",
            "relay",
            "forwarding",
        ),
        [
            (
                one.domain if one.shown == one.domain else f"{one.shown} ({one.domain})",
                one.status,
                f"{one.accounts:,}",
                f"{one.aliases:,}",
                one.organisation,
                shown_domain(one.alias_of) if one.alias_of else "",
                shown_address(one.catch_all) if one.catch_all else "",
                f"{one.relay} ({one.relayed:,})" if one.relay else "",
                one.forwarding,
            )
            for one in found
        ],
        right=(2, 3),
    )
    return OK


@domain.command
def delete(name: str, /, *, common: Common = DEFAULT) -> int:
    """Delete a domain; its accounts and aliases must be gone before.

    Parameters
    ----------
    name
        The domain.
    """
    request = RemoveDomain(domain=name)
    done = run(
        common.configuration(), lambda caller: caller.call("domain.delete", request, DomainRemoved)
    )
    if common.json:
        as_json(done)
    else:
        say(f"{shown_domain(done.domain)} was deleted")
    return OK
