"""Whose contacts are asked for, and what of them who asks may see.

One's own account; that of somebody who shares an address book (RFC 9610 §2, RFC 9670); or the directory of
one's organisation, an account by itself in which nothing can be changed.
"""

from dataclasses import dataclass

from malleposte.directory.people import People, people
from malleposte.groupware.books import FIRST_BOOK
from malleposte.services.jmap.contacts.names import directory_number, directory_text
from malleposte.services.jmap.context import Context
from malleposte.services.jmap.errors import MethodError
from malleposte.store.commands import SeedBooks
from malleposte.store.ids import account_number
from malleposte.store.read import contacts
from malleposte.store.read.contacts import ALL, Book, State

"""The name of the book that everybody has to begin with: the same in English and in French."""


@dataclass(frozen=True, slots=True)
class Access:
    """``books``: those he sees, by id. ``people``: of a directory, in place of all else."""

    account: int
    actor: int
    state: State
    books: dict[int, Book]
    people: People | None = None

    @property
    def own(self) -> bool:
        """Whether it is the asking one's own account."""
        return self.account == self.actor

    @property
    def within(self) -> list[int] | None:
        """The books whose cards he sees; None: all of the account."""
        return None if self.own else list(self.books)

    def letters(self, book: int) -> str:
        """What he may do in a book."""
        return self.books[book].letters if book in self.books else ""

    @property
    def writes(self) -> bool:
        """Whether there is a book in which he may change something."""
        return any("w" in book.letters for book in self.books.values())


async def access(context: Context, account: str) -> Access:
    """See the module. Raises ``MethodError``: it is not there to him."""
    reader, actor = context.store.reader, context.actor
    if account == directory_text(context.account.organisation) and directory_number(account):
        found = await people(context.book, reader, context.account.organisation)
        return Access(0, actor, State(), {}, found)
    number = account_number(account)
    if number == actor:
        return await own(context, actor)
    books = {one.id: one for one in await contacts.books(reader, actor, number)} if number else {}
    if not books:
        raise MethodError("accountNotFound")
    state = await contacts.state(reader, actor, number) or State()
    return Access(number, actor, state, books)


async def own(context: Context, actor: int) -> Access:
    """One's own account, which has an address book from the first question on."""
    reader = context.store.reader
    # The state first: what changes meanwhile is told again, and not left out.
    state = await contacts.state(reader, actor, actor)
    if state is None:
        await context.submit(SeedBooks(account=actor, name=FIRST_BOOK))
        state = await contacts.state(reader, actor, actor) or State()
    books = {one.id: one for one in await contacts.books(reader, actor, actor)}
    assert all(one.letters == ALL for one in books.values())
    return Access(actor, actor, state, books)


def changeable(found: Access) -> None:
    """Raises ``MethodError`` for the directory."""
    if found.people is not None:
        raise MethodError("accountReadOnly")
