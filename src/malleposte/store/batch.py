"""Run commands together in one transaction: the same on both databases.

Each command has a key (origin, seq): one life of one worker, and its count. What a command answered is
kept under the key in the same transaction, so that a command sent again (``again``) after a lost answer
is answered, not executed twice. Neighbouring hot commands share look-ups and bulk statements.
"""

import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from malleposte.store import commands as c
from malleposte.store import dialect
from malleposte.store.content import BlobFile
from malleposte.store.dialect import Tx
from malleposte.store.execute import (
    accounts,
    address_books,
    allowing,
    annotations,
    appending,
    cards,
    changing,
    copying,
    credentials,
    deleting,
    delivering,
    directory,
    early,
    email_copies,
    exchanging,
    expunging,
    filing,
    flagging,
    giving,
    groups,
    labels,
    mailbox_setting,
    mailboxes,
    notifying,
    parting,
    purging,
    push,
    queue_acts,
    queueing,
    recency,
    records,
    relays,
    rendering,
    renewal,
    repair,
    routing,
    second_steps,
    senders,
    sessions,
    sieve,
    submissions,
    subscriptions,
    tls,
    upkeep,
    uploading,
)
from malleposte.store.ids import frame_id
from malleposte.store.quota import RECOVERABLE
from malleposte.store.results import AnyResult, Refused
from malleposte.store.work import Work


async def _audited(work: Work, command: c.Audited) -> AnyResult:
    """Execute ``Audited``."""
    work.remarks.clear()
    result = await _EXECUTORS[type(command.act)](work, command.act)
    if not isinstance(result, Refused):
        await records.record_audit(work, command.line, work.remarks)
    return result


