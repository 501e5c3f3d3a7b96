"""Repair: what is derived in an account is computed again from emails, memberships and content rows.

Nothing is removed that holds content: messages whose mailbox is gone come back in one named for that,
emails that no mailbox has become recoverable. Each step changes only rows that are wrong, so that a
second run changes nothing.
"""

from malleposte.store.commands import RepairAccount, RepairNumbers
from malleposte.store.dialect import Sql, any_of, both
from malleposte.store.execute.contact_repair import repair_contacts
from malleposte.store.execute.deleting import FORGOTTEN, have_swept
from malleposte.store.execute.expunging import bury
from malleposte.store.execute.handing import make_routes
from malleposte.store.execute.mailboxes import MAX_DEPTH, STANDARD, insert_mailbox
from malleposte.store.flags import join
from malleposte.store.ids import LOW, mailbox_id
from malleposte.store.read.rights import ALL
from malleposte.store.results import Done, Refused
from malleposte.store.work import SEQUENCES, Head, Work

KEEP = 30 * 86_400
"""Seconds for which what nobody could see stays recoverable once it was found."""
RECOVERED = "Recovered"
"""Name of a mailbox made for messages whose own is gone; a number follows where it is taken."""

_DEAD_MEMBERSHIPS = (
    "SELECT mailbox, uid FROM membership m WHERE mailbox BETWEEN $1 AND $2"
    " AND NOT EXISTS (SELECT 1 FROM email e WHERE e.id = m.email) ORDER BY mailbox, uid"
)
_LOST_MAILBOXES = (
    "SELECT mailbox, max(uid) FROM membership m WHERE mailbox BETWEEN $1 AND $2"
    " AND NOT EXISTS (SELECT 1 FROM mailbox b WHERE b.id = m.mailbox)"
    " AND NOT EXISTS (SELECT 1 FROM gone_mailbox g WHERE g.id = m.mailbox) GROUP BY mailbox"
)
_CLEAN = (
    # Rows about emails that are not there.
    "DELETE FROM email_wide WHERE id BETWEEN $1 AND $2"
    " AND NOT EXISTS (SELECT 1 FROM email e WHERE e.id = email_wide.id)",
    "DELETE FROM reader_seen WHERE email BETWEEN $1 AND $2"
    " AND NOT EXISTS (SELECT 1 FROM email e WHERE e.id = reader_seen.email)",
    "DELETE FROM recoverable WHERE email BETWEEN $1 AND $2"
    " AND NOT EXISTS (SELECT 1 FROM email e WHERE e.id = recoverable.email)",
    "DELETE FROM mailbox_right WHERE mailbox BETWEEN $1 AND $2"
    " AND NOT EXISTS (SELECT 1 FROM mailbox b WHERE b.id = mailbox_right.mailbox)",
    # Each list has a row of the owner, before what stands for nobody goes and may leave it empty.
    "INSERT INTO mailbox_right (mailbox, grantee, letters)"
    f" SELECT DISTINCT mailbox, mailbox >> 32, '{ALL}' FROM mailbox_right"
    " WHERE mailbox BETWEEN $1 AND $2 ON CONFLICT DO NOTHING",
    "DELETE FROM mailbox_right WHERE mailbox BETWEEN $1 AND $2 AND grantee <> 0"
    " AND NOT EXISTS (SELECT 1 FROM account a WHERE a.id = mailbox_right.grantee)",
    "DELETE FROM reader_seen WHERE email BETWEEN $1 AND $2"
    " AND NOT EXISTS (SELECT 1 FROM account a WHERE a.id = reader_seen.reader)",
    "DELETE FROM gone_mailbox WHERE id BETWEEN $1 AND $2"
    " AND EXISTS (SELECT 1 FROM mailbox b WHERE b.id = gone_mailbox.id)",
    # Derived columns.
    "UPDATE email SET mailboxes = (SELECT count(*) FROM membership m WHERE m.email = email.id)"
    " WHERE id BETWEEN $1 AND $2 AND mailboxes <>"
    " (SELECT count(*) FROM membership m WHERE m.email = email.id)",
    "UPDATE email SET created_modseq = modseq WHERE id BETWEEN $1 AND $2"
    " AND (created_modseq > modseq OR created_modseq < 1)",
    "UPDATE email SET size = (SELECT b.size + length(w.prefix) FROM blob b, email_wide w"
    " WHERE b.id = email.blob AND w.id = email.id) WHERE id BETWEEN $1 AND $2 AND size <>"
    " (SELECT b.size + length(w.prefix) FROM blob b, email_wide w"
    " WHERE b.id = email.blob AND w.id = email.id)",
    # What is in a mailbox must not be purged.
    "DELETE FROM recoverable WHERE email BETWEEN $1 AND $2"
    " AND EXISTS (SELECT 1 FROM membership m WHERE m.email = recoverable.email)",
)
_UNLISTED = (
    "INSERT INTO recoverable (email, account, mailbox, at, until)"
    " SELECT e.id, $1, 0, $2, $3 FROM email e WHERE e.id BETWEEN $4 AND $5 AND e.mailboxes = 0"
    " AND NOT EXISTS (SELECT 1 FROM recoverable r WHERE r.email = e.id)"
)
_WORDS = "SELECT id, keywords FROM email WHERE id BETWEEN $1 AND $2 AND keywords IS NOT NULL"
_TREE = "SELECT id, parent, name, role FROM mailbox WHERE id BETWEEN $1 AND $2 ORDER BY id"
_COUNTED = (
    "SELECT count(*), coalesce(sum(1 - (e.flags & 1)), 0), coalesce(sum(m.deleted), 0),"
    " coalesce(sum(e.size), 0), coalesce(max(m.uid), 0), coalesce(max(e.modseq), 0),"
    " (SELECT created_modseq FROM mailbox WHERE id = $1)"
    " FROM membership m JOIN email e ON e.id = m.email WHERE m.mailbox = $1"
)
_USED = (
    "SELECT coalesce(sum(CASE WHEN mailboxes > 0 AND exempt = 0 THEN size ELSE 0 END), 0),"
    " count(CASE WHEN mailboxes > 0 THEN 1 END), coalesce(max(modseq), 0), coalesce(max(id), 0),"
    " coalesce(max(thread), 0) FROM email WHERE id BETWEEN $1 AND $2"
)
_RECOVERABLE = (
    "SELECT coalesce(sum(e.size), 0) FROM recoverable r JOIN email e ON e.id = r.email"
    " WHERE r.account = $1"
)
_TOPS = (
    "SELECT coalesce(max(modseq), 0), coalesce(max(message_modseq), 0), coalesce(max(id), 0),"
    " coalesce(max(uidvalidity), 0), (SELECT coalesce(max(modseq), 0) FROM tombstone"
    " WHERE account = $1), (SELECT coalesce(max(thread), 0) FROM thread_reference"
    " WHERE account = $1 AND thread BETWEEN $2 AND $3),"
    " (SELECT coalesce(max(id), 0) FROM gone_mailbox WHERE id BETWEEN $2 AND $3)"
    " FROM mailbox WHERE id BETWEEN $2 AND $3"
)
_LYING = (
    "DELETE FROM tombstone WHERE account = $1 AND kind = 'uid' AND EXISTS (SELECT 1 FROM"
    " membership m WHERE m.mailbox = tombstone.container"
    " AND m.uid BETWEEN tombstone.first AND tombstone.last)",
    "DELETE FROM tombstone WHERE account = $1 AND kind = 'email' AND EXISTS (SELECT 1 FROM email e"
    " WHERE e.id BETWEEN tombstone.first AND tombstone.last AND e.mailboxes > 0"
    " AND e.created_modseq <= tombstone.modseq)",
    "DELETE FROM tombstone WHERE account = $1 AND kind = 'mailbox' AND EXISTS (SELECT 1 FROM"
    " mailbox b WHERE b.id BETWEEN tombstone.first AND tombstone.last)",
    "DELETE FROM tombstone WHERE account = $1 AND kind = 'thread' AND EXISTS (SELECT 1 FROM email e"
    " WHERE e.thread BETWEEN tombstone.first AND tombstone.last AND e.mailboxes > 0"
    " AND e.created_modseq <= tombstone.modseq)",
)
_BAD_REFERENCES = "DELETE FROM thread_reference WHERE account = $1 AND NOT thread BETWEEN $2 AND $3"
_BAD_NOTES = (
    "DELETE FROM annotation WHERE account = $1 AND ((mailbox = 0 AND reader <> account)"
    " OR (mailbox <> 0 AND NOT EXISTS (SELECT 1 FROM mailbox b WHERE b.id = annotation.mailbox"
    " AND b.account = annotation.account))"
    " OR (reader <> 0 AND NOT EXISTS (SELECT 1 FROM account a WHERE a.id = annotation.reader)))"
)
_NEXT = {
    name: Sql(
        sqlite="UPDATE sequence SET next = $1 + max(next, 1 + coalesce((SELECT max(id) FROM"
        f" {name}), 0)) WHERE name = '{name}'",
        postgres=f"SELECT setval('seq_{name}', $1 + greatest((SELECT last_value +"
        f" CASE WHEN is_called THEN 1 ELSE 0 END FROM seq_{name}),"
        f" 1 + (SELECT max(id) FROM {name})), false)",
    )
    for name in SEQUENCES
}


