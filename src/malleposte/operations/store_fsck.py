"""fsck: examines every invariant of the store, also while it serves; repairs what is derived."""

import asyncio
import time

import msgspec

from malleposte.operations.context import Context
from malleposte.operations.errors import accepted
from malleposte.operations.exchange import Exchange
from malleposte.operations.finding import account_id
from malleposte.operations.registry import Request, Response, operation
from malleposte.operations.rendering import Renderer
from malleposte.policy.audit import Detail
from malleposte.store.fsck import Finding, Kind, check, repairs
from malleposte.store.fsck.finding import named
from malleposte.store.read.rendering import ids

LOOK_AT = 5_000
"""Emails in a statement that looks for lost rows: some 20 ms."""


class Fsck(Request, frozen=True, kw_only=True):
    """``deep``: also read all content back. ``repair``: put right what is derived. ``addresses``: only
    the mail of these accounts."""

    deep: bool = False
    repair: bool = False
    addresses: tuple[str, ...] = ()

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {
            "deep": self.deep,
            "repair": self.repair,
            "accounts": " ".join(self.addresses) or None,
        }


class Found(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A parcel for each finding: its kind, what it is about, what it means. ``address`` of the account
    it concerns; ``remains``: it is there still after the repair."""

    kind: str
    object: str
    text: str
    address: str = ""
    repairable: bool = False
    remains: bool = False


class Examined(Response, frozen=True, kw_only=True):
    """``found`` findings, of which ``repaired`` are gone now and ``remaining`` are left."""

    found: int
    repaired: int
    remaining: int
    seconds: float

    def outcome(self) -> dict[str, Detail]:
        """See ``Response``."""
        return {"found": self.found, "repaired": self.repaired, "remaining": self.remaining}


@operation("store.fsck", Fsck, Examined, streams=True)
async def run(context: Context, request: Fsck, exchange: Exchange) -> Examined:
    """Examine the store, and repair. Again: examined again; a repair finds nothing left to do."""
    started = time.monotonic()
    only = [await account_id(context.store.reader, a) for a in request.addresses] or None
    found = await _findings(context, request, exchange, only)
    remaining = len(found)
    commands = repairs(found) if request.repair else []
    lost = [one for one in found if one.kind is Kind.EMAIL_WIDE] if request.repair else []
    if commands or lost:
        await context.begin()
    for count, command in enumerate(commands, 1):
        exchange.report(count, len(commands), "repairing")
        accepted(await context.store.submit(command))
    # After the counters, which it moves along.
    unread = await _render(context, exchange, lost, only) if lost else {}
    if commands or lost:
        remaining = len(await _findings(context, request, exchange, only, unread))
    return Examined(
        found=len(found),
        repaired=max(0, len(found) - remaining),
        remaining=remaining,
        seconds=round(time.monotonic() - started, 3),
    )


async def _render(
    context: Context, exchange: Exchange, lost: list[Finding], only: list[int] | None
) -> dict[str, str]:
    """Render lost rows again. What could not be rendered, as findings name it, and why."""
    unread: dict[str, str] = {}

    async def left_out(email: int, why: str) -> None:
        unread[named("email", email)] = why

    reader = context.store.reader
    accounts = {one.account for one in lost}
    if 0 in accounts:
        # There are more than findings are told one by one: they may be anybody's.
        rows = await reader.rows("SELECT account FROM account_head ORDER BY account")
        accounts = {row[0] for row in rows} if only is None else set(only)
    renderer = Renderer(context.store, left_out)
    for account in sorted(accounts):
        async for emails in ids(reader, account, LOOK_AT):
            for email in (email for email, is_lost in emails if is_lost):
                await renderer.render(email)
                if exchange.gone:
                    raise ConnectionResetError("the caller went away")
                exchange.report(renderer.looked, max(renderer.looked, len(lost)), "rendering")
            await asyncio.sleep(0)
    await renderer.finish()
    return unread


async def _findings(
    context: Context,
    request: Fsck,
    exchange: Exchange,
    only: list[int] | None,
    unread: dict[str, str] | None = None,
) -> list[Finding]:
    """What is wrong, sent as it is found. ``unread``: after the repair, see ``_render``."""

    def told(stage: str, done: int, total: int) -> None:
        if exchange.gone:
            raise ConnectionResetError("the caller went away")
        exchange.report(done, total, stage)

    store = context.store
    blobs = store.blobs if store.reader.dialect == "sqlite" else None
    found = []
    async for finding in check(
        store.reader, blobs, deep=request.deep, accounts=only, progress=told
    ):
        found.append(finding)
        shown = await _shown(context, finding, remains=unread is not None)
        if unread and finding.kind is Kind.EMAIL_WIDE and finding.object in unread:
            why = f"its rendered columns are gone and cannot be rendered: {unread[finding.object]}"
            shown = msgspec.structs.replace(shown, text=why, repairable=False)
        await exchange.send(shown)
    return found


async def _shown(context: Context, finding: Finding, *, remains: bool) -> Found:
    address = ""
    if finding.account:
        row = await context.store.reader.row(
            "SELECT address FROM account WHERE id = $1", finding.account
        )
        address = row[0] if row else f"account {finding.account}"
    return Found(
        kind=finding.kind.value,
        object=finding.object,
        text=finding.text,
        address=address,
        repairable=finding.repairable,
        remains=remains,
    )
