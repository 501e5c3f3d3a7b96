"""Mailboxes as listed, and the way from a full name to an id."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from malleposte.normal_form import normal
from malleposte.store.dialect import Reader, Row, any_of, both
from malleposte.store.execute.mailboxes import MAX_DEPTH, SEPARATOR, is_inbox
from malleposte.store.ids import LOW, account_of

_COLUMNS = (
    "id, parent, name, role, uidvalidity, uidnext, subscribed, sort_order, modseq, message_modseq,"
    " messages, unseen, deleted, size, recent_from"
)
COLUMNS = "b." + _COLUMNS.replace(", ", ", b.")
"""What ``mailbox_of`` takes, of a table ``mailbox b``."""

_FIRST_MARKS = (
    "SELECT p.modseq, p.email, m.mailbox, (e.flags & 1) - p.seen FROM (SELECT email, seen, modseq"
    " FROM reader_seen WHERE reader = $1 ORDER BY email >> 32, modseq, email LIMIT $2) p"
    " LEFT JOIN membership m ON m.email = p.email LEFT JOIN email e ON e.id = p.email"
    " ORDER BY p.email >> 32, p.modseq, p.email"
)
_NEXT_MARKS = (
    "SELECT p.modseq, p.email, m.mailbox, (e.flags & 1) - p.seen FROM (SELECT email, seen, modseq"
    " FROM reader_seen WHERE reader = $1 AND email >> 32 = $2 AND (modseq, email) > ($3, $4)"
    " ORDER BY modseq, email LIMIT $5) p"
    " LEFT JOIN membership m ON m.email = p.email LEFT JOIN email e ON e.id = p.email"
    " ORDER BY p.modseq, p.email"
)
MARKS = 4_000
"""Marks of a reader in one statement: some 10 ms."""


AT_ONCE = 1_000
"""Mailboxes read or named between two breaths: some 5 ms."""

SUBSCRIPTIONS = 250
"""Names subscribed to that are read at once: up to 1.5 kB each."""
_SOME_SUBSCRIPTIONS = (
    "SELECT name FROM subscription WHERE account = $1 AND name > $2"
    f" ORDER BY name LIMIT {SUBSCRIPTIONS}"
)
_CHILD = "SELECT id FROM mailbox WHERE account = $1 AND parent = $2 AND name = $3"
_SLICE = f"SELECT {_COLUMNS} FROM mailbox WHERE id > $1 AND id < $2 ORDER BY id LIMIT {AT_ONCE}"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox with its counters. ``path`` is its full name, levels joined by ``/``."""

    id: int
    parent: int
    name: str
    role: str | None
    uidvalidity: int
    uidnext: int
    subscribed: bool
    sort_order: int
    modseq: int
    message_modseq: int
    messages: int
    unseen: int
    deleted: int
    size: int
    recent_from: int
    path: str = ""


async def mailboxes(reader: Reader, account: int) -> list[Mailbox]:
    """All mailboxes of an account, INBOX first, then by role order, then by path."""
    rows = await reader.rows(f"SELECT {_COLUMNS} FROM mailbox WHERE account = $1", account)
    paths = Paths({row[0]: (row[1], row[2]) for row in rows})
    found: list[Mailbox] = []
    for row in rows:
        found.append(mailbox_of(row, paths.of(row[0])))
        if not len(found) % AT_ONCE:
            await asyncio.sleep(0)
    found.sort(key=lambda m: (m.sort_order, m.path))
    return found


async def every(reader: Reader, account: int) -> list[Mailbox]:
    """All mailboxes of an account as they are stored (their ``path`` left empty), a slice at a time."""
    found: list[Mailbox] = []
    after, end = account << 32, (account + 1) << 32
    while True:
        rows = await reader.rows(_SLICE, after, end)
        found += map(mailbox_of, rows)
        if len(rows) < AT_ONCE:
            return found
        after = rows[-1][0]
        await asyncio.sleep(0)


class Paths:
    """Full names of an account's mailboxes, from parent and name of each, by id."""

    def __init__(self, names: Mapping[int, tuple[int, str]]) -> None:
        self._names = names
        self._known: dict[int, str] = {}

    def of(self, mailbox: int) -> str:
        """The full name of one."""
        names, known = self._names, self._known
        parts: list[str] = []
        at = mailbox
        # Bounded, for a parent that is damaged may stand below its child.
        while at in names and len(parts) <= MAX_DEPTH:
            if at in known:
                parts.append(known[at])
                break
            parent, name = names[at]
            parts.append(name)
            at = parent
        path = known[mailbox] = SEPARATOR.join(reversed(parts))
        return path


