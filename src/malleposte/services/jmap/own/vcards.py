"""vCard files, into an address book of one's own and out of it.

``ContactCard/import`` reads a file that was uploaded; a card that is there already, by its uid, is replaced
where the file has another. A file goes out while it is made.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

from malleposte.directory.book import Account
from malleposte.operations.contacts import MOST, SLICE, CardImport, texts
from malleposte.operations.errors import OperationError
from malleposte.services.jmap.arguments import Arguments, Id
from malleposte.services.jmap.contacts.access import own
from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.mail import filing
from malleposte.services.jmap.mail.blob_reading import Blobs
from malleposte.services.jmap.own.names import VCARD
from malleposte.services.jmap.transfers import disposition
from malleposte.services.web.messages import Refused, Request, Response
from malleposte.store import Store
from malleposte.store.ids import BOOK_LETTER, CARD_LETTER, account_number, card_text, id_number
from malleposte.store.read import contacts

PARCEL: Final = 256 * 1024
"""Octets after which what was read is taken, at the end of a card."""
END: Final = b"\nEND:VCARD"


class Import(Arguments, frozen=True, kw_only=True):
    """Which file, and into which book."""

    blob_id: Id
    address_book_id: Id


async def import_(context: Context, arguments: Import) -> Answer:
    """ContactCard/import."""
    account = context.own(arguments.account_id)
    book = (await own(context, account)).books.get(
        id_number(BOOK_LETTER, arguments.address_book_id)
    )
    if book is None:
        raise MethodError("invalidArguments", "There is no such address book of yours")
    job = CardImport(context.store, account, book)
    access = await context.access(arguments.account_id)
    try:
        async with Blobs(context.store, context.settings, access).opened(arguments.blob_id) as blob:
            if blob is None:
                raise MethodError("invalidArguments", "There is no such file (any more)")
            async for parcel in parcels(blob.pieces()):
                await job.take(parcel)
        await job.flush()
    except OperationError as error:
        raise MethodError("serverFail", error.text) from None
    except filing.FAILURES as error:
        found = filing.failure(error)
        raise MethodError(found.kind, found.description) from None
    return {
        "accountId": arguments.account_id,
        "created": [card_text(one) for one in job.ids],
        "updated": job.changed,
        "same": job.same,
        "refused": job.refused,
        "problems": job.wrong,
    }


async def parcels(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """A file in pieces that end with a card. Raises ``MethodError`` where a card has no end."""
    held = bytearray()
    async for piece in pieces:
        held += piece
        if len(held) < PARCEL:
            continue
        ended = held.upper().rfind(END)
        line = held.find(b"\n", ended + 1)
        if ended >= 0 and line >= 0:
            yield bytes(held[: line + 1])
            del held[: line + 1]
        elif len(held) > MOST:
            raise MethodError("tooLarge", f"There is no end of a card within {MOST} octets")
    if held.strip():
        yield bytes(held)


async def export(store: Store, account: Account, of: str, what: str, request: Request) -> Response:
    """GET /jmap/export/ACCOUNT/WHAT?form=vcard: a book, a card, or ``all``. Raises ``Refused``."""
    request.allow("GET")
    if account_number(of) != account.id:
        raise Refused(404, "There are no such contacts of yours.")
    books = {one.id: one for one in await contacts.books(store.reader, account.id, account.id)}
    book, card = id_number(BOOK_LETTER, what), id_number(CARD_LETTER, what)
    if book not in books and what != "all":
        places = await contacts.places(store.reader, [card]) if card else {}
        if books.keys().isdisjoint(places.get(card, ())):
            raise Refused(404, "There are no such contacts of yours.")
    else:
        card = 0
    name = books[book].name if book in books else "contact" if card else "contacts"
    chosen = None if what == "all" else [book]
    return Response(
        200,
        kind="text/vcard; charset=utf-8",
        fields=(
            ("Content-Disposition", disposition(f"{name}.vcf")),
            ("Cache-Control", "private, no-store"),
            ("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'"),
        ),
        route="jmap-export",
        pieces=_one(store, account.id, card) if card else _all(store, account.id, chosen),
    )


async def _one(store: Store, account: int, card: int) -> AsyncGenerator[bytes]:
    yield (await texts(store.reader, account, [card], "4.0")).encode()


async def _all(store: Store, account: int, books: list[int] | None) -> AsyncGenerator[bytes]:
    after = 0
    while listed := await contacts.listed(store.reader, account, after, SLICE, books):
        yield (await texts(store.reader, account, [one.id for one in listed], "4.0")).encode()
        after = listed[-1].id


METHODS: Final = {"ContactCard/import": Method(VCARD, Import, import_)}
