"""Aliases: addresses that reach accounts, or lead to other servers where mail may be forwarded there."""

import msgspec

from malleposte.directory.addresses import new_address, normalise
from malleposte.operations.context import Context
from malleposte.operations.destinations import destination
from malleposte.operations.errors import accepted, invalid, refusal
from malleposte.operations.exchange import Progress
from malleposte.operations.finding import own_domain
from malleposte.operations.registry import Request, Response, Subject, operation
from malleposte.policy.audit import Detail
from malleposte.policy.forwarding import may_lead
from malleposte.store.commands import SetAlias
from malleposte.store.dialect import Reader

MAX_TARGETS = 500
"""Accounts and addresses an alias reaches; more is a group."""
MAX_PAGE = 1_000
MAX_REACHED = 3_000
"""Targets in one answer: a line of the admin socket holds them at the longest addresses there are."""


class OfAlias(Request, frozen=True, kw_only=True):
    """A request about one alias."""

    address: str

    def subject(self) -> Subject:
        """See ``Request``."""
        return Subject("alias", self.address)


class WithTargets(OfAlias, frozen=True, kw_only=True):
    """``targets``: addresses of accounts, or at other servers."""

    targets: tuple[str, ...]

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"targets": " ".join(self.targets)}


class AddAlias(WithTargets, frozen=True, kw_only=True):
    """Make an alias, or have one reach further targets."""


class ReplaceAlias(WithTargets, frozen=True, kw_only=True):
    """Make an alias, or have one reach these targets and no others."""


class AliasShown(Response, frozen=True, kw_only=True):
    """An alias and what it reaches."""

    address: str
    targets: tuple[str, ...]


@operation("alias.add", AddAlias, AliasShown)
async def add(context: Context, request: AddAlias, progress: Progress) -> AliasShown:
    """Add targets. Again: they are there, nothing changes."""
    return await _put(context, request, keep=True)


@operation("alias.set", ReplaceAlias, AliasShown)
async def set_(context: Context, request: ReplaceAlias, progress: Progress) -> AliasShown:
    """Replace the targets. Again: the same ones."""
    return await _put(context, request, keep=False)


async def _put(context: Context, request: WithTargets, *, keep: bool) -> AliasShown:
    reader = context.store.reader
    if not request.targets:
        raise invalid("an alias needs at least one account or address that it reaches")
    if len(request.targets) > MAX_TARGETS:
        raise invalid(f"an alias reaches at most {MAX_TARGETS} accounts: make a group of them")
    row = await reader.row("SELECT 1 FROM address WHERE address = $1", normalise(request.address))
    # Stricter for one about to be made than for one that is there.
    address = normalise(request.address) if row else new_address(request.address)
    wanted = {await _target(reader, address, target) for target in request.targets}
    if keep:
        there = await reader.rows(
            "SELECT account, remote FROM address_target WHERE address = $1", address
        )
        wanted.update((row[0], row[1]) for row in there)
    command = SetAlias(
        address=address,
        accounts_=tuple(sorted(account for account, _ in wanted if account)),
        remotes=tuple(sorted(remote for _, remote in wanted if remote)),
    )
    accepted(await context.carry_out(command))
    return await _shown(reader, address)


async def _target(reader: Reader, alias: str, typed: str) -> tuple[int, str]:
    """An account, or an address at another server."""
    found = await destination(reader, typed)
    if found.account:
        return found.account, ""
    if found.kind:
        raise refusal(f"is-{found.kind}", f"{found.address} is no account: name the account itself")
    decision = await may_lead(reader, alias.rpartition("@")[2], found.address)
    if not decision.allowed:
        raise refusal("not-allowed", decision.reason)
    return 0, found.address


async def _shown(reader: Reader, address: str) -> AliasShown:
    rows = await reader.rows(
        "SELECT coalesce(a.address, t.remote) FROM address_target t"
        " LEFT JOIN account a ON a.id = t.account WHERE t.address = $1 ORDER BY 1",
        address,
    )
    return AliasShown(address=address, targets=tuple(row[0] for row in rows))


class RemoveAlias(OfAlias, frozen=True, kw_only=True):
    """The address; the accounts it reached stay."""


class AliasRemoved(Response, frozen=True, kw_only=True):
    """It is gone."""

    address: str


@operation("alias.delete", RemoveAlias, AliasRemoved)
async def delete(context: Context, request: RemoveAlias, progress: Progress) -> AliasRemoved:
    """Remove an alias. Again: refused, there is no such alias."""
    address = normalise(request.address)
    accepted(await context.carry_out(SetAlias(address=address)))
    return AliasRemoved(address=address)


class ListAliases(Request, frozen=True, kw_only=True):
    """Aliases after an address, of one domain or of all."""

    after: str = ""
    domain: str = ""
    limit: int = MAX_PAGE


class AliasLine(msgspec.Struct, frozen=True, kw_only=True):
    """``kind``: ``alias``, or ``system`` for postmaster and abuse, which reach the administrators."""

    address: str
    kind: str
    targets: tuple[str, ...]


class AliasPage(Response, frozen=True, kw_only=True):
    """``more``: ask again after the last address."""

    aliases: tuple[AliasLine, ...]
    more: bool


@operation("alias.list", ListAliases, AliasPage, audit="refused")
async def list_(context: Context, request: ListAliases, progress: Progress) -> AliasPage:
    """A page of aliases in the order of their addresses, system addresses among them."""
    limit = max(1, min(request.limit, MAX_PAGE))
    reader = context.store.reader
    rows = await reader.rows(
        "SELECT a.address, a.kind FROM address a JOIN domain d ON d.id = a.domain"
        " WHERE a.kind IN ('alias', 'system') AND a.address > $1 AND ($2 = '' OR d.name = $2)"
        " ORDER BY a.address LIMIT $3",
        request.after,
        await own_domain(reader, request.domain),
        limit + 1,
    )
    lines: list[AliasLine] = []
    reached = 0
    for address, kind in rows[:limit]:
        targets = (await _shown(reader, address)).targets
        reached += len(targets)
        if lines and reached > MAX_REACHED:
            break
        lines.append(AliasLine(address=address, kind=kind, targets=targets))
    return AliasPage(aliases=tuple(lines), more=len(rows) > len(lines))
