"""The open work of one transaction: heads and mailboxes read once, rows gathered, written in bulk.

Many commands share a transaction. Each finds the heads of its accounts here (locked, in id order, so
that transactions never wait for each other in a ring), changes them in memory, and adds rows to bulk
statements. ``flush`` writes what was gathered; a command that reads with SQL what another may have
gathered flushes first. On a rollback the whole object is thrown away.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

from malleposte.store import dialect, sent
from malleposte.store.dialect import Bulk, Row, Sql, Tx
from malleposte.store.ids import account_of
from malleposte.store.quota import RECOVERABLE, recoverable_most

_HEAD_COLUMNS = (
    "account, organisation, modseq, next_email, next_mailbox, next_thread, uidvalidity,"
    " used_bytes, used_emails, recoverable_bytes, quota_bytes, quota_level, over_quota_since,"
    " tombstone_floor"
)
_HEADS = Sql(
    sqlite=f"SELECT {_HEAD_COLUMNS} FROM account_head WHERE account = $1",
    postgres=f"SELECT {_HEAD_COLUMNS} FROM account_head WHERE account = ANY($1::bigint[])"
    " ORDER BY account FOR UPDATE",
)
_HEAD_UPDATE = dialect.update(
    "account_head",
    "account",
    dict.fromkeys(
        (
            "modseq",
            "next_email",
            "next_mailbox",
            "next_thread",
            "uidvalidity",
            "used_bytes",
            "used_emails",
            "recoverable_bytes",
            "quota_level",
            "over_quota_since",
        ),
        "bigint",
    ),
)
_MAILBOX_COLUMNS = (
    "id, parent, name, role, uidvalidity, uidnext, recent_from, modseq, message_modseq, messages,"
    " unseen, deleted, size"
)
_MAILBOXES = Sql(
    sqlite=f"SELECT {_MAILBOX_COLUMNS} FROM mailbox WHERE id = $1",
    postgres=f"SELECT {_MAILBOX_COLUMNS} FROM mailbox WHERE id = ANY($1::bigint[])",
)
_MAILBOX_UPDATE = dialect.update(
    "mailbox",
    "id",
    dict.fromkeys(
        (
            "uidvalidity",
            "uidnext",
            "recent_from",
            "modseq",
            "message_modseq",
            "messages",
            "unseen",
            "deleted",
            "size",
        ),
        "bigint",
    ),
)
SEQUENCES: Final = ("blob", "account", "domain", "organisation", "job", "queue_message")
"""Tables whose ids are counted; their rows are never numbered twice."""
_NUMBERS = {
    name: Sql(
        sqlite=f"UPDATE sequence SET next = next + $1 WHERE name = '{name}' RETURNING next - $1",
        postgres=f"SELECT nextval('seq_{name}') FROM generate_series(1, $1::int)",
    )
    for name in SEQUENCES
}


class Head:
    """An account's head: the one counter of its changes, and what is counted beside it."""

    __slots__ = (
        "account",
        "dirty",
        "modseq",
        "next_email",
        "next_mailbox",
        "next_thread",
        "organisation",
        "over_quota_since",
        "quota_bytes",
        "quota_level",
        "recoverable_bytes",
        "tombstone_floor",
        "uidvalidity",
        "used_bytes",
        "used_emails",
    )

    def __init__(self, row: Row) -> None:
        (
            self.account,
            self.organisation,
            self.modseq,
            self.next_email,
            self.next_mailbox,
            self.next_thread,
            self.uidvalidity,
            self.used_bytes,
            self.used_emails,
            self.recoverable_bytes,
            self.quota_bytes,
            self.quota_level,
            self.over_quota_since,
            self.tombstone_floor,
        ) = row
        self.dirty = False

    def row(self) -> Row:
        """Parameters of ``_HEAD_UPDATE``."""
        return (
            self.modseq,
            self.next_email,
            self.next_mailbox,
            self.next_thread,
            self.uidvalidity,
            self.used_bytes,
            self.used_emails,
            self.recoverable_bytes,
            self.quota_level,
            self.over_quota_since,
            self.account,
        )

    def count_recoverable(self, octets: int) -> None:
        """So many octets more can be brought back, or (less than 0) no longer."""
        self.dirty = True
        self.recoverable_bytes += octets

    def bump(self) -> int:
        """The modseq of a new change."""
        self.dirty = True
        self.modseq += 1
        return int(self.modseq)

    def new_uidvalidity(self, now: int) -> int:
        """A UIDVALIDITY no mailbox of the account ever had (RFC 9051 §2.3.1.1)."""
        self.dirty = True
        self.uidvalidity = max(self.uidvalidity + 1, now)
        return int(self.uidvalidity)


class MailboxRow:
    """A mailbox's counters, changed in memory and written back at the flush."""

    __slots__ = (
        "deleted",
        "dirty",
        "id",
        "message_modseq",
        "messages",
        "modseq",
        "name",
        "parent",
        "recent_from",
        "role",
        "size",
        "uidnext",
        "uidvalidity",
        "unseen",
    )

    def __init__(self, row: Row) -> None:
        (
            self.id,
            self.parent,
            self.name,
            self.role,
            self.uidvalidity,
            self.uidnext,
            self.recent_from,
            self.modseq,
            self.message_modseq,
            self.messages,
            self.unseen,
            self.deleted,
            self.size,
        ) = row
        self.dirty = False

    def row(self) -> Row:
        """Parameters of ``_MAILBOX_UPDATE``."""
        return (
            self.uidvalidity,
            self.uidnext,
            self.recent_from,
            self.modseq,
            self.message_modseq,
            self.messages,
            self.unseen,
            self.deleted,
            self.size,
            self.id,
        )

    def changed(self, modseq: int) -> None:
        """A message in it changed; the counts may have, so the mailbox did too (RFC 8621 §2)."""
        self.dirty = True
        self.modseq = self.message_modseq = modseq


