"""Import: messages stream in, each is filed with its flags and date, each is acknowledged when durable.

The caller reads the source with its own rights; what comes here are parcels. Many messages are under
way at once, so that they share commits. One import an account at a time (a lease): an import that is
taken up while the end of its predecessor is still being filed would file that twice.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from typing import cast

import msgspec
import structlog

from malleposte.delivery.spool import Prepared, Spool, prepare
from malleposte.operations.accounts import OfAccount
from malleposte.operations.context import Context
from malleposte.operations.errors import OperationError, invalid
from malleposte.operations.exchange import BrokenBody, Exchange, Parcel
from malleposte.operations.finding import account_id
from malleposte.operations.import_check import EACH, Sample, check_samples
from malleposte.operations.mail_parcels import (
    FolderPlanned,
    FolderWanted,
    ImportAck,
    ImportItem,
    ImportPlan,
)
from malleposte.operations.registry import Response, operation
from malleposte.policy.audit import Detail
from malleposte.store import StoreError
from malleposte.store.commands import Append, CreateMailbox, TakeLease, kept_date
from malleposte.store.flags import split
from malleposte.store.read import mailboxes
from malleposte.store.results import Appended, Created, LeaseTaken, Refused

log = structlog.get_logger("operations")

MAX_FOLDERS = 5_000
"""Folders of one import; an account has at most 10,000 mailboxes."""
MAX_MESSAGE = 256 * 1024 * 1024
"""Octets of one message: five times what any server takes by SMTP."""
UNDER_WAY = 64
"""Messages being filed at a time: past it a commit is shared by enough of them."""
UNDER_WAY_OCTETS = 32 * 1024 * 1024
"""Octets of them: what an import holds in memory, or in spool files."""
LEASE_SECONDS = 30
"""A server that was killed holds up the next import for no longer."""
_RENEW = 10.0

_CANDIDATES = (
    "SELECT e.id FROM blob b JOIN email e ON e.blob = b.id JOIN email_wide w ON w.id = e.id"
    " WHERE b.organisation = $1 AND b.digest = $2 AND e.id > $3 AND e.id <= $4"
    " AND length(w.prefix) = 0 ORDER BY e.id"
)


class ImportMail(OfAccount, frozen=True, kw_only=True):
    """``source``: what is imported, for the audit. ``lineage`` and ``since``: the mark of an earlier run
    that is taken up. ``dry_run``: only say what would become of the folders."""

    folders: tuple[FolderWanted, ...]
    source: str = ""
    resumed: bool = False
    lineage: str = ""
    since: int = 0
    dry_run: bool = False

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"source": self.source, "dry_run": self.dry_run or None}


class FolderNow(msgspec.Struct, frozen=True, kw_only=True):
    """A mailbox after the import: all that is in it."""

    path: str
    messages: int
    size: int


class MailImported(Response, frozen=True, kw_only=True):
    """``there``: were there from an earlier run. ``checked``: messages read back and found equal."""

    imported: int
    there: int
    refused: int
    octets: int
    checked: int
    folders: tuple[FolderNow, ...]

    def outcome(self) -> dict[str, Detail]:
        """See ``Response``."""
        return {"imported": self.imported, "refused": self.refused, "octets": self.octets}


@operation("mail.import", ImportMail, MailImported, streams=True)
async def run(context: Context, request: ImportMail, exchange: Exchange) -> MailImported:
    """Import messages into an account.

    Again: with the mark of the first run's plan, what that run filed is found and not filed twice, even
    where its acknowledgement was lost.
    """
    if len(request.folders) > MAX_FOLDERS:
        raise invalid(f"at most {MAX_FOLDERS} folders in one import")
    account = await account_id(context.store.reader, request.address)
    if request.dry_run:
        plan = [await _look(context, account, wanted) for wanted in request.folders]
        await exchange.send(ImportPlan(lineage="", since=0, folders=tuple(plan)))
        return MailImported(imported=0, there=0, refused=0, octets=0, checked=0, folders=())
    async with _only_one(context, account, exchange):
        await context.begin()
        return await _Import(context, request, account, exchange).run()


@contextlib.asynccontextmanager
async def _only_one(context: Context, account: int, exchange: Exchange) -> AsyncIterator[None]:
    """Hold the account's lease for imports; wait for whoever holds it."""
    name = f"import:{account}"
    holder = secrets.token_hex(8)
    if context.settings.alone:
        # Nobody else can be writing: a lease that is left is of a process that was killed.
        row = await context.store.reader.row("SELECT holder FROM lease WHERE name = $1", name)
        holder = row[0] if row else holder

    async def take(seconds: int) -> bool:
        lease = await context.store.submit(TakeLease(name=name, holder=holder, seconds=seconds))
        return cast("LeaseTaken", lease).epoch > 0

    until = time.monotonic() + 2 * LEASE_SECONDS
    while not await take(LEASE_SECONDS):
        if time.monotonic() > until:
            raise OperationError(
                "unavailable", "busy", "another import into this account is running; wait for it"
            )
        exchange.report(0, 0, "waiting for another import into this account to end")
        await asyncio.sleep(0.5)

    async def renew() -> None:
        while True:
            await asyncio.sleep(_RENEW)
            with contextlib.suppress(StoreError):
                await take(LEASE_SECONDS)

    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()
        with contextlib.suppress(StoreError):
            await take(0)


