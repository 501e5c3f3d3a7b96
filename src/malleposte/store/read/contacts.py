"""Address books and cards as an actor sees them, and what became of them since a modseq.

Who is not the owner sees the books that are shared with him, and the cards in them. Whatever changed about
who sees what cannot be told change by change: he asks anew.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from malleposte.store.commands import SYSTEM
from malleposte.store.dialect import Reader, Row, any_of, both
from malleposte.store.read.change_log import Changes, Point, gone, told

ALL: Final = "rwsd"
"""Letters: read, write, share, delete the book (RFC 9610 §2: mayRead, mayWrite, mayShare, mayDelete)."""

_TOGETHER: Final = (
    "EXISTS (SELECT 1 FROM account a JOIN account o ON o.organisation = a.organisation"
    " WHERE a.id = $1 AND o.id = b.account AND o.status <> 'deleted')"
)
RIGHTS: Final = (
    "SELECT b.id, r.letters FROM address_book b JOIN address_book_right r ON r.book = b.id"
    f" AND r.grantee = $1 WHERE b.account = $2 AND {_TOGETHER}"
)
"""What an actor may do in the books of an account that is another's."""


def _books(letters: str, joined: str) -> str:
    return (
        "SELECT b.id, b.account, b.modseq, b.made, b.contents, b.shared, b.preferred, b.path, b.name,"
        f" b.state, {letters}, d.subscribed FROM address_book b"
        f" LEFT JOIN address_book_reader d ON d.book = b.id AND d.reader = $1 {joined} ORDER BY b.id"
    )


_OWN: Final = _books(f"'{ALL}'", "WHERE b.account = $2")
_GIVEN: Final = "JOIN address_book_right r ON r.book = b.id AND r.grantee = $1"
_SHARED: Final = _books("r.letters", f"{_GIVEN} WHERE b.account = $2 AND {_TOGETHER}")
_SHARED_BY_ANYONE: Final = _books("r.letters", f"{_GIVEN} WHERE b.account <> $1 AND {_TOGETHER}")
_GRANTS: Final = both(
    "SELECT book, grantee, letters FROM address_book_right WHERE {books} ORDER BY book, grantee",
    books=any_of("book", 1),
)
_COLUMNS: Final = (
    "c.id, c.modseq, c.uid, c.kind, c.given, c.surname, c.surname2, c.created_at, c.updated_at,"
    " c.found"
)
_VISIBLE: Final = (
    "EXISTS (SELECT 1 FROM card_place p WHERE p.card = c.id AND p.gone = 0 AND {books})"
)


class Book(NamedTuple):
    """An address book, and what the actor may do in it. ``subscribed`` None: as by default."""

    id: int
    account: int
    modseq: int
    made: int
    contents: int
    shared: int
    preferred: int
    path: str
    name: str
    state: bytes
    letters: str
    subscribed: int | None

    @property
    def shown(self) -> bool:
        """Whether the actor wishes to see it (RFC 9610 §2)."""
        return bool(self.subscribed) if self.subscribed is not None else self.letters == ALL


class Listed(NamedTuple):
    """A card as lists are made of it."""

    id: int
    modseq: int
    uid: str
    kind: str
    given: str
    surname: str
    surname2: str
    created_at: int
    updated_at: int
    found: str


class Card(NamedTuple):
    """A card whole: JSContact, its media by number."""

    id: int
    modseq: int
    uid: str
    content: bytes


class Placed(NamedTuple):
    """A card under its name in an address book; ``modseq`` is the card's, or of its going."""

    card: int
    path: str
    modseq: int
    gone: int


class State(NamedTuple):
    """When contacts of an account last changed, and how many there are."""

    books: int = 0
    cards: int = 0
    number: int = 0
    octets: int = 0


def ordered(letters: Iterable[str]) -> str:
    """Letters as they are kept: each once; nothing is done to what is not read."""
    chosen = set(letters)
    return "".join(one for one in ALL if one in chosen) if "r" in chosen else ""


async def state(reader: Reader, actor: int, account: int) -> State | None:
    """See ``State``; None: it never had contacts. To who is not the owner all have changed when it did who
    sees what."""
    row = await reader.row(
        "SELECT books, cards, number, octets, (SELECT coalesce(max(shared), 0) FROM address_book"
        " WHERE account = $1) FROM contact_head WHERE account = $1",
        account,
    )
    if row is None:
        return None
    books, cards, number, octets, shared = row
    return State(books, cards if actor == account else max(cards, shared), number, octets)


async def books(reader: Reader, actor: int, account: int) -> list[Book]:
    """An account's books that an actor sees, in the order they were made."""
    own = actor in (SYSTEM, account)
    rows = await reader.rows(_OWN if own else _SHARED, actor, account)
    return [_book(row) for row in rows]


