"""``Deliver``: a message to mailboxes, and what follows from it, in one transaction.

What is filed and what goes on to other servers is promised together: none of it without the others.
"""

from collections.abc import Sequence

from malleposte.store.commands import Deliver, Filing
from malleposte.store.execute import submissions
from malleposte.store.execute.filing import TOUCH, Known, chosen, file_message, warn, why_no_room
from malleposte.store.execute.handing import hand_on
from malleposte.store.execute.keywords import admit_keywords
from malleposte.store.execute.queueing import is_taken, settle
from malleposte.store.execute.records import add_job, record_audit
from malleposte.store.execute.sieve import remember
from malleposte.store.execute.tracing import trace
from malleposte.store.flags import join
from malleposte.store.ids import mailbox_id
from malleposte.store.results import Delivered, Filed
from malleposte.store.work import Work


async def deliver(work: Work, command: Deliver, known: Known) -> Delivered:
    """Execute ``Deliver``."""
    if command.settles is not None and not await is_taken(work, command.settles):
        return Delivered(filed=(), before=True)
    filed = [await _deliver_one(work, command, filing, known) for filing in command.filings]
    promised = command.handings or any(not one.account for one in command.forwards)
    if command.one_answer and (promised or any(not one.refused for one in filed)):
        for at, one in enumerate(filed):
            if one.refused in ("over-quota", "over-quota-long"):
                filing = command.filings[at]
                filed[at] = await _deliver_one(work, command, filing, known, promised=True)
    if command.variants and not promised and all(one.refused for one in filed):
        await _let_go(work, command, known)
    if command.handings:
        await hand_on(work, command, known, command.handings)
    if command.forwards or command.remembered or command.jobs or command.audit:
        await _follow(work, command, known, filed)
    if command.trace_id:
        await trace(work, command, filed)
    good = promised or not filed or any(not one.refused for one in filed)
    if good and command.submitted is not None:
        queued = any(one.account == command.submitted.account for one in command.handings)
        await submissions.keep(work, command.submitted, command.trace_id, queued=queued)
    if good and command.settles is not None:
        await settle(work, (command.settles,))
    return Delivered(filed=tuple(filed))


async def _let_go(work: Work, command: Deliver, known: Known) -> None:
    """Leave variants that nothing uses to the next sweep: else a full account is a way to fill the disk."""
    for filing in command.filings:
        head = await work.head(filing.account)
        if filing.variant and head is not None:
            digest = chosen(command, filing.variant).content.digest
            blob = known.blobs.get((head.organisation, digest))
            if blob is not None:
                work.add(TOUCH, (0, blob))


async def _follow(work: Work, command: Deliver, known: Known, filed: Sequence[Filed]) -> None:
    """What follows beside filing: what scripts decided, reports, the audit."""
    good = {one.account for one in filed if not one.refused}
    refused = {one.account for one in filed} - good
    for forward in command.forwards:
        if forward.account not in refused:
            message = chosen(command, forward.variant)
            await hand_on(work, command, known, (forward.handing,), message)
    await remember(work, command.remembered, refused)
    if good or not filed:
        for job in command.jobs:
            await add_job(work, job)
        for line in command.audit:
            await record_audit(work, line)


async def _deliver_one(
    work: Work, command: Deliver, filing: Filing, known: Known, *, promised: bool = False
) -> Filed:
    head = await work.head(filing.account)
    inbox = mailbox_id(filing.account, 1)
    wanted = filing.mailbox or inbox
    mailbox = await work.mailbox(wanted) if wanted >> 32 == filing.account else None
    if mailbox is None:
        mailbox = await work.mailbox(inbox)
    if head is None or mailbox is None:
        return Filed(account=filing.account, refused="no-such-account")
    message = chosen(command, filing.variant)
    if not (filing.exempt or promised):
        size = message.content.size + len(filing.prefix)
        refused = why_no_room(work, head, size, command.grace)
        if refused:
            return Filed(account=filing.account, refused=refused)
    keywords = await admit_keywords(work, head, filing.keywords) if filing.keywords else ()
    email, uid, modseq = file_message(
        work,
        known,
        head,
        mailbox,
        message,
        prefix=filing.prefix,
        flags=filing.flags,
        keywords=join(keywords),
        deleted=int(filing.deleted),
        exempt=filing.exempt,
    )
    if head.quota_bytes:
        await warn(work, head)
    return Filed(account=filing.account, mailbox=mailbox.id, uid=uid, email=email, modseq=modseq)
