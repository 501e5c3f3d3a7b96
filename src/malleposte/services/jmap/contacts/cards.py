"""Cards as they are given: JSContact with the ids of JMAP."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from malleposte.directory.people import Person
from malleposte.groupware import cards as kept_cards
from malleposte.groupware.jscontact import PROPERTIES as JSCONTACT
from malleposte.services.jmap.contacts.access import Access
from malleposte.services.jmap.contacts.names import directory_text, person_text
from malleposte.services.jmap.errors import MethodError
from malleposte.store.dialect import Reader
from malleposte.store.ids import CARD_LETTER, book_text, card_text, id_number
from malleposte.store.read import contacts
from malleposte.store.read.contacts import Card

PROPERTIES: Final = ("id", "addressBookIds", *JSCONTACT)
AT_ONCE: Final = 100
"""Cards read in one statement."""
MOST_OCTETS: Final = 16 * 1024 * 1024
"""Of cards that are given at once."""
_BLOB: Final = re.compile(r"(C[0-9a-f]{1,16})-([1-9][0-9]{0,18})")
_KINDS: Final = {"person": "individual", "shared": "org", "resource": "location", "group": "group"}


def media_blob(card: int, number: str) -> str:
    """The id of the blob that is a photo or the like of a card."""
    return f"{card_text(card)}-{number}"


def media_of(blob: str) -> tuple[int, int] | None:
    """Card and number of such an id; None: it is none."""
    found = _BLOB.fullmatch(blob)
    card = id_number(CARD_LETTER, found[1]) if found is not None else 0
    return (card, int(found[2])) if found is not None and card else None


def shown(card: Card, books: Sequence[int]) -> dict[str, Any]:
    """A card whole, in books."""
    found = kept_cards.opened(card.content).card
    for one in (found.get("media") or {}).values():
        if isinstance(one, dict) and isinstance(one.get("blobId"), str):
            one["blobId"] = media_blob(card.id, one["blobId"])
    return {
        "id": card_text(card.id),
        "addressBookIds": {book_text(book): True for book in books},
        **found,
    }


def entry(person: Person, organisation: int) -> dict[str, Any]:
    """An entry of a directory as a card."""
    found: dict[str, Any] = {
        "id": person_text(person.id),
        "addressBookIds": {directory_text(organisation): True},
        "@type": "Card",
        "version": "1.0",
        "uid": person.uid,
        "kind": _KINDS[person.kind],
        "name": {"@type": "Name", "full": person.name or person.address},
        "emails": {"EMAIL-1": {"@type": "EmailAddress", "address": person.address}},
    }
    if person.kind == "group":
        found["members"] = dict.fromkeys(person.members, True)
    return found


def only(found: Mapping[str, Any], asked: Sequence[str] | None) -> dict[str, Any]:
    """The properties asked for."""
    if asked is None:
        return dict(found)
    return {name: found[name] for name in ("id", *asked) if name in found}


def check_properties(asked: Sequence[str] | None) -> None:
    """Raises ``MethodError`` for one that no card can have; those of others' making have a colon."""
    for name in asked or ():
        if name not in PROPERTIES and ":" not in name:
            raise MethodError("invalidArguments", f"There is no property {name[:100]!r}")


async def read(reader: Reader, found: Access, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Some cards of an account that who asks may see, by id, in their order. Raises ``MethodError`` where
    they are too much at once."""
    answer: dict[int, dict[str, Any]] = {}
    octets = 0
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        places = await contacts.places(reader, some)
        visible = {
            id_: [book for book in places.get(id_, ()) if book in found.books] for id_ in some
        }
        there = [id_ for id_, books in visible.items() if books]
        for id_, card in (await contacts.cards(reader, found.account, there)).items():
            octets += len(card.content)
            if octets > MOST_OCTETS:
                raise MethodError("requestTooLarge", "These cards are too much to be given at once")
            answer[id_] = shown(card, visible[id_])
        await asyncio.sleep(0)
    return {id_: answer[id_] for id_ in ids if id_ in answer}