class Work:
    """See the module."""

    def __init__(self, tx: Tx, now: int, recoverable: int = RECOVERABLE) -> None:
        self.tx = tx
        self.now = now
        self.recoverable = recoverable
        """Octets an account may have recoverable, unless its quota is more."""
        self.remarks: dict[str, str] = {}
        """What the act that runs adds to its line in the audit: what was and what is, as found by it."""
        self.sent: dict[tuple[int, int], sent.Sent] = {}
        """What senders have sent, by kind and id (``execute.allowing``)."""
        self._heads: dict[int, Head | None] = {}
        self._mailboxes: dict[int, MailboxRow | None] = {}
        self._gathered: dict[int, tuple[Bulk, list[Row]]] = {}

    async def lock(self, accounts: Iterable[int]) -> None:
        """Lock and read the heads of accounts, in id order; call it once, before anything else.

        On SQLite the transaction is the lock.
        """
        missing = sorted({a for a in accounts if a not in self._heads})
        if not missing:
            return
        self._heads.update(dict.fromkeys(missing))
        if self.tx.dialect == "sqlite":
            for account in missing:
                row = await self.tx.row(_HEADS, account)
                self._heads[account] = Head(row) if row else None
        else:
            for row in await self.tx.rows(_HEADS, missing):
                self._heads[row[0]] = Head(row)

    async def head(self, account: int) -> Head | None:
        """The head of an account; None: there is none such."""
        if account not in self._heads:
            await self.lock((account,))
        return self._heads[account]

    async def mailboxes(self, ids: Iterable[int]) -> None:
        """Read mailboxes in one statement, for ``mailbox`` to find."""
        missing = sorted({m for m in ids if m not in self._mailboxes})
        if not missing:
            return
        self._mailboxes.update(dict.fromkeys(missing))
        if self.tx.dialect == "sqlite":
            for mailbox in missing:
                row = await self.tx.row(_MAILBOXES, mailbox)
                self._mailboxes[mailbox] = MailboxRow(row) if row else None
        else:
            for row in await self.tx.rows(_MAILBOXES, missing):
                self._mailboxes[row[0]] = MailboxRow(row)

    async def mailbox(self, mailbox: int) -> MailboxRow | None:
        """A mailbox by id; None: there is none such. Its account is locked with it."""
        await self.lock((account_of(mailbox),))
        await self.mailboxes((mailbox,))
        return self._mailboxes[mailbox]

    async def numbers(self, sequence: str, count: int) -> list[int]:
        """``count`` numbers of a sequence that are never given again; ascending, maybe with gaps."""
        rows = await self.tx.rows(_NUMBERS[sequence], count)
        if self.tx.dialect == "postgres":
            return [row[0] for row in rows]
        return list(range(rows[0][0], rows[0][0] + count))

    def add(self, bulk: Bulk, row: Row) -> None:
        """Gather a row for a bulk statement."""
        entry = self._gathered.get(id(bulk))
        if entry is None:
            self._gathered[id(bulk)] = (bulk, [row])
        else:
            entry[1].append(row)

    def forget(self, mailbox: int) -> None:
        """Drop what is known of a mailbox whose row a command wrote itself."""
        self._mailboxes.pop(mailbox, None)

    def forget_account(self, account: int) -> None:
        """An account's rows were removed: to what follows in this transaction there is none such."""
        self._heads[account] = None
        for mailbox in self._mailboxes:
            if account_of(mailbox) == account:
                self._mailboxes[mailbox] = None

    def recoverable_most(self, head: Head) -> int:
        """Octets an account may have recoverable; past it the oldest go first."""
        return recoverable_most(head.quota_bytes, self.recoverable)

    async def breathe(self) -> None:
        """Let others run within long work: on PostgreSQL this is a worker's loop, on SQLite there is
        none."""
        if self.tx.dialect == "postgres":
            await asyncio.sleep(0)

    async def flush(self) -> None:
        """Write everything gathered and every changed head and mailbox."""
        gathered, self._gathered = self._gathered, {}
        parts: list[tuple[Bulk, list[Row]]] = list(gathered.values())
        heads = [h for h in self._heads.values() if h is not None and h.dirty]
        if heads:
            parts.append((_HEAD_UPDATE, [h.row() for h in heads]))
        mailboxes = [m for m in self._mailboxes.values() if m is not None and m.dirty]
        if mailboxes:
            parts.append((_MAILBOX_UPDATE, [m.row() for m in mailboxes]))
        senders = [s for s in self.sent.values() if s.dirty]
        if senders:
            parts.append((sent.WRITE, [s.row() for s in senders]))
        await self.tx.all(parts)
        for sender in senders:
            sender.dirty = False
        for head in heads:
            head.dirty = False
        for mailbox in mailboxes:
            mailbox.dirty = False