_EXECUTORS: dict[type[c.Command], Callable[[Work, Any], Awaitable[AnyResult]]] = {
    c.CreateMailbox: mailboxes.create_mailbox,
    c.SetMailbox: mailbox_setting.set_mailbox,
    c.RenameMailbox: mailboxes.rename_mailbox,
    c.ExchangeMailboxes: exchanging.exchange_mailboxes,
    c.DeleteMailbox: deleting.delete_mailbox,
    c.SweepMailbox: deleting.sweep_mailbox,
    c.Subscribe: subscriptions.subscribe,
    c.RenewUidValidity: renewal.renew_uidvalidity,
    c.SetRights: giving.set_rights,
    c.PartCopies: parting.part_copies,
    c.SetMetadata: annotations.set_metadata,
    c.StoreFlags: flagging.store_flags,
    c.ChangeEmails: changing.change_emails,
    c.CopyEmails: email_copies.copy_emails,
    c.DropNotification: notifying.drop_notification,
    c.Expunge: expunging.expunge,
    c.Copy: copying.copy,
    c.Recover: copying.recover,
    c.ClaimRecent: recency.claim_recent,
    c.CreateDomain: directory.create_domain,
    c.DeleteDomain: directory.delete_domain,
    c.CreateAccount: accounts.create_account,
    c.SetPassword: accounts.set_password,
    c.SetAccount: accounts.set_account,
    c.DeleteAccount: purging.delete_account,
    c.PurgeAccount: purging.purge_account,
    c.GrantRole: directory.grant_role,
    c.SetAlias: directory.set_alias,
    c.SetDomain: routing.set_domain,
    c.SetOrganisation: routing.set_organisation,
    c.SetCatchAll: routing.set_catch_all,
    c.SetRelayed: routing.set_relayed,
    c.SetForward: routing.set_forward,
    c.PutGroup: groups.put_group,
    c.DeleteGroup: groups.delete_group,
    c.SetMembers: groups.set_members,
    c.PutSecret: records.put_secret,
    c.RetireKey: records.retire_key,
    c.RecordAudit: records.record_audit,
    c.Audited: _audited,
    c.AddJob: records.add_job,
    c.LeaseJobs: records.lease_jobs,
    c.FinishJob: records.finish_job,
    c.TakeLease: records.take_lease,
    c.TakeQueued: queueing.take_queued,
    c.RecordOutcomes: queueing.record_outcomes,
    c.ChangeQueued: queue_acts.change_queued,
    c.Reroute: queue_acts.reroute,
    c.PutRelay: relays.put_relay,
    c.DropRelay: relays.drop_relay,
    c.NoteRouting: relays.note_routing,
    c.PutScript: sieve.put_script,
    c.ActivateScript: sieve.activate_script,
    c.DeleteScript: sieve.delete_script,
    c.RenameScript: sieve.rename_script,
    c.PutForm: sieve.put_form,
    c.AddPush: push.add_push,
    c.ChangePush: push.change_push,
    c.DropPush: push.drop_push,
    c.NotePush: push.note_push,
    c.SeedIdentities: submissions.seed_identities,
    c.PutIdentity: submissions.put_identity,
    c.DropIdentity: submissions.drop_identity,
    c.NoteProgress: submissions.note_progress,
    c.CancelSubmission: submissions.cancel_submission,
    c.DropSubmission: submissions.drop_submission,
    c.SeedBooks: address_books.seed_books,
    c.PutBook: address_books.put_book,
    c.DropBook: address_books.drop_book,
    c.ChangeCards: cards.change_cards,
    c.SetSendLimit: senders.set_send_limit,
    c.SetSendRight: senders.set_send_right,
    c.SetNetworks: senders.set_networks,
    c.OpenWebSession: sessions.open_web_session,
    c.UseWebSession: sessions.use_web_session,
    c.CloseWebSessions: sessions.close_web_sessions,
    c.AddAppPassword: credentials.add_app_password,
    c.AddPasskey: credentials.add_passkey,
    c.ConfirmTotp: second_steps.confirm_totp,
    c.DropAppPassword: credentials.drop_app_password,
    c.DropPasskey: credentials.drop_passkey,
    c.RenamePasskey: credentials.rename_passkey,
    c.PutLabel: labels.put_label,
    c.DropLabel: labels.drop_label,
    c.DropSecondStep: second_steps.drop_second_step,
    c.DropTotp: second_steps.drop_totp,
    c.PutRecoveryCodes: second_steps.put_recovery_codes,
    c.RequireSecondStep: second_steps.require_second_step,
    c.StartTotp: second_steps.start_totp,
    c.TrySecondStep: second_steps.try_second_step,
    c.UseAppPassword: credentials.use_app_password,
    c.UsePasskey: credentials.use_passkey,
    c.UseRecoveryCode: second_steps.use_recovery_code,
    c.UseTotp: second_steps.use_totp,
    c.PutStsPolicy: tls.put_sts_policy,
    c.MarkStsPolicy: tls.mark_sts_policy,
    c.SetTlsException: tls.set_tls_exception,
    c.AddTlsResults: tls.add_tls_results,
    c.DropTlsResults: tls.drop_tls_results,
    c.SweepTls: tls.sweep_tls,
    c.PurgeRecoverable: upkeep.purge_recoverable,
    c.PurgeOldest: early.purge_oldest,
    c.DropContent: early.drop_content,
    c.Shrink: early.shrink,
    c.SweepBlobs: upkeep.sweep_blobs,
    c.SweepRecords: upkeep.sweep_records,
    c.SweepTombstones: upkeep.sweep_tombstones,
    c.RepairAccount: repair.repair_account,
    c.RepairNumbers: repair.repair_numbers,
    c.Render: rendering.render,
}

_FILERS: dict[type[c.Command], Callable[[Work, Any, filing.Known], Awaitable[AnyResult]]] = {
    c.Deliver: delivering.deliver,
    c.Append: appending.append,
    c.Replace: appending.replace,
    c.AppendAll: appending.append_all,
    c.PutContent: appending.put_content,
    c.PutUpload: uploading.put_upload,
}
"""What runs commands that bring content; neighbours share their look-ups."""

_RESULT = dialect.insert(
    "command_result",
    {"origin": "bigint", "seq": "bigint", "at": "bigint", "result": "bytea"},
    # No ON CONFLICT: a second execution of the same key must fail, whoever is the first.
)
_FIND_RESULT = (
    # A write, so that its commit too is flushed, or waits for the standby, before anyone is answered.
    "UPDATE command_result SET at = $1 WHERE origin = $2 AND seq = $3 RETURNING result"
)

_encode = msgspec.msgpack.Encoder().encode
decode_result: Callable[[bytes], AnyResult] = msgspec.msgpack.Decoder(AnyResult).decode
"""Bytes of an answer, as kept and as sent, to the answer."""


