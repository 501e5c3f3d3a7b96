"""An account's head, mailboxes, tombstones and threads."""

from collections.abc import AsyncIterator, Iterator

from malleposte.store.dialect import Reader, Row
from malleposte.store.execute.deleting import FORGOTTEN
from malleposte.store.execute.mailboxes import MAX_DEPTH, level_name
from malleposte.store.fsck.finding import Examination, Finding, Kind, named
from malleposte.store.ids import LOW

_HEAD = (
    "SELECT h.modseq, h.next_email, h.next_mailbox, h.next_thread, h.uidvalidity, h.used_bytes,"
    " h.used_emails, u.bytes, u.emails, u.modseq, u.top, u.thread, m.modseq, m.top, m.uidvalidity,"
    " t.modseq, h.tombstone_floor, h.recoverable_bytes, r.bytes FROM account_head h,"
    " (SELECT coalesce(sum(CASE WHEN mailboxes > 0 AND exempt = 0 THEN size ELSE 0 END), 0) AS bytes,"
    " count(CASE WHEN mailboxes > 0 THEN 1 END) AS emails, coalesce(max(modseq), 0) AS modseq,"
    " coalesce(max(id), 0) AS top, coalesce(max(thread), 0) AS thread"
    " FROM email WHERE id BETWEEN $1 AND $2) u,"
    " (SELECT coalesce(max(modseq), 0) AS modseq, (SELECT coalesce(max(id), 0) FROM"
    " (SELECT id FROM mailbox WHERE id BETWEEN $1 AND $2 UNION ALL"
    " SELECT id FROM gone_mailbox WHERE id BETWEEN $1 AND $2) ids) AS top,"
    " coalesce(max(uidvalidity), 0) AS uidvalidity FROM mailbox WHERE id BETWEEN $1 AND $2) m,"
    " (SELECT coalesce(max(modseq), 0) AS modseq FROM tombstone WHERE account = $3) t,"
    " (SELECT coalesce(sum(e.size), 0) AS bytes FROM recoverable r JOIN email e ON e.id = r.email"
    " WHERE r.account = $3) r"
    " WHERE h.account = $3"
)
_MAILBOX_IDS = "SELECT id FROM mailbox WHERE id BETWEEN $1 AND $2 ORDER BY id"
_MAILBOX = (
    "SELECT b.account, b.uidvalidity, b.uidnext, b.created_modseq, b.modseq, b.message_modseq,"
    " b.recent_from, b.messages, b.unseen, b.deleted, b.size, c.messages, c.unseen, c.deleted,"
    " c.size, c.low, c.top, c.modseq, h.modseq FROM mailbox b JOIN account_head h ON h.account = $1,"
    " (SELECT count(*) AS messages, coalesce(sum(1 - (e.flags & 1)), 0) AS unseen,"
    " coalesce(sum(m.deleted), 0) AS deleted, coalesce(sum(e.size), 0) AS size,"
    " coalesce(min(m.uid), 1) AS low, coalesce(max(m.uid), 0) AS top,"
    " coalesce(max(e.modseq), 0) AS modseq"
    " FROM membership m LEFT JOIN email e ON e.id = m.email WHERE m.mailbox = $2) c"
    " WHERE b.id = $2"
)
_TREE = "SELECT id, parent, name, role, uidvalidity FROM mailbox WHERE id BETWEEN $1 AND $2"
_LIVING = {
    "uid": "SELECT m.mailbox, m.uid FROM tombstone t JOIN membership m ON m.mailbox = t.container"
    " AND m.uid BETWEEN t.first AND t.last WHERE t.account = $1 AND t.kind = 'uid'",
    "email": "SELECT e.id, 0 FROM tombstone t JOIN email e ON e.id BETWEEN t.first AND t.last"
    " WHERE t.account = $1 AND t.kind = 'email' AND e.mailboxes > 0 AND e.created_modseq <= t.modseq",
    "mailbox": "SELECT b.id, 0 FROM tombstone t JOIN mailbox b ON b.id BETWEEN t.first AND t.last"
    " WHERE t.account = $1 AND t.kind = 'mailbox'",
    "thread": "SELECT DISTINCT e.thread, 0 FROM tombstone t JOIN email e"
    " ON e.thread BETWEEN t.first AND t.last WHERE t.account = $1 AND t.kind = 'thread'"
    " AND e.mailboxes > 0 AND e.created_modseq <= t.modseq",
}
_REFERENCES = (
    "SELECT DISTINCT r.thread FROM thread_reference r JOIN account_head h ON h.account = r.account"
    " WHERE r.account = $1 AND (r.thread >> 32 <> $1 OR r.thread & 4294967295 >= h.next_thread)"
)
_GONE = (
    "SELECT g.id, g.path FROM gone_mailbox g WHERE g.id BETWEEN $1 AND $2"
    " AND EXISTS (SELECT 1 FROM mailbox b WHERE b.id = g.id)"
)
_NOTES = (
    "SELECT n.mailbox, n.name FROM annotation n WHERE n.account = $1 AND ("
    "(n.mailbox = 0 AND n.reader <> n.account)"
    " OR (n.mailbox <> 0 AND NOT EXISTS (SELECT 1 FROM mailbox b WHERE b.id = n.mailbox"
    " AND b.account = n.account))"
    " OR (n.reader <> 0 AND NOT EXISTS (SELECT 1 FROM account a WHERE a.id = n.reader)))"
)
_READ_RIGHTS = (
    "SELECT mailbox FROM mailbox_right r WHERE mailbox BETWEEN $1 AND $2"
    " AND NOT EXISTS (SELECT 1 FROM mailbox b WHERE b.id = r.mailbox)"
)
_NO_GRANTEE = (
    "SELECT mailbox, grantee FROM mailbox_right r WHERE mailbox BETWEEN $1 AND $2 AND grantee <> 0"
    " AND NOT EXISTS (SELECT 1 FROM account a WHERE a.id = r.grantee)"
)
_UNOWNED = (
    "SELECT DISTINCT mailbox FROM mailbox_right r WHERE mailbox BETWEEN $1 AND $2 AND NOT EXISTS"
    " (SELECT 1 FROM mailbox_right o WHERE o.mailbox = r.mailbox AND o.grantee = r.mailbox >> 32)"
)


