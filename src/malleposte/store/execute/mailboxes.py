"""Mailboxes: create and rename; by id, each in one transaction.

A name is one level, NFC, without ``/`` and control characters. INBOX is the account's mailbox 1 and can
be neither renamed nor deleted (RENAME INBOX is a move of its messages, the service's doing, RFC 9051
§6.3.6). A name that comes back gets a UIDVALIDITY the account never used.
"""

from collections.abc import Sequence

from malleposte.normal_form import normal
from malleposte.store import dialect
from malleposte.store.commands import SYSTEM, CreateMailbox, RenameMailbox
from malleposte.store.execute import claiming, full_names, listed_names, parting, readers_names
from malleposte.store.execute.listed_names import path_of
from malleposte.store.execute.rights import (
    demand,
    keep_list,
    no_rights,
    no_room_for_lists,
    opened,
    take_list,
)
from malleposte.store.ids import account_of, mailbox_id
from malleposte.store.read.rights import writers_of
from malleposte.store.results import Created, Done, Refused
from malleposte.store.work import Head, Work

MAX_DEPTH = 32
"""Levels of a mailbox; deeper trees come from broken clients, and every walk is bounded by it."""
MAX_NAME = 255
"""Octets of one level in UTF-8."""
MAX_MAILBOXES = 10_000
"""Mailboxes of an account."""
SEPARATOR = listed_names.SEPARATOR

STANDARD = (
    ("INBOX", "inbox"),
    ("Drafts", "drafts"),
    ("Sent", "sent"),
    ("Archive", "archive"),
    ("Junk", "junk"),
    ("Trash", "trash"),
)
"""What a new account has; English on the wire, clients translate by role."""

_INSERT = dialect.insert(
    "mailbox",
    {
        "id": "bigint",
        "account": "bigint",
        "parent": "bigint",
        "name": "text",
        "role": "text",
        "uidvalidity": "bigint",
        "uidnext": "bigint",
        "subscribed": "bigint",
        "sort_order": "bigint",
        "created_modseq": "bigint",
        "modseq": "bigint",
        "message_modseq": "bigint",
        "messages": "bigint",
        "unseen": "bigint",
        "deleted": "bigint",
        "size": "bigint",
    },
)
_CHILD = "SELECT id FROM mailbox WHERE account = $1 AND parent = $2 AND name = $3"
_BAD_NAME = Refused(
    reason="bad-name",
    text=f"each level of a name has 1 to {MAX_NAME} octets, and no control characters",
)
TOO_DEEP = Refused(reason="limit", text=f"mailboxes go at most {MAX_DEPTH} levels deep")
_TOO_MANY = Refused(reason="limit", text=f"an account has at most {MAX_MAILBOXES} mailboxes")


_SHOWN_AS_ANOTHER = frozenset("\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Ends of lines, and what changes the direction of the text behind it (UAX #9 §2)."""


def level_name(name: str) -> str | None:
    """A level's name as it is kept (NFC), or None where it cannot be one."""
    if len(name) > 2 * MAX_NAME:  # three characters compose to two octets at best
        return None
    name = normal("NFC", name)
    if (
        not name
        or SEPARATOR in name
        or len(name.encode("utf-8", "surrogatepass")) > MAX_NAME
        or any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in name)
        or not _SHOWN_AS_ANOTHER.isdisjoint(name)
    ):
        return None
    return name


def is_inbox(level: str) -> bool:
    """Whether a level spells INBOX: in any case, but in ASCII (the upper case of U+0131 is I too)."""
    return level.isascii() and level.upper() == "INBOX"


