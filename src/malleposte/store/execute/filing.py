"""Filing: a message becomes an Email in a mailbox, for ``delivering`` and ``appending``.

The hot path: many deliveries share a transaction, so look-ups (content already here, threads) are made
for all of them first and rows are only gathered. Content is stored once per organisation.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from malleposte.store import dialect
from malleposte.store.commands import (
    AddJob,
    Append,
    AppendAll,
    Bringing,
    Content,
    Deliver,
    Enclosed,
    PutContent,
    Rendered,
    kept_date,
)
from malleposte.store.dialect import Row, Sql
from malleposte.store.errors import TemporaryFailure
from malleposte.store.execute.records import add_job
from malleposte.store.flags import SEEN
from malleposte.store.ids import email_id, frame_id, thread_id
from malleposte.store.quota import QUOTA_JOB, level_reached
from malleposte.store.work import Head, MailboxRow, Work

_INT = "bigint"
_BLOB = dialect.insert(
    "blob",
    {
        "id": _INT,
        "organisation": _INT,
        "digest": "bytea",
        "size": _INT,
        "stored": _INT,
        "place": "text",
        "touched_at": _INT,
    },
)
FRAMES = dialect.insert("blob_frame", {"id": _INT, "data": "bytea"})
EMAIL_COLUMNS = {
    "id": _INT,
    "account": _INT,
    "modseq": _INT,
    "created_modseq": _INT,
    "flags": _INT,
    "keywords": "text",
    "thread": _INT,
    "blob": _INT,
    "size": _INT,
    "received_at": _INT,
    "sent_at": _INT,
    "attachment": _INT,
    "mailboxes": _INT,
    "exempt": _INT,
}
INSERT_EMAIL = dialect.insert("email", EMAIL_COLUMNS)
RENDERED_COLUMNS = {
    "structure": "bytea",
    "envelope": "bytea",
    "bodystructure": "bytea",
    "envelope_utf8": "bytea",
    "bodystructure_utf8": "bytea",
    "preview": "text",
    "subject": "text",
    "base_subject": "text",
    "from_text": "text",
    "to_text": "text",
    "cc_text": "text",
    "bcc_text": "text",
    "message_id": "text",
    "thread_key": "bytea",
}
"""Columns of the wide row that are made of the content; ``Rendered`` has them by the same names."""
WIDE_COLUMNS = {"id": _INT, "prefix": "bytea", **RENDERED_COLUMNS}
_WIDE = dialect.insert("email_wide", WIDE_COLUMNS)
INSERT_MEMBERSHIP = dialect.insert(
    "membership",
    {"mailbox": _INT, "uid": _INT, "email": _INT, "deleted": _INT, "saved_at": _INT},
)
_REFERENCE = dialect.insert(
    "thread_reference",
    {"account": _INT, "hash": _INT, "thread": _INT},
    on_conflict="ON CONFLICT DO NOTHING",
)
TOUCH = dialect.update("blob", "id", {"touched_at": _INT})
_FIND_BLOBS = Sql(
    sqlite="SELECT organisation, digest, id FROM blob WHERE organisation = $1 AND digest = $2",
    postgres="SELECT b.organisation, b.digest, b.id FROM unnest($1::bigint[], $2::bytea[])"
    " AS v(organisation, digest) JOIN blob b ON b.organisation = v.organisation"
    # Locked, so that a sweep cannot take the content away before this transaction touches it.
    " AND b.digest = v.digest ORDER BY b.id FOR UPDATE OF b",
)
_FIND_THREADS = Sql(
    sqlite="SELECT account, hash, thread FROM thread_reference WHERE account = $1 AND hash = $2",
    postgres="SELECT t.account, t.hash, t.thread FROM unnest($1::bigint[], $2::bigint[])"
    " AS v(account, hash) JOIN thread_reference t ON t.account = v.account AND t.hash = v.hash",
)


PUT_FOR = 900
"""Seconds for which content that was put waits for the command that uses it; it is touched so far ahead."""

BREATH = 100
"""Messages of one command between two breaths: some 3 ms."""

Message = Deliver | Append | Enclosed
"""What holds a message: its content, and what was made of it."""


def rendered_row(rendered: Rendered) -> Row:
    """The values of ``RENDERED_COLUMNS``, in their order."""
    return (
        rendered.structure,
        rendered.envelope,
        rendered.bodystructure,
        rendered.envelope_utf8,
        rendered.bodystructure_utf8,
        rendered.preview,
        rendered.subject,
        rendered.base_subject,
        rendered.from_text,
        rendered.to_text,
        rendered.cc_text,
        rendered.bcc_text,
        rendered.message_id,
        rendered.thread_key,
    )


def thread_hashes(rendered: Rendered) -> list[int]:
    """64-bit hashes of the ids a message names, own id last, each with the base subject.

    The subject is part of the hash: a reply that changed it starts a thread (RFC 8621 §3).
    """
    subject = blake2b(rendered.base_subject.encode("utf-8", "replace"), digest_size=8).digest()
    ids = list(rendered.thread_ids)
    if rendered.message_id is not None:
        ids = [i for i in ids if i != rendered.message_id]
        ids.append(rendered.message_id)
    return [
        int.from_bytes(
            blake2b(i.encode("utf-8", "replace"), digest_size=8, key=subject).digest(),
            "big",
            signed=True,
        )
        for i in ids
    ]


def chosen(command: Deliver, variant: int) -> Deliver | Enclosed:
    """A delivery's message as it came, or a variant of it."""
    return command.variants[variant - 1] if variant else command


