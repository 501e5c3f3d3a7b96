"""Contacts of an account put right: what hangs on nothing goes, counters are counted."""

from typing import Final

from malleposte.store.execute.contact_heads import contact_head
from malleposte.store.ids import LOW
from malleposte.store.work import Head, Work

_CLEAN: Final = (
    "DELETE FROM card_place WHERE book BETWEEN $1 AND $2 AND (NOT EXISTS"
    " (SELECT 1 FROM address_book b WHERE b.id = card_place.book) OR (gone = 0 AND NOT EXISTS"
    " (SELECT 1 FROM card c WHERE c.id = card_place.card)))",
    "DELETE FROM card_media WHERE card BETWEEN $1 AND $2"
    " AND NOT EXISTS (SELECT 1 FROM card c WHERE c.id = card_media.card)",
    "DELETE FROM card_content WHERE id BETWEEN $1 AND $2"
    " AND NOT EXISTS (SELECT 1 FROM card c WHERE c.id = card_content.id)",
)
_NOWHERE: Final = (
    "INSERT INTO card_place (book, card, modseq, made, gone, path) SELECT b.id, c.id, c.modseq,"
    " c.modseq, 0, 'found-' || c.id || '.vcf' FROM card c JOIN address_book b ON b.account = c.account"
    " AND b.preferred = 1 WHERE c.id BETWEEN $1 AND $2 AND NOT EXISTS"
    " (SELECT 1 FROM card_place p WHERE p.card = c.id AND p.gone = 0)"
    " ON CONFLICT (book, card) DO UPDATE SET gone = 0, modseq = excluded.modseq"
)
_COUNTED: Final = (
    "SELECT (SELECT count(*) FROM card WHERE id BETWEEN $1 AND $2),"
    " (SELECT coalesce(sum(size), 0) FROM card WHERE id BETWEEN $1 AND $2),"
    " (SELECT coalesce(max(id), 0) FROM card WHERE id BETWEEN $1 AND $2),"
    " (SELECT coalesce(max(id), 0) FROM address_book WHERE id BETWEEN $1 AND $2),"
    " (SELECT coalesce(max(modseq), 0) FROM card WHERE id BETWEEN $1 AND $2),"
    " (SELECT coalesce(max(modseq), 0) FROM address_book WHERE id BETWEEN $1 AND $2)"
)


async def repair_contacts(work: Work, head: Head, low: int, high: int) -> int:
    """Rows that were put right."""
    contacts = await contact_head(work, int(head.account))
    row = await work.tx.row(_COUNTED, low, high)
    if contacts is None or row is None:
        return 0
    number, octets, top_card, top_book, cards, books = map(int, row)
    changed = 0
    for sql in (*_CLEAN, _NOWHERE):
        changed += await work.tx.run(sql, low, high)
    if contacts.new and not (number or top_book):
        return changed
    before = (contacts.number, contacts.octets, contacts.next, contacts.books, contacts.cards)
    contacts.number, contacts.octets = number, octets
    # Past every number that can have been given out.
    contacts.next = max(contacts.next, (top_card & LOW) + 1, (top_book & LOW) + 1)
    contacts.books, contacts.cards = max(contacts.books, books), max(contacts.cards, cards)
    if max(contacts.books, contacts.cards) > head.modseq:
        head.modseq = max(contacts.books, contacts.cards)
        head.dirty = True
        changed += 1
    after = (contacts.number, contacts.octets, contacts.next, contacts.books, contacts.cards)
    if changed or before != after:
        # Whoever syncs is to look: what was told before may have been wrong.
        contacts.cards = head.bump()
        await work.tx.run(
            "UPDATE address_book SET contents = $1 WHERE id BETWEEN $2 AND $3",
            contacts.cards,
            low,
            high,
        )
        await contacts.write(work)
        changed += 1
    return changed
