"""Copy, move and recover: what was filed gets another membership, or another Email over its blob.

Into a mailbox that already holds the Email (also marked ``\\Deleted``), into one that is shared otherwise,
and into another account, a new Email is made; elsewhere only a membership. RFC 9051 §6.4.7, RFC 6851.
"""

from malleposte.store import dialect
from malleposte.store.commands import MAX_ROWS, SYSTEM, Copy, Recover
from malleposte.store.dialect import Row, any_of, both
from malleposte.store.execute.expunging import bury, remove, touch_holders
from malleposte.store.execute.filing import INSERT_EMAIL, INSERT_MEMBERSHIP, warn
from malleposte.store.execute.flagging import READER_SEEN
from malleposte.store.execute.keywords import admit_keywords
from malleposte.store.execute.ranges import encode, in_ranges
from malleposte.store.execute.rights import demand, opened
from malleposte.store.flags import MAX_KEYWORDS_ACCOUNT, SEEN, join
from malleposte.store.ids import account_of, email_id, thread_id
from malleposte.store.read.rights import may, same_lists
from malleposte.store.results import Copied, Refused
from malleposte.store.work import Head, MailboxRow, Work

_ROWS = in_ranges(
    "SELECT m.uid, m.email, m.deleted, e.flags, e.size, e.mailboxes, e.keywords, e.thread, e.blob,"
    " e.received_at, e.sent_at, e.attachment, e.exempt FROM {ranges} r"
    " JOIN membership m ON m.mailbox = $2 AND m.uid BETWEEN r.first AND r.last"
    f" JOIN email e ON e.id = m.email ORDER BY m.uid LIMIT {MAX_ROWS + 1}"
)
_HELD = both(
    "SELECT email FROM membership WHERE {emails} AND mailbox = $2",
    emails=any_of("email", 1),
)
_JOIN = both(
    "UPDATE email SET mailboxes = mailboxes + $1, modseq = $2 WHERE {ids}", ids=any_of("id", 3)
)
_REAPPEAR = both("UPDATE email SET created_modseq = $1 WHERE {ids}", ids=any_of("id", 2))
"""What JMAP did not show, since it was destroyed or marked to be deleted, comes back as created."""
_REMOVE = both("DELETE FROM membership WHERE mailbox = $1 AND {uids}", uids=any_of("uid", 2))
_WIDE = (
    "prefix, structure, envelope, bodystructure, envelope_utf8, bodystructure_utf8, preview,"
    " subject, base_subject, from_text, to_text, cc_text, bcc_text, message_id, thread_key"
)
COPY_WIDE = dialect.Bulk(
    sqlite=f"INSERT INTO email_wide (id, {_WIDE}) SELECT $1, {_WIDE} FROM email_wide WHERE id = $2",
    postgres=f"INSERT INTO email_wide (id, {_WIDE}) SELECT v.new, {_WIDE} FROM"
    " unnest($1::bigint[], $2::bigint[]) AS v(new, old) JOIN email_wide ON id = v.old",
    types=("bigint", "bigint"),
)
_SHOWN = "SELECT name, shown FROM keyword WHERE account = $1"
_OWN_SEEN = both(
    "SELECT email, seen FROM reader_seen WHERE {emails} AND reader = $2",
    emails=any_of("email", 1),
)
_RECOVER_ROWS = both(
    "SELECT 0, e.id, 0, e.flags, e.size, e.mailboxes, r.mailbox, e.exempt FROM recoverable r"
    " JOIN email e ON e.id = r.email WHERE {ids} AND r.account = $2 ORDER BY e.received_at, e.id",
    ids=any_of("r.email", 1),
)
_FORGET = both("DELETE FROM recoverable WHERE {ids}", ids=any_of("email", 1))


