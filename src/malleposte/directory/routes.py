"""Reads from the store whom an address reaches: aliases, names of domains, catch-all, forwards, groups.

Invariants: forwards end: no account is passed twice, and ``MOST_REACHED`` bounds all of it; mail is never
left without a place: what a forward cannot reach stays with its account.
"""

from dataclasses import dataclass, field

from malleposte.directory.addresses import (
    BadAddressError,
    normalise_local,
    split_subaddress,
)
from malleposte.directory.resolution import Found, Onward, Resolution
from malleposte.policy.forwarding import may_forward, may_lead
from malleposte.store.dialect import Reader, Row

MOST_REACHED = 1_000
"""Accounts and addresses that one address reaches through forwards; past them forwards rest, and their
accounts keep the mail."""
DEEPEST = 10
"""Forwards one after the other."""
BOUNCES, OWNER = "bounces", "owner"
"""Subaddresses of a group that reach its owners: the sender of what it sends, and how to write to them."""
GONE = 2
"""``account.forward``: without a copy (``store.execute.routing``)."""

_DOMAIN = (
    "SELECT coalesce(c.name, d.name), coalesce(c.relay, d.relay), d.organisation,"
    " EXISTS (SELECT 1 FROM address a WHERE a.address = '*@' || coalesce(c.name, d.name))"
    " FROM domain d LEFT JOIN domain c ON c.id = d.alias_of WHERE d.name = $1"
)
_TARGETS = (
    "SELECT t.account, t.remote, a.status, a.forward, a.internal,"
    " EXISTS (SELECT 1 FROM sieve_head h WHERE h.owner IN (a.id, -a.organisation))"
    " FROM address_target t"
    " LEFT JOIN account a ON a.id = t.account WHERE t.address = $1 ORDER BY t.account, t.remote"
)
_OWNERS = (
    "SELECT a.id FROM group_member m JOIN account a ON a.id = m.account WHERE m.mail_group = $1"
    " AND m.owner = 1 AND a.status IN ('active', 'suspended') ORDER BY a.id"
)
_SYSTEM = (
    "SELECT DISTINCT a.id, a.status FROM account a JOIN role_grant r ON r.account = a.id"
    " WHERE r.role IN ('owner', 'administrator') AND a.status IN ('active', 'suspended')"
    " ORDER BY a.id"
)


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain of ours. ``name``: the one that has the addresses, where it is another name of it."""

    name: str
    relay: str
    organisation: int
    catches: bool


@dataclass(slots=True)
class _Reached:
    """What is gathered while forwards are followed."""

    accounts: list[int] = field(default_factory=list)
    onward: list[Onward] = field(default_factory=list)
    internal: list[int] = field(default_factory=list)
    filtered: list[int] = field(default_factory=list)
    passed: set[int] = field(default_factory=set)

    @property
    def full(self) -> bool:
        return len(self.accounts) + len(self.onward) >= MOST_REACHED


async def domain_of(reader: Reader, name: str) -> Domain | None:
    """A domain by its name in A-labels; None: it is not ours."""
    row = await reader.row(_DOMAIN, name)
    return Domain(row[0], row[1], row[2], bool(row[3])) if row is not None else None


async def reached(reader: Reader, domain: Domain, name: str, local: str) -> Resolution:
    """Whom ``local`` (normalised) at the domain that is called ``name`` reaches."""
    user, detail = split_subaddress(local)
    # The whole local part first: an address that was made with a + before keeps working.
    for candidate, rest in ((local, ""), (user, detail)) if detail else ((local, ""),):
        kept = f"{candidate}@{domain.name}"
        row = await reader.row("SELECT kind FROM address WHERE address = $1", kept)
        if row is None:
            continue
        shown = f"{candidate}@{name}"
        if row[0] == "system":
            return await administrators(reader, shown, rest)
        if row[0] == "group":
            return await _group(reader, domain, kept, shown, rest)
        if row[0] == "relayed":
            onward = Onward(
                f"{local}@{domain.name}", shown, domain.organisation, relay=domain.relay
            )
            return Resolution(
                Found.HERE, shown, onward=(onward,), detail=rest, organisation=domain.organisation
            )
        return await _targets(reader, domain, kept, shown, rest)
    if domain.catches:
        found = await _targets(reader, domain, f"*@{domain.name}", f"{local}@{name}", "")
        return Resolution(
            found.found,
            found.address,
            found.accounts,
            found.onward,
            internal=found.internal,
            filtered=found.filtered,
            organisation=found.organisation,
            caught=True,
        )
    return Resolution(Found.NO_SUCH_USER, f"{local}@{name}")


async def administrators(reader: Reader, address: str, detail: str) -> Resolution:
    """``postmaster`` and ``abuse``."""
    rows = await reader.rows(_SYSTEM)
    # Those who cannot sign in now still have it when they can: it is nobody else's to read.
    accounts = tuple(row[0] for row in rows if row[1] == "active") or tuple(row[0] for row in rows)
    if not accounts:
        # Nobody administers yet: the first account there is must not miss it.
        first = await reader.row("SELECT min(id) FROM account WHERE status = 'active'")
        accounts = (first[0],) if first and first[0] else ()
    found = Found.HERE if accounts else Found.NOBODY
    return Resolution(found, address, accounts, detail=detail, system=True, owners=accounts)


async def _group(reader: Reader, domain: Domain, kept: str, shown: str, detail: str) -> Resolution:
    if detail not in (BOUNCES, OWNER):
        return Resolution(
            Found.HERE, shown, detail=detail, group=kept, organisation=domain.organisation
        )
    owners = tuple(row[0] for row in await reader.rows(_OWNERS, kept))
    if not owners:
        return await administrators(reader, shown, detail)
    return Resolution(Found.HERE, shown, owners, detail=detail, organisation=domain.organisation)


async def _targets(
    reader: Reader, domain: Domain, kept: str, shown: str, detail: str
) -> Resolution:
    rows = await reader.rows(_TARGETS, kept)
    # A suspended account goes on receiving, so that nothing is lost; an archived one does not.
    here = [row for row in rows if row[0] and row[2] in ("active", "suspended")]
    owners = tuple(row[0] for row in here)
    found = _Reached()
    for row in here:
        await _account(reader, found, row, 0)
    for row in rows:
        if row[1] and (await may_lead(reader, domain.name, row[1])).allowed:
            found.onward.append(Onward(row[1], shown, domain.organisation))
    if not found.accounts and not found.onward:
        return Resolution(Found.SUSPENDED if rows else Found.NOBODY, shown)
    accounts = tuple(dict.fromkeys(found.accounts))
    return Resolution(
        Found.HERE,
        shown,
        owners if accounts == owners else accounts,
        tuple({(one.address, one.relay): one for one in found.onward}.values()),
        detail,
        filtered=tuple(dict.fromkeys(found.filtered)),
        owners=owners,
        internal=tuple(dict.fromkeys(found.internal)),
        organisation=domain.organisation,
    )


async def _account(reader: Reader, found: _Reached, row: Row, depth: int) -> bool:
    """What the mail of an account (a row of ``_TARGETS``) reaches; whether that is anybody."""
    account, _, _, forward, internal, filtered = row
    if account in found.passed:
        return account in found.accounts
    found.passed.add(account)
    went = forward > 0 and await _forwards(reader, found, account, depth)
    if not went or forward != GONE:
        found.accounts.append(account)
        if internal:
            found.internal.append(account)
        if filtered:
            found.filtered.append(account)
    return True


async def _forwards(reader: Reader, found: _Reached, account: int, depth: int) -> bool:
    """Follow an account's forwards; whether all of them reach somebody."""
    went = True
    rows = await reader.rows(
        "SELECT f.address, a.address, a.organisation FROM forward f JOIN account a ON a.id = f.account"
        " WHERE f.account = $1 ORDER BY f.address",
        account,
    )
    for address, own, organisation in rows:
        if depth >= DEEPEST or found.full:
            return False
        decision = await may_forward(reader, account, address)
        if not decision.allowed:
            went = False
            continue
        local, _, name = address.rpartition("@")
        domain = await domain_of(reader, name)
        if domain is None:
            found.onward.append(Onward(address, own, organisation, account))
        else:
            went = await _inside(reader, found, domain, local, account, depth + 1) and went
    return went


async def _inside(
    reader: Reader, found: _Reached, domain: Domain, local: str, account: int, depth: int
) -> bool:
    """Follow an account's forward to an address of ours: an account, an alias, or one at a relay."""
    try:
        user, _ = split_subaddress(normalise_local(local))
    except BadAddressError:
        return False
    address = f"{user}@{domain.name}"
    row = await reader.row("SELECT kind FROM address WHERE address = $1", address)
    kind = row[0] if row is not None else ""
    if kind == "relayed":
        onward = Onward(address, address, domain.organisation, account, domain.relay)
        found.onward.append(onward)
        return True
    went = False
    if kind in ("primary", "alias"):
        for target in await reader.rows(_TARGETS, address):
            if target[1]:
                found.onward.append(Onward(target[1], address, domain.organisation, account))
                went = True
            elif target[2] in ("active", "suspended"):
                went = await _account(reader, found, target, depth) or went
    return went
