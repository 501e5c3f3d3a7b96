r"""Copies made before a mailbox was shared become Emails of their own.

A copy is the same Email in a second mailbox, with one set of flags. Once other people may set flags in one
of the two (right ``w``), they would set them in the other. So when these people change, the messages of the
mailbox that are also in others, where other people may, leave the Email: each gets a new one, with the
same content, flags, thread and readers' marks of ``\Seen``. As an EMAILID never changes for a UID (RFC
8474 §5.1), it gets a new UID as well: to clients it is the mailbox that was shared in which the copy goes
and comes back; what it was copied from keeps its UIDs, and only shows a new MODSEQ.

The first of them part in the command that changes the rights; a job written in the same transaction goes
through the rest, and through mailboxes below that inherit the list.
"""

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import Final

import msgspec

from malleposte.store import dialect
from malleposte.store.commands import MAX_ROWS, AddJob, PartCopies
from malleposte.store.dialect import Bulk, Row, any_of, both
from malleposte.store.execute.copying import COPY_WIDE
from malleposte.store.execute.expunging import REMOVE, bury, touch_holders
from malleposte.store.execute.filing import INSERT_EMAIL, INSERT_MEMBERSHIP, warn
from malleposte.store.execute.records import add_job
from malleposte.store.ids import account_of, email_id
from malleposte.store.read.rights import inheriting, writers
from malleposte.store.results import Done
from malleposte.store.work import Head, Work

PART_JOB: Final = "part-copies"
LOOKED_AT: Final = MAX_ROWS
"""Messages of a mailbox looked at in one command: some 10 ms."""
PARTED: Final = MAX_ROWS // 5
"""Memberships and marks that change in one command, but of a single Email, which has its own bounds."""

_LOOK = (
    "SELECT m.uid, m.email, e.mailboxes FROM membership m JOIN email e ON e.id = m.email"
    " WHERE m.mailbox = $1 AND m.uid > $2 ORDER BY m.uid LIMIT $3"
)
_HELD = both(
    "SELECT email, mailbox, uid, deleted, saved_at FROM membership WHERE {emails}"
    " ORDER BY email, mailbox, uid",
    emails=any_of("email", 1),
)
_MARKS = both(
    "SELECT email, count(*) FROM reader_seen WHERE {emails} GROUP BY email",
    emails=any_of("email", 1),
)
_EMAILS = both(
    "SELECT id, flags, keywords, thread, blob, size, received_at, sent_at, attachment, exempt"
    " FROM email WHERE {ids}",
    ids=any_of("id", 1),
)
_LEFT = Bulk(
    sqlite="UPDATE email SET mailboxes = mailboxes - $1, modseq = $2 WHERE id = $3",
    postgres="UPDATE email SET mailboxes = mailboxes - v.n, modseq = v.modseq"
    " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS v(n, modseq, id) WHERE email.id = v.id",
    types=("bigint", "bigint", "bigint"),
)
_COPY_MARKS = dialect.Bulk(
    sqlite="INSERT INTO reader_seen (email, reader, seen, modseq)"
    " SELECT $1, reader, seen, $2 FROM reader_seen WHERE email = $3",
    postgres="INSERT INTO reader_seen (email, reader, seen, modseq)"
    " SELECT v.new, r.reader, r.seen, v.modseq"
    " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS v(new, modseq, old)"
    " JOIN reader_seen r ON r.email = v.old",
    types=("bigint", "bigint", "bigint"),
)
_UNDERWAY = "SELECT 1 FROM job WHERE kind = $1 AND key = $2 AND epoch > 0"


async def begin(work: Work, mailbox: int, modseq: int) -> None:
    """Part copies after a change of who may set flags in a mailbox: at once, or have a job go on."""
    await work.flush()
    done = await part_copies(work, PartCopies(mailbox=mailbox, limit=PARTED))
    if not done.more and await inheriting(work.tx, mailbox) == [mailbox]:
        return
    key = str(mailbox)
    if await work.tx.row(_UNDERWAY, PART_JOB, key) is not None:
        # It may have come by here already.
        key = f"{mailbox}.{modseq}"
    payload = msgspec.msgpack.encode(mailbox)
    await add_job(work, AddJob(kind=PART_JOB, key=key, payload=payload, run_at=work.now))