async def copy(work: Work, command: Copy) -> Copied | Refused:
    """Execute ``Copy``."""
    await work.lock((account_of(command.mailbox), account_of(command.target)))
    source = await work.mailbox(command.mailbox)
    target = await work.mailbox(command.target)
    head = await work.head(account_of(command.target))
    if source is None or target is None or head is None:
        return Refused(reason="no-such-mailbox")
    same_account = account_of(command.mailbox) == account_of(command.target)
    if command.move and not same_account:
        return Refused(reason="bad-name", text="between accounts, copy and then expunge")
    needed = "rte" if command.move else "r"
    allowed = await demand(work.tx, command.actor, command.mailbox, needed)
    if isinstance(allowed, Refused):
        return allowed
    held = await demand(work.tx, command.actor, command.target, "i")
    if isinstance(held, Refused):
        return held
    rows = await work.tx.rows(_ROWS, encode(command.uids), command.mailbox)
    if len(rows) > MAX_ROWS:
        return Refused(reason="limit", text=f"at most {MAX_ROWS} messages in one command")
    if not rows:
        return Copied(uidvalidity=target.uidvalidity, uids=(), modseq=0)
    there: set[int] = set()
    if not same_account:
        anew = rows
    elif source is target:
        if command.move:
            return await _renumber(work, head, source, rows, deleted=command.deleted)
        anew = rows
    else:
        emails = [row[1] for row in rows]
        there = {row[0] for row in await work.tx.rows(_HELD, emails, target.id)}
        owner = command.actor in (SYSTEM, head.account)
        sets_none = not owner and "w" not in held
        if sets_none or not await same_lists(work.tx, source.id, target.id):
            # An email in two mailboxes has one set of flags: who may change them in one only would
            # change them in the other; and who may set none in the target brings none there by a
            # copy (RFC 4314 §4).
            there.update(row[1] for row in rows if not command.move or row[5] > 1)
        anew = [row for row in rows if row[1] in there]
    size = sum(row[4] for row in anew)
    if anew and not command.move and _full(head, size):
        return Refused(reason="over-quota")
    marks: dict[int, int] = {}
    if anew and (not same_account or command.actor not in (SYSTEM, head.account)):
        made, marks = await _as_new(work, command, head, anew, held)
        by_uid = {row[0]: row for row in made}
        rows = [by_uid.get(row[0], row) for row in rows]
    modseq = head.bump()
    join_ids: list[int] = []
    pairs: list[tuple[int, int]] = []
    new_emails: list[tuple[int, int]] = []
    for row in rows:
        if not same_account or source is target or row[1] in there:
            email = _anew(work, head, row, modseq, same_account=same_account)
            new_emails.append((email, row[1]))
            if row[1] in marks:
                work.add(READER_SEEN, (email, command.actor, marks[row[1]], modseq))
        else:
            email = row[1]
            join_ids.append(email)
        pairs.append((row[0], _enter(work, target, email, row, deleted=command.deleted)))
    target.changed(modseq)
    if new_emails:
        await work.flush()
        await work.tx.many(COPY_WIDE, new_emails)
        head.used_bytes += size
        head.used_emails += len(new_emails)
        head.dirty = True
        await warn(work, head)
    if join_ids:
        await work.tx.run(_JOIN, 0 if command.move else 1, modseq, join_ids)
        joined = set(join_ids)
        unmarked = [row[1] for row in rows if row[2] and row[1] in joined]
        if unmarked and not command.deleted:
            await work.tx.run(_REAPPEAR, modseq, unmarked)
        await touch_holders(
            work, [row[1] for row in rows if row[5] > 1 and row[1] in joined], modseq
        )
        source.changed(modseq)
    if command.move:
        await _leave(work, head, source, rows, there, modseq)
    return Copied(uidvalidity=target.uidvalidity, uids=tuple(pairs), modseq=modseq)


def _full(head: Head, size: int) -> bool:
    return bool(head.quota_bytes) and head.used_bytes + size > head.quota_bytes


async def _as_new(
    work: Work, command: Copy, head: Head, rows: list[Row], held: str
) -> tuple[list[Row], dict[int, int]]:
    r"""Rows as new Emails take them, and the actor's own ``\Seen`` on those, by the old email.

    Flags and keywords for which the actor holds rights there: RFC 4314 §4 (COPY), and for what an
    account's keywords are ``admit_keywords``. ``\Seen`` as the actor sees it, and where the target is
    not the actor's, for nobody else: its owner has not read what comes from another account, and has
    read of what was in the same one what it was.
    """
    actor, source = command.actor, account_of(command.mailbox)
    same_account = source == head.account
    own: dict[int, int] = {}
    if actor not in (SYSTEM, source):
        own = dict(await work.tx.rows(_OWN_SEEN, [row[1] for row in rows], actor))
    stranger = actor not in (SYSTEM, head.account)
    others = ~SEEN if "w" in held else 0
    words = {word for row in rows if row[6] and others for word in row[6].split(" ")}
    admitted = words
    if words and not same_account:
        shown: dict[str, str] = dict(await work.tx.rows(_SHOWN, source))
        named = [shown.get(word, word) for word in sorted(words)]
        admitted = set(await admit_keywords(work, head, named, most=MAX_KEYWORDS_ACCOUNT))
    made: list[Row] = []
    marks: dict[int, int] = {}
    for row in rows:
        before = row[3] & SEEN
        seen = own.get(row[1], before)
        if stranger:
            owners = before if same_account else 0
            if "s" in held and seen != owners:
                marks[row[1]] = seen
            seen = owners
        keywords = join(admitted.intersection(row[6].split(" "))) if row[6] else None
        made.append((*row[:3], row[3] & others | seen, *row[4:6], keywords, *row[7:]))
    return made, marks


