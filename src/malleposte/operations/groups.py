"""Groups: make, change, members and owners, list, delete."""

import msgspec

from malleposte.directory.addresses import new_address, normalise
from malleposte.directory.routes import domain_of
from malleposte.directory.sharing import owner_shown
from malleposte.operations.context import Context
from malleposte.operations.destinations import destination, shown_of
from malleposte.operations.errors import accepted, invalid, refusal
from malleposte.operations.exchange import Progress
from malleposte.operations.registry import Request, Response, Subject, operation
from malleposte.policy.audit import Detail
from malleposte.policy.forwarding import may_lead
from malleposte.store.commands import (
    MAX_MEMBERS,
    SENDERS,
    DeleteGroup,
    GroupEntry,
    PutGroup,
    SetMembers,
)
from malleposte.store.dialect import Reader

MAX_PAGE = 500
MAX_NAME = 200
"""Characters of a group's name."""

_GROUPS = (
    "SELECT g.address, g.name, g.senders, g.archive,"
    " (SELECT count(*) FROM group_member m WHERE m.mail_group = g.address AND m.member = 1)"
    " FROM mail_group g"
)
_ENTRIES = (
    "SELECT coalesce(a.address, m.address), m.member, m.owner FROM group_member m"
    " LEFT JOIN account a ON a.id = m.account WHERE m.mail_group = $1 ORDER BY 1"
)


class OfGroup(Request, frozen=True, kw_only=True):
    """A request about one group."""

    address: str

    def subject(self) -> Subject:
        """See ``Request``."""
        return Subject("alias", self.address)


class AddGroup(OfGroup, frozen=True, kw_only=True):
    """``senders``: who may write to it: anyone, inside, members, owners."""

    name: str = ""
    senders: str = "inside"

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"name": self.name, "senders": self.senders}


class ChangeGroup(OfGroup, frozen=True, kw_only=True):
    """What is None stays. ``archive``: address of the shared account that keeps its mail, '' for none."""

    name: str | None = None
    senders: str | None = None
    archive: str | None = None

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"name": self.name, "senders": self.senders, "archive": self.archive}


class GroupShown(Response, frozen=True, kw_only=True):
    """A group with everybody in it."""

    address: str
    name: str
    senders: str
    archive: str
    members: tuple[str, ...]
    owners: tuple[str, ...]


def _fit(name: str | None, senders: str | None) -> None:
    if senders is not None and senders not in SENDERS:
        raise invalid(f"who may write to a group is one of {', '.join(SENDERS)}")
    if name is not None and len(name) > MAX_NAME:
        raise invalid(f"the name of a group has at most {MAX_NAME} characters")


async def group_address(reader: Reader, typed: str) -> str:
    """The address of a group as the store keeps it. Raises ``OperationError``."""
    whole = normalise(typed)
    local, _, name = whole.rpartition("@")
    domain = await domain_of(reader, name)
    address = f"{local}@{domain.name if domain is not None else name}"
    if await reader.row("SELECT 1 FROM mail_group WHERE address = $1", address) is None:
        raise refusal("no-such-group", f"there is no group {whole}: see `malleposte group list`")
    return address


@operation("group.add", AddGroup, GroupShown)
async def add(context: Context, request: AddGroup, progress: Progress) -> GroupShown:
    """Make a group without members. Again: refused, it is there."""
    _fit(request.name, request.senders)
    address = new_address(request.address)
    command = PutGroup(
        address=address, fresh=True, name=request.name.strip(), senders=request.senders
    )
    accepted(await context.carry_out(command))
    return await _shown(context.store.reader, address)


@operation("group.set", ChangeGroup, GroupShown)
async def set_(context: Context, request: ChangeGroup, progress: Progress) -> GroupShown:
    """Change a group. Again: nothing changes."""
    _fit(request.name, request.senders)
    reader = context.store.reader
    address = await group_address(reader, request.address)
    archive, shown = None, ""
    if request.archive is not None:
        archive, shown = await _archive(reader, request.archive)
    command = PutGroup(
        address=address,
        name=None if request.name is None else request.name.strip(),
        senders=request.senders,
        archive=archive,
        archive_shown=shown,
    )
    accepted(await context.carry_out(command))
    return await _shown(reader, address)


async def _archive(reader: Reader, typed: str) -> tuple[int, str]:
    """The account that keeps a group's mail, and the name under which others see it."""
    if not typed:
        return 0, ""
    found = await destination(reader, typed)
    row = await reader.row("SELECT kind, address FROM account WHERE id = $1", found.account)
    if row is None or row[0] == "person":
        raise refusal(
            "no-such-account",
            f"{typed} is no shared account, and members may read what an archive has: make one with"
            " `malleposte account add ADDRESS --kind shared`",
        )
    return found.account, owner_shown(row[0], row[1])


class RemoveGroup(OfGroup, frozen=True, kw_only=True):
    """The group; its members and its archive stay."""


class GroupRemoved(Response, frozen=True, kw_only=True):
    """It is gone."""

    address: str


@operation("group.delete", RemoveGroup, GroupRemoved)
async def delete(context: Context, request: RemoveGroup, progress: Progress) -> GroupRemoved:
    """Remove a group. Again: refused, there is none such."""
    address = await group_address(context.store.reader, request.address)
    accepted(await context.carry_out(DeleteGroup(address=address)))
    return GroupRemoved(address=address)