async def repair_account(work: Work, command: RepairAccount) -> Done | Refused:
    """Execute ``RepairAccount``. ``count``: rows that were put right."""
    await work.flush()
    account = command.account
    head = await work.head(account)
    if head is None:
        return Refused(reason="no-such-account")
    low, high = account << 32, (account << 32) + LOW
    await _raise_counters(work, head, low, high)
    changed = await _memberships(work, head, low, high)
    for sql in _CLEAN:
        changed += await work.tx.run(sql, low, high)
    changed += await work.tx.run(_UNLISTED, account, work.now, work.now + KEEP, low, high)
    changed += await _keywords(work, head, low, high)
    changed += await work.tx.run(_BAD_REFERENCES, account, low, high)
    changed += await work.tx.run(_BAD_NOTES, account)
    changed += await _tree(work, head, low, high)
    for (mailbox,) in await work.tx.rows(
        "SELECT id FROM mailbox WHERE account = $1 ORDER BY id", account
    ):
        changed += await _count(work, head, mailbox)
    for mailbox, _ in await work.tx.rows(FORGOTTEN, low, high):
        await have_swept(work, mailbox)
        changed += 1
    changed += await _tombstones(work, head)
    changed += await _used(work, head, low, high)
    changed += await repair_contacts(work, head, low, high)
    return Done(count=changed, modseq=head.modseq)


