"""Session objects that were made are remembered: each answer names the state of one (RFC 8620 §3.4)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple

from malleposte.directory.book import Account, Book
from malleposte.policy.remembered import Remembered
from malleposte.services.jmap.session_object import session_object
from malleposte.services.jmap.settings import JmapSettings
from malleposte.store import Store
from malleposte.store.read import contacts, sharers

MOST: Final = 5_000
"""Sessions remembered by a worker: some 25 MB."""

More = Callable[[str], Awaitable[Mapping[str, Any]]]
"""Gives capabilities of the service, by where it is reached."""


class _Made(NamedTuple):
    moved: int | None
    """The store's clock when what it is made of was read."""
    version: int
    """Of the directory."""
    of: tuple[Any, ...]
    session: dict[str, Any]


class Sessions:
    """See the module."""

    def __init__(
        self, settings: JmapSettings, store: Store, book: Book, more: More | None = None
    ) -> None:
        self._settings = settings
        self._store = store
        self._book = book
        self._more = more
        self._made = Remembered[tuple[int, str], _Made](MOST)

    async def of(self, account: Account, base: str) -> dict[str, Any]:
        """The session object of who is signed in; it is not to be changed. Store failures come through."""
        key = account.id, base
        known = self._made.get(key)
        moved, version = self._store.clock.moved(), self._book.version
        if known is not None and moved is not None and known[:2] == (moved, version):
            return known.session
        opened = await sharers.opened(self._store.reader, account.id)
        books = await contacts.sharers(self._store.reader, account.id)
        more = {} if self._more is None else await self._more(base)
        of = (version, account.address, more, tuple(opened), tuple(books))
        if known is None or known.of != of:
            session = session_object(account, self._settings, base, more, opened, books)
        else:
            session = known.session
        self._made.keep(key, _Made(moved, version, of, session))
        return session
