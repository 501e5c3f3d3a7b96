"""Cards: made, changed, put into address books, gone. What a command touches is read at once, changed in
memory and written at its end."""

from dataclasses import dataclass, field
from typing import Final

from malleposte.store import dialect
from malleposte.store.commands import CardChange, ChangeCards
from malleposte.store.commands.contacts import (
    MAX_CARD,
    MAX_CARDS,
    MAX_CHANGES,
    MAX_MEDIA,
    MAX_MEDIA_NUMBER,
    MAX_OCTETS,
    MAX_PLACES,
    MAX_UID,
)
from malleposte.store.dialect import any_of, both
from malleposte.store.execute.contact_heads import ContactHead, Held, contact_head, held
from malleposte.store.execute.expunging import bury
from malleposte.store.ids import card_text
from malleposte.store.read.contacts import OF_UIDS
from malleposte.store.results import CardsChanged, Refused
from malleposte.store.work import Work

_COLUMNS: Final = (
    "id, modseq, made, uid, kind, given, surname, surname2, created_at, updated_at, size, found"
)
_CARDS: Final = both(f"SELECT {_COLUMNS} FROM card WHERE {{ids}}", ids=any_of("id", 1))
_PLACES: Final = both(
    "SELECT book, card, made, path FROM card_place WHERE gone = 0 AND {cards}",
    cards=any_of("card", 1),
)
_TAKEN: Final = both(
    "SELECT book, path, card FROM card_place WHERE {books} AND {paths} AND gone = 0",
    books=any_of("book", 1),
    paths=any_of("path", 2, "text"),
)
_MEDIA: Final = both(
    "SELECT card, n, length(octets) FROM card_media WHERE {cards}", cards=any_of("card", 1)
)
_NARROW: Final = {
    "account": "bigint",
    "id": "bigint",
    "modseq": "bigint",
    "made": "bigint",
    "uid": "text",
    "kind": "text",
    "given": "text",
    "surname": "text",
    "surname2": "text",
    "created_at": "bigint",
    "updated_at": "bigint",
    "size": "bigint",
    "found": "text",
}


def _upsert(table: str, key: str, columns: dict[str, str]) -> dialect.Bulk:
    keys = key.split(", ")
    sets = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in keys)
    return dialect.insert(table, columns, on_conflict=f"ON CONFLICT ({key}) DO UPDATE SET {sets}")


_PUT: Final = _upsert("card", "id", _NARROW)
_PUT_CONTENT: Final = _upsert("card_content", "id", {"id": "bigint", "content": "bytea"})
_PUT_PLACE: Final = _upsert(
    "card_place",
    "book, card",
    {
        "book": "bigint",
        "card": "bigint",
        "modseq": "bigint",
        "made": "bigint",
        "gone": "bigint",
        "path": "text",
    },
)
_PUT_MEDIA: Final = dialect.insert(
    "card_media", {"card": "bigint", "n": "bigint", "kind": "text", "octets": "bytea"}
)
_DROP_MEDIA: Final = both("DELETE FROM card_media WHERE card = $1 AND {ns}", ns=any_of("n", 2))
_LEAVE: Final = both(
    "UPDATE card_place SET gone = 1, modseq = $1 WHERE gone = 0 AND {cards}",
    cards=any_of("card", 2),
)
_CONTENTS: Final = both(
    "UPDATE address_book SET contents = $1 WHERE {books}", books=any_of("id", 2)
)
_SIZES: Final = both(
    "SELECT count(*), coalesce(sum(size), 0) FROM card WHERE {ids}", ids=any_of("id", 1)
)
_HOLDERS: Final = both(
    "SELECT DISTINCT book FROM card_place WHERE gone = 0 AND {cards}", cards=any_of("card", 1)
)


async def remove_cards(work: Work, contacts: ContactHead, cards: list[int]) -> None:
    """Cards go for good, at the modseq of ``contacts.cards``; their names stay known as gone."""
    if not cards:
        return
    row = await work.tx.row(_SIZES, cards)
    holders = [one[0] for one in await work.tx.rows(_HOLDERS, cards)]
    await work.tx.run(_LEAVE, contacts.cards, cards)
    await work.tx.run(_CONTENTS, contacts.cards, holders)
    for table, column in (("card_media", "card"), ("card_content", "id"), ("card", "id")):
        await work.tx.run(both(f"DELETE FROM {table} WHERE {{ids}}", ids=any_of(column, 1)), cards)
    if row is not None:
        contacts.number -= int(row[0])
        contacts.octets -= int(row[1])
    bury(work, int(contacts.head.account), "card", 0, contacts.cards, sorted(cards))


