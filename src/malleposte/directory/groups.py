"""Groups: who may write to one, and whom a message to it reaches.

Invariant: however groups are nested, each is passed once, and more than ``MAX_MEMBERS`` accounts and
addresses are reached by none: ``Expanded.too_many`` says so, and nothing is sent then.
"""

from dataclasses import dataclass, field

from malleposte.directory.addresses import BadAddressError, normalise
from malleposte.directory.book import Book
from malleposte.directory.resolution import Found, Onward
from malleposte.directory.routes import BOUNCES, DEEPEST, OWNER
from malleposte.policy.forwarding import may_lead
from malleposte.store.commands import MAX_MEMBERS
from malleposte.store.dialect import Reader, any_of, both

_GROUP = (
    "SELECT g.name, g.senders, g.archive, d.organisation FROM mail_group g"
    " JOIN address p ON p.address = g.address JOIN domain d ON d.id = p.domain WHERE g.address = $1"
)
_IS_MEMBER = (
    "SELECT member, owner FROM group_member WHERE mail_group = $1 AND account = $2 AND address = $3"
)
_MEMBERS = (
    "SELECT m.account, m.address, a.address, a.status, a.forward,"
    " EXISTS (SELECT 1 FROM sieve_head h WHERE h.owner IN (a.id, -a.organisation))"
    " FROM group_member m LEFT JOIN account a ON a.id = m.account"
    " WHERE m.mail_group = $1 AND m.member = 1 ORDER BY m.account, m.address LIMIT $2"
)

_OURS = both("SELECT name FROM domain WHERE {names}", names=any_of("name", 1, "text"))


@dataclass(frozen=True, slots=True)
class Group:
    """A group. ``senders`` as in ``PutGroup``; ``archive``: the account that keeps its mail, or 0."""

    address: str
    name: str
    senders: str
    archive: int
    organisation: int

    @property
    def bounces(self) -> str:
        """The sender of what it sends: what comes back goes to its owners."""
        return self._at(BOUNCES)

    @property
    def owner(self) -> str:
        """The address of its owners."""
        return self._at(OWNER)

    def _at(self, detail: str) -> str:
        local, _, domain = self.address.rpartition("@")
        return f"{local}+{detail}@{domain}"


@dataclass(slots=True)
class Expanded:
    """Whom a message to a group reaches. ``filtered`` as in ``Resolution``."""

    accounts: dict[int, None] = field(default_factory=dict)
    onward: dict[str, Onward] = field(default_factory=dict)
    filtered: dict[int, None] = field(default_factory=dict)
    passed: set[str] = field(default_factory=set)
    leads: dict[str, bool] = field(default_factory=dict)
    """Whether groups of a domain may have members at other servers."""
    too_many: bool = False

    def look(self) -> bool:
        """Whether there is room for more."""
        self.too_many = self.too_many or len(self.accounts) + len(self.onward) > MAX_MEMBERS
        return not self.too_many


async def group_of(reader: Reader, address: str) -> Group | None:
    """A group by its address; None: there is none such."""
    row = await reader.row(_GROUP, address)
    return Group(address, *row) if row is not None else None


async def why_not(
    reader: Reader, group: Group, organisation: int, account: int, sender: str
) -> str:
    """Why somebody may not write to a group, '' if he may. ``account``: who signed in, of an organisation,
    0: nobody; then ``sender`` is what the envelope says, which anybody can make up."""
    if group.senders == "anyone":
        return ""
    inside = bool(account) and organisation == group.organisation
    if group.senders == "inside":
        return "" if inside else "takes mail from inside its organisation only"
    name = "" if account else _kept(sender)
    row = await reader.row(_IS_MEMBER, group.address, account, name) if account or name else None
    member, owner = row or (0, 0)
    if owner:
        return ""
    if group.senders == "members":
        return "" if member else "takes mail from its members only"
    return "takes mail from its owners only"


def _kept(sender: str) -> str:
    """An address as the directory keeps it, '' for what is none."""
    try:
        return normalise(sender)
    except BadAddressError:
        return ""


async def expanded(book: Book, reader: Reader, group: Group) -> Expanded:
    """Whom a message to a group reaches."""
    found = Expanded()
    await _expand(book, reader, group, found)
    return found


async def _expand(
    book: Book, reader: Reader, group: Group, found: Expanded, depth: int = 0
) -> None:
    if group.address in found.passed:
        return
    if depth > DEEPEST:
        found.too_many = True
        return
    found.passed.add(group.address)
    if group.archive:
        found.accounts[group.archive] = None
    rows = await reader.rows(_MEMBERS, group.address, MAX_MEMBERS + 1)
    names = {row[1].rpartition("@")[2] for row in rows if not row[0]}
    ours = {row[0] for row in await reader.rows(_OURS, sorted(names))} if names else set()
    for account, address, own, status, forward, filtered in rows:
        if not found.look():
            return
        if account and status not in ("active", "suspended"):
            continue
        if not account and address.rpartition("@")[2] not in ours:
            await _outside(reader, group, address, found)
        elif account and not forward:
            found.accounts[account] = None
            if filtered:
                found.filtered[account] = None
        else:
            await _follow(book, reader, group, own if account else address, found, depth)
    found.look()


async def _outside(reader: Reader, group: Group, address: str, found: Expanded) -> None:
    name = group.address.rpartition("@")[2]
    if name not in found.leads:
        found.leads[name] = (await may_lead(reader, name, address)).allowed
    if found.leads[name]:
        found.onward.setdefault(address, Onward(address, group.address, group.organisation))


async def _follow(
    book: Book, reader: Reader, group: Group, address: str, found: Expanded, depth: int
) -> None:
    """A member that is not simply an account: another group, or one whose mail goes on."""
    local, _, domain = address.rpartition("@")
    reached = await book.resolve(local, domain)
    if reached.group:
        nested = await group_of(reader, reached.group)
        if nested is not None:
            await _expand(book, reader, nested, found, depth + 1)
    elif reached.found is Found.HERE:
        found.accounts.update(dict.fromkeys(reached.accounts))
        found.filtered.update(dict.fromkeys(reached.filtered))
        for onward in reached.onward:
            found.onward.setdefault(onward.address, onward)
