"""Commands about address books and cards (RFC 9610). ``actor`` is an account, or ``SYSTEM``."""

from typing import Final

import msgspec

from malleposte.store.commands.base import Command

MAX_BOOKS: Final = 200
"""Of an account."""
MAX_CARDS: Final = 50_000
"""Of an account."""
MAX_CARD: Final = 256 * 1024
"""Octets of a card without its media."""
MAX_MEDIA: Final = 2 * 1024 * 1024
"""Octets of the media of a card; phones send photos of 50 to 300 kB."""
MAX_UID: Final = 2_000
"""Octets of a uid; an index of PostgreSQL holds 2,700."""
MAX_MEDIA_NUMBER: Final = 32
"""Media of a card."""
MAX_OCTETS: Final = 500 * 1024 * 1024
"""Of all cards of an account and their media."""
MAX_PLACES: Final = 32
"""Address books that a card is in."""
MAX_GRANTEES: Final = 1_000
"""Accounts that a book is shared with."""
MAX_CHANGES: Final = 500
"""Cards changed by one command; its octets are bounded by the writer's frames besides."""
MAX_CHANGED: Final = 1024 * 1024
"""Octets of cards in one command, where there are several."""
MAX_STATE: Final = 64 * 1024
"""Octets of what is kept of an address book."""
MAX_NAME: Final = 255
"""Octets of a name (RFC 9610 §2)."""


class _OfAccount(Command, frozen=True, array_like=True, kw_only=True):
    account: int

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class SeedBooks(_OfAccount, frozen=True, array_like=True, kw_only=True):
    """Make the first address book of an account that never had one. Answer: ``Done``, whose ``count`` is of
    those made."""

    name: str


class PutBook(_OfAccount, frozen=True, array_like=True, kw_only=True):
    """Make an address book (``book`` 0), or change one. ``path``: its name in CardDAV, where it is made;
    '' for one of the server's. ``rights``: (account, letters) of all that it is shared with, and of those
    ('') with whom it is not any more, who are told so; None leaves them. ``name`` and ``state`` None stay.
    ``subscribed``: whether the actor wishes to see it; None leaves that. ``preferred``: it becomes the
    account's default. ``if_state``: nothing is done (``changed``) where books are at another modseq.
    Answer: ``Created``; ``no-such-book``, ``no-rights``, ``limit``, ``exists`` (the path), ``bad-name``,
    ``too-long``, ``no-such-account`` (of a grantee)."""

    actor: int
    book: int = 0
    path: str = ""
    name: str | None = None
    state: bytes | None = None
    rights: tuple[tuple[int, str], ...] | None = None
    subscribed: bool | None = None
    preferred: bool = False
    if_state: int | None = None

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``: who is told that it is shared, too."""
        return (self.account, *(grantee for grantee, _ in self.rights or ()))


class DropBook(_OfAccount, frozen=True, array_like=True, kw_only=True):
    """Remove an address book. ``contents``: cards that are in no other go with it. Answer: ``Done``, with
    ``more`` where it is to be asked again until the book is empty; ``no-such-book``, ``no-rights``,
    ``not-empty``, ``changed``."""

    actor: int
    book: int
    contents: bool = False
    if_state: int | None = None


class Media(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A photo or the like, under a number drawn by lot that stands in the card."""

    n: int
    kind: str
    octets: bytes


class CardChange(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """Make a card (``card`` 0), change it, or remove it (``drop``).

    ``places``: (address book, its name there in CardDAV or '') that it is in, all of them; None leaves
    them. ``enter``, ``leave``: books to add or take away, for who does not know all. A card that is in no
    book any more is gone. ``content`` None stays, and with it all that is read from it. ``kept``: media it
    has that stay; all others go. ``expected``: refused as ``changed`` where the card's modseq is another.
    """

    card: int = 0
    drop: bool = False
    places: tuple[tuple[int, str], ...] | None = None
    enter: tuple[tuple[int, str], ...] = ()
    leave: tuple[int, ...] = ()
    uid: str = ""
    kind: str = "individual"
    given: str = ""
    surname: str = ""
    surname2: str = ""
    created_at: int = 0
    updated_at: int = 0
    found: str = ""
    content: bytes | None = None
    media: tuple[Media, ...] = ()
    kept: tuple[int, ...] = ()
    expected: int | None = None


class ChangeCards(_OfAccount, frozen=True, array_like=True, kw_only=True):
    """Change cards, each as a whole or not at all. ``if_state``: nothing is done (``changed``) where cards
    are at another modseq. Answer: ``CardsChanged``."""

    actor: int
    changes: tuple[CardChange, ...]
    if_state: int | None = None