class _No(Exception):
    """A change that is not carried out."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


@dataclass(slots=True)
class _Card:
    """A row of ``card``."""

    id: int
    modseq: int = 0
    made: int = 0
    uid: str = ""
    kind: str = ""
    given: str = ""
    surname: str = ""
    surname2: str = ""
    created_at: int = 0
    updated_at: int = 0
    size: int = 0
    found: str = ""


@dataclass(slots=True)
class _Place:
    made: int
    path: str


@dataclass(slots=True)
class _Run:
    """See the module."""

    account: int
    contacts: ContactHead
    held: Held
    books: set[int]
    cards: dict[int, _Card] = field(default_factory=dict)
    uids: dict[str, int] = field(default_factory=dict)
    places: dict[int, dict[int, _Place]] = field(default_factory=dict)
    """By card and book."""
    taken: dict[tuple[int, str], int] = field(default_factory=dict)
    media: dict[int, dict[int, int]] = field(default_factory=dict)
    """Octets by card and number."""
    changed: dict[int, CardChange] = field(default_factory=dict)
    left: dict[tuple[int, int], _Place] = field(default_factory=dict)
    """(book, card) that it is not in any more."""
    dropped: list[int] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)
    """Books of which something changed."""

    async def read(self, work: Work, changes: tuple[CardChange, ...]) -> None:
        """What the changes touch."""
        tx = work.tx
        uids = [one.uid for one in changes if one.uid]
        if uids:
            self.uids = dict(await tx.rows(OF_UIDS, self.account, uids))
        low, high = self.account << 32, (self.account + 1) << 32
        known = [one.card for one in changes if low < one.card < high]
        if known:
            self.cards = {row[0]: _Card(*row) for row in await tx.rows(_CARDS, known)}
            for book, card, made, path in await tx.rows(_PLACES, known):
                self.places.setdefault(card, {})[book] = _Place(made, path)
            for card, n, size in await tx.rows(_MEDIA, known):
                self.media.setdefault(card, {})[n] = size
        named = [
            (book, path) for one in changes for book, path in (*(one.places or ()), *one.enter)
        ]
        paths = sorted({path for _, path in named if path})
        if paths:
            rows = await tx.rows(_TAKEN, sorted({book for book, _ in named}), paths)
            self.taken = {(book, path): card for book, path, card in rows}

    def change(self, change: CardChange) -> tuple[int, int]:
        """Carry out one; the card's id, and its modseq, 0 where it is gone. Raises ``_No``."""
        card = self.cards.get(change.card)
        places = self.places.get(change.card, {})
        seen = self.held.whole or any("r" in self.held.of(book) for book in places)
        if change.card and (card is None or not seen or change.card in self.changed):
            raise _No("no-such-card", "there is no such card")
        if card is not None and change.expected not in (None, card.modseq):
            raise _No("changed", "the card was changed meanwhile")
        target = self._target(change, places)
        if card is None and (change.drop or change.content is None):
            raise _No("no-such-card", "there is no such card")
        touched = target.keys() ^ places.keys()
        self._may(
            touched if change.content is None and not change.drop else touched | places.keys()
        )
        if change.drop or not target:
            if card is None or not (change.drop or change.leave):
                raise _No("nowhere", "a card is in an address book")
            return self._drop(card, change), 0
        if len(target) > MAX_PLACES:
            raise _No("limit", f"a card is in {MAX_PLACES} address books at most")
        for book, path in target.items():
            if path and self.taken.get((book, path), change.card) != change.card:
                raise _No("taken", "that name is another card's")
        size = self._size(change, card)
        modseq = self.contacts.head.bump()
        if card is None:
            card = _Card(self.contacts.new_id(), made=modseq)
            self.cards[card.id] = card
            self.contacts.number += 1
        self.contacts.octets += size - card.size
        card.size, card.modseq, self.contacts.cards = size, modseq, modseq
        if change.content is not None:
            self._fill(card, change)
        self._place(card, target, places)
        self.changed[card.id] = change
        return card.id, modseq

    def _target(self, change: CardChange, places: dict[int, _Place]) -> dict[int, str]:
        target = {book: place.path for book, place in places.items()}
        if change.places is not None:
            given = dict(change.places)
            target = {book: target.get(book) or path for book, path in given.items()}
        for book, path in change.enter:
            target[book] = target.get(book) or path
        for book in change.leave:
            target.pop(book, None)
        return target

    def _may(self, books: set[int]) -> None:
        for book in books:
            letters = self.held.of(book) if book in self.books else ""
            if "r" not in letters:
                raise _No("no-such-book", "there is no such address book")
            if "w" not in letters:
                raise _No("no-rights", "this address book is another's, and not yours to change")

    def _size(self, change: CardChange, card: _Card | None) -> int:
        """Octets of the card as it will be. Raises ``_No``."""
        if change.content is None:
            return card.size if card is not None else 0
        holder = self.uids.get(change.uid)
        if holder is not None and (card is None or holder != card.id):
            raise _No("exists", str(holder))
        if not 0 < len(change.uid.encode()) <= MAX_UID:
            raise _No("too-long", f"the uid of a card has 1 to {MAX_UID} octets")
        had = self.media.get(card.id, {}) if card is not None else {}
        if not set(change.kept) <= had.keys():
            raise _No("no-such-media", "a photo or file of the card is not there any more")
        media = sum(len(one.octets) for one in change.media) + sum(had[n] for n in change.kept)
        if len(change.content) > MAX_CARD or media > MAX_MEDIA:
            most = f"a card has {MAX_CARD} octets at most, its photos and files {MAX_MEDIA} more"
            raise _No("too-long", most)
        if len(change.media) + len(change.kept) > MAX_MEDIA_NUMBER:
            raise _No("too-long", f"a card has {MAX_MEDIA_NUMBER} photos and files at most")
        size = len(change.content) + media
        if card is None and self.contacts.number >= MAX_CARDS:
            raise _No("limit", f"there can be {MAX_CARDS} cards at most")
        if self.contacts.octets + size - (card.size if card is not None else 0) > MAX_OCTETS:
            raise _No("over-quota", f"cards can have {MAX_OCTETS} octets in all at most")
        return size

    def _fill(self, card: _Card, change: CardChange) -> None:
        self.uids.pop(card.uid, None)
        self.uids[change.uid] = card.id
        card.uid, card.kind = change.uid, change.kind
        card.given, card.surname, card.surname2 = change.given, change.surname, change.surname2
        card.created_at, card.updated_at = change.created_at, change.updated_at
        card.found = change.found

    def _place(self, card: _Card, target: dict[int, str], places: dict[int, _Place]) -> None:
        for book in places.keys() - target.keys():
            place = places.pop(book)
            self.taken.pop((book, place.path), None)
            self.left[book, card.id] = place
            self.touched.add(book)
        for book, path in target.items():
            if book not in places:
                places[book] = _Place(card.modseq, path or f"{card_text(card.id)}.vcf")
                self.left.pop((book, card.id), None)
            self.taken[book, places[book].path] = card.id
        self.places[card.id] = places
        self.touched |= target.keys()

    def _drop(self, card: _Card, change: CardChange) -> int:
        self.contacts.cards = self.contacts.head.bump()
        self.dropped.append(card.id)
        self.uids.pop(card.uid, None)
        for book, place in self.places.get(card.id, {}).items():
            self.taken.pop((book, place.path), None)
        del self.cards[card.id]
        self.changed[card.id] = change
        return card.id

    async def write(self, work: Work) -> None:
        """What was changed."""
        # First of all, for a new card may have the uid of one that goes.
        await remove_cards(work, self.contacts, self.dropped)
        for id_, change in self.changed.items():
            card = self.cards.get(id_)
            if card is None:
                continue
            if change.content is not None:
                gone = self.media.get(id_, {}).keys() - set(change.kept)
                if gone:
                    await work.tx.run(_DROP_MEDIA, id_, sorted(gone))
                work.add(_PUT_CONTENT, (id_, change.content))
                for one in change.media:
                    work.add(_PUT_MEDIA, (id_, one.n, one.kind, one.octets))
            work.add(
                _PUT,
                (
                    self.account,
                    id_,
                    card.modseq,
                    card.made,
                    card.uid,
                    card.kind,
                    card.given,
                    card.surname,
                    card.surname2,
                    card.created_at,
                    card.updated_at,
                    card.size,
                    card.found,
                ),
            )
            for book, place in self.places[id_].items():
                work.add(_PUT_PLACE, (book, id_, card.modseq, place.made, 0, place.path))
        for (book, id_), place in self.left.items():
            if id_ in self.cards:
                modseq = self.cards[id_].modseq
                work.add(_PUT_PLACE, (book, id_, modseq, place.made, 1, place.path))
        await work.flush()
        if self.touched:
            await work.tx.run(_CONTENTS, self.contacts.cards, sorted(self.touched))
        await self.contacts.write(work)


