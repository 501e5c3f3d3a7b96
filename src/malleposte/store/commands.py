"""Typed write commands: everything that changes the store, as plain data.

A command is one transaction's worth of work, validated where it is executed, never a closure. It
touches at most ``MAX_ROWS`` messages; whoever has more cuts it into several. ``actor`` says for whom:
``SYSTEM`` (delivery, upkeep) or an account, whose mailbox rights are checked by the statements
themselves. Uid sets are ranges ``(first, last)``, both ends included.

The encoding (msgspec msgpack, arrays) is between processes of one version on one machine, never stored.
"""

from typing import ClassVar, Final

import msgspec

MAX_ROWS = 5_000
"""Messages one command may touch, so that other commands pass between (measured: 5,000 flags, 7 ms)."""

SYSTEM = 0
"""The actor of deliveries and upkeep: all rights, no person."""

Ranges = tuple[tuple[int, int], ...]

LATEST: Final = 253_370_764_799
"""The end of the year 9998: later moments cannot be written in every zone with a year of four digits."""


def kept_date(seconds: int) -> int:
    """When a message came, as it is kept: Unix seconds from 1970 to ``LATEST``, whatever was claimed."""
    return min(max(0, seconds), LATEST)


class Command(msgspec.Struct, frozen=True, array_like=True, tag=True, kw_only=True):
    """Base of all commands."""

    hot: ClassVar[bool] = False
    """Gathered with its neighbours into bulk statements (see ``work.Work``)."""
    leases: ClassVar[bool] = False
    """Gives or ends leases: by the database's clock, for those of machines differ."""
    unnoticed: ClassVar[bool] = False
    """Changes nothing that others wait to hear of."""

    def accounts(self) -> tuple[int, ...]:
        """Accounts whose heads the command needs locked."""
        return ()


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


class Deliver(Command, frozen=True, array_like=True, kw_only=True):
    """File a received message for one or several accounts. Answer: ``Delivered``."""

    hot: ClassVar[bool] = True
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

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return tuple(filing.account for filing in self.filings)


class Append(Command, frozen=True, array_like=True, kw_only=True):
    """Put a message into a mailbox for an actor (IMAP APPEND, import). Answer: ``Appended``."""

    actor: int
    mailbox: int
    content: Content
    rendered: Rendered
    received_at: int
    flags: int = 0
    keywords: tuple[str, ...] = ()
    deleted: bool = False
    exempt: bool = False

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


class Enclosed(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """One message of ``AppendAll``. ``content`` without frames is content that ``PutContent`` put."""

    content: Content
    rendered: Rendered
    received_at: int
    flags: int = 0
    keywords: tuple[str, ...] = ()
    deleted: bool = False


class AppendAll(Command, frozen=True, array_like=True, kw_only=True):
    """Put several messages into a mailbox, all or none (RFC 3502). Answer: ``AppendedAll``.

    A command has a bounded size: what does not fit is put before, content by content.
    """

    hot: ClassVar[bool] = True
    actor: int
    mailbox: int
    messages: tuple[Enclosed, ...]

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.mailbox >> 32,)


class PutContent(Command, frozen=True, array_like=True, kw_only=True):
    """Keep content that a command to come will use, for an account's organisation. Answer: ``Done``.

    Until an email uses it nothing protects it but the time that ``SweepBlobs`` leaves to what is new.
    """

    hot: ClassVar[bool] = True
    account: int
    content: Content

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


Bringing = Deliver | Append | AppendAll | PutContent
"""Commands that bring content (``Replace`` is an ``Append``)."""


class CreateMailbox(Command, frozen=True, array_like=True, kw_only=True):
    """Make a mailbox at a path below a parent (0: top), and what is missing on the way.

    Answer: ``Created`` with the id of the last one; ``exists`` if it was there, ``in-use`` if another one
    has the role. ``claim``: if it is this mailbox that has it, and it was never used (no message, nothing
    below it, no rights given), it is moved to the path in place of making one.
    """

    actor: int
    account: int
    parent: int
    path: tuple[str, ...]
    role: str | None = None
    subscribe: bool = True
    claim: int = 0

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class RenameMailbox(Command, frozen=True, array_like=True, kw_only=True):
    """Give a mailbox another parent and name, by id; its children go with it. Answer: ``Done``.

    ``path`` is the new place below ``parent``: the last level is the name, levels above it that do not
    exist are made.
    """

    actor: int
    mailbox: int
    parent: int
    path: tuple[str, ...]

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.mailbox >> 32,)


