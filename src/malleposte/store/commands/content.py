"""Commands that bring messages: deliveries, APPEND in all its forms, content put before."""

import msgspec

from malleposte.store.commands.base import Command
from malleposte.store.commands.directory import RecordAudit
from malleposte.store.commands.queue import Handing, Outcome
from malleposte.store.commands.sieve import Remember
from malleposte.store.commands.submissions import Submitted
from malleposte.store.commands.upkeep import AddJob


class Content(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """The bytes of a message, compressed by the worker.

    ``frames``: zstd frames of 256 KiB of content each; empty where the content is ``file``: then the
    frames stand in a spooled, flushed file whose descriptor travels with the command.
    """

    digest: bytes
    size: int
    frames: tuple[bytes, ...] = ()
    file: bool = False
    stored: int = 0


class Rendered(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What ``mime`` made of a message: the wide columns, and what threads and lists need."""

    structure: bytes
    envelope: bytes
    bodystructure: bytes
    envelope_utf8: bytes | None
    bodystructure_utf8: bytes | None
    preview: str
    subject: str
    base_subject: str
    from_text: str
    to_text: str
    cc_text: str
    bcc_text: str
    message_id: str | None
    thread_ids: tuple[str, ...]
    sent_at: int | None
    attachment: bool
    thread_key: bytes | None = None


class Filing(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """One copy of a delivered message: into which mailbox of whom, and how."""

    account: int
    mailbox: int = 0
    """0, or a mailbox that is gone by then: the account's INBOX."""
    prefix: bytes = b""
    flags: int = 0
    keywords: tuple[str, ...] = ()
    exempt: bool = False
    """Never over quota and not counted in it: mail to postmaster and abuse, the server's own warnings."""
    deleted: bool = False
    variant: int = 0
    """0: the message as it came; else one of ``Deliver.variants``, counted from 1."""


class Enclosed(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """One message of ``AppendAll``, or a variant of one that is delivered. ``content`` without frames is
    content that ``PutContent`` put."""

    content: Content
    rendered: Rendered
    received_at: int
    flags: int = 0
    keywords: tuple[str, ...] = ()
    deleted: bool = False


class Forward(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A copy that leaves in place of one for ``account``, or beside it: not where that was refused, for
    then its sender comes again. ``variant`` as in ``Filing``."""

    account: int
    handing: Handing
    variant: int = 0


class Deliver(Command, frozen=True, array_like=True, kw_only=True):
    """File a received message for one or several accounts. Answer: ``Delivered``."""

    content: Content
    rendered: Rendered
    filings: tuple[Filing, ...]
    received_at: int
    sender: str = ""
    direction: str = "in"
    trace_id: int = 0
    trace: bytes = b""
    grace: int = 0
    """Seconds an account may be over quota before its mail is refused for good."""
    one_answer: bool = False
    """Its sender hears one answer for all filings, after each was promised to him: if any is filed, those
    without room are too, and count."""
    handings: tuple[Handing, ...] = ()
    """Copies that leave; with them it may have no filing at all."""
    forwards: tuple[Forward, ...] = ()
    variants: tuple[Enclosed, ...] = ()
    """The message with a changed header, for filings and forwards that name one; put before
    (``PutContent``)."""
    remembered: tuple[Remember, ...] = ()
    jobs: tuple[AddJob, ...] = ()
    """Work that follows, unless each filing was refused."""
    audit: tuple[RecordAudit, ...] = ()
    """Lines of the audit that belong to it, likewise."""
    settles: Outcome | None = None
    """What it comes to in the queue, where it waited there: recorded with it. Nothing is done where that
    try is not the last one any more (``Delivered.before``), so that it is filed once."""
    submitted: Submitted | None = None
    """What is kept of it for who submitted it, unless each filing was refused."""

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        accounts = tuple(filing.account for filing in self.filings)
        if self.submitted is not None:
            accounts = (*accounts, self.submitted.account)
        if not self.remembered:
            return accounts
        return (*accounts, *(one.account for one in self.remembered))


class Append(Command, frozen=True, array_like=True, kw_only=True):
    """Put a message into a mailbox for an actor (IMAP APPEND, import). Answer: ``Appended``.

    ``also``: further mailboxes of the account that the email is in."""

    actor: int
    mailbox: int
    content: Content
    rendered: Rendered
    received_at: int
    flags: int = 0
    keywords: tuple[str, ...] = ()
    deleted: bool = False
    exempt: bool = False
    also: tuple[int, ...] = ()

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.mailbox >> 32,)


class Replace(Append, frozen=True, array_like=True, kw_only=True):
    """Put a message into a mailbox in place of another message, perhaps of another mailbox, which is
    expunged: both or neither (RFC 8508). Answer: ``Appended``; ``no-such-email`` where it is gone.

    ``source`` and ``uid`` name the message that goes; ``recoverable_until`` as in ``Expunge``.
    """

    source: int
    uid: int
    recoverable_until: int = 0

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return tuple({self.source >> 32, self.mailbox >> 32})


class AppendAll(Command, frozen=True, array_like=True, kw_only=True):
    """Put several messages into a mailbox, all or none (RFC 3502). Answer: ``AppendedAll``.

    A command has a bounded size: what does not fit is put before, content by content.
    """

    actor: int
    mailbox: int
    messages: tuple[Enclosed, ...]

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.mailbox >> 32,)


class PutContent(Command, frozen=True, array_like=True, kw_only=True):
    """Keep content that a command to come will use, for an account's organisation, or (0: no account) for
    ``organisation``. Answer: ``Done``.

    Until an email uses it nothing protects it but the time that ``SweepBlobs`` leaves to what is new.
    """

    content: Content
    account: int = 0
    organisation: int = 0

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,) if self.account else ()


Bringing = Deliver | Append | AppendAll | PutContent
"""Commands that bring content (``Replace`` is an ``Append``)."""
