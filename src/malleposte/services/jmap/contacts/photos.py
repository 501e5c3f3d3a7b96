"""Photos and the like of cards, as blobs: brought by a client, and downloaded."""

import base64
from collections.abc import Sequence
from typing import Final

from malleposte.directory.book import Account
from malleposte.groupware.cards import image_type
from malleposte.services.jmap.access import access_to
from malleposte.services.jmap.contacts import cards
from malleposte.services.jmap.contacts.access import Access
from malleposte.services.jmap.context import Context
from malleposte.services.jmap.errors import MethodError, SetError, invalid
from malleposte.services.jmap.mail.blob_reading import Blobs
from malleposte.services.web.messages import Refused, Request, Response
from malleposte.store import Store
from malleposte.store.commands.contacts import MAX_MEDIA
from malleposte.store.ids import account_number, account_of, account_text
from malleposte.store.read import contacts

ANYTHING: Final = "application/octet-stream"


async def brought(context: Context, sources: Sequence[Access], blob: str) -> tuple[str, str]:
    """(media type, data URI) of a blob that a client wants in a card: an upload, a part of an email, or a
    photo of a card in one of the accounts ``sources``. Raises ``SetError`` and what blobs raise."""
    had = cards.media_of(blob)
    if had is not None:
        for found in sources:
            medium = await _medium(context.store, found.account, set(found.books), *had)
            if medium is not None:
                return medium[0], _uri(*medium)
        raise _missing(blob)
    octets = await _octets(context, context.actor, blob)
    for found in sources:
        if octets is None and found.account and not found.own:
            octets = await _octets(context, found.account, blob)
    if octets is None:
        raise _missing(blob)
    kind = image_type(octets) or ANYTHING
    return kind, _uri(kind, octets)


def _missing(blob: str) -> SetError:
    return invalid(f"There is no blob {blob[:255]!r}", "media")


def _uri(kind: str, octets: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(octets).decode()}"


async def _octets(context: Context, account: int, blob: str) -> bytes | None:
    try:
        access = await access_to(context.store, context.actor, account_text(account))
    except MethodError:
        return None
    async with Blobs(context.store, context.settings, access).opened(blob) as found:
        if found is None:
            return None
        pieces: list[bytes] = []
        octets = 0
        async for piece in found.pieces():
            octets += len(piece)
            if octets > MAX_MEDIA:
                raise SetError("tooLarge", f"A photo has at most {MAX_MEDIA} octets")
            pieces.append(bytes(piece))
    return b"".join(pieces)


async def _medium(
    store: Store, account: int, books: set[int], card: int, n: int
) -> tuple[str, bytes] | None:
    if account_of(card) != account:
        return None
    places = await contacts.places(store.reader, [card])
    if books.isdisjoint(places.get(card, ())):
        return None
    return await contacts.medium(store.reader, card, n)


async def download(
    store: Store, account: Account, of: str, blob: str, request: Request
) -> Response:
    """A photo of a card, always to be saved, and shown as a picture only where it is one. Raises
    ``Refused``."""
    request.allow("GET")
    owner, had = account_number(of), cards.media_of(blob)
    found = None
    if had is not None and owner:
        books = await contacts.books(store.reader, account.id, owner)
        found = await _medium(store, owner, {one.id for one in books}, *had)
    if found is None:
        raise Refused(404, "There is no such content here (any more).")
    octets = found[1]

    return Response(
        200,
        octets,
        kind=image_type(octets) or ANYTHING,
        fields=(
            ("Content-Disposition", "attachment"),
            # What a name means never changes; who may see it does.
            ("Cache-Control", "private, immutable, max-age=31536000"),
            ("Vary", "Cookie, Authorization"),
            ("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'"),
        ),
        route="jmap-download",
    )
