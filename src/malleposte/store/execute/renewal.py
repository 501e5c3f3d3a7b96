"""After a restore: numbers leap past all that can have been given out since the copy was made."""

from malleposte.store.commands import RenewUidValidity
from malleposte.store.results import Done, Refused
from malleposte.store.work import Work

MODSEQ_LEAP = 1 << 24
ID_LEAP = 1 << 20
UIDVALIDITY_LEAP = 1 << 16
"""What is skipped for each restore: more than can have been given out since the copy was made (the clock
alone is not enough for UIDVALIDITY: it may stand behind, and many mailboxes made at once run ahead)."""


async def renew_uidvalidity(work: Work, command: RenewUidValidity) -> Done | Refused:
    """Execute ``RenewUidValidity``: no UID given before a restore can name another message after it.

    The modseq leaps past any that was given out before the restore, and states from before it cannot be
    told from, since what was filed after the copy left no tombstones (RFC 8620 §5.2). The next ids leap
    as well: an email's or a mailbox's id names no other one later (RFC 8474 §4, RFC 8621 §1.2).
    """
    head = await work.head(command.account)
    if head is None:
        return Refused(reason="no-such-account")
    leaps = max(1, command.leaps)
    head.modseq += leaps * MODSEQ_LEAP
    await work.tx.run(
        "UPDATE account_head SET tombstone_floor = $1 WHERE account = $2",
        head.modseq,
        command.account,
    )
    head.tombstone_floor = head.modseq
    head.next_email += leaps * ID_LEAP
    head.next_mailbox += leaps * ID_LEAP
    head.next_thread += leaps * ID_LEAP
    await work.tx.run(
        "UPDATE contact_head SET next = next + $1 WHERE account = $2",
        leaps * ID_LEAP,
        command.account,
    )
    head.uidvalidity = max(head.uidvalidity, work.now) + leaps * UIDVALIDITY_LEAP
    modseq = head.bump()
    rows = await work.tx.rows(
        "SELECT id FROM mailbox WHERE account = $1 ORDER BY id", command.account
    )
    for (one,) in rows:
        row = await work.mailbox(one)
        if row is not None:
            row.uidvalidity = head.new_uidvalidity(work.now)
            row.changed(modseq)
    return Done(modseq=modseq, count=len(rows))
