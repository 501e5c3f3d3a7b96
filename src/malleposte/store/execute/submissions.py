"""Identities and submissions of JMAP: made, changed, gone. One that is gone stays as a mark of it."""

from typing import Final

from malleposte.store.commands import ChangeQueued
from malleposte.store.commands.submissions import (
    MAX_IDENTITIES,
    MAX_OCTETS,
    MAX_SENT,
    MAX_SUBMISSIONS,
    CancelSubmission,
    DropIdentity,
    DropSubmission,
    NoteProgress,
    PutIdentity,
    SeedIdentities,
    Submitted,
)
from malleposte.store.execute.queue_acts import change_queued
from malleposte.store.read.submissions import MOST_OPEN, OPEN, Progress
from malleposte.store.results import Done, Refused
from malleposte.store.work import Work

_ADD_IDENTITY: Final = (
    "INSERT INTO identity (account, n, modseq, gone, address, state) VALUES ($1, $2, $2, 0, $3, $4)"
)
_ADD_SUBMISSION: Final = (
    "INSERT INTO email_submission (account, n, modseq, gone, identity, email, thread, send_at, trace,"
    " canceled, state, progress, ended) VALUES ($1, $2, $2, 0, $3, $4, $5, $6, $7, 0, $8, '', $9)"
)
_OVER: Final = (
    "DELETE FROM email_submission WHERE account = $1 AND n <= (SELECT n FROM email_submission"
    " WHERE account = $1 ORDER BY n DESC LIMIT 1 OFFSET $2)"
)
_QUEUED: Final = (
    "SELECT m.id, r.state, r.attempts FROM queue_message m JOIN queue_recipient r ON r.message = m.id"
    " WHERE m.trace = $1 AND m.account = $2"
)
_MOVE: Final = (
    "UPDATE email_submission SET modseq = $1, progress = $2, ended = $3"
    " WHERE account = $4 AND n = $5"
)
_NO_ACCOUNT: Final = Refused(reason="no-such-account")
_NO_IDENTITY: Final = Refused(reason="no-such-identity", text="there is no such identity")
_NO_SUBMISSION: Final = Refused(reason="no-such-submission", text="there is no such submission")
_LONG: Final = Refused(reason="too-long", text="that holds too much")


async def seed_identities(work: Work, command: SeedIdentities) -> Done | Refused:
    """Execute ``SeedIdentities``."""
    head = await work.head(command.account)
    if head is None:
        return _NO_ACCOUNT
    rows = await work.tx.rows("SELECT address FROM identity WHERE account = $1", command.account)
    known, made = {row[0] for row in rows}, 0
    for address, state in command.identities[:MAX_IDENTITIES]:
        if address in known:
            continue
        known.add(address)
        await work.tx.run(_ADD_IDENTITY, command.account, head.bump(), address, state)
        made += 1
    return Done(count=made)


async def put_identity(work: Work, command: PutIdentity) -> Done | Refused:
    """Execute ``PutIdentity``."""
    if len(command.state) > MAX_OCTETS:
        return _LONG
    head = await work.head(command.account)
    if head is None:
        return _NO_ACCOUNT
    if not command.n:
        row = await work.tx.row(
            "SELECT count(*) FROM identity WHERE account = $1 AND gone = 0", command.account
        )
        if row is not None and row[0] >= MAX_IDENTITIES:
            return Refused(reason="limit", text=f"there can be {MAX_IDENTITIES} identities at most")
        n = head.bump()
        await work.tx.run(_ADD_IDENTITY, command.account, n, command.address, command.state)
        return Done(modseq=n, count=n)
    row = await work.tx.row(
        "SELECT 1 FROM identity WHERE account = $1 AND n = $2 AND gone = 0",
        command.account,
        command.n,
    )
    if row is None:
        return _NO_IDENTITY
    modseq = head.bump()
    await work.tx.run(
        "UPDATE identity SET modseq = $1, state = $2 WHERE account = $3 AND n = $4",
        modseq,
        command.state,
        command.account,
        command.n,
    )
    return Done(modseq=modseq, count=command.n)


async def drop_identity(work: Work, command: DropIdentity) -> Done | Refused:
    """Execute ``DropIdentity``."""
    return await _drop(work, "identity", command.account, command.n) or _NO_IDENTITY


async def drop_submission(work: Work, command: DropSubmission) -> Done | Refused:
    """Execute ``DropSubmission``."""
    return await _drop(work, "email_submission", command.account, command.n) or _NO_SUBMISSION


async def _drop(work: Work, table: str, account: int, n: int) -> Done | None:
    row = await work.tx.row(
        f"SELECT 1 FROM {table} WHERE account = $1 AND n = $2 AND gone = 0", account, n
    )
    head = await work.head(account)
    if row is None or head is None:
        return None
    modseq = head.bump()
    await work.tx.run(
        f"UPDATE {table} SET modseq = $1, gone = 1, state = $2 WHERE account = $3 AND n = $4",
        modseq,
        b"",
        account,
        n,
    )
    return Done(modseq=modseq)


async def keep(work: Work, submitted: Submitted, trace: int, *, queued: bool) -> None:
    """Keep that a message was submitted; ``queued``: something of it goes on from the queue."""
    if len(submitted.state) > MAX_SENT:
        raise ValueError("what is kept of a submission is too long")
    head = await work.head(submitted.account)
    if head is None:
        return
    n = head.bump()
    await work.tx.run(
        _ADD_SUBMISSION,
        submitted.account,
        n,
        submitted.identity,
        submitted.email,
        submitted.thread,
        submitted.send_at,
        trace,
        submitted.state,
        int(not queued),
    )
    await work.tx.run(_OVER, submitted.account, MAX_SUBMISSIONS)


async def note_progress(work: Work, command: NoteProgress) -> Done | Refused:
    """Execute ``NoteProgress``."""
    head = await work.head(command.account)
    if head is None:
        return _NO_ACCOUNT
    await work.flush()
    count = 0
    for row in await work.tx.rows(OPEN, command.account, MOST_OPEN):
        one = Progress(*row)
        if not one.moved:
            continue
        await work.tx.run(_MOVE, head.bump(), one.text, int(not one.left), command.account, one.n)
        count += 1
    return Done(modseq=head.modseq if count else 0, count=count)


async def cancel_submission(work: Work, command: CancelSubmission) -> Done | Refused:
    """Execute ``CancelSubmission``."""
    row = await work.tx.row(
        "SELECT trace, canceled FROM email_submission WHERE account = $1 AND n = $2 AND gone = 0",
        command.account,
        command.n,
    )
    head = await work.head(command.account)
    if row is None or head is None:
        return _NO_SUBMISSION
    if row[1]:
        return Done(modseq=head.modseq)
    await work.flush()
    queued = await work.tx.rows(_QUEUED, row[0], command.account)
    if not queued or any(state > 1 or attempts for _, state, attempts in queued):
        return Refused(reason="cannot-unsend", text="it is on its way already")
    messages = tuple(sorted({one[0] for one in queued}))
    await change_queued(work, ChangeQueued(messages=messages, act="remove", said="by its sender"))
    modseq = head.bump()
    await work.tx.run(
        "UPDATE email_submission SET canceled = 1, ended = 1, modseq = $1 WHERE account = $2 AND n = $3",
        modseq,
        command.account,
        command.n,
    )
    return Done(modseq=modseq)