async def _look(context: Context, account: int, wanted: FolderWanted) -> FolderPlanned:
    """The mailbox a folder means, as it is now; ``mailbox`` 0: it would be made."""
    reader = context.store.reader
    for one in await mailboxes.mailboxes(reader, account) if wanted.role else ():
        if one.role == wanted.role:
            return FolderPlanned(path=one.path, mailbox=one.id, made=False, messages=one.messages)
    found = await mailboxes.find(reader, account, wanted.path)
    there = await mailboxes.mailbox(reader, found) if found else None
    return FolderPlanned(
        path=wanted.path,
        mailbox=found,
        made=there is None,
        messages=there.messages if there else 0,
    )


async def _provide(context: Context, account: int, wanted: FolderWanted) -> FolderPlanned:
    """The mailbox a folder means; made, subscribed, if it is missing."""
    plan = await _look(context, account, wanted)
    if plan.mailbox:
        return plan
    made = await context.store.submit(
        CreateMailbox(
            actor=account,
            account=account,
            parent=0,
            path=tuple(wanted.path.split("/")),
            role=wanted.role or None,
        )
    )
    if isinstance(made, Created):
        return FolderPlanned(path=wanted.path, mailbox=made.id, made=True, messages=0)
    again = await _look(context, account, wanted)
    if again.mailbox:
        return again
    why = made.text or made.reason if isinstance(made, Refused) else "it could not be made"
    return FolderPlanned(path=wanted.path, mailbox=0, made=False, messages=0, refused=why)


