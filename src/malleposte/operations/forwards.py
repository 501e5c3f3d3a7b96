"""Forwards of accounts: set, removed, and the list of all that leads elsewhere."""

import asyncio
from collections.abc import Collection

import msgspec

from malleposte.directory.addresses import BadAddressError, normalise, shown_address
from malleposte.operations.context import Context
from malleposte.operations.destinations import destination
from malleposte.operations.errors import accepted, invalid, refusal
from malleposte.operations.exchange import Progress
from malleposte.operations.finding import account_id
from malleposte.operations.registry import Request, Response, Subject, operation
from malleposte.policy.audit import Detail
from malleposte.policy.forwarding import may_forward, may_lead
from malleposte.sieve import Redirection, redirections
from malleposte.store.commands import MAX_FORWARDS, SetForward
from malleposte.store.dialect import Reader
from malleposte.store.read.sieve import own_to_run

MAX_PAGE = 500
SCRIPTED = 200
"""Accounts whose scripts are read for one page."""
KEPT = 1
"""``account.forward``: with a copy kept."""

_ACCOUNTS = (
    "SELECT a.address, f.address, a.forward, a.id FROM forward f JOIN account a ON a.id = f.account"
)
_SCRIPTED = (
    "SELECT a.address, a.id FROM account a JOIN sieve_head h ON h.owner = a.id WHERE a.address > $1"
    " ORDER BY a.address LIMIT $2"
)
_CONTENTS = "SELECT content FROM sieve_script WHERE owner = $1 ORDER BY name"
_ALL = (
    "SELECT kind, origin, target, kept, account FROM ("
    "SELECT 'account' AS kind, a.address AS origin, f.address AS target, a.forward AS kept,"
    " a.id AS account FROM forward f JOIN account a ON a.id = f.account"
    " UNION ALL SELECT 'alias', t.address, t.remote, 0, 0 FROM address_target t WHERE t.remote <> ''"
    " UNION ALL SELECT 'group', m.mail_group, m.address, 0, 0 FROM group_member m"
    " WHERE m.address <> '' AND m.member = 1) AS lines"
    " WHERE origin > $1 OR (origin = $1 AND target > $2) ORDER BY origin, target LIMIT $3"
)


class OfForward(Request, frozen=True, kw_only=True):
    """A request about the forward of one account."""

    address: str

    def subject(self) -> Subject:
        """See ``Request``."""
        return Subject("account", self.address)


class PutForward(OfForward, frozen=True, kw_only=True):
    """``targets`` in place of those before. ``copy``: the account keeps one."""

    targets: tuple[str, ...]
    copy: bool = True

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"targets": " ".join(self.targets), "copy": self.copy}


class RemoveForward(OfForward, frozen=True, kw_only=True):
    """Its mail stays with the account from now on."""


class ForwardShown(Response, frozen=True, kw_only=True):
    """Where an account's mail goes on to. ``rests``: that is outside, and this server does not send."""

    address: str
    targets: tuple[str, ...] = ()
    copy: bool = True
    rests: bool = False


@operation("forward.set", PutForward, ForwardShown)
async def set_(context: Context, request: PutForward, progress: Progress) -> ForwardShown:
    """Have an account's mail go on to addresses. Again: nothing changes."""
    reader = context.store.reader
    account = await account_id(reader, request.address)
    if not request.targets:
        raise invalid("name at least one address that the mail goes on to")
    if len(request.targets) > MAX_FORWARDS:
        raise invalid(f"an account's mail goes on to at most {MAX_FORWARDS} addresses")
    targets = [await _target(reader, account, one) for one in request.targets]
    command = SetForward(account=account, addresses=tuple(sorted(set(targets))), keep=request.copy)
    accepted(await context.carry_out(command))
    shown = await _shown(reader, request.address, account)
    if context.settings.sends:
        return shown
    ours = {row[0] for row in await reader.rows("SELECT name FROM domain")}
    outside = any(target.rpartition("@")[2] not in ours for target in shown.targets)
    return msgspec.structs.replace(shown, rests=outside)


async def _target(reader: Reader, account: int, typed: str) -> str:
    found = await destination(reader, typed)
    if found.account == account:
        raise refusal("loop", f"{found.address} is the account itself: --copy keeps its mail there")
    if found.kind not in ("", "primary", "alias", "relayed"):
        text = f"{found.address} is neither an account nor an alias: mail goes on to no other here"
        raise refusal("no-such-account", text)
    decision = await may_forward(reader, account, found.address)
    if not decision.allowed:
        raise refusal("not-allowed", decision.reason)
    return found.address