async def changed(reader: Reader, account: int, since: int, until: int) -> list[Mailbox]:
    """Mailboxes of an account that changed, or messages in them, after one modseq and up to another
    (their ``path`` left empty)."""
    rows = await reader.rows(
        f"SELECT {_COLUMNS} FROM mailbox WHERE account = $1 AND modseq > $2 AND modseq <= $3",
        account,
        since,
        until,
    )
    return [mailbox_of(row) for row in rows]


async def mailbox(reader: Reader, mailbox_id: int) -> Mailbox | None:
    """One mailbox by id (its ``path`` left empty)."""
    row = await reader.row(f"SELECT {_COLUMNS} FROM mailbox WHERE id = $1", mailbox_id)
    if row is None:
        return None
    return mailbox_of(row)


def mailbox_of(row: Row, path: str = "") -> Mailbox:
    """A mailbox from a row of ``COLUMNS``."""
    id_, parent, name, role, validity, uidnext, subscribed, order, modseq, highest, *counts = row
    messages, unseen, deleted, size, recent_from = counts
    return Mailbox(
        id_,
        parent,
        name,
        role,
        validity,
        uidnext,
        bool(subscribed),
        order,
        modseq,
        highest,
        messages,
        unseen,
        deleted,
        size,
        recent_from,
        path,
    )


async def unseen_differences(
    reader: Reader, actor: int, accounts: Collection[int]
) -> dict[int, int]:
    r"""How many more messages of mailboxes in other accounts a reader has not seen than their owners, by
    mailbox; those left out agree.

    Reads only messages on which the reader set or cleared ``\Seen``: in one statement for all accounts,
    beyond ``MARKS`` of them a slice at a time.
    """
    found: dict[int, int] = {}
    rows = await reader.rows(_FIRST_MARKS, actor, MARKS)
    _add(found, rows, accounts)
    if _full(rows):
        last = account_of(rows[-1][1])
        for account in sorted(accounts):
            # Marks stand in the order of their accounts.
            if account >= last:
                await _add_all(
                    found, reader, actor, account, rows[-1] if account == last else (0, 0)
                )
    return found


def _add(found: dict[int, int], rows: list[Row], accounts: Collection[int]) -> None:
    for _, email, box, difference in rows:
        if difference and box is not None and account_of(email) in accounts:
            found[box] = found.get(box, 0) + difference


def _full(rows: list[Row]) -> bool:
    """Whether there may be more; an email in several mailboxes has several rows."""
    return len(rows) >= MARKS and len({row[1] for row in rows}) >= MARKS


async def _add_all(
    found: dict[int, int], reader: Reader, actor: int, account: int, after: Row
) -> None:
    while True:
        await asyncio.sleep(0)
        rows = await reader.rows(_NEXT_MARKS, actor, account, *after[:2], MARKS)
        _add(found, rows, (account,))
        if not _full(rows):
            return
        after = rows[-1]


async def gone(reader: Reader, account: int) -> dict[int, tuple[str, str | None]]:
    """Deleted mailboxes that mail may come back to: id to full name and role."""
    rows = await reader.rows("SELECT id, path, role FROM gone_mailbox WHERE account = $1", account)
    return {row[0]: (row[1], row[2]) for row in rows}


async def unswept(reader: Reader, account: int) -> list[int]:
    """Deleted mailboxes of which messages are still to become recoverable."""
    rows = await reader.rows(
        "SELECT g.id FROM gone_mailbox g WHERE g.account = $1"
        " AND EXISTS (SELECT 1 FROM membership m WHERE m.mailbox = g.id) ORDER BY g.id",
        account,
    )
    return [row[0] for row in rows]


async def recent_from(reader: Reader, mailbox_id: int) -> int:
    """The first UID of a mailbox that no session was told of; past all where the mailbox is gone."""
    row = await reader.row("SELECT recent_from FROM mailbox WHERE id = $1", mailbox_id)
    return LOW + 1 if row is None else int(row[0])