async def account(
    examination: Examination, number: int, *, deleted: bool
) -> AsyncIterator[Finding]:
    """Everything about an account but its emails. ``deleted``: being purged, so its counts lag."""
    reader = examination.reader
    low, high = number << 32, (number << 32) + LOW
    row = await reader.row(_HEAD, low, high, number)
    if row is not None:
        for finding in _head(number, row, deleted=deleted):
            yield finding
    for finding in _tree(number, await reader.rows(_TREE, low, high), deleted=deleted):
        yield finding
    for (mailbox,) in await reader.rows(_MAILBOX_IDS, low, high):
        async for finding in _mailbox(reader, number, mailbox, deleted=deleted):
            yield finding
    for kind, sql in _LIVING.items():
        for object_id, uid in await reader.rows(sql, number):
            what = f"UID {uid} in {named('mailbox', object_id)}" if uid else named(kind, object_id)
            yield Finding(
                Kind.TOMBSTONE_LIVING,
                what,
                "a tombstone says it is gone and it is there: clients that sync drop it",
                number,
            )
    for (thread,) in await reader.rows(_REFERENCES, number):
        yield Finding(
            Kind.THREAD_REFERENCE,
            named("thread", thread),
            "replies would be put into this thread, which was never given out",
            number,
        )
    for mailbox, path in await reader.rows(_GONE, low, high):
        yield Finding(
            Kind.MAILBOX_GONE,
            named("mailbox", mailbox),
            f"it is kept as the deleted {path!r} and it is there",
            number,
        )
    for mailbox, path in [] if deleted else await reader.rows(FORGOTTEN, low, high):
        yield Finding(
            Kind.MAILBOX_FORGOTTEN,
            named("mailbox", mailbox),
            f"it was {path!r} and is deleted; what was in it cannot be recovered yet, counts in the"
            " quota, and no job sees to it",
            number,
        )
    for mailbox, name in await reader.rows(_NOTES, number):
        yield Finding(
            Kind.ANNOTATION_STRAY,
            f"entry {name} of account {number}",
            f"it hangs on {named('mailbox', mailbox)} or is of an account, one of which is gone:"
            " nobody sees it, and it takes up room",
            number,
        )
    for (mailbox,) in await reader.rows(_READ_RIGHTS, low, high):
        yield Finding(
            Kind.ROW_STRAY, named("mailbox", mailbox), "it has rights and there is no such mailbox"
        )
    for mailbox, grantee in await reader.rows(_NO_GRANTEE, low, high):
        yield Finding(
            Kind.ROW_STRAY,
            named("mailbox", mailbox),
            f"account {grantee} has rights on it and there is no such account",
        )
    for (mailbox,) in await reader.rows(_UNOWNED, low, high):
        yield Finding(
            Kind.RIGHTS_LIST,
            named("mailbox", mailbox),
            "its list of rights lacks the owner's row: with the last grant gone, it would open to"
            " those who may read the mailbox above",
            number,
        )