class DeleteMailbox(Command, frozen=True, array_like=True, kw_only=True):
    """Remove a mailbox without children; its messages, at most ``MAX_ROWS``, go with it.

    Answer: ``Done``; ``not-empty`` where it holds more (expunge in slices first). ``heir``: a mailbox of
    the account that has no role; it takes the role of the one that goes.
    """

    actor: int
    mailbox: int
    recoverable_until: int = 0
    heir: int = 0

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.mailbox >> 32,)


class Subscribe(Command, frozen=True, array_like=True, kw_only=True):
    """Subscribe or unsubscribe a name; ``mailbox`` is 0 where none has that name. Answer: ``Done``."""

    account: int
    name: str
    mailbox: int = 0
    subscribed: bool = True

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class SetRights(Command, frozen=True, array_like=True, kw_only=True):
    """Set what a grantee (an account, or 0: anyone) may do in a mailbox, in letters of RFC 4314 §2.1.
    Answer: ``Done``, with modseq 0 where nothing changed; ``no-such-account`` for a grantee who is not of
    the owner's organisation.

    ``mode``: ``=`` in place of what the grantee had, ``+`` besides, ``-`` without; letters that are none
    are passed over. The first change makes the list the mailbox had from above its own; from then on it
    has one, also when nobody is left in it. The owner holds every right, whatever is set.
    """

    actor: int
    mailbox: int
    grantee: int
    letters: str
    mode: str = "="

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.mailbox >> 32,)