async def shared_books(reader: Reader, actor: int) -> list[Book]:
    """Books of others that an actor sees."""
    return [_book(row) for row in await reader.rows(_SHARED_BY_ANYONE, actor)]


def _book(row: Row) -> Book:
    return Book._make((*row[:9], bytes(row[9]), *row[10:]))


async def grants(reader: Reader, books: Sequence[int]) -> dict[int, dict[int, str]]:
    """With whom books are shared: letters by account, by book."""
    found: dict[int, dict[int, str]] = {}
    for book, grantee, letters in await reader.rows(_GRANTS, list(books)):
        found.setdefault(book, {})[grantee] = letters
    return found


_CARDS: Final = both(
    "SELECT c.id, c.modseq, c.uid, w.content FROM card c JOIN card_content w ON w.id = c.id"
    " WHERE c.account = $1 AND {cards}",
    cards=any_of("c.id", 2),
)
OF_UIDS: Final = both(
    "SELECT uid, id FROM card WHERE account = $1 AND {uids}", uids=any_of("uid", 2, "text")
)


async def cards_of_uids(reader: Reader, account: int, uids: Sequence[str]) -> dict[str, int]:
    """Cards by their uids."""
    return {row[0]: row[1] for row in await reader.rows(OF_UIDS, account, list(uids))}


_PLACES: Final = both(
    "SELECT card, book, path FROM card_place WHERE gone = 0 AND {cards} ORDER BY card, book",
    cards=any_of("card", 1),
)


async def cards(reader: Reader, account: int, ids: Sequence[int]) -> dict[int, Card]:
    """Some of an account's, whole, by id."""
    rows = await reader.rows(_CARDS, account, list(ids))
    return {row[0]: Card._make((*row[:3], bytes(row[3]))) for row in rows}


async def card_of_uid(reader: Reader, account: int, uid: str) -> int:
    """The card of a uid; 0: there is none."""
    row = await reader.row("SELECT id FROM card WHERE account = $1 AND uid = $2", account, uid)
    return int(row[0]) if row is not None else 0


async def places(reader: Reader, cards: Sequence[int]) -> dict[int, dict[int, str]]:
    """The books that cards are in, with their names there, by card."""
    found: dict[int, dict[int, str]] = {}
    for card, book, path in await reader.rows(_PLACES, list(cards)):
        found.setdefault(card, {})[book] = path
    return found


_LISTED: Final = f"SELECT {_COLUMNS} FROM card c WHERE c.account = $1 AND c.id > $2"
_ALL_LISTED: Final = f"{_LISTED} ORDER BY c.id LIMIT $3"
_SOME_LISTED: Final = both(
    f"{_LISTED} AND {_VISIBLE} ORDER BY c.id LIMIT $4", books=any_of("p.book", 3)
)


async def listed(
    reader: Reader, account: int, after: int, most: int, books: Sequence[int] | None = None
) -> list[Listed]:
    """Cards after an id, in order; ``books``: those in one of them alone."""
    if books is None:
        rows = await reader.rows(_ALL_LISTED, account, after, most)
    else:
        rows = await reader.rows(_SOME_LISTED, account, after, list(books), most)
    return [Listed(*row) for row in rows]


_MEMBERS: Final = both(
    "SELECT DISTINCT card FROM card_place WHERE gone = 0 AND {books}", books=any_of("book", 1)
)


async def members(reader: Reader, books: Sequence[int]) -> set[int]:
    """Cards that are in one of some books."""
    return {row[0] for row in await reader.rows(_MEMBERS, list(books))}


async def medium(reader: Reader, card: int, n: int) -> tuple[str, bytes] | None:
    """Media type and octets of a photo or the like."""
    row = await reader.row(
        "SELECT kind, octets FROM card_media WHERE card = $1 AND n = $2", card, n
    )
    return (row[0], bytes(row[1])) if row is not None else None


_MEDIA: Final = both(
    "SELECT card, n, kind, octets FROM card_media WHERE {cards}", cards=any_of("card", 1)
)


async def media(reader: Reader, cards: Sequence[int]) -> dict[int, dict[int, tuple[str, bytes]]]:
    """Media types and octets by card and number."""
    found: dict[int, dict[int, tuple[str, bytes]]] = {}
    for card, n, kind, octets in await reader.rows(_MEDIA, list(cards)):
        found.setdefault(card, {})[n] = (kind, bytes(octets))
    return found


# In CardDAV --------------------------------------------------------------------------------------

_PLACED: Final = "SELECT card, path, modseq, gone FROM card_place WHERE book = $1"
_BY_PATH: Final = both(f"{_PLACED} AND gone = 0 AND {{paths}}", paths=any_of("path", 2, "text"))