class WithPeople(OfGroup, frozen=True, kw_only=True):
    """``who``: addresses of accounts, of groups, or at other servers. ``owner``: as owners."""

    who: tuple[str, ...]
    owner: bool = False

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"who": " ".join(self.who)[:2_000], "count": len(self.who), "owner": self.owner}


class JoinGroup(WithPeople, frozen=True, kw_only=True):
    """Be members or owners from now on."""


class LeaveGroup(WithPeople, frozen=True, kw_only=True):
    """Be members or owners no more."""


class PeopleChanged(Response, frozen=True, kw_only=True):
    """``changed``: for how many something changed."""

    address: str
    changed: int
    members: int

    def outcome(self) -> dict[str, Detail]:
        """See ``Response``."""
        return {"changed": self.changed}


@operation("group.join", JoinGroup, PeopleChanged)
async def join(context: Context, request: JoinGroup, progress: Progress) -> PeopleChanged:
    """Add members or owners. Again: they are there, nothing changes."""
    return await _people(context, request, present=True)


@operation("group.leave", LeaveGroup, PeopleChanged)
async def leave(context: Context, request: LeaveGroup, progress: Progress) -> PeopleChanged:
    """Take members or owners out. Again: nothing changes."""
    return await _people(context, request, present=False)


async def _people(context: Context, request: WithPeople, *, present: bool) -> PeopleChanged:
    reader = context.store.reader
    address = await group_address(reader, request.address)
    if not 0 < len(request.who) <= MAX_MEMBERS:
        raise invalid(f"name 1 to {MAX_MEMBERS:,} addresses")
    entries = [await _entry(reader, address, one, present) for one in request.who]
    archive = await reader.row("SELECT archive FROM mail_group WHERE address = $1", address)
    row = await reader.row(
        "SELECT kind, address FROM account WHERE id = $1", archive[0] if archive else 0
    )
    command = SetMembers(
        address=address,
        entries=tuple(dict.fromkeys(entries)),
        owner=request.owner,
        present=present,
        archive_shown=owner_shown(row[0], row[1]) if row is not None else "",
    )
    result = accepted(await context.carry_out(command))
    count = await reader.row(
        "SELECT count(*) FROM group_member WHERE mail_group = $1 AND member = 1", address
    )
    return PeopleChanged(
        address=address,
        changed=getattr(result, "count", 0),
        members=count[0] if count else 0,
    )


async def _entry(reader: Reader, group: str, typed: str, present: bool) -> GroupEntry:
    found = await destination(reader, typed)
    if found.account:
        return GroupEntry(account=found.account)
    if present and found.kind not in ("", "group"):
        text = f"{found.address} is neither an account nor a group: name the accounts behind it"
        raise refusal("no-such-account", text)
    if present and found.outside:
        decision = await may_lead(reader, group.rpartition("@")[2], found.address)
        if not decision.allowed:
            raise refusal("not-allowed", decision.reason)
    return GroupEntry(address=found.address)


class ShowGroup(OfGroup, frozen=True, kw_only=True):
    """One group."""


@operation("group.show", ShowGroup, GroupShown, audit="refused")
async def show(context: Context, request: ShowGroup, progress: Progress) -> GroupShown:
    """A group with its members and owners."""
    reader = context.store.reader
    return await _shown(reader, await group_address(reader, request.address))


async def _shown(reader: Reader, address: str) -> GroupShown:
    row = await reader.row(f"{_GROUPS} WHERE g.address = $1", address)
    if row is None:
        raise refusal("no-such-group", "the group is gone")
    entries = await reader.rows(_ENTRIES, address)
    return GroupShown(
        address=address,
        name=row[1],
        senders=row[2],
        archive=await shown_of(reader, row[3]),
        members=tuple(who for who, member, _ in entries if member),
        owners=tuple(who for who, _, owner in entries if owner),
    )


class ListGroups(Request, frozen=True, kw_only=True):
    """Groups after an address."""

    after: str = ""


class GroupLine(msgspec.Struct, frozen=True, kw_only=True):
    """``members``: how many it has itself, groups among them counted once."""

    address: str
    name: str
    senders: str
    archive: str
    members: int


class GroupPage(Response, frozen=True, kw_only=True):
    """``more``: ask again after the last address."""

    groups: tuple[GroupLine, ...]
    more: bool


@operation("group.list", ListGroups, GroupPage, audit="refused")
async def list_(context: Context, request: ListGroups, progress: Progress) -> GroupPage:
    """A page of groups in the order of their addresses."""
    reader = context.store.reader
    rows = await reader.rows(
        f"{_GROUPS} WHERE g.address > $1 ORDER BY g.address LIMIT $2", request.after, MAX_PAGE + 1
    )
    lines = [
        GroupLine(
            address=row[0],
            name=row[1],
            senders=row[2],
            archive=await shown_of(reader, row[3]),
            members=row[4],
        )
        for row in rows[:MAX_PAGE]
    ]
    return GroupPage(groups=tuple(lines), more=len(rows) > MAX_PAGE)