def _head(number: int, row: Row, *, deleted: bool) -> Iterator[Finding]:
    modseq, next_email, next_mailbox, next_thread, uidvalidity, used_bytes, used_emails = row[:7]
    size, emails, email_modseq, top_email, top_thread = row[7:12]
    mailbox_modseq, top_mailbox, validity, tombstone_modseq, floor = row[12:17]
    counted, recoverable = row[17:]
    given = (top_email & LOW, top_mailbox & LOW, top_thread & LOW)
    what = f"account {number}"
    if not deleted and (used_bytes, used_emails) != (int(size), emails):
        yield Finding(
            Kind.USED,
            what,
            f"its quota counts {used_bytes} octets in {used_emails} emails, there are"
            f" {int(size)} in {emails}",
            number,
        )
    if not deleted and counted != int(recoverable):
        yield Finding(
            Kind.RECOVERABLE_COUNTED,
            what,
            f"it counts {counted} octets of mail that can be brought back, there are"
            f" {int(recoverable)}: of that too much is kept, or too little",
            number,
        )
    if modseq < max(email_modseq, mailbox_modseq):
        yield Finding(
            Kind.HEAD_MODSEQ,
            what,
            f"its counter of changes ({modseq}) is behind a change made"
            f" ({max(email_modseq, mailbox_modseq)}): clients would miss the next ones",
            number,
        )
    following = (next_email, next_mailbox, next_thread)
    if any(top >= n for top, n in zip(given, following, strict=True)):
        yield Finding(
            Kind.NEXT_IDS,
            what,
            f"the next numbers of emails, mailboxes and threads {following} are in use (highest:"
            f" {given}): deliveries fail",
            number,
        )
    if uidvalidity < validity:
        yield Finding(
            Kind.HEAD_UIDVALIDITY,
            what,
            f"it would give out a UIDVALIDITY again ({uidvalidity}, a mailbox has {validity}):"
            " a client could take one message for another",
            number,
        )
    if max(tombstone_modseq, floor) > modseq:
        yield Finding(
            Kind.TOMBSTONE_MODSEQ,
            what,
            f"a tombstone or their floor stands at a change ({max(tombstone_modseq, floor)}) that"
            f" was not made yet ({modseq})",
            number,
        )


def _tree(number: int, rows: list[Row], *, deleted: bool) -> Iterator[Finding]:
    parents = {row[0]: row[1] for row in rows}
    if not deleted and number << 32 | 1 not in parents:
        yield Finding(
            Kind.INBOX_MISSING,
            f"account {number}",
            "it has no INBOX: mail for it is refused",
            number,
        )
    roles: dict[str, int] = {}
    validities: dict[int, int] = {}
    for mailbox, parent, name, role, validity in sorted(rows, key=lambda row: int(row[0])):
        what = named("mailbox", mailbox)
        at, depth = parent, 1
        while at in parents and depth <= MAX_DEPTH:
            at, depth = parents[at], depth + 1
        if at:
            yield Finding(
                Kind.MAILBOX_PARENT,
                what,
                f"above it stands {named('mailbox', parent)}, which is gone, too deep or below it:"
                " clients do not list it",
                number,
            )
        if level_name(name) != name:
            yield Finding(
                Kind.MAILBOX_NAME,
                what,
                f"its name {name!r} could not be given today: some clients cannot open it;"
                " rename it",
                number,
            )
        if role is not None and role in roles:
            yield Finding(
                Kind.MAILBOX_ROLE,
                what,
                f"it is {role}, and so is {named('mailbox', roles[role])}: clients take either",
                number,
            )
        if validity in validities:
            yield Finding(
                Kind.UIDVALIDITY_TWICE,
                what,
                f"it shares its UIDVALIDITY {validity} with"
                f" {named('mailbox', validities[validity])}: give the account new ones",
                number,
            )
        if role is not None:
            roles.setdefault(role, mailbox)
        validities.setdefault(validity, mailbox)


async def _mailbox(
    reader: Reader, number: int, mailbox: int, *, deleted: bool
) -> AsyncIterator[Finding]:
    row = await reader.row(_MAILBOX, number, mailbox)
    if row is None:
        return
    owner, uidvalidity, uidnext, created, modseq, message_modseq, recent_from = row[:7]
    said = tuple(row[7:11])
    counted = tuple(int(n) for n in row[11:15])
    low, top, highest, head_modseq = row[15:]
    what = named("mailbox", mailbox)
    if owner != number or not 0 < uidvalidity <= LOW:
        yield Finding(
            Kind.MAILBOX_STRAY,
            what,
            f"its row says account {owner}, UIDVALIDITY {uidvalidity}: no client can open it",
        )
    if not deleted and said != counted:
        yield Finding(
            Kind.MAILBOX_COUNTERS,
            what,
            "messages, unseen, deleted and octets are said to be"
            f" {said}, there are {counted}: clients show wrong numbers",
            number,
        )
    if not (created <= modseq <= head_modseq and highest <= message_modseq <= head_modseq):
        yield Finding(
            Kind.MAILBOX_MODSEQ,
            what,
            f"its modseqs (created {created}, changed {modseq}, messages {message_modseq}) do not"
            f" fit its messages' ({highest}) and the account's ({head_modseq}): clients miss"
            " changes",
            number,
        )
    if top >= uidnext or low < 1 or uidnext > LOW:
        yield Finding(
            Kind.UIDNEXT,
            what,
            f"it would give out UID {uidnext} again (in use: {low} to {top}): a client could take"
            " one message for another",
            number,
        )
    if not 1 <= recent_from <= uidnext:
        yield Finding(
            Kind.RECENT_FROM,
            what,
            f"its first message that nobody was told of is said to be UID {recent_from}, the next"
            f" one is {uidnext}: new mail is shown as old",
            number,
        )