async def placed(reader: Reader, book: int, after: int, most: int) -> list[Placed]:
    """What is in a book, by id, after one."""
    rows = await reader.rows(
        f"{_PLACED} AND gone = 0 AND card > $2 ORDER BY card LIMIT $3", book, after, most
    )
    return [Placed(*row) for row in rows]


async def by_path(reader: Reader, book: int, paths: Sequence[str]) -> dict[str, Placed]:
    """What stands under names in a book."""
    return {row[1]: Placed(*row) for row in await reader.rows(_BY_PATH, book, list(paths))}


async def moved(reader: Reader, book: int, since: int, after: int, most: int) -> list[Placed]:
    """What came, changed or went in a book after a modseq, and of that modseq past a card."""
    rows = await reader.rows(
        f"{_PLACED} AND modseq >= $2 AND (modseq, card) > ($2, $3) ORDER BY modseq, card LIMIT $4",
        book,
        since,
        after,
        most,
    )
    return [Placed(*row) for row in rows]


async def floor(reader: Reader, account: int) -> int:
    """Up to which modseq nobody knows any more what went."""
    row = await reader.row("SELECT tombstone_floor FROM account_head WHERE account = $1", account)
    return int(row[0]) if row is not None else 0


# What changed ------------------------------------------------------------------------------------

_BOOK_CHANGES: Final = (
    "SELECT modseq, id, made, 1 FROM address_book WHERE account = $1"
    " AND (modseq, id) > ($2, $3) ORDER BY modseq, id LIMIT $4"
)
_CARD_CHANGES: Final = (
    "SELECT c.modseq, c.id, c.made, 1 FROM card c"
    " WHERE c.account = $1 AND (c.modseq, c.id) > ($2, $3) ORDER BY c.modseq, c.id LIMIT $4"
)
_VISIBLE_CHANGES: Final = both(
    f"SELECT c.modseq, c.id, c.made, CASE WHEN {_VISIBLE} THEN 1 ELSE 0 END FROM card c"
    " WHERE c.account = $2 AND (c.modseq, c.id) > ($3, $4) ORDER BY c.modseq, c.id LIMIT $5",
    books=any_of("p.book", 1),
)


async def book_changes(
    reader: Reader, actor: int, account: int, since: Point, most: int
) -> Changes | None:
    """Books since a point; None: it cannot be told, being too long ago, or to who is not the owner."""
    now = await state(reader, actor, account) or State()
    if since == Point(now.books):
        return Changes(point=since)
    if actor != account or not await _tellable(reader, actor, account, since, now.books):
        return None
    rows = await reader.rows(_BOOK_CHANGES, account, since.modseq, since.id, most + 1)
    removed = await gone(reader, account, "book", since, most + 1)
    return told([rows, removed], since, most, now.books)


async def card_changes(
    reader: Reader,
    actor: int,
    account: int,
    since: Point,
    most: int,
    books: Sequence[int] | None = None,
) -> Changes | None:
    """Cards since a point, in ``books`` alone for who does not see all; as ``book_changes``."""
    now = await state(reader, actor, account) or State()
    if since == Point(now.cards):
        return Changes(point=since)
    if not await _tellable(reader, actor, account, since, now.cards):
        return None
    if books is None:
        rows = await reader.rows(_CARD_CHANGES, account, since.modseq, since.id, most + 1)
    else:
        rows = await reader.rows(
            _VISIBLE_CHANGES, list(books), account, since.modseq, since.id, most + 1
        )
    removed = await gone(reader, account, "card", since, most + 1)
    return told([rows, removed], since, most, now.cards)


async def _tellable(reader: Reader, actor: int, account: int, since: Point, now: int) -> bool:
    if since.modseq > now or since.known < await floor(reader, account):
        return False
    if actor == account:
        return True
    row = await reader.row(
        "SELECT coalesce(max(shared), 0) FROM address_book WHERE account = $1", account
    )
    return row is None or since.known >= row[0]


# Whose they are ----------------------------------------------------------------------------------

_SHARERS: Final = (
    "SELECT o.id, o.address, max(CASE WHEN r.letters = 'r' THEN 0 ELSE 1 END)"
    " FROM address_book_right r JOIN address_book b ON b.id = r.book"
    " JOIN account o ON o.id = b.account JOIN account a ON a.organisation = o.organisation"
    " WHERE r.grantee = $1 AND a.id = $1 AND o.id <> $1 AND o.status <> 'deleted'"
    " GROUP BY o.id, o.address ORDER BY o.address"
)


class Sharer(NamedTuple):
    """An account that shares an address book with an actor. ``writes``: he may change something in one."""

    account: int
    address: str
    writes: int


async def sharers(reader: Reader, actor: int) -> list[Sharer]:
    """Accounts that share address books with an actor, by address."""
    return [Sharer(*row) for row in await reader.rows(_SHARERS, actor)]
