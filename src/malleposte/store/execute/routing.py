"""Domains by other names, catch-all, relayed domains, forwards. Addresses come normalised.

As in ``directory``, every change moves ``directory_head``: what a worker remembers of an address is whom
it reaches at last, forwards included.
"""

from malleposte.store.commands import (
    MAX_FORWARDS,
    MAX_RELAYED,
    SetCatchAll,
    SetDomain,
    SetForward,
    SetOrganisation,
    SetRelayed,
)
from malleposte.store.dialect import any_of, both
from malleposte.store.execute.directory import ADD_ADDRESS, ADD_TARGET, changed, exists
from malleposte.store.results import Done, Refused
from malleposte.store.work import Work

CATCH_ALL = "*"
"""The local part of a domain's catch-all; no account, alias or group can have it."""
RULES = ("", "inside", "anywhere")
STS_MODES = ("none", "testing", "enforce")
KEPT, GONE = 1, 2
"""``account.forward``: with a copy kept, and without."""

_DOMAIN = "SELECT id, organisation, alias_of, relay FROM domain WHERE name = $1"
_USED = "SELECT count(*) FROM address WHERE domain = $1 AND kind <> 'system'"
_IN_USE = both(
    "SELECT address FROM address WHERE {addresses} AND kind <> 'relayed' LIMIT 1",
    addresses=any_of("address", 1, "text"),
)
_DROP = both(
    "DELETE FROM address WHERE {addresses} AND kind = 'relayed' AND domain = $2",
    addresses=any_of("address", 1, "text"),
)
_ADD = ADD_ADDRESS + " ON CONFLICT DO NOTHING"


def no_domain(name: str) -> Refused:
    """The refusal of what is about a domain that is not there."""
    return Refused(reason="no-such-domain", text=f"there is no domain {name}")


async def set_domain(work: Work, command: SetDomain) -> Done | Refused:
    """Execute ``SetDomain``."""
    await changed(work)
    row = await work.tx.row(_DOMAIN, command.name)
    if row is None:
        return no_domain(command.name)
    domain, organisation, alias_of, relay = row
    if command.forwarding is not None and command.forwarding not in RULES:
        return Refused(reason="bad-name", text=f"{command.forwarding!r} is not one of {RULES}")
    if command.mta_sts is not None and command.mta_sts not in STS_MODES:
        return Refused(reason="bad-name", text=f"{command.mta_sts!r} is not one of {STS_MODES}")
    if command.relay is not None:
        if command.relay and await work.tx.row(
            "SELECT 1 FROM address WHERE domain = $1 AND kind = 'catch-all'", domain
        ):
            text = f"{command.name} has a catch-all: take that away first"
            return Refused(reason="in-use", text=text)
        if not command.relay and await work.tx.row(
            "SELECT 1 FROM address WHERE domain = $1 AND kind = 'relayed'", domain
        ):
            text = f"addresses of {command.name} are at its relay: take them out of the list first"
            return Refused(reason="in-use", text=text)
        relay = command.relay
    if command.alias_of is not None:
        refused = await _another_name(work, command.name, domain, organisation, command.alias_of)
        if isinstance(refused, Refused):
            return refused
        alias_of = refused
    await work.tx.run(
        "UPDATE domain SET alias_of = $1, relay = $2, forwarding = coalesce($3, forwarding),"
        " mta_sts = coalesce($4, mta_sts), mta_sts_mx = coalesce($5, mta_sts_mx) WHERE id = $6",
        alias_of,
        relay,
        command.forwarding,
        command.mta_sts,
        None if command.mta_sts_mx is None else " ".join(command.mta_sts_mx),
        domain,
    )
    return Done()


async def _another_name(
    work: Work, name: str, domain: int, organisation: int, of: str
) -> int | Refused:
    """The domain it is to be another name of, 0 for none."""
    if not of:
        return 0
    other = await work.tx.row(_DOMAIN, of)
    if other is None:
        return no_domain(of)
    if other[1] != organisation:
        return Refused(reason="no-such-domain", text=f"{of} is another organisation's")
    if other[0] == domain or other[2]:
        return Refused(
            reason="loop", text=f"{of} has no addresses of its own: name the domain that has them"
        )
    if await work.tx.row("SELECT 1 FROM domain WHERE alias_of = $1", domain):
        return Refused(reason="in-use", text=f"other domains are names of {name} already")
    used = await work.tx.row(_USED, domain)
    if used is not None and used[0]:
        return Refused(
            reason="in-use",
            text=f"{used[0]} addresses are in {name}, which could not be reached any more: delete"
            " them first",
        )
    return int(other[0])