async def create_mailbox(work: Work, command: CreateMailbox) -> Created | Refused:
    """Execute ``CreateMailbox``."""
    head = await work.head(command.account)
    if head is None:
        return Refused(reason="no-such-account")
    names = _levels(command.path, top=not command.parent)
    if not names:
        return _BAD_NAME
    if command.parent and (
        account_of(command.parent) != command.account or await work.mailbox(command.parent) is None
    ):
        return Refused(reason="no-such-mailbox")
    if await depth_of(work, command.parent) + len(names) > MAX_DEPTH:
        return TOO_DEEP
    parent, missing = await _descend(work, command.account, command.parent, names)
    refused = await _not_below(work, command.actor, command.account, parent, taken=not missing)
    if refused is not None:
        return refused
    if not missing:
        return Refused(reason="exists")
    if command.role is not None and command.actor not in (SYSTEM, command.account):
        return Refused(reason="no-rights", text="special mailboxes are for their owner to make")
    above = await path_of(work, parent)
    if not await _room_for(work, command.account, len(missing)):
        return _TOO_MANY
    refused = await full_names.no_room_to_make(work, command.account, above, missing)
    if refused is not None:
        return refused
    role = command.role
    if role is not None:
        holder = await claiming.holder(work, command.account, role)
        if holder and (
            holder != command.claim
            or holder == parent
            or not await claiming.never_used(work, command.account, holder)
        ):
            return Refused(reason="in-use", text=f"another mailbox is {role} already")
        if holder:
            modseq = head.bump()
            parent = await _make(work, head, parent, missing[:-1], modseq)
            await claiming.move(work, holder, parent, missing[-1], modseq)
            await _take_subscription(work, head, holder)
            return Created(id=holder, modseq=modseq)
    on_top = not parent and command.actor not in (SYSTEM, command.account)
    inbox = mailbox_id(command.account, 1)
    refused = await no_room_for_lists(work, command.account, take=inbox if on_top else 0)
    if refused is not None:
        return refused
    modseq = head.bump()
    top = mailbox_id(command.account, head.next_mailbox)
    parent = await _make(work, head, parent, missing[:-1], modseq)
    made = await insert_mailbox(
        work, head, parent, missing[-1], modseq, role=role, subscribe=command.subscribe
    )
    if on_top:
        await take_list(work, top, inbox)
    await _take_subscription(work, head, made)
    return Created(id=made, modseq=modseq)


def _levels(path: Sequence[str], *, top: bool) -> list[str]:
    """The levels of a path as they are kept; none where one of them cannot be."""
    names = [name for part in path if (name := level_name(part)) is not None]
    if len(names) < len(path):
        return []
    if top and names and is_inbox(names[0]):
        names[0] = "INBOX"
    return names


async def _descend(
    work: Work, account: int, parent: int, names: list[str]
) -> tuple[int, list[str]]:
    """How far a path exists below ``parent``: the last mailbox that does, and the levels that do not."""
    for at, name in enumerate(names):
        row = await work.tx.row(_CHILD, account, parent, name)
        if row is None:
            return parent, names[at:]
        parent = row[0]
    return parent, []


async def _make(work: Work, head: Head, parent: int, names: list[str], modseq: int) -> int:
    """Make mailboxes one below the other; the last one, or ``parent`` for no names."""
    for name in names:
        parent = await insert_mailbox(work, head, parent, name, modseq, subscribe=False)
        await _take_subscription(work, head, parent)
    return parent


async def _room_for(work: Work, account: int, count: int) -> bool:
    row = await work.tx.row("SELECT count(*) FROM mailbox WHERE account = $1", account)
    return row is None or row[0] + count <= MAX_MAILBOXES


async def _take_subscription(work: Work, head: Head, mailbox: int) -> None:
    """A mailbox whose name was subscribed to while none had it is subscribed (RFC 9051 §6.3.9)."""
    await listed_names.take_one(work, head.account, await path_of(work, mailbox), mailbox)


async def insert_mailbox(
    work: Work,
    head: Head,
    parent: int,
    name: str,
    modseq: int,
    *,
    role: str | None = None,
    subscribe: bool = True,
    sort_order: int = 100,
) -> int:
    """Write a mailbox's row; its id."""
    new = mailbox_id(head.account, head.next_mailbox)
    head.next_mailbox += 1
    uidvalidity = head.new_uidvalidity(work.now)
    await work.tx.many(
        _INSERT,
        [
            (new, head.account, parent, name, role, uidvalidity, 1, int(subscribe), sort_order)
            + (modseq, modseq, modseq, 0, 0, 0, 0)
        ],
    )
    work.forget(new)
    return new