async def recent(reader: Reader, boxes: Iterable[Mailbox]) -> dict[int, int]:
    """How many messages no session was told of; of mailboxes without any, nothing is said."""
    found: dict[int, int] = {}
    few: list[int] = []
    span = 0
    for box in boxes:
        new = box.uidnext - box.recent_from
        if not box.messages or new <= 0:
            continue
        if box.recent_from == 1:
            found[box.id] = box.messages
        elif new > _COUNTED:
            found[box.id] = await _count_in_slices(reader, box)
        else:
            if span + new > _COUNTED:
                found.update(await _count(reader, few))
                few, span = [], 0
            few.append(box.id)
            span += new
    if few:
        found.update(await _count(reader, few))
    return found


_COUNTED = 20_000
"""UIDs that are counted at a time: some 1 ms."""

_RECENT = both(
    "SELECT b.id, count(*) FROM mailbox b JOIN membership m ON m.mailbox = b.id"
    " AND m.uid >= b.recent_from WHERE {ids} GROUP BY b.id",
    ids=any_of("b.id", 1),
)


async def _count(reader: Reader, boxes: list[int]) -> dict[int, int]:
    return dict(await reader.rows(_RECENT, boxes))


async def _count_in_slices(reader: Reader, box: Mailbox) -> int:
    count = 0
    for first in range(box.recent_from, box.uidnext, _COUNTED):
        row = await reader.row(
            "SELECT count(*) FROM membership WHERE mailbox = $1 AND uid BETWEEN $2 AND $3",
            box.id,
            first,
            min(first + _COUNTED, box.uidnext) - 1,
        )
        count += row[0] if row else 0
        await asyncio.sleep(0)
    return count


async def has_children(reader: Reader, mailbox_id: int) -> bool:
    """Whether mailboxes stand below it."""
    row = await reader.row(
        "SELECT 1 FROM mailbox WHERE account = $1 AND parent = $2 LIMIT 1",
        account_of(mailbox_id),
        mailbox_id,
    )
    return row is not None


async def find(reader: Reader, account: int, path: str) -> int:
    """The id of the mailbox with a full name, 0 where there is none. INBOX in any case."""
    parent = 0
    path = normal("NFC", path)
    for level, name in enumerate(path.split(SEPARATOR)):
        if level == 0 and is_inbox(name):
            name = "INBOX"
        row = await reader.row(
            _CHILD,
            account,
            parent,
            name,
        )
        if row is None:
            return 0
        parent = int(row[0])
    return parent


async def child(reader: Reader, account: int, parent: int, name: str) -> int:
    """The id of the mailbox of a name (one level) below another (0: on top), 0 where there is none."""
    name = "INBOX" if not parent and is_inbox(name) else normal("NFC", name)
    row = await reader.row(_CHILD, account, parent, name)
    return 0 if row is None else int(row[0])


async def subscriptions(reader: Reader, account: int) -> list[str]:
    """Names subscribed to that no mailbox has."""
    rows = await reader.rows(
        "SELECT name FROM subscription WHERE account = $1 ORDER BY name", account
    )
    return [row[0] for row in rows]


async def some_subscriptions(reader: Reader, account: int, after: str) -> list[str]:
    """The next ``SUBSCRIPTIONS`` of these names behind one; fewer are the last ones."""
    return [row[0] for row in await reader.rows(_SOME_SUBSCRIPTIONS, account, after)]


async def keywords(reader: Reader, account: int) -> dict[str, str]:
    """Keywords of an account: lower case to how they are shown."""
    rows = await reader.rows(
        "SELECT name, shown FROM keyword WHERE account = $1 ORDER BY name", account
    )
    return {row[0]: row[1] for row in rows}


async def modseq(reader: Reader, account: int) -> int:
    """An account's latest modseq; 0 where there is no such account."""
    row = await reader.row("SELECT modseq FROM account_head WHERE account = $1", account)
    return 0 if row is None else int(row[0])


async def vanished(
    reader: Reader, account: int, mailbox_id: int, since: int
) -> tuple[list[tuple[int, int]], bool]:
    """UID ranges gone from a mailbox after a modseq, and whether that is all of them.

    False: tombstones that old are no longer kept; whoever asks must take every UID that is not there
    for gone (RFC 7162 §3.2.5.2).
    """
    row = await reader.row("SELECT tombstone_floor FROM account_head WHERE account = $1", account)
    rows = await reader.rows(
        "SELECT first, last FROM tombstone WHERE account = $1 AND kind = 'uid' AND container = $2"
        " AND modseq > $3 ORDER BY first",
        account,
        mailbox_id,
        since,
    )
    return [(r[0], r[1]) for r in rows], row is not None and since >= row[0]