async def part_copies(work: Work, command: PartCopies) -> Done:
    """Execute ``PartCopies``."""
    await work.flush()
    mailbox = command.mailbox
    head, box = await work.head(account_of(mailbox)), await work.mailbox(mailbox)
    if head is None or box is None:
        return Done()
    limit = min(max(1, command.limit), LOOKED_AT)
    rows = await work.tx.rows(_LOOK, mailbox, command.after, limit)
    copies = [(row[0], row[1]) for row in rows if row[2] > 1]
    last, more = (rows[-1][0], len(rows) == limit) if rows else (command.after, False)
    if not copies:
        return Done(count=last, more=more)
    allowed = await writers(work.tx, head.account)
    here = allowed.get(mailbox)
    emails = [email for _, email in copies]
    held = {
        email: list(some)
        for email, some in groupby(await work.tx.rows(_HELD, emails), itemgetter(0))
    }
    marks: dict[int, int] = dict(await work.tx.rows(_MARKS, emails))
    parting: dict[int, list[Row]] = {}
    changes = 0
    for uid, email in copies:
        leaving = [row for row in held[email] if allowed.get(row[1]) == here]
        if len(leaving) == len(held[email]):
            continue
        changes += len(leaving) + marks.get(email, 0)
        if parting and changes > PARTED:
            break
        parting[email] = leaving
        last_parted = uid
    else:
        last_parted = last
    modseq = await _part(work, head, parting) if parting else 0
    return Done(modseq=modseq, count=last_parted, more=more or last_parted < last)


async def _part(work: Work, head: Head, parting: dict[int, list[Row]]) -> int:
    """Give memberships of an Email, those that leave it, one of their own; the modseq of the change."""
    modseq = head.bump()
    anew: dict[int, int] = {}
    about = {row[0]: row for row in await work.tx.rows(_EMAILS, list(parting))}
    for email, leaving in parting.items():
        _, flags, keywords, thread, blob, size, *dates, exempt = about[email]
        new = anew[email] = email_id(head.account, head.next_email)
        head.next_email += 1
        work.add(
            INSERT_EMAIL,
            (new, head.account, modseq, modseq, flags, keywords, thread, blob, size)
            + (*dates, len(leaving), exempt),
        )
        # It takes the room of a copy, and is made though there be none: nobody asked for it.
        head.used_bytes += 0 if exempt else size
        head.used_emails += 1
    for mailbox, some in _by_mailbox(parting.values()):
        await _renumber(work, head, mailbox, some, anew, modseq)
    await work.flush()
    await work.tx.many(COPY_WIDE, [(new, old) for old, new in anew.items()])
    await work.tx.many(_COPY_MARKS, [(new, modseq, old) for old, new in anew.items()])
    await work.tx.many(_LEFT, [(len(leaving), modseq, email) for email, leaving in parting.items()])
    await touch_holders(work, list(parting), modseq)
    await warn(work, head)
    return modseq


def _by_mailbox(memberships: Iterable[list[Row]]) -> list[tuple[int, list[Row]]]:
    found: dict[int, list[Row]] = {}
    for some in memberships:
        for row in some:
            found.setdefault(row[1], []).append(row)
    return sorted(found.items())


async def _renumber(
    work: Work, head: Head, mailbox: int, rows: list[Row], anew: dict[int, int], modseq: int
) -> None:
    """New UIDs in the order of the old ones. What no session was told of is as many as before."""
    box = await work.mailbox(mailbox)
    assert box is not None
    rows = sorted(rows, key=itemgetter(2))
    uids = [row[2] for row in rows]
    await work.tx.run(REMOVE, mailbox, uids)
    bury(work, head.account, "uid", mailbox, modseq, uids)
    known = box.recent_from == box.uidnext
    for email, _, _, deleted, saved_at in rows:
        work.add(INSERT_MEMBERSHIP, (mailbox, box.uidnext, anew[email], deleted, saved_at))
        box.uidnext += 1
    if known:
        box.recent_from = box.uidnext
    box.changed(modseq)
