"""Export: an account's messages stream out with flags and dates; what is damaged is named and passed over.

The caller writes the files with its own rights and says what it has already, so an export that broke off
goes on, and one that is repeated brings only what is new.
"""

from bisect import bisect_right

import msgspec

from malleposte.operations.accounts import OfAccount
from malleposte.operations.context import Context
from malleposte.operations.errors import OperationError, refusal
from malleposte.operations.exchange import Exchange
from malleposte.operations.finding import account_id
from malleposte.operations.mail_parcels import (
    ExportHave,
    ExportItem,
    ExportPlan,
    FolderOffered,
)
from malleposte.operations.registry import Response, operation
from malleposte.policy.audit import Detail
from malleposte.store.dialect import Row
from malleposte.store.flags import WIRE
from malleposte.store.ids import LOW, account_of
from malleposte.store.read import emails, mailboxes
from malleposte.store.read.mailboxes import Mailbox

SLICE = 50
"""Messages read at a time; with their first frames some MB at the most."""
_ROWS = (
    "SELECT m.uid, m.deleted, e.id, e.size, e.received_at, e.flags, e.keywords FROM membership m"
    " JOIN email e ON e.id = m.email WHERE m.mailbox = $1 AND m.uid > $2 ORDER BY m.uid LIMIT $3"
)


class ExportMail(OfAccount, frozen=True, kw_only=True):
    """``mailboxes``: only these and what is below them; none: all. ``target``: for the audit."""

    mailboxes: tuple[str, ...] = ()
    target: str = ""

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"mailboxes": " ".join(self.mailboxes) or None, "target": self.target or None}


class MailExported(Response, frozen=True, kw_only=True):
    """``there``: the caller had them."""

    exported: int
    there: int
    damaged: int
    octets: int

    def outcome(self) -> dict[str, Detail]:
        """See ``Response``."""
        return {"exported": self.exported, "damaged": self.damaged, "octets": self.octets}


@operation("mail.export", ExportMail, MailExported, streams=True)
async def run(context: Context, request: ExportMail, exchange: Exchange) -> MailExported:
    """Send an account's messages. Again: what the caller has is left out; nothing changes here."""
    reader = context.store.reader
    account = await account_id(reader, request.address)
    chosen = _chosen(await mailboxes.mailboxes(reader, account), request.mailboxes)
    await context.begin()
    await exchange.send(
        ExportPlan(
            folders=tuple(
                FolderOffered(
                    path=one.path,
                    role=one.role or "",
                    uidvalidity=one.uidvalidity,
                    messages=one.messages,
                    size=one.size,
                )
                for one in chosen
            )
        )
    )
    had = await _had(exchange, len(chosen))
    shown = await mailboxes.keywords(reader, account)
    job = _Export(context, exchange, shown)
    for at, one in enumerate(chosen):
        await job.folder(at, one, had.get(at, ()))
    return MailExported(
        exported=job.exported, there=job.there, damaged=job.damaged, octets=job.octets
    )


def _chosen(every: list[Mailbox], wanted: tuple[str, ...]) -> list[Mailbox]:
    if not wanted:
        return every
    paths = {one.path for one in every}
    for path in wanted:
        if path not in paths:
            raise refusal("no-such-mailbox", f"there is no mailbox {path!r}")
    return [
        one
        for one in every
        if any(one.path == path or one.path.startswith(f"{path}/") for path in wanted)
    ]


async def _had(exchange: Exchange, count: int) -> dict[int, tuple[tuple[int, int], ...]]:
    """What the caller says it has, until it says no more."""
    had: dict[int, tuple[tuple[int, int], ...]] = {}
    while (parcel := await exchange.receive()) is not None:
        try:
            have = msgspec.json.decode(parcel.head, type=ExportHave)
        except msgspec.DecodeError as error:
            raise OperationError("invalid", "invalid", f"mail.export: {error}") from None
        if not 0 <= have.folder < count:
            raise OperationError("invalid", "invalid", "mail.export: no such folder")
        had[have.folder] = (*had.get(have.folder, ()), *have.uids)
    return {folder: tuple(sorted(ranges)) for folder, ranges in had.items()}


def flags_of(
    bits: int, keywords: str | None, deleted: int, shown: dict[str, str]
) -> tuple[str, ...]:
    """Flags by their IMAP names, keywords as they were first written."""
    names = [name.decode("ascii") for bit, name in WIRE if bits & bit]
    if deleted:
        names.append("\\Deleted")
    names += [shown.get(word, word) for word in (keywords or "").split()]
    return tuple(names)


class _Export:
    def __init__(self, context: Context, exchange: Exchange, shown: dict[str, str]) -> None:
        self._store = context.store
        self._exchange = exchange
        self._shown = shown
        self.exported = self.there = self.damaged = self.octets = 0

    async def folder(self, at: int, mailbox: Mailbox, had: tuple[tuple[int, int], ...]) -> None:
        """Send one mailbox, slice by slice, in the order of its UIDs."""
        firsts = [first for first, _ in had]
        after = 0
        while True:
            rows = await self._store.reader.rows(_ROWS, mailbox.id, after, SLICE)
            if not rows:
                return
            after = rows[-1][0]
            missing = []
            for row in rows:
                near = bisect_right(firsts, row[0]) - 1
                if near >= 0 and row[0] <= had[near][1]:
                    self.there += 1
                else:
                    missing.append(row)
            if missing:
                await self._slice(at, mailbox, missing)

    async def _slice(self, at: int, mailbox: Mailbox, rows: list[Row]) -> None:
        reader = self._store.reader
        numbers = sorted({row[2] & LOW for row in rows})
        stored = {
            one.email: one
            for one in await emails.stored_of(reader, account_of(mailbox.id), numbers)
        }
        for uid, deleted, email, size, received_at, bits, keywords in rows:
            item = ExportItem(
                folder=at,
                uid=uid,
                size=size,
                received_at=received_at,
                flags=flags_of(bits, keywords, deleted, self._shown),
            )
            found = stored.get(email)
            try:
                if found is None:
                    raise emails.Damaged(f"email {email} has no content in the store")
                pieces = emails.read(reader, self._store.blobs, found, 0, found.size)
                await self._exchange.send(item, pieces)
            except emails.Damaged as error:
                self.damaged += 1
                await self._exchange.send(msgspec.structs.replace(item, damaged=str(error)))
                continue
            self.exported += 1
            self.octets += size