def _messages(command: Bringing) -> Sequence[Message | PutContent]:
    if isinstance(command, AppendAll):
        return command.messages
    if isinstance(command, Deliver) and command.variants:
        return (command, *command.variants)
    return (command,)


class Known:
    """What one look-up for all gathered messages found: content and threads already here."""

    __slots__ = ("_blob_numbers", "blobs", "files", "hashes", "threads")

    def __init__(self) -> None:
        self.blobs: dict[tuple[int, bytes], int] = {}
        self.threads: dict[tuple[int, int], int] = {}
        self.hashes: dict[int, list[int]] = {}
        self.files: list[tuple[int, int]] = []
        self._blob_numbers: list[int] = []

    async def look_up(self, work: Work, commands: Sequence[Bringing]) -> None:
        """Find in few statements what the commands will ask for."""
        digests: set[tuple[int, bytes]] = set()
        references: set[tuple[int, int]] = set()
        for command in commands:
            for at, message in enumerate(_messages(command), 1):
                if at % BREATH == 0:
                    await work.breathe()
                hashes: list[int] = []
                if isinstance(message, Message):
                    hashes = self.hashes[id(message)] = thread_hashes(message.rendered)
                for account in command.accounts():
                    head = await work.head(account)
                    if head is not None:
                        digests.add((head.organisation, message.content.digest))
                        references.update((account, h) for h in hashes)
                if isinstance(message, PutContent) and message.organisation:
                    digests.add((message.organisation, message.content.digest))
                if isinstance(message, Deliver):
                    for handing in message.handings:
                        digests.add((handing.organisation, message.content.digest))
                    for one in message.forwards:
                        content = chosen(message, one.variant).content
                        digests.add((one.handing.organisation, content.digest))
        for organisation, digest, blob in await _pairs(work, _FIND_BLOBS, digests):
            self.blobs[organisation, bytes(digest)] = blob
        for account, value, thread in await _pairs(work, _FIND_THREADS, references):
            self.threads[account, value] = thread
        new = len(digests) - len(self.blobs)
        self._blob_numbers = (await work.numbers("blob", new))[::-1] if new > 0 else []

    def blob(
        self,
        work: Work,
        organisation: int,
        content: Content,
        command_id: int,
        *,
        ahead: int = 0,
    ) -> int:
        """The blob of some content; its rows are gathered if it is new. ``ahead``: seconds to come for
        which nothing sweeps it, though nothing uses it yet.

        Raises ``TemporaryFailure`` where content was to be there and is not.
        """
        blob = self.blobs.get((organisation, content.digest))
        touched = work.now + ahead
        if blob is not None:
            work.add(TOUCH, (touched, blob))
            return blob
        if not content.frames and not content.file:
            raise TemporaryFailure("content that was put before is gone")
        blob = self.blobs[organisation, content.digest] = self._blob_numbers.pop()
        stored = content.stored or sum(map(len, content.frames))
        # PostgreSQL keeps large content as rows too: the batch reads them from the spooled file.
        place = "file" if content.file and work.tx.dialect == "sqlite" else "rows"
        work.add(_BLOB, (blob, organisation, content.digest, content.size, stored, place, touched))
        for n, frame in enumerate(content.frames):
            work.add(FRAMES, (frame_id(blob, n), frame))
        if content.file:
            self.files.append((command_id, blob))
        return blob

    def thread(self, work: Work, head: Head, hashes: list[int]) -> int:
        """The thread of a message; fixed now, never merged later."""
        account = head.account
        thread = 0
        for value in hashes:
            found = self.threads.get((account, value))
            if found is not None:
                thread = found
                break
        if not thread:
            thread = thread_id(account, head.next_thread)
            head.next_thread += 1
        for value in hashes:
            if (account, value) not in self.threads:
                self.threads[account, value] = thread
                work.add(_REFERENCE, (account, value, thread))
        return thread


