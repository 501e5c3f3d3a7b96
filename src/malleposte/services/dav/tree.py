"""What stands under a path, to who is signed in.

``/dav/principals/A5/`` is oneself, ``/dav/addressbooks/A5/`` one's home: in it are one's own address books
under the names that clients gave them, those that others share, and the directory. Whatever is not one's
own is not there.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from malleposte.directory.book import Account
from malleposte.directory.book import Book as Directory
from malleposte.directory.people import People, people
from malleposte.groupware.books import DIRECTORY_NAME, FIRST_BOOK
from malleposte.store import Store
from malleposte.store.commands import SeedBooks
from malleposte.store.ids import account_text, book_text
from malleposte.store.read import contacts
from malleposte.store.read.contacts import Book

ROOT: Final = "/dav/"
DIRECTORY: Final = "directory"
"""The name of the directory in a home."""
NAME: Final = re.compile(r"[^/\x00-\x1f\x7f]{1,200}")


@dataclass(frozen=True, slots=True)
class Root:
    """Where everything begins."""

    path: str = ROOT


@dataclass(frozen=True, slots=True)
class Principal:
    """Oneself."""

    path: str


@dataclass(frozen=True, slots=True)
class Home:
    """What holds one's collections."""

    path: str


@dataclass(frozen=True, slots=True)
class Collection:
    """An address book, or the directory (``people``)."""

    path: str
    owner: int
    """Whose home it is in."""
    book: Book | None = None
    people: People | None = None

    @property
    def name(self) -> str:
        """As people read it."""
        return self.book.name if self.book is not None else DIRECTORY_NAME

    @property
    def letters(self) -> str:
        """What may be done in it (``read.contacts``)."""
        return self.book.letters if self.book is not None else "r"

    @property
    def shared(self) -> bool:
        """Whether it is somebody else's."""
        return self.book is not None and self.book.account != self.owner


@dataclass(frozen=True, slots=True)
class Member:
    """A name in a collection, whether or not there is a card of it."""

    path: str
    collection: Collection
    name: str


Resource = Root | Principal | Home | Collection | Member


@dataclass(slots=True)
class Tree:
    """See the module. Of one request."""

    store: Store
    directory: Directory
    account: Account

    @property
    def principal(self) -> str:
        """The path of oneself."""
        return f"{ROOT}principals/{account_text(self.account.id)}/"

    @property
    def home(self) -> str:
        """The path of one's home."""
        return f"{ROOT}addressbooks/{account_text(self.account.id)}/"

    async def at(self, path: str) -> Resource | None:
        """What stands there; ``path`` is decoded. None: nothing; a slash at its end is not missed."""
        own = account_text(self.account.id)
        match path.removeprefix(ROOT.rstrip("/")).strip("/").split("/"):
            case [""]:
                return Root()
            case ["principals", id_] if id_ == own:
                return Principal(self.principal)
            case ["addressbooks", id_] if id_ == own:
                return Home(self.home)
            case ["addressbooks", id_, name] if id_ == own:
                return await self.collection(name)
            case ["addressbooks", id_, name, member] if id_ == own and NAME.fullmatch(member):
                found = await self.collection(name)
                if found is not None:
                    return Member(found.path + quote(member), found, member)
        return None

    async def collections(self) -> list[Collection]:
        """All in one's home."""
        reader, actor = self.store.reader, self.account.id
        own = await contacts.books(reader, actor, actor)
        if not own and await contacts.state(reader, actor, actor) is None:
            await self.store.submit(SeedBooks(account=actor, name=FIRST_BOOK))
            own = await contacts.books(reader, actor, actor)
        found = [Collection(f"{self.home}{quote(one.path)}/", actor, one) for one in own]
        for one in await contacts.shared_books(reader, actor):
            if one.subscribed == 0:
                continue  # he said that he does not wish to see it
            found.append(Collection(f"{self.home}{book_text(one.id)}/", actor, one))
        found.append(await self._directory())
        return found

    async def _directory(self) -> Collection:
        every = await people(self.directory, self.store.reader, self.account.organisation)
        return Collection(f"{self.home}{DIRECTORY}/", self.account.id, None, every)

    async def collection(self, name: str) -> Collection | None:
        """One of them by its name; None: there is none."""
        if name == DIRECTORY:
            return await self._directory()
        wanted = f"{self.home}{quote(name)}/"
        every = await self.collections()
        return next((one for one in every if one.path == wanted), None)
