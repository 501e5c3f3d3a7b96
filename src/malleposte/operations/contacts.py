"""Contacts of an account from and to vCard files, which the caller reads and writes with its own rights.

A card whose uid is there already is replaced where the file has another; one without a uid gets one made of
what it holds: a file that is imported twice brings nothing new.
"""

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from malleposte.groupware.books import FIRST_BOOK
from malleposte.groupware.cards import Prepared, opened, prepared, whole
from malleposte.groupware.vcard import Kept, NotACardError, read_all, written
from malleposte.groupware.vcard.whole import Version
from malleposte.operations.accounts import OfAccount
from malleposte.operations.context import Context
from malleposte.operations.errors import OperationError, refusal
from malleposte.operations.exchange import Exchange
from malleposte.operations.finding import account_id
from malleposte.operations.registry import Response, operation
from malleposte.policy.audit import Detail
from malleposte.store import Store
from malleposte.store.commands import SYSTEM, CardChange, ChangeCards, PutBook, SeedBooks
from malleposte.store.commands.contacts import MAX_CHANGED
from malleposte.store.dialect import Reader
from malleposte.store.read import contacts
from malleposte.store.read.contacts import Book
from malleposte.store.results import CardsChanged, Created, Refused

MOST: Final = 8 * 1024 * 1024
"""Octets of one parcel of cards."""
TOGETHER: Final = 200
"""Cards changed by one command."""
SLICE: Final = 50
"""Cards that are exported at once."""
WRONG: Final = 100
"""Cards that could not be imported, told one by one."""
_CARD: Final = re.compile(rb".*?^END:VCARD[ \t]*\r?\n|.+", re.DOTALL | re.IGNORECASE | re.MULTILINE)
_NAMESPACE: Final = uuid.UUID("c0e0a3b6-4f9a-5d0b-9f51-7d2b1f6c3a90")


