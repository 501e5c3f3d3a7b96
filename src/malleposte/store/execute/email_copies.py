r"""CopyEmails: emails by id into another account (RFC 8621 §4.7).

Each becomes a new Email over the same content, refused or made as a whole; then all are written under one
modseq. What the actor may set there is set: as of a copy by IMAP (RFC 4314 §4).
"""

from typing import Final

from malleposte.store.commands import MAX_ROWS, SYSTEM, CopyEmails, EmailCopy, kept_date
from malleposte.store.dialect import Row, any_of, both
from malleposte.store.execute.copying import COPY_WIDE
from malleposte.store.execute.filing import BREATH, INSERT_EMAIL, INSERT_MEMBERSHIP, warn
from malleposte.store.execute.flagging import READER_SEEN
from malleposte.store.execute.keywords import admit_keywords
from malleposte.store.execute.rights import OTHERWISE_SHARED, no_rights
from malleposte.store.flags import MAX_KEYWORDS_ACCOUNT, SEEN, join
from malleposte.store.ids import account_of, email_id, thread_id
from malleposte.store.read import mailboxes, memberships, reader_seen
from malleposte.store.read.rights import ALL, letters, same_lists
from malleposte.store.results import EmailsCopied, Refused
from malleposte.store.work import Head, MailboxRow, Work

_EMAILS: Final = both(
    "SELECT id, flags, size, keywords, blob, received_at, sent_at, attachment FROM email"
    " WHERE {ids} AND account = $2 AND mailboxes > 0",
    ids=any_of("id", 1),
)