@dataclass(slots=True)
class Submission:
    """A command with its key; ``fd`` holds its content where that is a spooled file."""

    origin: int
    seq: int
    command: c.AnyCommand
    again: bool = False
    fd: int | None = None


@dataclass(slots=True)
class Outcome:
    """Encoded answers in the order of the submissions, and the files to link before the commit."""

    results: list[bytes]
    links: list[tuple[int, int]]
    """(descriptor, blob id)"""


async def execute(
    tx: Tx, submissions: Sequence[Submission], now: int, recoverable: int = RECOVERABLE
) -> Outcome:
    """Execute submissions in an open transaction, in order. ``recoverable`` as ``Work`` has it.

    Raises whatever a command raised; the transaction must then be given up, and the caller tries
    halves of the batch, so that one bad command fails alone. A key that was executed meanwhile, or
    stands in the batch twice, breaks the primary key of the results: tried once more with ``again``,
    it is answered.
    """
    work = Work(tx, now, recoverable)
    answers: dict[int, bytes] = {}
    for at, submission in enumerate(submissions):
        if submission.again:
            row = await tx.row(_FIND_RESULT, now, submission.origin, submission.seq)
            if row is not None:
                answers[at] = bytes(row[0])
    todo = [(at, s) for at, s in enumerate(submissions) if at not in answers]
    await work.lock(account for _, s in todo for account in s.command.accounts())
    deliveries = [s.command for _, s in todo if isinstance(s.command, c.Deliver)]
    leaving = [
        handing
        for one in deliveries
        for handing in (*one.handings, *(forward.handing for forward in one.forwards))
    ]
    if leaving:
        await allowing.look_up(work, leaving)
    links: list[tuple[int, int]] = []
    at = 0
    while at < len(todo):
        end = at
        while end < len(todo) and isinstance(todo[end][1].command, c.Bringing):
            end += 1
        if end > at:
            await _file(work, [s for _, s in todo[at:end]], todo[at:end], answers, links)
            at = end
            continue
        place, submission = todo[at]
        await work.flush()
        result = await _EXECUTORS[type(submission.command)](work, submission.command)
        answers[place] = _encode(result)
        at += 1
    for place, submission in todo:
        work.add(_RESULT, (submission.origin, submission.seq, now, answers[place]))
    await work.flush()
    return Outcome(results=[answers[at] for at in range(len(submissions))], links=links)


async def _file(
    work: Work,
    run: Sequence[Submission],
    places: Sequence[tuple[int, Submission]],
    answers: dict[int, bytes],
    links: list[tuple[int, int]],
) -> None:
    known = filing.Known()
    brought = [s.command for s in run if isinstance(s.command, c.Bringing)]
    await work.mailboxes(mailbox for command in brought for mailbox in _targets(command))
    await known.look_up(work, brought)
    for (place, _), command in zip(places, brought, strict=True):
        answers[place] = _encode(await _FILERS[type(command)](work, command, known))
    descriptors = {id(s.command): s.fd for s in run}
    for command_id, blob in known.files:
        descriptor = descriptors[command_id]
        if descriptor is None:
            raise ValueError("content said to be a file came without one")
        if work.tx.dialect == "sqlite":
            links.append((descriptor, blob))
        else:
            await _write_frames(work, blob, descriptor)


def _targets(command: c.Bringing) -> list[int]:
    """The mailboxes a command puts something into."""
    if isinstance(command, c.Deliver):
        return [f.mailbox or f.account << 32 | 1 for f in command.filings]
    if isinstance(command, c.PutContent):
        return []
    return [command.mailbox, *command.also] if isinstance(command, c.Append) else [command.mailbox]


_FRAMES_AT_ONCE = 16
"""Frames of a large message in one statement: 4 MB of content in memory at most."""


async def _write_frames(work: Work, blob: int, descriptor: int) -> None:
    file = BlobFile.of(os.dup(descriptor))
    try:
        count = len(file.starts) - 1
        for first in range(0, count, _FRAMES_AT_ONCE):
            part = range(first, min(first + _FRAMES_AT_ONCE, count))
            await work.tx.many(filing.FRAMES, [(frame_id(blob, n), file.frame(n)) for n in part])
    finally:
        file.close()
