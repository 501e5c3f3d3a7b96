"""Who may do what in a mailbox: SETACL and its kin (RFC 4314 §3), and rights that change meanwhile.

Of its own mailboxes an account holds all rights. Of another's, the view of the selected mailbox reads
them whenever that account changed; for other commands ``names`` asks.
"""

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from malleposte.directory.book import Account, Found
from malleposte.services.imapd import names, updates
from malleposte.services.imapd.replies import Refuse, done
from malleposte.services.imapd.selected import Selected
from malleposte.store.commands import SetRights, Subscribe
from malleposte.store.ids import account_of
from malleposte.store.read import rights as read_rights
from malleposte.store.read.rights import ALL, ANYONE, Sharer
from malleposte.wire.imap import codes, responses
from malleposte.wire.imap import rights as wire_rights
from malleposte.wire.imap.commands.acl import DeleteAcl, GetAcl, ListRights, MyRights, SetAcl

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

_ANYONE: Final = "anyone"
_OWNER: Final = "The owner of a mailbox holds all rights, always"
_NEGATIVE: Final = (
    "Rights cannot be denied to one identifier alone: take away those that were given"
)
_WHO: Final = "Name a person or shared account of this server by mail address, or anyone"


def still_readable(session: "Session", selected: Selected) -> bool:
    """Take note of the session's rights on the selected mailbox as the view has just read them; False
    where it can no longer be read: the session ends (RFC 4314 §5.1.1), as where a mailbox is gone.

    A program would take NO after NO for errors; after BYE it signs in again and hears at SELECT how
    things are.
    """
    view = selected.view
    if view.letters == selected.letters:
        return True
    selected.letters = view.letters
    if "l" not in view.letters:
        session.leave_gone()
        return False
    if "r" not in view.letters:
        session.dismissed = "You may no longer read the selected mailbox"
        return False
    session.send(updates.flags_lines(view, selected.changeable))
    return True


async def _account(session: "Session", identifier: str) -> Account | None:
    """Who is meant by an address of this server; None: nobody, or several."""
    book = session.service.book
    account = await book.sign_in_name(identifier)
    if account is not None:
        return account
    local, at, domain = identifier.strip().rpartition("@")
    if not at:
        return None
    reached = await book.resolve(local, domain)
    alone = len(reached.accounts) == 1 and not reached.remotes and not reached.detail
    if reached.found is not Found.HERE or reached.system or not alone:
        return None
    return await book.account(reached.accounts[0])


async def _grantee(session: "Session", identifier: str) -> int:
    """The account an identifier means, 0 for anyone (RFC 4314 §2). Raises ``Refuse``."""
    if identifier.startswith("-"):
        raise Refuse(_NEGATIVE, codes.CANNOT)
    if identifier.casefold() == _ANYONE:
        return ANYONE
    account = await session.reading(_account(session, identifier))
    if account is None:
        raise Refuse(_WHO, codes.NONEXISTENT)
    return account.id


async def set_acl(session: "Session", command: SetAcl | DeleteAcl) -> bytes:
    """RFC 4314 §3.1, §3.2."""
    place = await names.place(session, command.mailbox, "a")
    mailbox = place.mailbox
    grantee = await _grantee(session, command.identifier)
    if grantee == account_of(mailbox):
        raise Refuse(_OWNER, codes.CANNOT)
    mode, letters = "=", ""
    if isinstance(command, SetAcl):
        mode, letters = command.mode, command.letters
    new = mode != "-" and "l" in letters and not await _sees(session, grantee, mailbox)
    await session.submit(
        SetRights(actor=session.actor, mailbox=mailbox, grantee=grantee, letters=letters, mode=mode)
    )
    if new:
        await _show(session, place, grantee)
    return responses.ok(command.tag, "Changed")


async def _sees(session: "Session", grantee: int, mailbox: int) -> bool:
    """Whether a grantee may look a mailbox up already; anyone is nobody to whom it could be shown."""
    if grantee == ANYONE:
        return True
    reader = session.service.store.reader
    return "l" in await session.reading(read_rights.letters(reader, grantee, mailbox))


async def _show(session: "Session", place: names.Place, grantee: int) -> None:
    """Subscribe somebody to a mailbox he can see from now on: many programs show nothing else. Who does
    not want it unsubscribes."""
    owner = await session.reading(session.service.book.account(place.account))
    if owner is None:
        return
    name = names.full(Sharer(owner.id, owner.address, owner.kind), place.path)
    with suppress(Refuse):  # he has as many subscriptions as there can be
        await session.submit(Subscribe(account=grantee, name=name))


async def get_acl(session: "Session", command: GetAcl) -> bytes:
    """RFC 4314 §3.3. The owner comes first."""
    place = await names.place(session, command.mailbox, "a")
    reader = session.service.store.reader
    listed = await session.reading(read_rights.grants(reader, place.mailbox))
    owner = await session.reading(session.service.book.account(account_of(place.mailbox)))
    entries = [(owner.address, ALL)] if owner is not None else []
    entries += [
        (grant.address if grant.grantee != ANYONE else _ANYONE, grant.letters)
        for grant in listed.entries
    ]
    session.send(responses.acl(place.name, session.engine.utf8, entries))
    return done(command.tag)


async def list_rights(session: "Session", command: ListRights) -> bytes:
    """RFC 4314 §3.4: each right can be given alone, but to the owner, who has all."""
    place = await names.place(session, command.mailbox, "a")
    grantee = await _grantee(session, command.identifier)
    every = wire_rights.shown(ALL)
    owner = grantee == account_of(place.mailbox)
    required, optional = (every, "") if owner else ("", every)
    session.send(
        responses.list_rights(
            place.name, session.engine.utf8, command.identifier, required, optional
        )
    )
    return done(command.tag)


async def my_rights(session: "Session", command: MyRights) -> bytes:
    """RFC 4314 §3.5."""
    place = await names.place(session, command.mailbox)
    session.send(responses.my_rights(place.name, session.engine.utf8, place.letters))
    return done(command.tag)


HANDLERS: Final = {
    SetAcl: set_acl,
    DeleteAcl: set_acl,
    GetAcl: get_acl,
    ListRights: list_rights,
    MyRights: my_rights,
}