class Entry(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """An entry of METADATA (RFC 5464): its name in lower case without ``/private`` or ``/shared``, and
    its value; None removes it."""

    name: str
    private: bool
    value: bytes | None = None


class SetMetadata(Command, frozen=True, array_like=True, kw_only=True):
    """Set entries of METADATA, each named once, of a mailbox, or of the server (0) as the actor sees it;
    all or none. Answer: ``Done``; ``too-long``, ``too-many`` past the bounds of ``read.annotations``.

    ``role``: also the mailbox's use (RFC 6154 §4), which another one then has no more; '' takes its use
    away, None leaves it.
    """

    actor: int
    mailbox: int
    entries: tuple[Entry, ...]
    role: str | None = None

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``: private entries are counted where the actor keeps his."""
        return tuple({self.mailbox >> 32 or self.actor, self.actor})


class StoreFlags(Command, frozen=True, array_like=True, kw_only=True):
    """Change flags of the messages in a mailbox with these UIDs. Answer: ``Stored``.

    ``mode``: ``+``, ``-`` or ``=``. ``unchanged_since``: messages changed after it are left alone and
    named in the answer (RFC 7162 §3.1.3). Flags the actor may not set are left as they are, unless it may
    set none of those named; ``\\Seen`` of an actor who is not the owner is that actor's alone.
    """

    actor: int
    mailbox: int
    uids: Ranges
    mode: str
    flags: int = 0
    keywords: tuple[str, ...] = ()
    deleted: bool = False
    unchanged_since: int | None = None

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.mailbox >> 32,)


class Expunge(Command, frozen=True, array_like=True, kw_only=True):
    """Remove messages from a mailbox. Answer: ``Expunged``.

    ``marked``: only those with ``\\Deleted``. An email left without a mailbox stays recoverable until
    ``recoverable_until``.
    """

    actor: int
    mailbox: int
    uids: Ranges
    marked: bool = True
    recoverable_until: int = 0

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.mailbox >> 32,)


class Copy(Command, frozen=True, array_like=True, kw_only=True):
    """Copy messages into a mailbox, or move them within one account (between accounts: copy, then
    expunge). Answer: ``Copied``. New emails carry the flags the actor sees and may set there."""

    actor: int
    mailbox: int
    uids: Ranges
    target: int
    move: bool = False

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return tuple({self.mailbox >> 32, self.target >> 32})


class Recover(Command, frozen=True, array_like=True, kw_only=True):
    """Put recoverable emails back into a mailbox. Answer: ``Copied`` (uids of the source are 0)."""

    actor: int
    target: int
    emails: tuple[int, ...]

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.target >> 32,)


class ClaimRecent(Command, frozen=True, array_like=True, kw_only=True):
    """Have the messages of a mailbox up to the UID ``upto`` that nobody claimed before (RFC 3501 §2.3.2
    ``\\Recent``). Answer: ``Claimed``."""

    unnoticed: ClassVar[bool] = True
    actor: int
    mailbox: int
    upto: int

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.mailbox >> 32,)


class CreateDomain(Command, frozen=True, array_like=True, kw_only=True):
    """Make a domain, and postmaster@ and abuse@ in it. Answer: ``Created``."""

    name: str
    organisation: str = ""


class DeleteDomain(Command, frozen=True, array_like=True, kw_only=True):
    """Remove a domain that no account or alias uses any more. Answer: ``Done``."""

    name: str


class CreateAccount(Command, frozen=True, array_like=True, kw_only=True):
    """Make an account with its address, credential and six mailboxes. Answer: ``Created``."""

    address: str
    name: str
    password_hash: str
    kind: str = "person"
    locale: str = "en"
    time_zone: str = "UTC"
    quota_bytes: int = 0
    role: str = ""


class SetPassword(Command, frozen=True, array_like=True, kw_only=True):
    """Replace an account's main password. Answer: ``Done``."""

    account: int
    password_hash: str


class SetAccount(Command, frozen=True, array_like=True, kw_only=True):
    """Change an account's settings; None leaves one as it is. Answer: ``Done``."""

    account: int
    status: str | None = None
    name: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    quota_bytes: int | None = None

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class DeleteAccount(Command, frozen=True, array_like=True, kw_only=True):
    """Stop an account receiving and signing in, and have its mail removed by a job. Answer: ``Done``."""

    account: int

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class PurgeAccount(Command, frozen=True, array_like=True, kw_only=True):
    """Remove up to ``MAX_ROWS`` emails of a deleted account, at last the account. Answer: ``Done``,
    whose ``more`` says whether something is left."""

    account: int

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class GrantRole(Command, frozen=True, array_like=True, kw_only=True):
    """Give an account a role, or take it away. Answer: ``Done``."""

    account: int
    role: str
    granted: bool = True
    by: str = ""


class SetAlias(Command, frozen=True, array_like=True, kw_only=True):
    """Make, change or (without targets) remove an alias. Answer: ``Done``."""

    address: str
    accounts_: tuple[int, ...] = ()
    remotes: tuple[str, ...] = ()


class PutSecret(Command, frozen=True, array_like=True, kw_only=True):
    """Keep a sealed value under a name; empty bytes remove it. Answer: ``Done``."""

    name: str
    sealed: bytes
    key_id: str


class RecordAudit(Command, frozen=True, array_like=True, kw_only=True):
    """Add a line to the audit. Answer: ``Done``."""

    actor: str
    operation: str
    target: str
    outcome: str
    details: str = "{}"


Act = (
    CreateDomain
    | DeleteDomain
    | CreateAccount
    | SetPassword
    | SetAccount
    | DeleteAccount
    | GrantRole
    | SetAlias
    | PutSecret
)
"""What an operator does by one command."""


class Audited(Command, frozen=True, array_like=True, kw_only=True):
    """An operator's act and its line in the audit, both or neither; no line where the act is refused.
    Answer: the act's."""

    act: Act
    line: RecordAudit

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return self.act.accounts()


class AddJob(Command, frozen=True, array_like=True, kw_only=True):
    """Have a job run; one that waits under the same kind and key stays as it is. Answer: ``Done``."""

    kind: str
    key: str
    payload: bytes
    run_at: int


class LeaseJobs(Command, frozen=True, array_like=True, kw_only=True):
    """Take up to ``limit`` due jobs of some kinds for ``seconds``. Answer: ``Leased``."""

    leases: ClassVar[bool] = True
    holder: str
    kinds: tuple[str, ...]
    limit: int
    seconds: int


class FinishJob(Command, frozen=True, array_like=True, kw_only=True):
    """End a leased job (``retry_in`` 0), or put it back with the error seen, to be due again in so many
    seconds. Answer: ``Done``."""

    leases: ClassVar[bool] = True
    job: int
    epoch: int
    retry_in: int = 0
    error: str = ""


class TakeLease(Command, frozen=True, array_like=True, kw_only=True):
    """Take or renew a named lease. Answer: ``LeaseTaken`` (epoch 0: another holds it)."""

    leases: ClassVar[bool] = True
    name: str
    holder: str
    seconds: int


class PurgeRecoverable(Command, frozen=True, array_like=True, kw_only=True):
    """Remove emails whose time to be recovered is over and that no hold keeps. Answer: ``Done``."""

    limit: int = MAX_ROWS


class SweepBlobs(Command, frozen=True, array_like=True, kw_only=True):
    """Remove content nothing uses, untouched for ``idle`` seconds. Answer: ``Swept``."""

    idle: int = 48 * 3600
    after: int = 0
    limit: int = MAX_ROWS


class SweepRecords(Command, frozen=True, array_like=True, kw_only=True):
    """Remove old results and traces, up to ``limit`` of each. Answer: ``Done``, whose ``more`` says
    whether something may be left."""

    results_before: int
    traces_before: int
    limit: int = MAX_ROWS


class SweepTombstones(Command, frozen=True, array_like=True, kw_only=True):
    """Remove an account's tombstones up to a modseq, ``limit`` at a time; from then on nobody is told
    of changes since before it. Answer: ``Done``, whose ``more`` says whether something is left."""

    account: int
    upto: int
    limit: int = MAX_ROWS

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class RenewUidValidity(Command, frozen=True, array_like=True, kw_only=True):
    """Give every mailbox of an account a new UIDVALIDITY, after a restore from a copy.

    ``leaps``: how many restores what is skipped must be beyond; more than 1 where a copy is put back
    that knows nothing of the earlier ones.
    """

    account: int
    leaps: int = 1

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class RepairAccount(Command, frozen=True, array_like=True, kw_only=True):
    """Compute again what is derived in an account: counters, sizes, next ids, what names what is gone.

    Answer: ``Done``, whose ``count`` is the rows put right. Takes seconds for a large account.
    """

    account: int

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class RepairNumbers(Command, frozen=True, array_like=True, kw_only=True):
    """Have the next accounts, domains, blobs and jobs get numbers not in use. Answer: ``Done``.

    ``leap``: numbers to skip besides, after a restore from a copy (with ``RenewUidValidity``).
    """

    leap: int = 0


class Render(Command, frozen=True, array_like=True, kw_only=True):
    """Write what ``mime`` makes now of an email's content: its wide row, sent_at, attachment and size.

    The prefix of a row that is there stays; that of a lost one is lost, and the email so much shorter.
    Thread, flags and place stay. ``blob``: the content it was made of. Answer: ``Done``, whose ``count``
    is 1 where the row had been lost; ``no-such-email`` where the email is gone or has other content.
    """

    email: int
    blob: int
    rendered: Rendered

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.email >> 32,)


AnyCommand = (
    Deliver
    | Append
    | Replace
    | AppendAll
    | PutContent
    | CreateMailbox
    | RenameMailbox
    | DeleteMailbox
    | Subscribe
    | SetRights
    | SetMetadata
    | StoreFlags
    | Expunge
    | Copy
    | Recover
    | ClaimRecent
    | CreateDomain
    | DeleteDomain
    | CreateAccount
    | SetPassword
    | SetAccount
    | DeleteAccount
    | PurgeAccount
    | GrantRole
    | SetAlias
    | PutSecret
    | RecordAudit
    | Audited
    | AddJob
    | LeaseJobs
    | FinishJob
    | TakeLease
    | PurgeRecoverable
    | SweepBlobs
    | SweepRecords
    | SweepTombstones
    | RenewUidValidity
    | RepairAccount
    | RepairNumbers
    | Render
)
