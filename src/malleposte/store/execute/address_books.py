"""Address books: made, changed, shared, gone."""

from typing import Final

from malleposte.store.commands import SYSTEM, DropBook, PutBook, SeedBooks
from malleposte.store.commands.contacts import MAX_BOOKS, MAX_GRANTEES, MAX_NAME, MAX_STATE
from malleposte.store.dialect import any_of, both
from malleposte.store.execute.cards import remove_cards
from malleposte.store.execute.contact_heads import ContactHead, contact_head, held
from malleposte.store.execute.expunging import bury
from malleposte.store.execute.notifying import notify
from malleposte.store.ids import book_text
from malleposte.store.read.contacts import ordered
from malleposte.store.results import Created, Done, Refused
from malleposte.store.work import Work

_ADD: Final = (
    "INSERT INTO address_book (id, account, modseq, made, contents, shared, preferred, path, name,"
    " state) VALUES ($1, $2, $3, $3, $3, $3, $4, $5, $6, $7)"
)
_BOOK: Final = "SELECT name, state, shared FROM address_book WHERE account = $1 AND id = $2"
_CHANGE: Final = (
    "UPDATE address_book SET modseq = $1, name = $2, state = $3, shared = $4 WHERE id = $5"
)
_PREFER: Final = (
    "UPDATE address_book SET modseq = $1, preferred = CASE WHEN id = $2 THEN 1 ELSE 0 END"
    " WHERE account = $3 AND (preferred = 1 OR id = $2)"
)
_ONE_PREFERRED: Final = (
    "UPDATE address_book SET preferred = 1, modseq = $1 WHERE id ="
    " (SELECT min(id) FROM address_book WHERE account = $2) AND NOT EXISTS"
    " (SELECT 1 FROM address_book WHERE account = $2 AND preferred = 1)"
)
_READER: Final = (
    "INSERT INTO address_book_reader (book, reader, subscribed) VALUES ($1, $2, $3)"
    " ON CONFLICT (book, reader) DO UPDATE SET subscribed = excluded.subscribed"
)
_FELLOWS: Final = both(
    "SELECT a.id FROM account a JOIN account o ON o.organisation = a.organisation"
    " WHERE o.id = $1 AND a.status <> 'deleted' AND a.id <> $1 AND {grantees}",
    grantees=any_of("a.id", 2),
)
_GRANTS: Final = "SELECT grantee, letters FROM address_book_right WHERE book = $1"
_IN_IT: Final = (
    "SELECT p.card, CASE WHEN EXISTS (SELECT 1 FROM card_place o WHERE o.card = p.card AND o.gone = 0"
    " AND o.book <> $1) THEN 1 ELSE 0 END FROM card_place p WHERE p.book = $1 AND p.gone = 0"
    " ORDER BY p.card LIMIT $2"
)
_LEFT: Final = (
    both("UPDATE card SET modseq = $1 WHERE {cards}", cards=any_of("id", 2)),
    both("UPDATE card_place SET modseq = $1 WHERE gone = 0 AND {cards}", cards=any_of("card", 2)),
    both(
        "UPDATE address_book SET contents = $1 WHERE id IN"
        " (SELECT book FROM card_place WHERE gone = 0 AND {cards})",
        cards=any_of("card", 2),
    ),
)
_LEAVE: Final = both(
    "UPDATE card_place SET gone = 1 WHERE book = $1 AND {cards}", cards=any_of("card", 2)
)
SLICE: Final = 2_000
"""Cards that one command takes out of a book."""
_NO_ACCOUNT: Final = Refused(reason="no-such-account")
_NO_BOOK: Final = Refused(reason="no-such-book", text="there is no such address book")
_NO_RIGHTS: Final = Refused(
    reason="no-rights", text="this address book is another's, and not yours to change so"
)
_CHANGED: Final = Refused(reason="changed", text="it was changed meanwhile")


async def seed_books(work: Work, command: SeedBooks) -> Done | Refused:
    """Execute ``SeedBooks``."""
    contacts = await contact_head(work, command.account)
    if contacts is None:
        return _NO_ACCOUNT
    if not contacts.new:
        return Done()
    made = await _make(work, contacts, "", command.name, b"{}")
    return Done(modseq=contacts.books) if isinstance(made, Refused) else Done(count=1)


async def put_book(work: Work, command: PutBook) -> Created | Refused:
    """Execute ``PutBook``."""
    contacts = await contact_head(work, command.account)
    if contacts is None:
        return _NO_ACCOUNT
    if command.if_state is not None and command.if_state != contacts.books:
        return _CHANGED
    if command.state is not None and len(command.state) > MAX_STATE:
        return Refused(reason="too-long", text="that is too much to be kept of an address book")
    if command.name is not None and not 0 < len(command.name.encode()) <= MAX_NAME:
        return Refused(reason="bad-name", text=f"a name has 1 to {MAX_NAME} octets")
    bad = await _unknown_grantee(work, command)
    if bad is not None:
        return bad
    book = command.book
    if book:
        refused = await _change(work, contacts, command)
    else:
        if command.actor not in (SYSTEM, command.account):
            return _NO_RIGHTS
        found = await _make(
            work, contacts, command.path, command.name or "", command.state or b"{}"
        )
        refused, book = (found, 0) if isinstance(found, Refused) else (None, found)
    if refused is not None:
        return refused
    if command.rights is not None:
        await _share(work, book, command)
    if command.subscribed is not None:
        await work.tx.run(_READER, book, command.actor, int(command.subscribed))
    if command.preferred:
        await work.tx.run(_PREFER, contacts.books, book, command.account)
    return Created(id=book, modseq=contacts.books)