async def repair_numbers(work: Work, command: RepairNumbers) -> Done:
    """Execute ``RepairNumbers``."""
    await work.flush()
    for sql in _NEXT.values():
        await work.tx.rows(sql, command.leap)
    await make_routes(work)
    return Done()


async def _raise_counters(work: Work, head: Head, low: int, high: int) -> None:
    """The account's counters past everything that was given out."""
    used = await work.tx.row(_USED, low, high)
    tops = await work.tx.row(_TOPS, head.account, low, high)
    if used is None or tops is None:
        return
    _, _, email_modseq, top_email, top_thread = used
    *modseqs, top_mailbox, uidvalidity, tombstone_modseq, top_reference, top_gone = tops
    wanted = {
        "modseq": max(email_modseq, tombstone_modseq, head.tombstone_floor, *modseqs),
        "next_email": (top_email & LOW) + 1,
        "next_thread": (max(top_thread, top_reference) & LOW) + 1,
        "next_mailbox": (max(top_mailbox, top_gone) & LOW) + 1,
        "uidvalidity": uidvalidity,
    }
    for name, least in wanted.items():
        if getattr(head, name) < least:
            setattr(head, name, least)
            head.dirty = True


async def _memberships(work: Work, head: Head, low: int, high: int) -> int:
    """UIDs that stand for nothing go, with a tombstone; messages without a mailbox get one."""
    changed = 0
    for mailbox, top in await work.tx.rows(_LOST_MAILBOXES, low, high):
        await _insert(work, head, mailbox & LOW, 0, await _free_name(work, head, RECOVERED, 0))
        await work.tx.run("UPDATE mailbox SET uidnext = $1 WHERE id = $2", top + 1, mailbox)
        changed += 1
    dead = await work.tx.rows(_DEAD_MEMBERSHIPS, low, high)
    if dead:
        modseq = head.bump()
        for mailbox in {row[0] for row in dead}:
            uids = [uid for m, uid in dead if m == mailbox]
            await work.tx.run(
                both("DELETE FROM membership WHERE mailbox = $1 AND {uids}", uids=any_of("uid", 2)),
                mailbox,
                uids,
            )
            bury(work, head.account, "uid", mailbox, modseq, uids)
            row = await work.mailbox(mailbox)
            if row is not None:
                row.uidnext = max(row.uidnext, uids[-1] + 1)
                row.changed(modseq)
    return changed + len(dead)


async def _insert(work: Work, head: Head, n: int, parent: int, name: str) -> None:
    """A mailbox under a number it had before."""
    following, head.next_mailbox = head.next_mailbox, n
    role = dict(STANDARD).get(name) if n == 1 else None
    await insert_mailbox(work, head, parent, name, head.bump(), role=role)
    head.next_mailbox = max(following, n + 1)


async def _free_name(work: Work, head: Head, name: str, parent: int) -> str:
    rows = await work.tx.rows(
        "SELECT name FROM mailbox WHERE account = $1 AND parent = $2", head.account, parent
    )
    taken = {row[0] for row in rows}
    free, n = name, 2
    while free in taken:
        free, n = f"{name} {n}", n + 1
    return free