async def _not_below(
    work: Work, actor: int, account: int, parent: int, *, taken: bool = False
) -> Refused | None:
    """Why an actor cannot make a mailbox below another one of an account (0: on top); None: it can.

    To others the owner's name stands on top of an account, which is INBOX: its list says who may.
    ``taken``: there is one of that name, ``parent`` itself. Whoever may not see it hears that this is not
    allowed, not that it exists.
    """
    if actor in (SYSTEM, account):
        return None
    held = await demand(work.tx, actor, parent or mailbox_id(account, 1), "" if taken else "k")
    return no_rights("k") if isinstance(held, Refused) else None


async def depth_of(work: Work, mailbox: int) -> int:
    """Levels down to a mailbox; 0 for none."""
    depth = 0
    while mailbox and depth <= MAX_DEPTH:
        row = await work.mailbox(mailbox)
        mailbox = row.parent if row else 0
        depth += 1
    return depth


async def rename_mailbox(work: Work, command: RenameMailbox) -> Done | Refused:
    """Execute ``RenameMailbox``. RFC 9051 §6.3.6."""
    account = account_of(command.mailbox)
    place = await opened(work, command.actor, command.mailbox, "x")
    if isinstance(place, Refused):
        return place
    head, _, held = place
    if command.mailbox == mailbox_id(account, 1):
        return Refused(reason="reserved", text="INBOX keeps its name")
    names = _levels(command.path, top=not command.parent)
    if not names or (not command.parent and names == ["INBOX"]):
        return _BAD_NAME
    if command.parent and (
        account_of(command.parent) != account or await work.mailbox(command.parent) is None
    ):
        return Refused(reason="no-such-mailbox")
    moved = await listed_names.with_those_below(work, account, command.mailbox)
    height = 1 + max(rest.count(SEPARATOR) for _, rest, _ in moved)
    if await depth_of(work, command.parent) + len(names) - 1 + height > MAX_DEPTH:
        return TOO_DEEP
    *above, name = names
    parent, missing = await _descend(work, account, command.parent, above)
    if await is_within(work, parent, command.mailbox):
        return Refused(reason="loop", text="a mailbox cannot move below itself")
    refused = await _not_below(work, command.actor, account, parent)
    if refused is not None:
        return refused
    if not await _room_for(work, account, len(missing)):
        return _TOO_MANY
    taken = None if missing else await work.tx.row(_CHILD, account, parent, name)
    if taken is not None:
        if taken[0] == command.mailbox:
            return Done(modseq=0)
        return Refused(reason="exists")
    old, levels = await path_of(work, command.mailbox), [*missing, name]
    refused = await full_names.no_room_to_move(
        work, account, old, moved, await path_of(work, parent), levels
    )
    if refused is not None:
        return refused
    owners = command.actor in (SYSTEM, account)
    on_top = not parent and not owners
    keep, inbox = 0 if "a" in held else command.mailbox, mailbox_id(account, 1)
    refused = await no_room_for_lists(work, account, keep=keep, take=inbox if on_top else 0)
    if refused is not None:
        return refused
    writing = await writers_of(work.tx, command.mailbox)
    modseq = head.bump()
    await work.flush()
    top = mailbox_id(account, head.next_mailbox) if missing else command.mailbox
    if owners:
        # What others rename stays subscribed under its new name alone: the list is its owner's to fill.
        await listed_names.keep(work, account, old, moved)
    if keep:
        # Nor can who may not administer it open it to anybody, himself among them, by a new place.
        await keep_list(work, keep)
    parent = await _make(work, head, parent, missing, modseq)
    await work.flush()
    await work.tx.run(
        "UPDATE mailbox SET parent = $1, name = $2, modseq = $3 WHERE id = $4",
        parent,
        name,
        modseq,
        command.mailbox,
    )
    work.forget(command.mailbox)
    if on_top:
        await take_list(work, top, inbox)
    new = await path_of(work, command.mailbox)
    await listed_names.take(work, account, new, moved)
    await readers_names.follow(work, account, (old, new, moved))
    if await writers_of(work.tx, command.mailbox) != writing:
        # What is above it now says so.
        await parting.begin(work, command.mailbox, modseq)
    return Done(modseq=modseq)


async def is_within(work: Work, mailbox: int, above: int) -> bool:
    """Whether a mailbox is ``above`` or stands below it."""
    for _ in range(MAX_DEPTH):
        if mailbox == above:
            return True
        row = await work.mailbox(mailbox) if mailbox else None
        if row is None:
            break
        mailbox = row.parent
    return False