async def _make(
    work: Work, contacts: ContactHead, path: str, name: str, state: bytes
) -> int | Refused:
    account = int(contacts.head.account)
    rows = await work.tx.rows("SELECT path FROM address_book WHERE account = $1", account)
    if len(rows) >= MAX_BOOKS:
        return Refused(reason="limit", text=f"there can be {MAX_BOOKS} address books at most")
    paths = {row[0] for row in rows}
    if path in paths:
        return Refused(reason="exists", text="there is an address book of that name already")
    if not name:
        return Refused(reason="bad-name", text="an address book has a name")
    modseq, book = contacts.head.bump(), contacts.new_id()
    path = path or book_text(book)
    while path in paths:
        path += "-"
    await work.tx.run(_ADD, book, account, modseq, int(not rows), path, name, state)
    contacts.books = modseq
    await contacts.write(work)
    return book


async def _change(work: Work, contacts: ContactHead, command: PutBook) -> Refused | None:
    row = await work.tx.row(_BOOK, command.account, command.book)
    letters = (await held(work, command.actor, command.account)).of(command.book)
    if row is None or "r" not in letters:
        return _NO_BOOK
    # The name is the same for all who see it: whoever may remove the book may give it another.
    itself = command.name is not None or command.state is not None
    if (itself and "d" not in letters) or (command.rights is not None and "s" not in letters):
        return _NO_RIGHTS
    if command.preferred and command.actor not in (SYSTEM, command.account):
        return _NO_RIGHTS
    name, state, shared = row
    contacts.books = contacts.head.bump()
    await work.tx.run(
        _CHANGE,
        contacts.books,
        name if command.name is None else command.name,
        bytes(state) if command.state is None else command.state,
        shared if command.rights is None else contacts.books,
        command.book,
    )
    await contacts.write(work)
    return None


async def _unknown_grantee(work: Work, command: PutBook) -> Refused | None:
    wanted = {grantee for grantee, _ in command.rights or ()}
    if not wanted:
        return None
    if sum(1 for letters in dict(command.rights or ()).values() if letters) > MAX_GRANTEES:
        text = f"an address book is shared with {MAX_GRANTEES} accounts at most"
        return Refused(reason="limit", text=text)
    rows = await work.tx.rows(_FELLOWS, command.account, sorted(wanted))
    missing = wanted - {row[0] for row in rows}
    if not missing:
        return None
    return Refused(reason="no-such-account", text=str(min(missing)))


async def _share(work: Work, book: int, command: PutBook) -> None:
    had: dict[int, str] = dict(await work.tx.rows(_GRANTS, book))
    row = await work.tx.row("SELECT name FROM address_book WHERE id = $1", book)
    name = row[0] if row is not None else ""
    await work.tx.run("DELETE FROM address_book_right WHERE book = $1", book)
    for grantee, letters in dict(command.rights or ()).items():
        kept, before = ordered(letters), had.get(grantee, "")
        if kept != before:
            await notify(
                work,
                grantee,
                command.actor,
                book,
                name=name,
                had=before,
                has=kept,
                kind="AddressBook",
            )
        if kept:
            await work.tx.run(
                "INSERT INTO address_book_right (book, grantee, letters) VALUES ($1, $2, $3)",
                book,
                grantee,
                kept,
            )


async def drop_book(work: Work, command: DropBook) -> Done | Refused:
    """Execute ``DropBook``."""
    contacts = await contact_head(work, command.account)
    if contacts is None:
        return _NO_ACCOUNT
    row = await work.tx.row(_BOOK, command.account, command.book)
    letters = (await held(work, command.actor, command.account)).of(command.book)
    if row is None or "r" not in letters:
        return _NO_BOOK
    if command.if_state is not None and command.if_state != contacts.books:
        return _CHANGED
    if "d" not in letters:
        return _NO_RIGHTS
    emptied = await _emptied(work, contacts, command)
    if emptied is not None:
        return emptied
    for table in ("card_place", "address_book_right", "address_book_reader"):
        await work.tx.run(f"DELETE FROM {table} WHERE book = $1", command.book)
    await work.tx.run("DELETE FROM address_book WHERE id = $1", command.book)
    contacts.books = contacts.head.bump()
    await work.tx.run(_ONE_PREFERRED, contacts.books, command.account)
    bury(work, command.account, "book", 0, contacts.books, [command.book])
    await contacts.write(work)
    return Done(modseq=contacts.books)


async def _emptied(work: Work, contacts: ContactHead, command: DropBook) -> Done | Refused | None:
    """A slice of what is in a book goes out of it; None: nothing is left in it."""
    rows = await work.tx.rows(_IN_IT, command.book, SLICE + 1)
    if not rows:
        return None
    if not command.contents:
        return Refused(reason="not-empty", text="there are cards in this address book")
    contacts.cards = contacts.head.bump()
    elsewhere = [card for card, other in rows[:SLICE] if other]
    if elsewhere:
        for statement in _LEFT:
            await work.tx.run(statement, contacts.cards, elsewhere)
        await work.tx.run(_LEAVE, command.book, elsewhere)
    await remove_cards(work, contacts, [card for card, other in rows[:SLICE] if not other])
    if len(rows) <= SLICE:
        return None
    await contacts.write(work)
    return Done(modseq=contacts.cards, more=True)