async def _keywords(work: Work, head: Head, low: int, high: int) -> int:
    """Keywords in canonical form, and all of them in the account's list."""
    known = {
        row[0]
        for row in await work.tx.rows("SELECT name FROM keyword WHERE account = $1", head.account)
    }
    missing: set[str] = set()
    changed = 0
    for email, text in await work.tx.rows(_WORDS, low, high):
        words = set(text.lower().split())
        missing |= words - known
        if join(words) != text:
            changed += await work.tx.run(
                "UPDATE email SET keywords = $1, modseq = $2 WHERE id = $3",
                join(words),
                head.bump(),
                email,
            )
    for word in sorted(missing):
        changed += await work.tx.run(
            "INSERT INTO keyword (account, name, shown, modseq) VALUES ($1, $2, $3, $4)",
            head.account,
            word,
            word,
            head.bump(),
        )
    return changed


async def _tree(work: Work, head: Head, low: int, high: int) -> int:
    """INBOX is there, each mailbox hangs on one that is, no two have one role."""
    changed = 0
    if await work.mailbox(mailbox_id(head.account, 1)) is None:
        # Whatever took the name meanwhile keeps its messages under another.
        other = await work.tx.row(
            "SELECT id FROM mailbox WHERE account = $1 AND parent = 0 AND name = 'INBOX'",
            head.account,
        )
        if other is not None:
            await _hang(work, head, other[0], await _free_name(work, head, RECOVERED, 0))
        await _insert(work, head, 1, 0, STANDARD[0][0])
        changed += 1
    rows = await work.tx.rows(_TREE, low, high)
    parents = {row[0]: row[1] for row in rows}
    roles: set[str] = set()
    for mailbox, parent, name, role in rows:
        at, depth = parent, 1
        while at in parents and depth <= MAX_DEPTH:
            at, depth = parents[at], depth + 1
        if at:
            await _hang(work, head, mailbox, await _free_name(work, head, name, 0))
            parents[mailbox] = 0
            changed += 1
        if role is not None and role in roles:
            changed += await work.tx.run(
                "UPDATE mailbox SET role = NULL, modseq = $1 WHERE id = $2", head.bump(), mailbox
            )
            work.forget(mailbox)
        if role is not None:
            roles.add(role)
    return changed


async def _hang(work: Work, head: Head, mailbox: int, name: str) -> None:
    """Put a mailbox on top under a name."""
    await work.flush()
    await work.tx.run(
        "UPDATE mailbox SET parent = 0, name = $1, modseq = $2 WHERE id = $3",
        name,
        head.bump(),
        mailbox,
    )
    work.forget(mailbox)


async def _count(work: Work, head: Head, mailbox: int) -> int:
    """A mailbox's counters; whether they were wrong."""
    row = await work.mailbox(mailbox)
    counted = await work.tx.row(_COUNTED, mailbox)
    if row is None or counted is None:
        return 0
    messages, unseen, deleted, size, top, highest, created = (int(n) for n in counted)
    if (
        (row.messages, row.unseen, row.deleted, row.size) == (messages, unseen, deleted, size)
        and row.uidnext > top
        and 1 <= row.recent_from <= row.uidnext
        and row.message_modseq >= highest
        and row.modseq >= created
    ):
        return 0
    row.messages, row.unseen, row.deleted, row.size = messages, unseen, deleted, size
    row.uidnext = max(row.uidnext, top + 1)
    row.recent_from = min(max(1, row.recent_from), row.uidnext)
    row.changed(head.bump())
    return 1


async def _tombstones(work: Work, head: Head) -> int:
    """Tombstones of what lives go; whoever asks for changes since before them starts anew."""
    removed = 0
    await work.flush()
    for sql in _LYING:
        removed += await work.tx.run(sql, head.account)
    if removed:
        head.tombstone_floor = head.bump()
        await work.tx.run(
            "UPDATE account_head SET tombstone_floor = $1 WHERE account = $2",
            head.tombstone_floor,
            head.account,
        )
    return removed


async def _used(work: Work, head: Head, low: int, high: int) -> int:
    await work.flush()
    used = await work.tx.row(_USED, low, high)
    recoverable = await work.tx.row(_RECOVERABLE, head.account)
    if used is None or recoverable is None:
        return 0
    found = (int(used[0]), used[1], int(recoverable[0]))
    if (head.used_bytes, head.used_emails, head.recoverable_bytes) == found:
        return 0
    head.used_bytes, head.used_emails, head.recoverable_bytes = found
    head.dirty = True
    return 1