class Cards(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel of vCards, its body; ``number``: how many, where that is known."""

    number: int = 0


class ImportContacts(OfAccount, frozen=True, kw_only=True):
    """``book``: the name of the address book, '' for the account's default; it is made where it is missing.
    ``source``: for the audit."""

    book: str = ""
    source: str = ""

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"book": self.book or None, "source": self.source or None}


class ContactsImported(Response, frozen=True, kw_only=True):
    """Cards that were made, changed, there as they are, and not taken; ``wrong``: why, for the first."""

    book: str
    made: int
    changed: int
    same: int
    refused: int
    wrong: tuple[str, ...] = ()

    def outcome(self) -> dict[str, Detail]:
        """See ``Response``."""
        return {"made": self.made, "changed": self.changed, "refused": self.refused}


class ExportContacts(OfAccount, frozen=True, kw_only=True):
    """``book``: the name of one address book, '' for all."""

    book: str = ""
    version: str = "4.0"
    target: str = ""

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"book": self.book or None, "target": self.target or None}


class ContactsExported(Response, frozen=True, kw_only=True):
    """How many cards were sent."""

    exported: int

    def outcome(self) -> dict[str, Detail]:
        """See ``Response``."""
        return {"exported": self.exported}


async def _book(context: Context, account: int, name: str) -> Book:
    """The address book to put cards into. Raises ``OperationError``."""
    store = context.store
    await store.submit(SeedBooks(account=account, name=FIRST_BOOK))
    books = await contacts.books(store.reader, account, account)
    for one in books:
        if one.name == name if name else one.preferred:
            return one
    made = await store.submit(PutBook(account=account, actor=SYSTEM, name=name or FIRST_BOOK))
    if isinstance(made, Refused):
        raise OperationError("refused", made.reason, made.text)
    assert isinstance(made, Created)
    books = await contacts.books(store.reader, account, account)
    return next(one for one in books if one.id == made.id)


class CardImport:
    """Takes vCards into a book of an account. ``ids``: of cards that were made."""

    def __init__(self, store: Store, account: int, book: Book) -> None:
        self._store = store
        self._account = account
        self._book = book
        self._waiting: dict[str, Prepared] = {}
        self._octets = 0
        self.made = self.changed = self.same = self.refused = 0
        self.wrong: list[str] = []
        self.ids: list[int] = []

    def _no(self, name: str, why: str) -> None:
        self.refused += 1
        if len(self.wrong) < WRONG:
            self.wrong.append(f"{name[:100]}: {why}" if name else why)

    async def take(self, octets: bytes) -> None:
        """The cards of a parcel."""
        try:
            found = await asyncio.to_thread(read_all, octets)
        except NotACardError as error:
            alone = [one for one in _CARD.findall(octets) if one.strip()]
            if len(alone) < 2:
                self._no("", str(error))
                return
            # A line that cannot be read is that of one card, and the others are taken.
            for one in alone:
                await self.take(one)
            return
        for one in found:
            await asyncio.sleep(0)
            if isinstance(one, NotACardError):
                self._no("", str(one))
                continue
            if not one.card.get("uid"):
                # Without what photos are, which stand in it whole.
                said = msgspec.json.encode(one.card, order="sorted").decode()
                one.card["uid"] = f"urn:uuid:{uuid.uuid5(_NAMESPACE, said)}"
            ready = prepared(one)
            uid = ready.kept.card["uid"]
            weight = len(octets) // len(found) + 1_000
            if uid in self._waiting or self._octets + weight > MAX_CHANGED:
                await self.flush()
            self._waiting[uid] = ready
            self._octets += weight
            if len(self._waiting) == TOGETHER:
                await self.flush()

    async def flush(self) -> None:
        """Put what waits into the store."""
        waiting, self._waiting, self._octets = self._waiting, {}, 0
        if not waiting:
            return
        reader = self._store.reader
        known = await contacts.cards_of_uids(reader, self._account, list(waiting))
        there = await contacts.cards(reader, self._account, list(known.values()))
        media = await contacts.media(reader, list(known.values()))
        places = await contacts.places(reader, list(known.values()))
        changes: list[CardChange] = []
        names: list[str] = []
        for uid, ready in waiting.items():
            had = known.get(uid, 0)
            if had and self._book.id in places.get(had, ()):
                before = whole(opened(there[had].content), media.get(had, {}))
                given = {one.n: (one.kind, one.octets) for one in ready.media}
                if _same(before, whole(ready.kept, given)):
                    self.same += 1
                    continue
            changes.append(ready.change(int(time.time()), card=had, enter=((self._book.id, ""),)))
            names.append(str(ready.kept.card.get("name", {}).get("full", uid)))
        result = await self._store.submit(
            ChangeCards(account=self._account, actor=SYSTEM, changes=tuple(changes))
        )
        if isinstance(result, Refused):
            raise OperationError("refused", result.reason, result.text)
        assert isinstance(result, CardsChanged)
        refused = {at: text for at, _, text in result.refused}
        for at, change in enumerate(changes):
            if at in refused:
                self._no(names[at], refused[at])
            elif change.card:
                self.changed += 1
            else:
                self.made += 1
                self.ids.append(result.cards[at])


def _same(one: Kept, other: Kept) -> bool:
    return one.card == other.card and one.instead == other.instead


@operation("contacts.import", ImportContacts, ContactsImported, streams=True)
async def import_(
    context: Context, request: ImportContacts, exchange: Exchange
) -> ContactsImported:
    """Take vCards into an address book. Again: what is there as it is stays."""
    account = await account_id(context.store.reader, request.address)
    await context.begin()
    book = await _book(context, account, request.book)
    job = CardImport(context.store, account, book)
    while (parcel := await exchange.receive()) is not None:
        if parcel.pieces is not None:
            await job.take(await _octets(parcel.pieces))
        exchange.report(job.made + job.changed + job.same, 0)
    await job.flush()
    return ContactsImported(
        book=book.name,
        made=job.made,
        changed=job.changed,
        same=job.same,
        refused=job.refused,
        wrong=tuple(job.wrong),
    )


async def _octets(pieces: AsyncIterator[bytes]) -> bytes:
    found: list[bytes] = []
    size = 0
    async for piece in pieces:
        size += len(piece)
        if size <= MOST:
            found.append(bytes(piece))
    if size > MOST:
        raise OperationError("invalid", "too-long", f"a card has at most {MOST} octets")
    return b"".join(found)


@operation("contacts.export", ExportContacts, ContactsExported, streams=True)
async def export(context: Context, request: ExportContacts, exchange: Exchange) -> ContactsExported:
    """Send the cards of an account as vCards. Again: the same; nothing changes here."""
    reader = context.store.reader
    account = await account_id(reader, request.address)
    version: Version
    match request.version:
        case "3.0":
            version = "3.0"
        case "4.0":
            version = "4.0"
        case other:
            raise refusal("bad-version", f"vCards are of version 3.0 or 4.0, and not {other}")
    books = await contacts.books(reader, account, account)
    chosen = [one.id for one in books if request.book in ("", one.name)]
    if request.book and not chosen:
        raise refusal("no-such-book", f"there is no address book {request.book!r}")
    await context.begin()
    state = await contacts.state(reader, account, account)
    exported, after = 0, 0
    while True:
        listed = await contacts.listed(reader, account, after, SLICE, chosen)
        text = await texts(reader, account, [one.id for one in listed], version)
        if listed:
            await exchange.send(Cards(number=len(listed)), [text.encode()])
            exported += len(listed)
            exchange.report(exported, state.number if state is not None else 0)
            after = listed[-1].id
        if len(listed) < SLICE:
            return ContactsExported(exported=exported)


async def texts(reader: Reader, account: int, ids: list[int], version: Version) -> str:
    """Cards as vCards, one after the other."""
    found = await contacts.cards(reader, account, ids)
    media = await contacts.media(reader, ids)
    kept = (whole(opened(found[id_].content), media.get(id_, {})) for id_ in ids if id_ in found)
    return "".join(written(one, version) for one in kept)
