"""StoreFlags: set-based where only bits change, row by row where keywords or another reader do.

An email's flags are one, whatever mailbox shows it: a change bumps every mailbox that holds it. Only
what really differs is changed, so that a repeated STORE costs no modseq. RFC 9051 §6.4.6, RFC 7162.
"""

from collections.abc import Iterable

from malleposte.store import dialect
from malleposte.store.commands import MAX_ROWS, SYSTEM, StoreFlags
from malleposte.store.dialect import Row
from malleposte.store.execute.expunging import touch_holders
from malleposte.store.execute.keywords import admit_all_keywords
from malleposte.store.execute.ranges import compact, encode, in_ranges
from malleposte.store.execute.rights import no_rights, opened
from malleposte.store.flags import MAX_KEYWORDS_EMAIL, SEEN, join
from malleposte.store.ids import account_of
from malleposte.store.results import Refused, Stored
from malleposte.store.work import Head, MailboxRow, Work

_FROM = (
    " FROM {ranges} r JOIN membership m ON m.mailbox = $2 AND m.uid BETWEEN r.first AND r.last"
    " JOIN email e ON e.id = m.email"
)
_DIFFERS = _FROM + " WHERE e.flags & $3 <> $4"
_COUNT = in_ranges(f"SELECT count(*) FROM (SELECT 1{_FROM} LIMIT {MAX_ROWS + 1}) AS hit")
_MODSEQS = in_ranges(
    "SELECT m.uid, e.modseq, coalesce(s.modseq, 0)"
    + _FROM
    + " LEFT JOIN reader_seen s ON s.email = e.id AND s.reader = $3 ORDER BY m.uid"
)
_TOUCHED = in_ranges(
    "SELECT count(*), sum(CASE WHEN e.flags & 1 = 0 THEN 1 ELSE 0 END), max(e.mailboxes)" + _DIFFERS
)
_OTHERS = in_ranges(
    "SELECT o.mailbox, count(*), sum(CASE WHEN e.flags & 1 = 0 THEN 1 ELSE 0 END)"
    + _DIFFERS.replace(" WHERE", " JOIN membership o ON o.email = m.email WHERE")
    + " GROUP BY o.mailbox"
)
_SET_BITS = in_ranges(
    "WITH hit AS (SELECT m.email AS email FROM {ranges} r"
    " JOIN membership m ON m.mailbox = $2 AND m.uid BETWEEN r.first AND r.last)"
    " UPDATE email SET flags = (flags & ~$3) | $4, modseq = $5"
    " WHERE id IN (SELECT email FROM hit) AND flags & $3 <> $4"
)
_MARKED_ELSEWHERE = in_ranges(
    "SELECT m.email" + _FROM + " WHERE m.deleted <> $3 AND e.mailboxes > 1"
)
_MARK_MODSEQ = in_ranges(
    f"WITH hit AS (SELECT m.email AS email{_FROM} WHERE m.deleted <> $3)"
    # To JMAP, which shows nothing that is marked, an email comes back as a created one.
    " UPDATE email SET modseq = $4, created_modseq = CASE WHEN $3 = 0 THEN $4 ELSE created_modseq END"
    " WHERE id IN (SELECT email FROM hit)"
)
_MARK = in_ranges(
    f"WITH hit AS (SELECT m.uid AS uid{_FROM} WHERE m.deleted <> $3)"
    " UPDATE membership SET deleted = $3 WHERE mailbox = $2 AND uid IN (SELECT uid FROM hit)"
)
_ROWS = in_ranges("SELECT e.id, e.flags, e.keywords, e.mailboxes" + _FROM)
_SET_ROW = dialect.update(
    "email", "id", {"flags": "bigint", "keywords": "text", "modseq": "bigint"}
)
_NO_PLACE = Refused(
    reason="limit",
    text="a keyword is too long, or there are too many on a message or in the account",
)
_MAILBOXES_OF = "SELECT mailbox FROM membership WHERE email = $1"
READER_SEEN = dialect.insert(
    "reader_seen",
    {"email": "bigint", "reader": "bigint", "seen": "bigint", "modseq": "bigint"},
    on_conflict="ON CONFLICT (email, reader) DO UPDATE"
    " SET seen = excluded.seen, modseq = excluded.modseq",
)
_READER_ROWS = in_ranges(
    "SELECT e.id, e.mailboxes, coalesce(s.seen, e.flags & 1)"
    + _FROM
    + " LEFT JOIN reader_seen s ON s.email = e.id AND s.reader = $3"
)


