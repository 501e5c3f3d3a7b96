"""GET, PUT and DELETE of cards (RFC 6352 §6.3, RFC 4918 §9)."""

import asyncio
import re
import time
from typing import Final

from malleposte.groupware.cards import opened, prepared
from malleposte.groupware.jscontact import PROPERTIES
from malleposte.groupware.vcard import Kept, NotACardError, read
from malleposte.groupware.vcard import written as vcard
from malleposte.groupware.vcard.whole import Version
from malleposte.services.dav import rendering
from malleposte.services.dav.answers import failed
from malleposte.services.dav.properties import MAX_RESOURCE, VCARD, etag
from malleposte.services.dav.tree import Member, Tree
from malleposte.services.dav.xml import card, dav, href
from malleposte.services.web.messages import Refused, Request, Response
from malleposte.store.commands import CardChange, ChangeCards
from malleposte.store.read import contacts
from malleposte.store.read.contacts import Placed
from malleposte.store.results import CardsChanged
from malleposte.store.results import Refused as CommandRefused

_TAG: Final = re.compile(r'\s*(?:W/)?("[^"]*")\s*')
_VERSION: Final = re.compile(r"text/vcard\s*;[^,]*version\s*=\s*\"?4\.0", re.IGNORECASE)
LARGE: Final = 32 * 1024
"""Octets of a vCard that is read beside the loop."""
_OURS: Final = frozenset(PROPERTIES)


def version_of(request: Request) -> Version:
    """The version that is wanted: 3.0 unless 4.0 is asked for (RFC 6352 §5.1)."""
    return "4.0" if _VERSION.search(request.field(b"accept")) is not None else "3.0"


async def get(tree: Tree, member: Member, request: Request) -> Response:
    """GET and HEAD. Raises ``Refused``."""
    found = await rendering.named(tree.store.reader, member.collection, [member.name])
    shown = found.get(member.name)
    if shown is None:
        raise Refused(404, "There is no such card.")
    fields = (("ETag", shown.tag), ("Cache-Control", "private, no-cache"), ("Vary", "Accept"))
    if shown.tag in _tags(request.field(b"if-none-match")):
        return Response(304, fields=fields, route="dav-get")
    body = shown.text(version_of(request)).encode()
    return Response(200, body, VCARD, fields, route="dav-get")


def _tags(field: str) -> list[str]:
    return [found[1] for found in map(_TAG.fullmatch, field.split(",")) if found is not None]


async def _placed(tree: Tree, member: Member) -> Placed | None:
    book = member.collection.book
    assert book is not None
    found = await contacts.by_path(tree.store.reader, book.id, [member.name])
    return found.get(member.name)


def _check(request: Request, tag: str) -> None:
    """Conditions of a request (RFC 9110 §13.1); ``tag``: '' where there is nothing. Raises ``Refused``."""
    match, none = request.field(b"if-match"), request.field(b"if-none-match")
    if match and not ((match.strip() == "*" and tag) or tag in _tags(match)):
        raise Refused(412, "The card is another one by now.")
    if none and tag and (none.strip() == "*" or tag in _tags(none)):
        raise Refused(412, "There is such a card already.")


def _check_writable(member: Member) -> Response | None:
    if member.collection.book is None or "w" not in member.collection.letters:
        return failed(403, dav("need-privileges"))
    return None


async def put(tree: Tree, member: Member, request: Request) -> Response:
    """Make or change a card. Raises ``Refused``."""
    refusal = _check_writable(member)
    if refusal is not None:
        return refusal
    kind = request.field(b"content-type").partition(";")[0].strip().lower()
    if kind not in ("", "text/vcard", "text/x-vcard", "text/directory"):
        return failed(415, card("supported-address-data"))
    octets = await request.content.read(MAX_RESOURCE)
    try:
        # A picture in it takes a while.
        given = await asyncio.to_thread(read, octets) if len(octets) > LARGE else read(octets)
    except NotACardError as error:
        condition = "supported-address-data" if "version" in str(error) else "valid-address-data"
        return failed(403, card(condition))
    placed = await _placed(tree, member)
    _check(request, etag(placed.modseq) if placed is not None else "")
    return await _kept(tree, member, given, placed, octets)


