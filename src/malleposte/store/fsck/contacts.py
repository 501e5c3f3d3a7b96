"""Address books and cards of an account: counters, and rows that hang on nothing."""

from collections.abc import AsyncIterator
from typing import Final

from malleposte.store.fsck.finding import Examination, Finding, Kind, named
from malleposte.store.ids import LOW

_HEAD: Final = (
    "SELECT h.number, h.octets, h.next, h.books, h.cards, a.modseq, c.number, c.octets, c.top, c.modseq,"
    " b.top, b.modseq FROM contact_head h JOIN account_head a ON a.account = h.account,"
    " (SELECT count(*) AS number, coalesce(sum(size), 0) AS octets, coalesce(max(id), 0) AS top,"
    " coalesce(max(modseq), 0) AS modseq FROM card WHERE id BETWEEN $1 AND $2) c,"
    " (SELECT coalesce(max(id), 0) AS top, coalesce(max(modseq), 0) AS modseq FROM address_book"
    " WHERE id BETWEEN $1 AND $2) b WHERE h.account = $3"
)
_NO_HEAD: Final = (
    "SELECT min(id) FROM address_book WHERE id BETWEEN $1 AND $2"
    " AND NOT EXISTS (SELECT 1 FROM contact_head h WHERE h.account = $3)"
)
_WRONG: Final = (
    (
        Kind.CARD_STRAY,
        "SELECT DISTINCT p.card FROM card_place p WHERE p.book BETWEEN $1 AND $2 AND (NOT EXISTS"
        " (SELECT 1 FROM address_book b WHERE b.id = p.book)"
        " OR (p.gone = 0 AND NOT EXISTS (SELECT 1 FROM card c WHERE c.id = p.card)))",
        "it is in an address book, and it or the book is not there",
    ),
    (
        Kind.CARD_STRAY,
        "SELECT DISTINCT m.card FROM card_media m WHERE m.card BETWEEN $1 AND $2"
        " AND NOT EXISTS (SELECT 1 FROM card c WHERE c.id = m.card)",
        "it has a photo and is not there: that takes up room",
    ),
    (
        Kind.CARD_STRAY,
        "SELECT w.id FROM card_content w WHERE w.id BETWEEN $1 AND $2"
        " AND NOT EXISTS (SELECT 1 FROM card c WHERE c.id = w.id)",
        "it has content and is not there: that takes up room",
    ),
    (
        Kind.CARD_CONTENT,
        "SELECT c.id FROM card c WHERE c.id BETWEEN $1 AND $2"
        " AND NOT EXISTS (SELECT 1 FROM card_content w WHERE w.id = c.id)",
        "its content is lost: put a copy back (docs/backup.md)",
    ),
    (
        Kind.CARD_NOWHERE,
        "SELECT c.id FROM card c WHERE c.id BETWEEN $1 AND $2 AND NOT EXISTS"
        " (SELECT 1 FROM card_place p WHERE p.card = c.id AND p.gone = 0)",
        "it is in no address book: nobody sees it",
    ),
)


async def contacts(examination: Examination, number: int) -> AsyncIterator[Finding]:
    """Everything about the contacts of an account."""
    reader = examination.reader
    low, high = number << 32, (number << 32) + LOW
    row = await reader.row(_HEAD, low, high, number)
    if row is not None:
        cards, octets, following, books_at, cards_at, modseq, *found = row
        count, size, top_card, card_modseq, top_book, book_modseq = found
        right = (
            (cards, octets) == (count, size)
            and following > max(top_card & LOW, top_book & LOW)
            and modseq >= max(books_at, cards_at)
            and books_at >= book_modseq
            and cards_at >= card_modseq
        )
        if not right:
            yield Finding(
                Kind.CONTACT_COUNTERS,
                f"contacts of account {number}",
                f"{cards} cards of {octets} octets are counted, and {count} of {size} are there, or a"
                " change lies past what is counted",
                number,
            )
    (stray,) = await reader.row(_NO_HEAD, low, high, number) or (None,)
    if stray is not None:
        yield Finding(
            Kind.CONTACT_COUNTERS,
            f"contacts of account {number}",
            "there are address books, and nothing is counted of them",
            number,
        )
    for kind, sql, text in _WRONG:
        for (card,) in await reader.rows(sql, low, high):
            yield Finding(kind, named("card", card), text, number)