async def store_flags(work: Work, command: StoreFlags) -> Stored | Refused:
    """Execute ``StoreFlags``."""
    owner = account_of(command.mailbox)
    place = await opened(work, command.actor, command.mailbox)
    if isinstance(place, Refused):
        return place
    head, mailbox, held = place
    needed = _needed(command)
    if not any(letter in held for letter in needed):
        return no_rights(needed[0])
    personal = command.actor not in (SYSTEM, owner)
    ranges = encode(command.uids)
    if sum(last - first + 1 for first, last in command.uids) > MAX_ROWS:
        counted = await work.tx.row(_COUNT, ranges, command.mailbox)
        if counted is not None and counted[0] > MAX_ROWS:
            return Refused(reason="limit", text=f"at most {MAX_ROWS} messages in one command")
    modified: tuple[int, ...] = ()
    if command.unchanged_since is not None:
        # A reader's own \Seen counts as a change for nobody but that reader.
        reader = command.actor if personal else SYSTEM
        found = await work.tx.rows(_MODSEQS, ranges, command.mailbox, reader)
        since = command.unchanged_since
        modified = tuple(uid for uid, *modseqs in found if max(modseqs) > since)
        ranges = encode(compact([uid for uid, *modseqs in found if max(modseqs) <= since]))

    before = head.modseq
    rows: list[Row] | None = None
    words = command.keywords if "w" in held else ()
    if words or (command.mode == "=" and "w" in held):
        rows = await work.tx.rows(_ROWS, ranges, command.mailbox)
        if command.mode != "-":
            if command.mode == "+" and _too_many(rows, words):
                return _NO_PLACE
            admitted = await admit_all_keywords(work, head, words)
            if admitted is None:
                return _NO_PLACE
            words = admitted
    modseq = head.modseq + 1
    mask, value = _bits(command, held)
    if personal and mask & SEEN:
        await _reader_seen(work, command, ranges, modseq, head, mailbox)
        mask &= ~SEEN
        value &= ~SEEN
    if rows is not None:
        await _by_row(
            work, command.mode, rows, modseq, mask, value, words, mailbox=mailbox, head=head
        )
    elif mask:
        await _by_bits(work, command.mailbox, ranges, modseq, mask, value, head, mailbox)
    if "t" in held and (command.deleted or command.mode == "="):
        wanted = int(command.deleted and command.mode != "-")
        await _mark(work, command.mailbox, ranges, modseq, wanted, head, mailbox)
    return Stored(modseq=head.modseq if head.modseq > before else 0, modified=modified)


def _needed(command: StoreFlags) -> str:
    """Letters of which the actor needs one at least: those of the flags named, or of all there are.

    RFC 4314 §4 (STORE): it should not fail where one of the flags may be changed.
    """
    needed = "s" if command.flags & SEEN else ""
    if command.flags & ~SEEN or command.keywords:
        needed += "w"
    if command.deleted:
        needed += "t"
    return needed or "wst"


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
    modseq: int,
    mask: int,
    value: int,
    head: Head,
    mailbox: MailboxRow,
) -> None:
    seen = bool(mask & SEEN)
    args = (ranges, mailbox_id, mask, value)
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


def _too_many(rows: list[Row], words: Iterable[str]) -> bool:
    """Whether an email would carry more keywords than it may."""
    chosen = {word.lower() for word in words}
    return any(
        len(chosen.union(keywords.split(" ") if keywords else ())) > MAX_KEYWORDS_EMAIL
        for _, _, keywords, _ in rows
    )


async def _by_row(
    work: Work,
    mode: str,
    rows: list[Row],
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
    for email, flags, keywords, mailboxes in rows:
        new_flags = (flags & ~mask) | value
        old = set(keywords.split(" ")) if keywords else set()
        if mode == "+":
            new = old | chosen
        elif mode == "-":
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
    modseq: int,
    wanted: int,
    head: Head,
    mailbox: MailboxRow,
) -> None:
    """Set or clear ``\\Deleted`` of the memberships; the email's modseq tells of it."""
    elsewhere = await work.tx.rows(_MARKED_ELSEWHERE, ranges, mailbox_id, wanted)
    if await work.tx.run(_MARK_MODSEQ, ranges, mailbox_id, wanted, modseq):
        changed = await work.tx.run(_MARK, ranges, mailbox_id, wanted)
        mailbox.deleted += changed if wanted else -changed
        mailbox.changed(modseq)
        # Other mailboxes show no \Deleted for it, but the email's new MODSEQ.
        await touch_holders(work, [row[0] for row in elsewhere], modseq)
        _advance(head, modseq)


async def _reader_seen(
    work: Work,
    command: StoreFlags,
    ranges: str,
    modseq: int,
    head: Head,
    mailbox: MailboxRow,
) -> None:
    r"""``\Seen`` of a reader who is not the owner: a row only where it differs from the owner's.

    A row that agrees again stays, with its modseq: the reader's other sessions must hear of it. The
    mailboxes count as changed, so that views look; but the emails do not: no one else sees anything.
    """
    wanted = int(bool(command.flags & SEEN) and command.mode != "-")
    found = await work.tx.rows(_READER_ROWS, ranges, command.mailbox, command.actor)
    changed = [(email, mailboxes) for email, mailboxes, seen in found if seen != wanted]
    if not changed:
        return
    rows = [(email, command.actor, wanted, modseq) for email, _ in changed]
    await work.tx.many(READER_SEEN, rows)
    mailbox.changed(modseq)
    await touch_holders(work, [email for email, mailboxes in changed if mailboxes > 1], modseq)
    _advance(head, modseq)
