r"""GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 9208), and what EXPUNGE would give back (``DELETED-STORAGE``).

Each account is one quota root: all its mailboxes together. The session's own has the empty name; that of
another account, whose mailboxes are shared with the session, has the name under which its INBOX stands
here. A resource without a limit is not listed. Refusals for want of room, ``[OVERQUOTA]``, are the
store's (``replies``); there are no soft limits, so nothing is said untagged (§4.3.1).
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from malleposte.services.imapd import names
from malleposte.services.imapd.replies import NO_SUCH_MAILBOX, Refuse, done, refuse
from malleposte.store.read import rights, usage
from malleposte.store.read.mailboxes import Mailbox
from malleposte.wire.imap import account_responses, codes
from malleposte.wire.imap.commands.quota import GetQuota, GetQuotaRoot, SetQuota

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

UNIT: Final = 1024
"""Octets in which storage is told (RFC 9208 §5.1)."""
OWN: Final = ""
"""The quota root of the session's own mailboxes."""
AT_ONCE: Final = 20_000
"""Messages one statement walks through: some 5 ms."""


def _units(octets: int) -> int:
    return -(-octets // UNIT)


async def _send(session: "Session", root: str, account: int) -> None:
    """QUOTA of an account's root."""
    reader = session.service.store.reader
    used = await session.reading(usage.usage(reader, account))
    if used is None:
        raise Refuse("There is no such account any more", codes.NONEXISTENT)
    resources: list[tuple[bytes, int, int]] = []
    if used.octets_allowed:
        resources.append((b"STORAGE", _units(used.octets), _units(used.octets_allowed)))
    resources.append((b"MAILBOX", used.mailboxes, used.mailboxes_allowed))
    noted, allowed = used.annotation_octets, used.annotation_octets_allowed
    resources.append((b"ANNOTATION-STORAGE", _units(noted), _units(allowed)))
    session.send(account_responses.quota(root, resources))


async def getquota(session: "Session", command: GetQuota) -> bytes:
    """RFC 9208 §4.1.1."""
    if command.root == OWN:
        await _send(session, OWN, session.actor)
        return done(command.tag)
    place = await names.locate(session, command.root)
    reader = session.service.store.reader
    held: Iterable[str] = ()
    if place.foreign and place.account and _root(place) == place.name:
        letters = await session.reading(rights.held(reader, session.actor, place.account))
        held = letters.values()
    if not any("r" in letters for letters in held):
        raise Refuse("There is no such quota root", codes.NONEXISTENT)
    await _send(session, place.name, place.account)
    return done(command.tag)


async def getquotaroot(session: "Session", command: GetQuotaRoot) -> bytes:
    """RFC 9208 §4.1.2. What is not there would be made in the session's own account."""
    place = await names.locate(session, command.mailbox)
    root, account = OWN, session.actor
    if place.foreign:
        if not place.mailbox:
            raise refuse(NO_SUCH_MAILBOX)
        names.demand(place.letters, "r")
        root, account = _root(place), place.account
    utf8 = session.engine.utf8
    session.send(account_responses.quota_root(command.mailbox, utf8, [root]))
    await _send(session, root, account)
    return done(command.tag)


def _root(place: names.Place) -> str:
    """The quota root of somebody else's account: the name of its INBOX."""
    return names.SEPARATOR.join(place.name.split(names.SEPARATOR)[:2])


async def setquota(session: "Session", command: SetQuota) -> bytes:
    """RFC 9208 §4.1.3: of nobody, also no administrator; ``QUOTASET`` is not offered."""
    raise Refuse(
        "Quotas are set by an administrator on the server: malleposte account set --quota",
        codes.NOPERM,
    )


async def deleted_storage(session: "Session", boxes: Iterable[Mailbox]) -> dict[int, int]:
    r"""Octets that EXPUNGE would give back, by mailbox (RFC 9208 §4.1.4); 0 where one is not named.

    Only mailboxes in which something is marked are walked through, small ones together.
    """
    reader = session.service.store.reader
    found: dict[int, int] = {}
    few: list[int] = []
    gathered = 0
    for box in boxes:
        if not box.deleted:
            continue
        if box.messages > AT_ONCE:
            for first, last in _slices(box):
                part = usage.marked_part(reader, box.id, first, last)
                found[box.id] = found.get(box.id, 0) + await session.reading(part)
                await session.pause()
            continue
        few.append(box.id)
        gathered += box.messages
        if gathered > AT_ONCE:
            found.update(await session.reading(usage.marked(reader, few)))
            await session.pause()
            few, gathered = [], 0
    if few:
        found.update(await session.reading(usage.marked(reader, few)))
    return found


def _slices(box: Mailbox) -> Iterator[tuple[int, int]]:
    """Ranges of all UIDs of a mailbox, none of which holds more than ``AT_ONCE`` messages."""
    for first in range(1, box.uidnext, AT_ONCE):
        yield first, min(first + AT_ONCE, box.uidnext) - 1


HANDLERS: Final = {GetQuota: getquota, GetQuotaRoot: getquotaroot, SetQuota: setquota}
