"""Who may do what in a mailbox: SETACL and its kin (RFC 4314 §3), and rights that change meanwhile.

Of its own mailboxes an account holds all rights. Of another's, the view of the selected mailbox reads
them whenever that account changed; for other commands ``names`` asks.
"""

from typing import TYPE_CHECKING, Final

from malleposte.directory import sharing
from malleposte.directory.book import Account
from malleposte.directory.sharing import owner_shown
from malleposte.operations.audit import line_of
from malleposte.policy.audit import AuditEvent, Outcome
from malleposte.policy.permissions import Actor, Decision, Operation, Role, Target
from malleposte.policy.sharing import may_give_to_anyone
from malleposte.services.imapd import names, updates
from malleposte.services.imapd.replies import NO_SUCH_MAILBOX, Refuse, done, refuse
from malleposte.services.imapd.selected import Selected
from malleposte.store.commands import Audited, SetRights
from malleposte.store.ids import account_of
from malleposte.store.read import rights as read_rights
from malleposte.store.read.rights import ALL, ANYONE
from malleposte.wire.imap import codes, responses
from malleposte.wire.imap import rights as wire_rights
from malleposte.wire.imap.commands.acl import DeleteAcl, GetAcl, ListRights, MyRights, SetAcl

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

_OWNER: Final = "The owner of a mailbox holds all rights, always"
_NEGATIVE: Final = (
    "Rights cannot be denied to one identifier alone: take away those that were given"
)
_TOO_OFTEN: Final = (
    "Too many changes of rights, or questions who may have them: go on in an hour, or ask your"
    " administrator"
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


async def _grantee(session: "Session", identifier: str, owner: int) -> tuple[int, str]:
    """The account an identifier means, 0 for anyone (RFC 4314 §2), and its address. Raises ``Refuse``.

    Counted, for what is changed and for what is found out: who is there, and whose an alias is.
    """
    if not session.service.changes_of_rights.take(session.actor):
        raise Refuse(_TOO_OFTEN, codes.LIMIT)
    if identifier.startswith("-"):
        raise Refuse(_NEGATIVE, codes.CANNOT)
    if identifier.casefold() == sharing.ANYONE:
        return ANYONE, sharing.ANYONE
    account = await session.reading(sharing.grantee(session.service.book, identifier, owner))
    if account is None:
        raise Refuse(_WHO, codes.NONEXISTENT)
    return account.id, account.address


async def set_acl(session: "Session", command: SetAcl | DeleteAcl) -> bytes:
    """RFC 4314 §3.1, §3.2. Each change stands in the audit."""
    place = await names.place(session, command.mailbox, "a")
    grantee, who = await _grantee(session, command.identifier, place.account)
    if grantee == place.account:
        raise Refuse(_OWNER, codes.CANNOT)
    owner = await session.reading(session.service.book.account(place.account))
    account = session.account
    if owner is None or account is None:
        raise refuse(NO_SUCH_MAILBOX)
    mode, letters = "=", ""
    if isinstance(command, SetAcl):
        mode, letters = command.mode, command.letters
    if grantee == ANYONE and await _more(session, place.mailbox, mode, letters):
        decision = await _may_give_to_anyone(session, owner)
        if not decision.allowed:
            raise Refuse(decision.reason, codes.NOPERM)
    act = SetRights(
        actor=session.actor,
        mailbox=place.mailbox,
        grantee=grantee,
        letters=letters,
        mode=mode,
        owner_shown=owner_shown(owner.kind, owner.address),
    )
    event = AuditEvent(
        Actor(account.address, frozenset({Role.USER}), account=account.id),
        Operation("mailbox.give" if letters and mode != "-" else "mailbox.take"),
        Target(owner.address, account=owner.id),
        Outcome.DONE,
        {"mailbox": place.path, "who": who},
    )
    await session.submit(Audited(act=act, line=line_of(event)))
    return responses.ok(command.tag, "Changed")


async def _may_give_to_anyone(session: "Session", owner: Account) -> Decision:
    """Whether the session may give rights on a mailbox of this owner to anyone."""
    actor = await session.reading(session.service.book.account(session.actor))
    roles = actor.roles if actor is not None else ()
    return may_give_to_anyone(session.service.settings.anyone, roles, owner_kind=owner.kind)


async def _more(session: "Session", mailbox: int, mode: str, letters: str) -> bool:
    """Whether anyone would have a right that anyone has not."""
    if mode == "-" or not letters:
        return False
    reader = session.service.store.reader
    listed = await session.reading(read_rights.grants(reader, mailbox))
    known = next((one.letters for one in listed.entries if one.grantee == ANYONE), "")
    return not set(letters).issubset(known)


async def get_acl(session: "Session", command: GetAcl) -> bytes:
    """RFC 4314 §3.3. The owner comes first."""
    place = await names.place(session, command.mailbox, "a")
    reader = session.service.store.reader
    listed = await session.reading(read_rights.grants(reader, place.mailbox))
    owner = await session.reading(session.service.book.account(account_of(place.mailbox)))
    entries = [(owner.address, ALL)] if owner is not None else []
    entries += [
        (grant.address if grant.grantee != ANYONE else sharing.ANYONE, grant.letters)
        for grant in listed.entries
    ]
    session.send(responses.acl(place.name, session.engine.utf8, entries))
    return done(command.tag)


async def list_rights(session: "Session", command: ListRights) -> bytes:
    """RFC 4314 §3.4: each right can be given alone, but to the owner, who has all, and to anyone where
    that is not for the session to give."""
    place = await names.place(session, command.mailbox, "a")
    grantee, _ = await _grantee(session, command.identifier, place.account)
    every = wire_rights.shown(ALL)
    required, optional = ("", every)
    if grantee == place.account:
        required, optional = (every, "")
    elif grantee == ANYONE:
        owner = await session.reading(session.service.book.account(place.account))
        if owner is None or not (await _may_give_to_anyone(session, owner)).allowed:
            optional = ""
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