async def _kept(
    tree: Tree, member: Member, given: Kept, placed: Placed | None, octets: bytes
) -> Response:
    book = member.collection.book
    assert book is not None
    reader = tree.store.reader
    had = placed.card if placed is not None else 0
    if not had and isinstance(given.card.get("uid"), str):
        # The same person in another address book of the account is one card in both.
        uid = given.card["uid"]
        had = await contacts.card_of_uid(reader, book.account, uid)
        places = (await contacts.places(reader, [had])).get(had, {}) if had else {}
        if had and not await _seen(tree, book.account, places):
            return failed(403, card("no-uid-conflict"))
        if book.id in places:
            return failed(
                403, card("no-uid-conflict"), href(member.collection.path + places[book.id])
            )
    before = (await contacts.cards(reader, book.account, [had])).get(had) if had else None
    if before is not None:
        # What vCard has no place for, the client has not seen, and does not take away.
        rest = opened(before.content).card
        for name, value in rest.items():
            if name not in _OURS or name == "localizations":
                given.card.setdefault(name, value)
    ready = prepared(given)
    change = ready.change(
        int(time.time()),
        card=had,
        enter=((book.id, member.name),),
        expected=before.modseq if before is not None else None,
    )
    result = await tree.store.submit(
        ChangeCards(account=book.account, actor=tree.account.id, changes=(change,))
    )
    done = _done(result, member)
    if done is not None:
        return done
    assert isinstance(result, CardsChanged)
    fields: tuple[tuple[str, str], ...] = ()
    if any(vcard(given, version).encode() == octets for version in ("3.0", "4.0")):
        # Only where the same octets come back (RFC 9110 §9.3.4); else the client gets the card anew.
        fields = (("ETag", etag(result.modseqs[0])),)
    return Response(204 if placed is not None else 201, fields=fields, route="dav-put")


async def _seen(tree: Tree, account: int, places: dict[int, str]) -> bool:
    """Whether one of the books that a card is in is there to who asks."""
    if account == tree.account.id:
        return True
    books = await contacts.books(tree.store.reader, tree.account.id, account)
    return any(one.id in places for one in books)


def _done(result: object, member: Member) -> Response | None:
    """How a change failed; None: it did not. Raises ``Refused``."""
    if isinstance(result, CommandRefused):
        raise Refused(403, f"{result.text}.")
    assert isinstance(result, CardsChanged)
    if not result.refused:
        return None
    _, reason, text = result.refused[0]
    match reason:
        case "changed":
            raise Refused(412, "The card is another one by now.")
        case "exists" | "taken":
            return failed(403, card("no-uid-conflict"))
        case "too-long":
            return failed(403, card("max-resource-size"))
        case "limit" | "over-quota":
            return failed(507, dav("quota-not-exceeded"))
        case "no-rights":
            return failed(403, dav("need-privileges"))
        case "no-such-book" | "no-such-card":
            raise Refused(404, "There is no such card or address book any more.")
    raise Refused(403, f"{text[:1].upper()}{text[1:]}.")


async def delete(tree: Tree, member: Member, request: Request) -> Response:
    """Take a card out of an address book; where it is in no other it is gone. Raises ``Refused``."""
    refusal = _check_writable(member)
    if refusal is not None:
        return refusal
    placed = await _placed(tree, member)
    if placed is None:
        raise Refused(404, "There is no such card.")
    _check(request, etag(placed.modseq))
    book = member.collection.book
    assert book is not None
    change = CardChange(card=placed.card, leave=(book.id,), expected=placed.modseq)
    result = await tree.store.submit(
        ChangeCards(account=book.account, actor=tree.account.id, changes=(change,))
    )
    return _done(result, member) or Response(204, route="dav-delete")