async def change_cards(work: Work, command: ChangeCards) -> CardsChanged | Refused:
    """Execute ``ChangeCards``."""
    contacts = await contact_head(work, command.account)
    if contacts is None:
        return Refused(reason="no-such-account")
    if len(command.changes) > MAX_CHANGES:
        return Refused(reason="too-many", text=f"at most {MAX_CHANGES} cards are changed at once")
    if command.if_state is not None and command.if_state != contacts.cards:
        return Refused(reason="changed", text="cards were changed meanwhile")
    rows = await work.tx.rows("SELECT id FROM address_book WHERE account = $1", command.account)
    run = _Run(
        command.account,
        contacts,
        await held(work, command.actor, command.account),
        {row[0] for row in rows},
    )
    await run.read(work, command.changes)
    ids: list[int] = []
    modseqs: list[int] = []
    refused: list[tuple[int, str, str]] = []
    for at, change in enumerate(command.changes):
        try:
            id_, modseq = run.change(change)
        except _No as no:
            refused.append((at, no.reason, no.text))
            id_, modseq = 0, 0
        ids.append(id_)
        modseqs.append(modseq)
    if run.changed:
        await run.write(work)
    return CardsChanged(
        modseq=contacts.cards, cards=tuple(ids), modseqs=tuple(modseqs), refused=tuple(refused)
    )