async def _pairs(work: Work, sql: Sql, pairs: Iterable[tuple[int, Any]]) -> list[Row]:
    wanted = list(pairs)
    if work.tx.dialect == "sqlite":
        found = []
        for a, b in wanted:
            row = await work.tx.row(sql, a, b)
            if row is not None:
                found.append(row)
        return found
    if not wanted:
        return []
    return await work.tx.rows(sql, [a for a, _ in wanted], [b for _, b in wanted])


def file_message(
    work: Work,
    known: Known,
    head: Head,
    mailbox: MailboxRow,
    command: Message,
    *,
    prefix: bytes,
    flags: int,
    keywords: str | None,
    deleted: int,
    exempt: bool = False,
    also: Sequence[MailboxRow] = (),
) -> tuple[int, int, int]:
    """Gather the rows of one Email in one mailbox, and others; (email, uid, modseq)."""
    rendered = command.rendered
    size = command.content.size + len(prefix)
    blob = known.blob(work, head.organisation, command.content, id(command))
    thread = known.thread(work, head, known.hashes[id(command)])
    modseq = head.bump()
    email = email_id(head.account, head.next_email)
    head.next_email += 1
    head.used_bytes += 0 if exempt else size
    head.used_emails += 1
    uid = mailbox.uidnext
    for box in (mailbox, *also):
        work.add(INSERT_MEMBERSHIP, (box.id, box.uidnext, email, deleted, work.now))
        box.uidnext += 1
        box.messages += 1
        box.size += size
        box.deleted += deleted
        if not flags & SEEN:
            box.unseen += 1
        box.changed(modseq)
    work.add(
        INSERT_EMAIL,
        (
            email,
            head.account,
            modseq,
            modseq,
            flags,
            keywords,
            thread,
            blob,
            size,
            kept_date(command.received_at),
            rendered.sent_at,
            int(rendered.attachment),
            1 + len(also),
            int(exempt),
        ),
    )
    work.add(_WIDE, (email, prefix, *rendered_row(rendered)))
    return email, uid, modseq


def why_no_room(work: Work, head: Head, size: int, grace: int) -> str:
    """Why a message of this size does not fit ('' if it does); warns as levels are reached."""
    if head.quota_bytes and head.used_bytes + size > head.quota_bytes:
        if not head.over_quota_since:
            head.over_quota_since = work.now
            head.dirty = True
        if work.now - head.over_quota_since > grace:
            return "over-quota-long"
        return "over-quota"
    if head.over_quota_since:
        head.over_quota_since = 0
        head.dirty = True
    return ""


async def warn(work: Work, head: Head) -> None:
    """Have the owner told when usage reached a level, once each."""
    if not head.quota_bytes:
        return
    level = level_reached(head.used_bytes, head.quota_bytes)
    if level > head.quota_level:
        head.quota_level = level
        head.dirty = True
        payload = msgspec.msgpack.encode((head.account, level))
        key = f"{head.account}:{level}"
        await add_job(work, AddJob(kind=QUOTA_JOB, key=key, payload=payload, run_at=work.now))
