"""What commands about contacts begin with: an account's counters of them, and the actor's rights."""

from dataclasses import dataclass
from typing import Final

from malleposte.store.commands import SYSTEM
from malleposte.store.ids import LOW
from malleposte.store.read.contacts import ALL, RIGHTS
from malleposte.store.work import Head, Work

_READ: Final = "SELECT books, cards, number, octets, next FROM contact_head WHERE account = $1"
_WRITE: Final = (
    "INSERT INTO contact_head (account, books, cards, number, octets, next)"
    " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (account) DO UPDATE SET books = excluded.books,"
    " cards = excluded.cards, number = excluded.number, octets = excluded.octets,"
    " next = excluded.next"
)


@dataclass(slots=True)
class ContactHead:
    """An account's. ``new``: it never had contacts. The account's own head is locked."""

    head: Head
    books: int = 0
    cards: int = 0
    number: int = 0
    octets: int = 0
    next: int = 1
    new: bool = True

    def new_id(self) -> int:
        """The id of a new book or card."""
        if self.next > LOW:
            raise ValueError("numbers of contacts are used up")
        id_ = int(self.head.account) << 32 | self.next
        self.next += 1
        return id_

    async def write(self, work: Work) -> None:
        """Keep it."""
        await work.tx.run(
            _WRITE, self.head.account, self.books, self.cards, self.number, self.octets, self.next
        )


async def contact_head(work: Work, account: int) -> ContactHead | None:
    """The counters of an account; None: there is none such. What was gathered is written first."""
    await work.flush()
    head = await work.head(account)
    if head is None:
        return None
    row = await work.tx.row(_READ, account)
    if row is None:
        return ContactHead(head)
    books, cards, number, octets, following = row
    return ContactHead(head, books, cards, number, octets, following, new=False)


@dataclass(frozen=True, slots=True)
class Held:
    """What an actor may do in an account's books: all, or by book."""

    whole: bool
    letters: dict[int, str]

    def of(self, book: int) -> str:
        """Letters of one book that is there."""
        return ALL if self.whole else self.letters.get(book, "")


async def held(work: Work, actor: int, account: int) -> Held:
    """See ``Held``."""
    if actor in (SYSTEM, account):
        return Held(True, {})
    rows = await work.tx.rows(RIGHTS, actor, account)
    return Held(False, dict(rows))


async def part(work: Work, account: int) -> None:
    """Nobody shares contacts with an account any more, nor it with anybody."""
    low, high = account << 32, (account + 1) << 32
    for table, column in (("address_book_right", "grantee"), ("address_book_reader", "reader")):
        await work.tx.run(f"DELETE FROM {table} WHERE {column} = $1", account)
        await work.tx.run(f"DELETE FROM {table} WHERE book > $1 AND book < $2", low, high)


async def forget(work: Work, account: int) -> None:
    """Contacts of an account go for good."""
    await part(work, account)
    low, high = account << 32, (account + 1) << 32
    for table, column in (
        ("card_media", "card"),
        ("card_content", "id"),
        ("card_place", "book"),
        ("card", "id"),
        ("address_book", "id"),
    ):
        await work.tx.run(f"DELETE FROM {table} WHERE {column} > $1 AND {column} < $2", low, high)
    await work.tx.run("DELETE FROM contact_head WHERE account = $1", account)
