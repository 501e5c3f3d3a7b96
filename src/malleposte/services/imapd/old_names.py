r"""OLDNAME: what a name that a client gave, or had before, has become (RFC 9051 §6.3.9.7).

Names are kept in NFC and an owner's address in one form; another form of the same name is taken, and the
client hears under which it will be listed. Told to those who enabled IMAP4rev2: who did not may not
expect more of LIST than RFC 3501 has.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from malleposte.services.imapd import names
from malleposte.services.imapd.special_use import ATTRIBUTES
from malleposte.store.read import mailboxes
from malleposte.wire.imap import responses
from malleposte.wire.imap.mailbox_attributes import HAS_CHILDREN, HAS_NO_CHILDREN

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session


def other_form(given: str, place: names.Place) -> str | None:
    """The name as the client gave it, where the mailbox is listed under another form of it."""
    plain = given.removesuffix(names.SEPARATOR)
    return plain if plain != place.name else None


def tell(
    session: "Session", given: str, place: names.Place, attributes: Iterable[bytes] = ()
) -> None:
    """Say under which form a name is listed, where it is not the one that was given."""
    old_name = other_form(given, place)
    if old_name is not None:
        _send(session, place.name, old_name, attributes)


async def tell_renamed(session: "Session", old: names.Place, given: str, new: names.Place) -> None:
    """Say that a mailbox has a new name, and under which form, where it is not the one given.

    After each RENAME, not only where the name became another one than was asked for: §6.3.9.7 has the
    item returned when a mailbox is renamed, whoever did it, and the form given as another renaming. Other
    sessions hear of it if they asked to (NOTIFY, RFC 5465 §5.4).
    """
    if not session.engine.rev2:
        return
    reader = session.service.store.reader
    box = await session.reading(mailboxes.mailbox(reader, old.mailbox))
    if box is None:
        return  # deleted since
    children = await session.reading(mailboxes.has_children(reader, old.mailbox))
    attributes = [HAS_CHILDREN if children else HAS_NO_CHILDREN]
    if box.role in ATTRIBUTES and not old.foreign:
        attributes.append(ATTRIBUTES[box.role])
    _send(session, new.name, old.name, attributes)
    tell(session, given, new, attributes)


def _send(session: "Session", name: str, old_name: str, attributes: Iterable[bytes]) -> None:
    if session.engine.rev2:
        utf8 = session.engine.utf8
        session.send(
            responses.list_mailbox(attributes, names.SEPARATOR, name, utf8, old_name=old_name)
        )
