"""StoreFlags: set-based where only bits change, row by row where keywords or another reader do.

An email's flags are one, whatever mailbox shows it: a change bumps every mailbox that holds it. Only
what really differs is changed, so that a repeated STORE costs no modseq. RFC 9051 §6.4.6, RFC 7162.
"""

from malleposte.store import dialect
from malleposte.store.commands import MAX_ROWS, StoreFlags
from malleposte.store.execute.keywords import admit_keywords
from malleposte.store.execute.ranges import encode, in_ranges
from malleposte.store.execute.rights import ALL, letters
from malleposte.store.flags import SEEN, join
from malleposte.store.ids import account_of
from malleposte.store.results import Refused, Stored
from malleposte.store.work import Head, MailboxRow, Work

_FROM = (
    (
        " FROM {{ranges}} r JOIN membership m ON m.mailbox = $2 AND m.uid BETWEEN r.first AND r.last"
        " JOIN email e ON e.id = m.email"
    )
    .replace("{{", "{")
    .replace("}}", "}")
)

_MODIFIED = in_ranges("SELECT m.uid" + _FROM + " WHERE e.modseq > $3 ORDER BY m.uid")
_COUNT = in_ranges("SELECT count(*)" + _FROM)
_TOUCHED = in_ranges(
    "SELECT count(*), sum(CASE WHEN e.flags & 1 = 0 THEN 1 ELSE 0 END), max(e.mailboxes)"
    + _FROM
    + " WHERE e.modseq <= $3 AND e.flags & $4 <> $5"
)
_OTHERS = in_ranges(
    "SELECT o.mailbox, count(*), sum(CASE WHEN e.flags & 1 = 0 THEN 1 ELSE 0 END)"
    + _FROM
    + " JOIN membership o ON o.email = m.email WHERE e.modseq <= $3 AND e.flags & $4 <> $5"
    " GROUP BY o.mailbox"
)
_SET_BITS = in_ranges(
    "UPDATE email SET flags = (flags & ~$4) | $5, modseq = $6 WHERE id IN (SELECT m.email"
    + _FROM
    + " WHERE e.modseq <= $3 AND e.flags & $4 <> $5)"
)
_MARK_MODSEQ = in_ranges(
    "UPDATE email SET modseq = $4 WHERE id IN (SELECT m.email" + _FROM + " WHERE m.deleted <> $5"
    " AND (e.modseq <= $3 OR e.modseq = $4))"
)
_MARK = in_ranges(
    "UPDATE membership SET deleted = $3 WHERE mailbox = $2 AND deleted <> $3 AND uid IN"
    " (SELECT m.uid" + _FROM + " WHERE e.modseq = $4)"
)
_ROWS = in_ranges("SELECT e.id, e.flags, e.keywords, e.mailboxes" + _FROM + " WHERE e.modseq <= $3")
_SET_ROW = dialect.update(
    "email", "id", {"flags": "bigint", "keywords": "text", "modseq": "bigint"}
)
_MAILBOXES_OF = "SELECT mailbox FROM membership WHERE email = $1"
_READER_ROWS = in_ranges(
    "SELECT e.id, e.flags & 1, s.seen"
    + _FROM
    + " LEFT JOIN reader_seen s ON s.email = e.id AND s.reader = $3 WHERE e.modseq <= $4"
)

_EVER = 1 << 62
"""A modseq no email reaches: without UNCHANGEDSINCE every message qualifies."""


async def store_flags(work: Work, command: StoreFlags) -> Stored | Refused:
    """Execute ``StoreFlags``."""
    owner = account_of(command.mailbox)
    mailbox = await work.mailbox(command.mailbox)
    head = await work.head(owner)
    if mailbox is None or head is None:
        return Refused(reason="no-such-mailbox")
    held = await letters(work.tx, command.actor, command.mailbox)
    own = held == ALL
    if not any(letter in held for letter in "swt"):
        return Refused(reason="no-rights", text="w")
    ranges = encode(command.uids)
    counted = await work.tx.row(_COUNT, ranges, command.mailbox)
    if counted is not None and counted[0] > MAX_ROWS:
        return Refused(reason="limit", text=f"at most {MAX_ROWS} messages in one command")
    modified: tuple[int, ...] = ()
    since = _EVER
    if command.unchanged_since is not None:
        since = command.unchanged_since
        rows = await work.tx.rows(_MODIFIED, ranges, command.mailbox, since)
        modified = tuple(row[0] for row in rows)

    before = head.modseq
    modseq = head.modseq + 1
    mask, value = _bits(command, held)
    personal = not (own or account_of(command.mailbox) == command.actor)
    if personal and mask & SEEN:
        await _reader_seen(work, command, ranges, since, modseq, head)
        mask &= ~SEEN
        value &= ~SEEN
    words = command.keywords if "w" in held else ()
    replace = command.mode == "=" and "w" in held
    if words or replace:
        words = await admit_keywords(work, head, words) if command.mode != "-" else words
        modseq = max(modseq, head.modseq + 1)
        await _by_row(
            work, command, ranges, since, modseq, mask, value, words, mailbox=mailbox, head=head
        )
    elif mask:
        await _by_bits(work, command.mailbox, ranges, since, modseq, mask, value, head, mailbox)
    if "t" in held and (command.deleted or command.mode == "="):
        wanted = int(command.deleted and command.mode != "-")
        await _mark(work, command.mailbox, ranges, since, modseq, wanted, head, mailbox)
    return Stored(modseq=head.modseq if head.modseq > before else 0, modified=modified)