def _enter(work: Work, target: MailboxRow, email: int, row: Row, *, deleted: bool = False) -> int:
    r"""Gather a membership; its UID. ``deleted``: the mark \Deleted goes along."""
    marked = row[2] if deleted else 0
    uid = target.uidnext
    target.uidnext += 1
    target.messages += 1
    target.size += row[4]
    if not row[3] & SEEN:
        target.unseen += 1
    target.deleted += marked
    work.add(INSERT_MEMBERSHIP, (target.id, uid, email, marked, work.now))
    return int(uid)


def _anew(work: Work, head: Head, row: Row, modseq: int, *, same_account: bool) -> int:
    """Gather a new Email over the same blob; in another account it starts its own thread.

    It takes room whatever it is a copy of: who makes it is no stranger.
    """
    email = email_id(head.account, head.next_email)
    head.next_email += 1
    if same_account:
        thread = row[7]
    else:
        thread = thread_id(head.account, head.next_thread)
        head.next_thread += 1
    work.add(
        INSERT_EMAIL,
        (email, head.account, modseq, modseq, row[3], row[6], thread, row[8], row[4])
        + (row[9], row[10], row[11], 1, 0),
    )
    return email


async def _leave(
    work: Work, head: Head, source: MailboxRow, rows: list[Row], there: set[int], modseq: int
) -> None:
    """The source's side of a move inside an account."""
    # An email the target held already got a twin there; here its membership simply ends.
    twins = [row for row in rows if row[1] in there]
    moved = [row for row in rows if row[1] not in there]
    if twins:
        await remove(
            work,
            head,
            source,
            [(*row[:6], row[7], row[12]) for row in twins],
            modseq,
            until=work.now,
        )
    if not moved:
        return
    await work.tx.run(_REMOVE, source.id, [row[0] for row in moved])
    bury(work, head.account, "uid", source.id, modseq, [row[0] for row in moved])
    source.messages -= len(moved)
    source.unseen -= sum(1 for row in moved if not row[3] & SEEN)
    source.deleted -= sum(row[2] for row in moved)
    source.size -= sum(row[4] for row in moved)
    source.changed(modseq)


async def _renumber(
    work: Work, head: Head, mailbox: MailboxRow, rows: list[Row], *, deleted: bool
) -> Copied:
    """MOVE into the same mailbox: new UIDs for the same emails (RFC 6851 §3.3 allows it)."""
    modseq = head.bump()
    await work.tx.run(_REMOVE, mailbox.id, [row[0] for row in rows])
    bury(work, head.account, "uid", mailbox.id, modseq, [row[0] for row in rows])
    mailbox.messages -= len(rows)
    mailbox.unseen -= sum(1 for row in rows if not row[3] & SEEN)
    mailbox.deleted -= sum(row[2] for row in rows)
    mailbox.size -= sum(row[4] for row in rows)
    pairs = [(row[0], _enter(work, mailbox, row[1], row, deleted=deleted)) for row in rows]
    await work.tx.run(_JOIN, 0, modseq, [row[1] for row in rows])
    unmarked = [row[1] for row in rows if row[2]]
    if unmarked and not deleted:
        await work.tx.run(_REAPPEAR, modseq, unmarked)
    mailbox.changed(modseq)
    await touch_holders(work, [row[1] for row in rows if row[5] > 1], modseq)
    return Copied(uidvalidity=mailbox.uidvalidity, uids=tuple(pairs), modseq=modseq)


async def recover(work: Work, command: Recover) -> Copied | Refused:
    """Execute ``Recover``: emails come back with their flags, under new UIDs.

    Whoever is not the owner needs "r" and "t" on the mailboxes they were in.
    """
    if len(command.emails) > MAX_ROWS:
        return Refused(reason="limit", text=f"at most {MAX_ROWS} messages in one command")
    place = await opened(work, command.actor, command.target, "i")
    if isinstance(place, Refused):
        return place
    head, target, _ = place
    rows = await work.tx.rows(_RECOVER_ROWS, list(command.emails), head.account)
    sources = {row[6] for row in rows}
    lawful = {m for m in sources if await may(work.tx, command.actor, m, "rt")}
    if sources - lawful:
        return Refused(reason="no-rights", text="rt")
    if not rows:
        return Copied(uidvalidity=target.uidvalidity, uids=(), modseq=0)
    size = sum(row[4] for row in rows if not row[7])
    if _full(head, size):
        return Refused(reason="over-quota")
    modseq = head.bump()
    emails = [row[1] for row in rows]
    pairs = [(0, _enter(work, target, row[1], row)) for row in rows]
    await work.tx.run(_JOIN, 1, modseq, emails)
    await work.tx.run(_REAPPEAR, modseq, emails)
    await work.tx.run(_FORGET, emails)
    head.count_recoverable(-sum(row[4] for row in rows))
    head.used_bytes += size
    head.used_emails += len(rows)
    target.changed(modseq)
    await warn(work, head)
    return Copied(uidvalidity=target.uidvalidity, uids=tuple(pairs), modseq=modseq)
