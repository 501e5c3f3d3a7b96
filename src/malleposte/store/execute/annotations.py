r"""``SetMetadata``: entries of METADATA (RFC 5464 §4.3), all or none.

A change is one of the mailbox: its modseq grows, so that whoever remembers mailboxes looks again.
HIGHESTMODSEQ, which counts changes of messages, does not.
"""

from malleposte.store import dialect
from malleposte.store.commands import Entry, SetMetadata
from malleposte.store.execute import claiming
from malleposte.store.execute.rights import NO_SUCH_MAILBOX, demand, no_rights
from malleposte.store.ids import account_of, mailbox_id
from malleposte.store.read.annotations import MAX_ENTRIES, MAX_OCTETS, MAX_VALUE, kept
from malleposte.store.results import Done, Refused
from malleposte.store.work import MailboxRow, Work

_PUT = dialect.insert(
    "annotation",
    {
        "account": "bigint",
        "mailbox": "bigint",
        "reader": "bigint",
        "name": "text",
        "modseq": "bigint",
        "value": "bytea",
    },
    on_conflict="ON CONFLICT (account, mailbox, reader, name)"
    " DO UPDATE SET modseq = excluded.modseq, value = excluded.value",
)
_THERE = (
    "SELECT name, length(value) FROM annotation WHERE account = $1 AND mailbox = $2 AND reader = $3"
)
_REMOVE = "DELETE FROM annotation WHERE account = $1 AND mailbox = $2 AND reader = $3 AND name = $4"
_INHERIT = (
    "UPDATE annotation SET mailbox = $1, modseq = $2 WHERE account = $3 AND mailbox = $4"
    " AND NOT EXISTS (SELECT 1 FROM annotation o WHERE o.account = $3 AND o.mailbox = $1"
    " AND o.reader = annotation.reader AND o.name = annotation.name) RETURNING name"
)

_NOTED = "rswip"
"""One of these besides ``l`` lets an actor see and write entries (RFC 5464 §3.3)."""
_FULL = Refused(reason="too-many", text=f"an account keeps at most {MAX_ENTRIES} entries")
_HEAVY = Refused(
    reason="too-many",
    text=f"the entries of an account hold at most {MAX_OCTETS >> 20} MiB together",
)
_LONG = Refused(reason="too-long", text=f"a value may hold {MAX_VALUE} octets at most")


async def set_metadata(work: Work, command: SetMetadata) -> Done | Refused:
    """Execute ``SetMetadata``."""
    account = account_of(command.mailbox) or command.actor
    row = await work.mailbox(command.mailbox) if command.mailbox else None
    head = await work.head(account)
    if head is None or (command.mailbox and row is None):
        return NO_SUCH_MAILBOX
    refused = (
        await _not_allowed(work, command, account)
        or _unfit(command, account)
        or await _no_room(work, command, account)
    )
    if refused is not None:
        return refused
    modseq = head.bump()
    await work.flush()
    put = []
    for entry in command.entries:
        place = (account, command.mailbox, command.actor if entry.private else 0, entry.name)
        if entry.value is None:
            await work.tx.run(_REMOVE, *place)
        else:
            put.append((*place, modseq, entry.value))
    if put:
        await work.tx.many(_PUT, put)
    if row is not None:
        await _set_role(work, command, row, modseq)
    return Done(modseq=modseq)


async def inherit(work: Work, mailbox: int, heir: int, modseq: int) -> None:
    """Give entries of a mailbox that goes, each reader's private ones too, to another of its account; what
    that has itself stays."""
    row = await work.mailbox(heir)
    account = account_of(mailbox)
    if row is None or account_of(heir) != account:
        return
    if await work.tx.rows(_INHERIT, heir, modseq, account, mailbox):
        row.modseq = modseq
        row.dirty = True


async def _not_allowed(work: Work, command: SetMetadata, account: int) -> Refused | None:
    """Why the actor cannot write these entries."""
    if not command.mailbox:
        if any(not entry.private for entry in command.entries):
            return Refused(
                reason="no-rights", text="what the server says of itself is not set here"
            )
        return None
    held = await demand(work.tx, command.actor, command.mailbox)
    if isinstance(held, Refused):
        return held
    if not any(letter in held for letter in _NOTED):
        return no_rights("r")
    # What all see is not for those who may only look.
    if "w" not in held and any(not entry.private for entry in command.entries):
        return Refused(reason="no-rights", text="you may not change what all see of it (right w)")
    if command.role is not None and command.actor != account:
        return claiming.FOR_OWNERS
    return None


def _unfit(command: SetMetadata, account: int) -> Refused | None:
    """What can never be set."""
    if any(entry.value is not None and len(entry.value) > MAX_VALUE for entry in command.entries):
        return _LONG
    if command.role is not None and command.mailbox == mailbox_id(account, 1):
        return claiming.FOR_MAIL
    return None


async def _no_room(work: Work, command: SetMetadata, account: int) -> Refused | None:
    """Bounds of what an account keeps; who removes or shortens is never refused."""
    await work.flush()
    for keeper, private in ((account, False), (command.actor, True)):
        entries = [entry for entry in command.entries if entry.private is private]
        if not any(entry.value is not None for entry in entries):
            continue
        rows = await work.tx.rows(_THERE, account, command.mailbox, keeper if private else 0)
        more, octets = _growth(entries, dict(rows))
        count, size = await kept(work.tx, keeper)
        if more > 0 and count + more > MAX_ENTRIES:
            return _FULL
        if octets > 0 and size + octets > MAX_OCTETS:
            return _HEAVY
    return None


def _growth(entries: list[Entry], there: dict[str, int]) -> tuple[int, int]:
    """By how many entries and octets these will be more."""
    more = octets = 0
    for entry in entries:
        before = there.get(entry.name)
        if before is not None:
            more -= 1
            octets -= before + len(entry.name)
        if entry.value is not None:
            more += 1
            octets += len(entry.value) + len(entry.name)
    return more, octets


async def _set_role(work: Work, command: SetMetadata, row: MailboxRow, modseq: int) -> None:
    """The mailbox changed; whichever had its new role has it no more."""
    row.modseq = modseq
    row.dirty = True
    if command.role is None or command.role == (row.role or ""):
        return
    await claiming.give(work, row, command.role, modseq)