class _Import:
    def __init__(
        self, context: Context, request: ImportMail, account: int, exchange: Exchange
    ) -> None:
        self._context = context
        self._store = context.store
        self._request = request
        self._account = account
        self._exchange = exchange
        self._folders: list[FolderPlanned] = []
        self._room = asyncio.Semaphore(UNDER_WAY)
        self._octets = 0
        self._freed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._claimed: set[int] = set()
        self._organisation = self._since = self._upto = 0
        self._imported = self._there = self._refused = self._size = 0
        self._samples: dict[int, list[Sample]] = {}

    async def run(self) -> MailImported:
        """Plan, take what comes, check."""
        await self._plan()
        try:
            while (parcel := await self._exchange.receive()) is not None:
                await self._take(parcel)
        finally:
            # Also when the caller went away: what is under way ends before the lease does.
            if self._tasks:
                await asyncio.shield(asyncio.wait(tuple(self._tasks)))
        checked = await check_samples(self._store, self._samples)
        return MailImported(
            imported=self._imported,
            there=self._there,
            refused=self._refused,
            octets=self._size,
            checked=checked,
            folders=await self._folders_now(),
        )

    async def _plan(self) -> None:
        reader = self._store.reader
        row = await reader.row(
            "SELECT organisation, next_email FROM account_head WHERE account = $1", self._account
        )
        if row is None:
            raise OperationError("refused", "no-such-account", "the account is gone")
        self._organisation = row[0]
        base = self._account << 32
        self._upto = base + row[1] - 1
        meta = await reader.row("SELECT value FROM meta WHERE name = 'lineage'")
        lineage = meta[0] if meta else ""
        # Put back from a copy since: any email of the account may be one of these messages.
        same = self._request.lineage == lineage
        self._since = base + (self._request.since if self._request.resumed and same else 0)
        wanted = self._request.folders
        self._folders = [await _provide(self._context, self._account, one) for one in wanted]
        since = self._request.since if self._request.resumed and same else row[1] - 1
        await self._exchange.send(
            ImportPlan(lineage=lineage, since=since, folders=tuple(self._folders))
        )

    async def _take(self, parcel: Parcel) -> None:
        """Read a message and have it filed; waits while too much is under way."""
        try:
            item = msgspec.json.decode(parcel.head, type=ImportItem)
        except msgspec.DecodeError as error:
            raise OperationError("invalid", "invalid", f"mail.import: {error}") from None
        spool = Spool(self._store.incoming)
        try:
            refused = await _read(parcel, spool)
        except BrokenBody:
            # The caller could not read it to its end, and knows.
            spool.close()
            return
        except BaseException:
            spool.close()
            raise
        if refused:
            spool.close()
            self._refused += 1
            await self._exchange.send(ImportAck(n=item.n, refused=refused))
            return
        await self._room.acquire()
        while self._octets and self._octets + spool.size > UNDER_WAY_OCTETS:
            self._freed.clear()
            await self._freed.wait()
        self._octets += spool.size
        task = asyncio.create_task(self._file(item, spool))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _file(self, item: ImportItem, spool: Spool) -> None:
        size = spool.size
        try:
            ack = await self._filed(item, spool)
        except (StoreError, OSError) as error:
            ack = ImportAck(n=item.n, refused=f"not filed: {error}")
        except Exception as error:
            log.exception("a message could not be filed")
            ack = ImportAck(n=item.n, refused=f"this went wrong in the server: {error!r}")
        finally:
            spool.close()
            self._octets -= size
            self._freed.set()
            self._room.release()
        if ack.refused:
            self._refused += 1
        elif ack.there:
            self._there += 1
        else:
            self._imported += 1
            self._size += size
        with contextlib.suppress(ConnectionError):
            await self._exchange.send(ack)

    async def _filed(self, item: ImportItem, spool: Spool) -> ImportAck:
        if not 0 <= item.folder < len(self._folders):
            return ImportAck(n=item.n, refused="no such folder in this import")
        folder = self._folders[item.folder]
        if folder.refused:
            return ImportAck(n=item.n, refused=f"{folder.path}: {folder.refused}")
        if not spool.size:
            return ImportAck(n=item.n, refused="it is empty")
        message = await prepare(spool)
        try:
            if item.doubt and (found := await self._find(message, item.known)):
                return ImportAck(n=item.n, email=found, there=True)
            answer = await self._store.submit(
                self._command(item, folder.mailbox, message), message.descriptor
            )
        finally:
            message.close()
        if isinstance(answer, Appended):
            self._sample(folder.mailbox, Sample(answer.email, message.content.digest))
            return ImportAck(n=item.n, email=answer.email)
        why = answer.text or answer.reason if isinstance(answer, Refused) else "no answer"
        return ImportAck(n=item.n, refused=_REFUSED.get(why, why))

    def _command(self, item: ImportItem, mailbox: int, message: Prepared) -> Append:
        bits, words = split(item.flags)
        dated = item.received_at if item.received_at is not None else message.summary.sent_at
        return Append(
            actor=self._account,
            mailbox=mailbox,
            content=message.content,
            rendered=message.rendered,
            received_at=kept_date(dated if dated is not None else int(time.time())),
            flags=bits,
            keywords=tuple(flag for flag in item.flags if flag.lower() in words),
            deleted="\\Deleted" in item.flags,
        )

    async def _find(self, message: Prepared, known: tuple[int, ...]) -> int:
        """An email with this content that an earlier run may have filed and nobody claimed; 0: none.

        Only what was there when this run began: what it files itself is no answer.
        """
        rows = await self._store.reader.rows(
            _CANDIDATES, self._organisation, message.content.digest, self._since, self._upto
        )
        self._claimed.update(known)
        for (email,) in rows:
            if email not in self._claimed:
                self._claimed.add(email)
                return int(email)
        return 0

    def _sample(self, mailbox: int, sample: Sample) -> None:
        samples = self._samples.setdefault(mailbox, [])
        if len(samples) < EACH:
            samples.append(sample)

    async def _folders_now(self) -> tuple[FolderNow, ...]:
        ids = {folder.mailbox for folder in self._folders}
        return tuple(
            FolderNow(path=one.path, messages=one.messages, size=one.size)
            for one in await mailboxes.mailboxes(self._store.reader, self._account)
            if one.id in ids
        )


async def _read(parcel: Parcel, spool: Spool) -> str:
    """Read a message into a spool, whether or not it goes in there; why it does not, or ''."""
    refused = ""
    if parcel.pieces is None:
        return refused
    async for piece in parcel.pieces:
        if refused:
            continue
        try:
            spool.write(piece)
        except OSError as error:
            refused = f"not filed: {error.strerror or error}"
        if spool.size > MAX_MESSAGE:
            raise OperationError("invalid", "too-large", "a message is too large")
    return refused


_REFUSED = {
    "over-quota": "the account's space is used up",
    "no-such-mailbox": "its mailbox was deleted meanwhile",
}
