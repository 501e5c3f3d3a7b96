"""REPORT sync-collection (RFC 6578): what came, changed and went in a collection since a token.

A token is the modseq, and the card, up to which somebody was told, or the state of the directory; it is
worth nothing for another collection. Nothing of an older change can come to stand behind it.
"""

import re
from dataclasses import dataclass
from typing import Final

from malleposte.services.dav.tree import Collection
from malleposte.store.dialect import Reader
from malleposte.store.ids import LOW
from malleposte.store.read import contacts
from malleposte.store.read.change_log import LAST
from malleposte.store.read.contacts import Placed

MOST: Final = 2_000
"""Names told at once; with 507 a client asks on (§3.6)."""
_TOKEN: Final = re.compile(r"data:,([0-9a-f]{1,16})-([0-9]{1,18})(?:-([0-9]{1,10}))?")
_DIRECTORY: Final = re.compile(r"data:,directory-([0-9a-f]{1,40})")


@dataclass(frozen=True, slots=True)
class Told:
    """``placed``: a book's; ``whole``: all of the directory. ``token``: for the next time; ``more``: there
    are others."""

    token: str
    placed: tuple[Placed, ...] = ()
    whole: bool = False
    more: bool = False


def token_of(collection: Collection) -> str:
    """The token of a collection as it is."""
    if collection.people is not None:
        return f"data:,directory-{collection.people.state}"
    assert collection.book is not None
    return _token(collection.book.id, collection.book.contents, LAST)


def _token(book: int, modseq: int, card: int) -> str:
    rest = "" if card == LAST else f"-{card & LOW}"
    return f"data:,{book:x}-{modseq}{rest}"


async def told(reader: Reader, collection: Collection, token: str, most: int) -> Told | None:
    """What is told since a token, '' for the first time; None: nothing can be, the client begins anew."""
    if collection.people is not None:
        now = token_of(collection)
        if token not in ("", now):
            return None
        return Told(now, whole=not token)
    book = collection.book
    assert book is not None
    since, after = 0, LAST
    if token:
        found = _TOKEN.fullmatch(token)
        if found is None or int(found[1], 16) != book.id:
            return None
        since = int(found[2])
        after = book.account << 32 | int(found[3]) if found[3] else LAST
        old = since < await contacts.floor(reader, book.account) and since != book.contents
        if since > book.contents or old:
            return None
    rows = await contacts.moved(reader, book.id, since, after, most + 1)
    more, rows = len(rows) > most, rows[:most]
    end = token_of(collection)
    if more:
        end = _token(book.id, rows[-1].modseq, rows[-1].card)
    if not token or since == 0:
        rows = [one for one in rows if not one.gone]
    gone = [one.path for one in rows if one.gone]
    # A name that another card has now is not gone.
    again = await contacts.by_path(reader, book.id, gone) if gone else {}
    return Told(end, tuple(one for one in rows if not (one.gone and one.path in again)), more=more)
