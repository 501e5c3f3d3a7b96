"""Render mail anew: what a newer version shows of a message otherwise is put right for old mail too."""

import time

import msgspec

from malleposte.operations.context import Context
from malleposte.operations.exchange import Exchange
from malleposte.operations.finding import account_id
from malleposte.operations.registry import Request, Response, operation
from malleposte.operations.rendering import Renderer
from malleposte.policy.audit import Detail
from malleposte.store.fsck.finding import named
from malleposte.store.ids import account_of
from malleposte.store.read.rendering import ids

SLICE = 500
"""Emails a statement lists."""
MAX_TOLD = 1_000
"""Emails left out that are told one by one; all are counted."""

_ACCOUNTS = (
    "SELECT h.account, h.used_emails, (SELECT count(*) FROM recoverable r"
    " WHERE r.account = h.account), coalesce(a.address, '') FROM account_head h"
    " LEFT JOIN account a ON a.id = h.account ORDER BY h.account"
)


class RenderMail(Request, frozen=True, kw_only=True):
    """``addresses``: the mail of these accounts; none: all."""

    addresses: tuple[str, ...] = ()

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"accounts": " ".join(self.addresses) or None}


class NotRendered(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel for each email that was left out: of whom, which, and why."""

    address: str
    object: str
    text: str


class MailRendered(Response, frozen=True, kw_only=True):
    """``looked``: emails looked at; ``changed``: of them, those that were shown otherwise until now, lost
    ones (``restored``) included; ``left_out``: their content is damaged, nothing was changed."""

    looked: int
    changed: int
    restored: int
    left_out: int
    seconds: float

    def outcome(self) -> dict[str, Detail]:
        """See ``Response``."""
        return {"looked": self.looked, "changed": self.changed, "left_out": self.left_out}


@operation("store.render", RenderMail, MailRendered, streams=True)
async def run(context: Context, request: RenderMail, exchange: Exchange) -> MailRendered:
    """Render all mail of some accounts, or of all, and write what differs.

    Again: looked at again, nothing differs. After a break: what was written stays.
    """
    started = time.monotonic()
    reader = context.store.reader
    only = [await account_id(reader, address) for address in request.addresses]
    accounts = [row for row in await reader.rows(_ACCOUNTS) if not only or row[0] in only]
    addresses = {row[0]: row[3] for row in accounts}
    total = sum(used + recoverable for _, used, recoverable, _ in accounts)

    async def left_out(email: int, why: str) -> None:
        if renderer.failed <= MAX_TOLD:
            address = addresses.get(account_of(email), "")
            await exchange.send(
                NotRendered(address=address, object=named("email", email), text=why)
            )

    await context.begin()
    renderer = Renderer(context.store, left_out)
    for account in addresses:
        async for emails in ids(reader, account, SLICE):
            for email, _ in emails:
                await renderer.render(email)
                if exchange.gone:
                    raise ConnectionResetError("the caller went away")
                exchange.report(renderer.looked, max(total, renderer.looked), "rendering")
    await renderer.finish()
    return MailRendered(
        looked=renderer.looked,
        changed=renderer.changed,
        restored=renderer.restored,
        left_out=renderer.failed,
        seconds=round(time.monotonic() - started, 3),
    )
