"""Mailboxes of an account and who else may use them: list, look at rights, give and take them."""

from typing import Literal

import msgspec

from malleposte.directory import sharing
from malleposte.normal_form import normal
from malleposte.operations.accounts import OfAccount
from malleposte.operations.context import Context
from malleposte.operations.errors import accepted, invalid, refusal
from malleposte.operations.exchange import Progress
from malleposte.operations.finding import account_id, account_shown
from malleposte.operations.registry import Response, operation
from malleposte.policy.audit import Detail
from malleposte.store.commands import SYSTEM, SetRights
from malleposte.store.dialect import Reader
from malleposte.store.read import mailboxes, rights
from malleposte.wire.imap.rights import LETTERS, expanded

MAX_PAGE = 500
MAX_OCTETS = 1 << 20
"""Octets of the names in one answer: a line of the admin socket holds them."""


class MailboxShown(msgspec.Struct, frozen=True, kw_only=True):
    """A mailbox as lists show it. ``size`` in octets. ``shared``: how many its list of rights names,
    ``rights_from`` the mailbox whose list that is, '' where there is none."""

    path: str
    role: str
    messages: int
    unseen: int
    size: int
    subscribed: bool
    shared: int
    rights_from: str


class ListMailboxes(OfAccount, frozen=True, kw_only=True):
    """``after``: a path of an earlier page."""

    after: str = ""
    limit: int = MAX_PAGE


class MailboxPage(Response, frozen=True, kw_only=True):
    """``more``: ask again after the last path."""

    mailboxes: tuple[MailboxShown, ...]
    more: bool


@operation("mailbox.list", ListMailboxes, MailboxPage, audit="refused")
async def list_(context: Context, request: ListMailboxes, progress: Progress) -> MailboxPage:
    """A page of an account's mailboxes by their full names, each level after the other."""
    reader = context.store.reader
    account = await account_id(reader, request.address)
    found = await mailboxes.mailboxes(reader, account)
    paths = {box.id: box.path for box in found}
    lists = await rights.counts(reader, account)
    found.sort(key=lambda box: box.path.split("/"))
    after = request.after.split("/") if request.after else []
    shown: list[MailboxShown] = []
    octets = 0
    rest = [box for box in found if box.path.split("/") > after]
    for box in rest[: max(1, min(request.limit, MAX_PAGE))]:
        source, named = lists.get(box.id, (0, 0))
        one = MailboxShown(
            path=box.path,
            role=box.role or "",
            messages=box.messages,
            unseen=box.unseen,
            size=box.size,
            subscribed=box.subscribed,
            shared=named,
            rights_from=paths.get(source, ""),
        )
        octets += len(one.path.encode()) + len(one.rights_from.encode())
        if shown and octets > MAX_OCTETS:
            break
        shown.append(one)
    return MailboxPage(mailboxes=tuple(shown), more=len(shown) < len(rest))


class OfMailbox(OfAccount, frozen=True, kw_only=True):
    """A request about one mailbox of an account, by its full name."""

    mailbox: str


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """``who``: an address, or ``anyone``."""

    who: str
    rights: str


class RightsShown(Response, frozen=True, kw_only=True):
    """Who may use a mailbox beside its owner. ``rights_from`` as in ``MailboxShown``; ``seen_as``: its
    name to those others."""

    address: str
    mailbox: str
    seen_as: str
    rights_from: str
    granted: tuple[Granted, ...]


class ShowRights(OfMailbox, frozen=True, kw_only=True):
    """Who may do what there."""


@operation("mailbox.rights", ShowRights, RightsShown, audit="refused")
async def show(context: Context, request: ShowRights, progress: Progress) -> RightsShown:
    """The list of rights that counts for a mailbox."""
    reader = context.store.reader
    account = await account_id(reader, request.address)
    return await _shown(reader, account, await mailbox_of(reader, account, request.mailbox))


class ChangeRights(OfMailbox, frozen=True, kw_only=True):
    """``who``: the address of an account or of an alias that reaches one, or ``anyone``. ``rights``:
    letters of RFC 4314, ``c`` and ``d`` as mail programs write them."""

    who: str
    rights: str = ""

    def details(self) -> dict[str, Detail]:
        """See ``Request``. What was and what is, the store adds."""
        return {"mailbox": self.mailbox, "who": self.who}


class GiveRights(ChangeRights, frozen=True, kw_only=True):
    """These and no others, in place of what was given before."""


class TakeRights(ChangeRights, frozen=True, kw_only=True):
    """Take these away, or all where none are named."""


@operation("mailbox.give", GiveRights, RightsShown)
async def give(context: Context, request: GiveRights, progress: Progress) -> RightsShown:
    """Give rights on a mailbox. Again: the same rights, nothing changes."""
    if not request.rights:
        raise invalid(f"say which rights to give: letters of {LETTERS}")
    return await _change(context, request, "=")


@operation("mailbox.take", TakeRights, RightsShown)
async def take(context: Context, request: TakeRights, progress: Progress) -> RightsShown:
    """Take rights on a mailbox away. Again: there are none to take, nothing changes."""
    return await _change(context, request, "-" if request.rights else "=")


async def _change(context: Context, request: ChangeRights, mode: Literal["=", "-"]) -> RightsShown:
    letters = expanded(request.rights)
    if letters is None:
        raise invalid(f"{request.rights!r}: rights are letters of {LETTERS}, and c and d")
    reader = context.store.reader
    account = await account_id(reader, request.address)
    mailbox = await mailbox_of(reader, account, request.mailbox)
    grantee = rights.ANYONE
    if request.who.casefold() != sharing.ANYONE:
        found = await sharing.grantee(context.book, request.who, account)
        if found is None:
            raise refusal(
                "no-such-account",
                f"{request.who}: name one account of this server by its address, or anyone",
            )
        grantee = found.id
    if grantee == account:
        raise refusal("reserved", "the owner of a mailbox holds all rights, always")
    owner = await account_shown(reader, account)
    accepted(
        await context.carry_out(
            SetRights(
                actor=SYSTEM,
                mailbox=mailbox,
                grantee=grantee,
                letters=letters,
                mode=mode,
                owner_shown=sharing.owner_shown(owner.kind, owner.address),
            )
        )
    )
    return await _shown(reader, account, mailbox)


async def mailbox_of(reader: Reader, account: int, path: str) -> int:
    """The id of a mailbox by its full name. Raises ``OperationError``."""
    found = await mailboxes.find(reader, account, normal("NFC", path).strip("/"))
    if not found:
        raise refusal(
            "no-such-mailbox", f"there is no mailbox {path!r}: see `malleposte mailbox list`"
        )
    return found


async def _shown(reader: Reader, account: int, mailbox: int) -> RightsShown:
    owner = await account_shown(reader, account)
    paths = {box.id: box.path for box in await mailboxes.mailboxes(reader, account)}
    listed = await rights.grants(reader, mailbox)
    path = paths.get(mailbox, "")
    shown = sharing.owner_shown(owner.kind, owner.address)
    return RightsShown(
        address=owner.address,
        mailbox=path,
        seen_as=shown if path == "INBOX" else f"{shown}/{path}",
        rights_from=paths.get(listed.mailbox, ""),
        granted=tuple(
            Granted(who=one.address or sharing.ANYONE, rights=one.letters) for one in listed.entries
        ),
    )
