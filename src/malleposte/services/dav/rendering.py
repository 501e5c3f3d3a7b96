"""Cards as vCards, some at a time."""

from collections.abc import Sequence
from typing import Final

from malleposte.directory.people import Person
from malleposte.groupware import cards
from malleposte.groupware.vcard import Kept, written
from malleposte.groupware.vcard.whole import Version
from malleposte.services.dav.properties import etag, person_tag
from malleposte.services.dav.tree import Collection
from malleposte.services.jmap.contacts.cards import entry
from malleposte.services.jmap.contacts.names import person_number, person_text
from malleposte.store.dialect import Reader
from malleposte.store.read import contacts

SLICE: Final = 25
"""Cards read at once: their photos are in memory meanwhile."""


class Shown:
    """A card of a collection: its name there, its tag, itself."""

    __slots__ = ("kept", "name", "tag")

    def __init__(self, name: str, tag: str, kept: Kept) -> None:
        self.name = name
        self.tag = tag
        self.kept = kept

    def text(self, version: Version) -> str:
        """As a vCard."""
        return written(self.kept, version)


def person(one: Person) -> Shown:
    """An entry of the directory."""
    card = entry(one, 1)
    del card["id"], card["addressBookIds"]
    return Shown(f"{person_text(one.id)}.vcf", person_tag(one), Kept(card))


async def named(reader: Reader, collection: Collection, names: Sequence[str]) -> dict[str, Shown]:
    """Cards by their names in a collection; those that there are not are left out."""
    if collection.people is not None:
        entries = collection.people.entries
        found = {name: entries.get(person_number(name.removesuffix(".vcf"))) for name in names}
        return {name: person(one) for name, one in found.items() if one is not None}
    assert collection.book is not None
    placed = await contacts.by_path(reader, collection.book.id, names)
    ids = [one.card for one in placed.values()]
    whole = await contacts.cards(reader, collection.book.account, ids)
    media = await contacts.media(reader, ids)
    return {
        name: Shown(
            name,
            etag(whole[one.card].modseq),
            cards.whole(cards.opened(whole[one.card].content), media.get(one.card, {})),
        )
        for name, one in placed.items()
        if one.card in whole
    }