async def set_organisation(work: Work, command: SetOrganisation) -> Done | Refused:
    """Execute ``SetOrganisation``."""
    await changed(work)
    if command.forwarding not in RULES[1:]:
        return Refused(reason="bad-name", text=f"{command.forwarding!r} is not one of {RULES[1:]}")
    count = await work.tx.run(
        "UPDATE organisation SET forwarding = $1"
        " WHERE id = CASE WHEN $2 = 0 THEN (SELECT min(id) FROM organisation) ELSE $2 END",
        command.forwarding,
        command.organisation,
    )
    return Done() if count else Refused(reason="no-such-domain", text="add a domain first")


async def set_catch_all(work: Work, command: SetCatchAll) -> Done | Refused:
    """Execute ``SetCatchAll``."""
    await changed(work)
    row = await work.tx.row(_DOMAIN, command.domain)
    if row is None:
        return no_domain(command.domain)
    if row[2]:
        text = f"{command.domain} is another name of a domain: set it there"
        return Refused(reason="loop", text=text)
    if row[3] and command.account:
        # What the relay would refuse after we took it becomes a bounce to whoever was forged.
        text = f"mail of {command.domain} is relayed: its addresses are those of its list"
        return Refused(reason="in-use", text=text)
    if command.account and not await exists(work, command.account):
        return Refused(reason="no-such-account", text=f"there is no account {command.account}")
    address = f"{CATCH_ALL}@{command.domain}"
    await work.tx.run("DELETE FROM address_target WHERE address = $1", address)
    if not command.account:
        await work.tx.run("DELETE FROM address WHERE address = $1", address)
        return Done()
    await work.tx.run(_ADD, address, row[0], "catch-all", work.now)
    await work.tx.run(ADD_TARGET, address, command.account, "")
    return Done()


async def set_relayed(work: Work, command: SetRelayed) -> Done | Refused:
    """Execute ``SetRelayed``."""
    await changed(work)
    if len(command.addresses) > MAX_RELAYED:
        return Refused(reason="limit", text=f"at most {MAX_RELAYED:,} addresses at a time")
    row = await work.tx.row(_DOMAIN, command.domain)
    if row is None:
        return no_domain(command.domain)
    if not row[3]:
        return Refused(reason="no-such-domain", text=f"{command.domain} has no relay")
    if any(one.rpartition("@")[2] != command.domain for one in command.addresses):
        return Refused(reason="bad-name", text=f"all of them must be in {command.domain}")
    addresses = list(command.addresses)
    if command.mode != "-":
        used = await work.tx.row(_IN_USE, addresses)
        if used is not None:
            return Refused(reason="exists", text=f"{used[0]} is in use here already")
    if command.mode == "=":
        await work.tx.run("DELETE FROM address WHERE domain = $1 AND kind = 'relayed'", row[0])
    elif command.mode == "-":
        await work.tx.run(_DROP, addresses, row[0])
    if command.mode != "-":
        for address in addresses:
            await work.tx.run(_ADD, address, row[0], "relayed", work.now)
    count = await work.tx.row(
        "SELECT count(*) FROM address WHERE domain = $1 AND kind = 'relayed'", row[0]
    )
    return Done(count=count[0] if count else 0)


async def set_forward(work: Work, command: SetForward) -> Done | Refused:
    """Execute ``SetForward``."""
    await changed(work)
    if not await exists(work, command.account):
        return Refused(reason="no-such-account")
    if len(command.addresses) > MAX_FORWARDS:
        text = f"an account's mail goes on to at most {MAX_FORWARDS} addresses"
        return Refused(reason="limit", text=text)
    await work.tx.run("DELETE FROM forward WHERE account = $1", command.account)
    for address in command.addresses:
        await work.tx.run(
            "INSERT INTO forward (account, address) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            command.account,
            address,
        )
    kept = KEPT if command.keep else GONE
    await work.tx.run(
        "UPDATE account SET forward = $1 WHERE id = $2",
        kept if command.addresses else 0,
        command.account,
    )
    return Done()


async def leave_routes(work: Work, account: int) -> None:
    """An account goes: out of groups, and nothing of it goes on."""
    for statement in (
        "DELETE FROM forward WHERE account = $1",
        "DELETE FROM group_member WHERE account = $1",
        "UPDATE mail_group SET archive = 0 WHERE archive = $1",
    ):
        await work.tx.run(statement, account)
