"""From a mailbox's full name to where it is, and back: the one place that knows namespaces.

Three of them (RFC 2342 §5, RFC 9051 §6.3.10): the account's own mailboxes have no prefix; those of
other people stand below ``Other Users/`` and the owner's address, those of shared accounts and resources
below ``Shared Folders/`` and the account's address. The owner's name is the owner's INBOX; all others
stand below it under the names they have there. What the session may not look up (right ``l``) is not
there: nothing tells it from what does not exist (RFC 4314 §6).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from malleposte.directory import sharing
from malleposte.directory.addresses import BadAddressError, normalise, shown_address
from malleposte.directory.sharing import owner_shown, parted, root_of, under_root
from malleposte.normal_form import normal
from malleposte.services.imapd.replies import NO_SUCH_MAILBOX, refuse
from malleposte.store.execute.rights import no_rights
from malleposte.store.ids import account_of
from malleposte.store.read import mailboxes, rights, sharers
from malleposte.store.read.mailboxes import Mailbox
from malleposte.store.read.rights import ALL
from malleposte.store.read.sharers import Sharer
from malleposte.store.unread import as_read
from malleposte.wire.imap import mailbox_names
from malleposte.wire.imap.mailbox_names import INBOX

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

SEPARATOR: Final = sharing.SEPARATOR
OTHERS: Final = sharing.OTHERS
SHARED: Final = sharing.SHARED
PERSONAL = (("", SEPARATOR),)
"""Prefix and separator of the personal namespace (RFC 9051 §6.3.10)."""
ROOTS: Final = (OTHERS, SHARED)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a full name leads.

    ``name``: the name in its kept form. ``account`` and ``path``: whose mailbox it is, and its name in
    that account; 0 where the session knows of no such account. ``mailbox``: 0 where none is there.
    ``letters``: the session's rights on it.
    """

    name: str
    account: int
    path: str
    mailbox: int = 0
    letters: str = ""
    foreign: bool = False


def kept(name: str) -> str:
    """A name as the store keeps it: NFC, without a separator at its end, an owner's address in the one
    form that people read."""
    name = _plain(name)
    if not under_root(name):
        return name
    root, owner, rest = parted(name)
    try:
        owner = shown_address(normalise(owner))
    except BadAddressError:
        return name
    return SEPARATOR.join([root, owner, mailbox_names.canonical(rest)] if rest else [root, owner])


def _plain(name: str) -> str:
    return normal("NFC", name).removesuffix(SEPARATOR)


def full(sharer: Sharer, path: str) -> str:
    """The full name of somebody else's mailbox, as the session sees it."""
    owner = owner_shown(sharer.kind, sharer.address)
    return owner if path == INBOX else f"{owner}{SEPARATOR}{path}"


def reader_of(session: "Session", mailbox: int) -> int:
    r"""Whose ``\Seen`` the session sees in a mailbox: 0 is the owner's."""
    return 0 if account_of(mailbox) == session.actor else session.actor


def ancestors(chosen: Iterable[str], known: Collection[str] = ()) -> set[str]:
    """All names above the chosen ones, but those that are known with what is above them."""
    above: set[str] = set()
    for name in chosen:
        while SEPARATOR in name:
            name = name.rpartition(SEPARATOR)[0]
            if name in above or name in known:
                break
            above.add(name)
    return above


async def locate(session: "Session", name: str) -> Place:
    """Where a name leads. The account's own mailboxes come first, also such as stand below the names
    of others' (an import may have brought them)."""
    plain = _plain(name)
    actor, reader = session.actor, session.service.store.reader
    mailbox = await session.reading(mailboxes.find(reader, actor, plain))
    if mailbox or not under_root(plain):
        return Place(plain, actor, plain, mailbox, ALL)
    name = kept(plain)
    root, owner, rest = parted(name)
    path = rest or INBOX
    sharer = await _sharer(session, root, owner)
    if sharer is None:
        return Place(name, 0, path, foreign=True)
    # Below the owner's name INBOX itself has no name: it is the owner's.
    found = (
        0 if rest == INBOX else await session.reading(mailboxes.find(reader, sharer.account, path))
    )
    letters = await session.reading(rights.letters(reader, actor, found)) if found else ""
    if "l" not in letters:
        found, letters = 0, ""
    return Place(name, sharer.account, path, found, letters, foreign=True)


async def _sharer(session: "Session", root: str, owner: str) -> Sharer | None:
    """The account of this name that shares anything with the session."""
    try:
        address = normalise(owner)
    except BadAddressError:
        return None
    reader = session.service.store.reader
    found = await session.reading(sharers.sharer(reader, session.actor, address))
    return found if found is not None and root_of(found.kind) == root else None


async def place(session: "Session", name: str, letters: str = "", *, target: bool = False) -> Place:
    """Where a mailbox is on which the session holds these rights. Raises ``Refuse``; ``target`` as in
    ``replies.refuse``."""
    found = await locate(session, name)
    if not found.mailbox:
        raise refuse(NO_SUCH_MAILBOX, target=target)
    demand(found.letters, letters)
    return found


async def need(session: "Session", name: str, letters: str = "", *, target: bool = False) -> int:
    """The id of a mailbox, as ``place``."""
    return (await place(session, name, letters, target=target)).mailbox


def demand(held: str, wanted: str) -> None:
    """Raises ``Refuse`` unless all wanted rights are held."""
    for letter in wanted:
        if letter not in held:
            raise refuse(no_rights(letter))


async def row(session: "Session", name: str) -> Mailbox:
    """A mailbox that the session may read, with its counters. Raises ``Refuse``."""
    return await counters(session, await place(session, name, "r"))


async def counters(session: "Session", found: Place) -> Mailbox:
    r"""The row of a mailbox; of others' mailboxes ``unseen`` is what the session has not read."""
    reader = session.service.store.reader
    box = await session.reading(mailboxes.mailbox(reader, found.mailbox))
    if box is None:
        raise refuse(NO_SUCH_MAILBOX)
    if not found.foreign:
        return box
    unread = session.service.store.unread
    more = await session.reading(unread.differences(session.actor, (found.account,)))
    return as_read(box, more)