class _Not(Exception):
    """An email is not copied."""

    def __init__(self, reason: str, text: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.text = text


async def copy_emails(work: Work, command: CopyEmails) -> EmailsCopied | Refused:
    """Execute ``CopyEmails``."""
    if command.source == command.account:
        raise ValueError("emails are copied from one account to another")
    await work.lock((command.source, command.account))
    source, head = await work.head(command.source), await work.head(command.account)
    if source is None or head is None:
        return Refused(reason="no-such-account")
    if command.if_source_modseq not in (None, source.modseq):
        return Refused(reason="source-changed")
    if command.if_modseq not in (None, head.modseq):
        return Refused(reason="changed")
    if sum(max(1, len(copy.mailboxes)) for copy in command.copies) > MAX_ROWS:
        return Refused(reason="limit", text=f"at most {MAX_ROWS} messages in one command")
    copying = _Copying(work, head, command)
    await copying.read()
    made: list[int] = []
    refused: list[tuple[int, str, str]] = []
    for at, copy in enumerate(command.copies):
        if at % BREATH == BREATH - 1:
            await work.breathe()
        try:
            made.append(await copying.copy(copy))
        except _Not as error:
            made.append(0)
            refused.append((at, error.reason, error.text))
    await copying.finish()
    return EmailsCopied(modseq=copying.modseq, emails=tuple(made), refused=tuple(refused))


class _Copying:
    """One command."""

    def __init__(self, work: Work, head: Head, command: CopyEmails) -> None:
        self.modseq = 0
        self._work = work
        self._head = head
        self._command = command
        self._actor = command.actor
        self._emails: dict[int, Row] = {}
        self._seen: dict[int, int] = {}
        self._shown: dict[str, str] = {}
        self._letters: dict[int, str] = {}
        self._alike: dict[tuple[int, int], bool] = {}
        self._wide: list[tuple[int, int]] = []

    async def read(self) -> None:
        """What is to be copied, as far as the actor may read it."""
        work, source = self._work, self._command.source
        ids = list(dict.fromkeys(copy.email for copy in self._command.copies))
        held = await memberships.of(work.tx, ids)
        readable = [email for email, boxes in held.items() if await self._reads(boxes)]
        rows = await work.tx.rows(_EMAILS, readable, source)
        self._emails = {row[0]: row for row in rows}
        if self._actor not in (SYSTEM, source):
            self._seen = await reader_seen.of(work.tx, self._actor, list(self._emails))
        self._shown = await mailboxes.keywords(work.tx, source)
        named = {box for copy in self._command.copies for box in copy.mailboxes}
        await work.mailboxes(box for box in named if account_of(box) == self._head.account)

    async def _reads(self, boxes: list[int]) -> bool:
        for box in boxes:
            if {"l", "r"} <= set(await self._may(box)):
                return True
        return False

    async def _may(self, mailbox: int) -> str:
        if self._actor == SYSTEM or self._actor == account_of(mailbox):
            return ALL
        if mailbox not in self._letters:
            self._letters[mailbox] = await letters(self._work.tx, self._actor, mailbox)
        return self._letters[mailbox]

    async def copy(self, copy: EmailCopy) -> int:
        """Gather a new email; its id. Raises ``_Not``."""
        work, head = self._work, self._head
        row = self._emails.get(copy.email)
        if row is None:
            raise _Not("no-such-email")
        targets, held = await self._targets(copy)
        _, flags, size, words, blob, received, sent, attachment = row
        if head.quota_bytes and head.used_bytes + size > head.quota_bytes:
            raise _Not("over-quota")
        named = [self._shown.get(word, word) for word in words.split(" ")] if words else []
        if copy.flags is None:
            flags = flags & ~SEEN | self._seen.get(copy.email, flags & SEEN)
        else:
            flags, named = copy.flags, list(copy.words)
        flags &= (SEEN if "s" in held else 0) | (~SEEN if "w" in held else 0)
        admitted: list[str] = []
        if named and "w" in held:
            admitted = list(await admit_keywords(work, head, named, most=MAX_KEYWORDS_ACCOUNT))
        personal = 0
        if self._actor not in (SYSTEM, head.account):
            personal, flags = flags & SEEN, flags & ~SEEN
        self.modseq = self.modseq or head.bump()
        email = email_id(head.account, head.next_email)
        head.next_email += 1
        thread = thread_id(head.account, head.next_thread)
        head.next_thread += 1
        if copy.received_at is not None:
            received = kept_date(copy.received_at)
        work.add(
            INSERT_EMAIL,
            (email, head.account, self.modseq, self.modseq, flags, join(admitted), thread, blob)
            + (size, received, sent, attachment, len(targets), 0),
        )
        if personal:
            work.add(READER_SEEN, (email, self._actor, 1, self.modseq))
        for box in targets:
            work.add(INSERT_MEMBERSHIP, (box.id, box.uidnext, email, 0, work.now))
            box.uidnext += 1
            box.messages += 1
            box.size += size
            box.unseen += not flags & SEEN
            box.changed(self.modseq)
        self._wide.append((email, copy.email))
        head.used_bytes += size
        head.used_emails += 1
        head.dirty = True
        return email

    async def _targets(self, copy: EmailCopy) -> tuple[list[MailboxRow], set[str]]:
        """The mailboxes it goes to, and what the actor may in all of them."""
        found: list[MailboxRow] = []
        held = set(ALL)
        for mailbox in dict.fromkeys(copy.mailboxes):
            here = account_of(mailbox) == self._head.account
            row = await self._work.mailbox(mailbox) if here else None
            if row is None or "l" not in await self._may(mailbox):
                raise _Not("no-such-mailbox")
            if "i" not in await self._may(mailbox):
                refusal = no_rights("i")
                raise _Not(refusal.reason, refusal.text)
            if found and not await self._shared_alike(found[0].id, mailbox):
                raise _Not("shared", OTHERWISE_SHARED)
            held &= set(await self._may(mailbox))
            found.append(row)
        if not found:
            raise _Not("nowhere")
        return found, held

    async def _shared_alike(self, one: int, other: int) -> bool:
        if (one, other) not in self._alike:
            self._alike[one, other] = await same_lists(self._work.tx, one, other)
        return self._alike[one, other]

    async def finish(self) -> None:
        """Write what was gathered."""
        if not self._wide:
            return
        await self._work.flush()
        await self._work.tx.many(COPY_WIDE, self._wide)
        await warn(self._work, self._head)