@operation("forward.delete", RemoveForward, ForwardShown)
async def delete(context: Context, request: RemoveForward, progress: Progress) -> ForwardShown:
    """Have an account's mail stay with it. Again: refused, nothing is forwarded."""
    reader = context.store.reader
    account = await account_id(reader, request.address)
    if await reader.row("SELECT 1 FROM forward WHERE account = $1", account) is None:
        raise refusal("no-such-forward", f"mail of {request.address} is not forwarded")
    accepted(await context.carry_out(SetForward(account=account)))
    return ForwardShown(address=normalise(request.address))


async def _shown(reader: Reader, address: str, account: int) -> ForwardShown:
    rows = await reader.rows(f"{_ACCOUNTS} WHERE a.id = $1 ORDER BY f.address", account)
    return ForwardShown(
        address=normalise(address),
        targets=tuple(row[1] for row in rows),
        copy=not rows or rows[0][2] == KEPT,
    )


class ListForwards(Request, frozen=True, kw_only=True):
    """All that leads on, after an address and its target; with ``scripts`` in place of it what scripts and
    filters of accounts send on, after an account's address."""

    after: str = ""
    after_target: str = ""
    scripts: bool = False


class ForwardLine(msgspec.Struct, frozen=True, kw_only=True):
    """``kind``: account, alias, group or script. ``outside``: to another server; then ``why`` it is not
    done now, '' where it is."""

    kind: str
    address: str
    target: str
    copy: bool
    outside: bool
    why: str = ""


class ForwardPage(Response, frozen=True, kw_only=True):
    """``more``: ask again after the last line; of scripts after ``after``, for a page may have none.
    ``rests``: this server does not send, so that nothing leaves it."""

    forwards: tuple[ForwardLine, ...]
    more: bool
    after: str = ""
    rests: bool = False


@operation("forward.list", ListForwards, ForwardPage, audit="refused")
async def list_(context: Context, request: ListForwards, progress: Progress) -> ForwardPage:
    """A page of forwards of accounts, and of aliases and groups that lead to other servers or groups."""
    reader = context.store.reader
    if request.scripts:
        return await _of_scripts(reader, request.after)
    rows = await reader.rows(_ALL, request.after, request.after_target, MAX_PAGE + 1)
    ours = {row[0] for row in await reader.rows("SELECT name FROM domain")}
    lines = []
    for kind, origin, target, kept, account in rows[:MAX_PAGE]:
        outside = target.rpartition("@")[2] not in ours
        why = ""
        if outside:
            decision = (
                await may_forward(reader, account, target)
                if kind == "account"
                else await may_lead(reader, origin.rpartition("@")[2], target)
            )
            why = "" if decision.allowed else decision.reason
        lines.append(
            ForwardLine(
                kind=kind,
                address=origin,
                target=target,
                copy=kept == KEPT,
                outside=outside,
                why=why,
            )
        )
    return ForwardPage(
        forwards=tuple(lines), more=len(rows) > MAX_PAGE, rests=not context.settings.sends
    )


async def _of_scripts(reader: Reader, after: str) -> ForwardPage:
    """What scripts and filters of the next accounts send on; theirs that run, and what these include."""
    accounts = await reader.rows(_SCRIPTED, after, SCRIPTED + 1)
    ours = {row[0] for row in await reader.rows("SELECT name FROM domain")}
    lines = []
    for address, account in accounts[:SCRIPTED]:
        contents = [piece.content for piece in await own_to_run(reader, account)]
        if any(b"include" in content.lower() for content in contents):
            contents = [bytes(row[0]) for row in await reader.rows(_CONTENTS, account)] + contents
        found: dict[Redirection, None] = {}
        for content in contents:
            found.update(dict.fromkeys(await asyncio.to_thread(redirections, content)))
        for one in found:
            outside, why = await _leads(reader, account, one.address, ours)
            lines.append(
                ForwardLine(
                    kind="script",
                    address=address,
                    target=one.address,
                    copy=one.copy,
                    outside=outside,
                    why=why,
                )
            )
    more = len(accounts) > SCRIPTED
    return ForwardPage(
        forwards=tuple(lines), more=more, after=accounts[SCRIPTED - 1][0] if more else ""
    )


async def _leads(
    reader: Reader, account: int, written: str, ours: Collection[str]
) -> tuple[bool, str]:
    """Whether an address in a script is at another server, as far as that is known, and why mail does not
    go there now."""
    if "${" in written:
        return True, "each message says where to"
    try:
        target = normalise(written)
    except BadAddressError:
        return True, "that is no address"
    if target.rpartition("@")[2] in ours:
        return False, ""
    decision = await may_forward(reader, account, target)
    return True, "" if decision.allowed else decision.reason


def words(forward: ForwardShown) -> str:
    """A forward in a sentence."""
    whose = shown_address(forward.address)
    if not forward.targets:
        return f"mail of {whose} stays there"
    targets = ", ".join(map(shown_address, forward.targets))
    return f"mail of {whose} goes on to {targets}, {'with' if forward.copy else 'without'} a copy there"