def _bits(command: StoreFlags, held: str) -> tuple[int, int]:
    """Which flag bits change, and to what."""
    allowed = 0
    if "w" in held:
        allowed |= ~SEEN & ((1 << 31) - 1)
    if "s" in held:
        allowed |= SEEN
    if command.mode == "+":
        return command.flags & allowed, command.flags & allowed
    if command.mode == "-":
        return command.flags & allowed, 0
    return allowed, command.flags & allowed


def _advance(head: Head, modseq: int) -> None:
    if head.modseq < modseq:
        head.modseq = modseq
        head.dirty = True


async def _by_bits(
    work: Work,
    mailbox_id: int,
    ranges: str,
    since: int,
    modseq: int,
    mask: int,
    value: int,
    head: Head,
    mailbox: MailboxRow,
) -> None:
    seen = bool(mask & SEEN)
    args = (ranges, mailbox_id, since, mask, value)
    row = await work.tx.row(_TOUCHED, *args)
    if row is None or not row[0]:
        return
    _, unseen, most = row
    if most > 1:
        for other, count, other_unseen in await work.tx.rows(_OTHERS, *args):
            held_in = await work.mailbox(other)
            if held_in is not None:
                _count_seen(held_in, seen, value, count, int(other_unseen or 0))
                held_in.changed(modseq)
    else:
        _count_seen(mailbox, seen, value, row[0], int(unseen or 0))
        mailbox.changed(modseq)
    await work.tx.run(_SET_BITS, *args, modseq)
    _advance(head, modseq)


def _count_seen(mailbox: MailboxRow, seen: bool, value: int, count: int, unseen: int) -> None:
    if seen:
        mailbox.unseen += -unseen if value & SEEN else count - unseen


async def _by_row(
    work: Work,
    command: StoreFlags,
    ranges: str,
    since: int,
    modseq: int,
    mask: int,
    value: int,
    words: tuple[str, ...],
    *,
    mailbox: MailboxRow,
    head: Head,
) -> None:
    chosen = {word.lower() for word in words}
    changes = []
    for email, flags, keywords, mailboxes in await work.tx.rows(
        _ROWS, ranges, command.mailbox, since
    ):
        new_flags = (flags & ~mask) | value
        old = set(keywords.split(" ")) if keywords else set()
        if command.mode == "+":
            new = old | chosen
        elif command.mode == "-":
            new = old - chosen
        else:
            new = chosen
        joined = join(new)
        if new_flags == flags and joined == keywords:
            continue
        changes.append((new_flags, joined, modseq, email))
        held_in = [mailbox]
        if mailboxes > 1:
            found = [await work.mailbox(row[0]) for row in await work.tx.rows(_MAILBOXES_OF, email)]
            held_in = [m for m in found if m is not None]
        for one in held_in:
            one.unseen += (flags & SEEN) - (new_flags & SEEN)
            one.changed(modseq)
    if changes:
        await work.tx.many(_SET_ROW, changes)
        _advance(head, modseq)


async def _mark(
    work: Work,
    mailbox_id: int,
    ranges: str,
    since: int,
    modseq: int,
    wanted: int,
    head: Head,
    mailbox: MailboxRow,
) -> None:
    """Set or clear ``\\Deleted`` of the memberships; the email's modseq tells of it."""
    touched = await work.tx.run(_MARK_MODSEQ, ranges, mailbox_id, since, modseq, wanted)
    if touched:
        changed = await work.tx.run(_MARK, ranges, mailbox_id, wanted, modseq)
        mailbox.deleted += changed if wanted else -changed
        mailbox.changed(modseq)
        _advance(head, modseq)


async def _reader_seen(
    work: Work, command: StoreFlags, ranges: str, since: int, modseq: int, head: Head
) -> None:
    """``\\Seen`` of a reader who is not the owner: a row only where it differs from the owner's."""
    wanted = int(bool(command.flags & SEEN) and command.mode != "-")
    changed = False
    for email, owners, own in await work.tx.rows(
        _READER_ROWS, ranges, command.mailbox, command.actor, since
    ):
        if (owners if own is None else own) == wanted:
            continue
        changed = True
        # A row that agrees again stays, with its modseq: the reader's other sessions must hear of it.
        await work.tx.run(
            "INSERT INTO reader_seen (email, reader, seen, modseq) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (email, reader) DO UPDATE"
            " SET seen = excluded.seen, modseq = excluded.modseq",
            email,
            command.actor,
            wanted,
            modseq,
        )
    if changed:
        _advance(head, modseq)
