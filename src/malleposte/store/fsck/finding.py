"""What fsck finds, and how a stage of it works."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from malleposte.store.dialect import Reader
from malleposte.store.ids import LOW, account_of


class Kind(StrEnum):
    """Kinds of damage, by what is wrong."""

    ENGINE = "engine"
    UNREADABLE = "unreadable"
    SCHEMA = "schema"

    HEAD_MISSING = "head-missing"
    HEAD_STRAY = "head-stray"
    HEAD_MODSEQ = "head-modseq"
    HEAD_UIDVALIDITY = "head-uidvalidity"
    NEXT_IDS = "next-ids"
    USED = "used"
    RECOVERABLE_COUNTED = "recoverable-counted"

    MAILBOX_STRAY = "mailbox-stray"
    MAILBOX_COUNTERS = "mailbox-counters"
    MAILBOX_MODSEQ = "mailbox-modseq"
    MAILBOX_PARENT = "mailbox-parent"
    MAILBOX_NAME = "mailbox-name"
    MAILBOX_ROLE = "mailbox-role"
    MAILBOX_GONE = "mailbox-gone"
    MAILBOX_FORGOTTEN = "mailbox-forgotten"
    ANNOTATION_STRAY = "annotation-stray"
    INBOX_MISSING = "inbox-missing"
    UIDNEXT = "uidnext"
    RECENT_FROM = "recent-from"
    UIDVALIDITY_TWICE = "uidvalidity-twice"
    RIGHTS_LIST = "rights-list"

    MEMBERSHIP_WITHOUT_EMAIL = "membership-without-email"
    MEMBERSHIP_WITHOUT_MAILBOX = "membership-without-mailbox"
    MEMBERSHIP_TWICE = "membership-twice"

    EMAIL_STRAY = "email-stray"
    EMAIL_ACCOUNT = "email-account"
    EMAIL_MAILBOXES = "email-mailboxes"
    EMAIL_UNLISTED = "email-unlisted"
    EMAIL_MODSEQ = "email-modseq"
    EMAIL_SIZE = "email-size"
    EMAIL_KEYWORDS = "email-keywords"
    EMAIL_THREAD = "email-thread"
    EMAIL_WIDE = "email-wide"
    EMAIL_CONTENT = "email-content"
    WIDE_STRAY = "wide-stray"
    RECOVERABLE_LISTED = "recoverable-listed"
    RECOVERABLE_STRAY = "recoverable-stray"
    KEYWORD_UNKNOWN = "keyword-unknown"

    BLOB_FRAMES = "blob-frames"
    BLOB_FILE = "blob-file"
    BLOB_CONTENT = "blob-content"
    BLOB_ORGANISATION = "blob-organisation"
    FRAMES_STRAY = "frames-stray"
    FILE_STRAY = "file-stray"

    CONTACT_COUNTERS = "contact-counters"
    CARD_STRAY = "card-stray"
    CARD_NOWHERE = "card-nowhere"
    CARD_CONTENT = "card-content"

    TOMBSTONE_LIVING = "tombstone-living"
    TOMBSTONE_MODSEQ = "tombstone-modseq"
    THREAD_REFERENCE = "thread-reference"

    ADDRESS = "address"
    ADDRESS_TARGET = "address-target"
    ACCOUNT_ADDRESS = "account-address"
    SYSTEM_ADDRESS = "system-address"
    ROW_STRAY = "row-stray"
    JOB_LEASE = "job-lease"
    QUEUE_ROUTE = "queue-route"
    NEXT_NUMBERS = "next-numbers"
    DIRECTORY_HEAD = "directory-head"


REPAIRED_BY_ACCOUNT = frozenset(
    {
        Kind.HEAD_MODSEQ,
        Kind.HEAD_UIDVALIDITY,
        Kind.NEXT_IDS,
        Kind.USED,
        Kind.RECOVERABLE_COUNTED,
        Kind.MAILBOX_COUNTERS,
        Kind.MAILBOX_MODSEQ,
        Kind.MAILBOX_PARENT,
        Kind.MAILBOX_ROLE,
        Kind.MAILBOX_GONE,
        Kind.MAILBOX_FORGOTTEN,
        Kind.ANNOTATION_STRAY,
        Kind.INBOX_MISSING,
        Kind.UIDNEXT,
        Kind.RECENT_FROM,
        Kind.RIGHTS_LIST,
        Kind.MEMBERSHIP_WITHOUT_EMAIL,
        Kind.MEMBERSHIP_WITHOUT_MAILBOX,
        Kind.EMAIL_MAILBOXES,
        Kind.EMAIL_UNLISTED,
        Kind.EMAIL_MODSEQ,
        Kind.EMAIL_SIZE,
        Kind.EMAIL_KEYWORDS,
        Kind.WIDE_STRAY,
        Kind.RECOVERABLE_LISTED,
        Kind.RECOVERABLE_STRAY,
        Kind.KEYWORD_UNKNOWN,
        Kind.CONTACT_COUNTERS,
        Kind.CARD_STRAY,
        Kind.CARD_NOWHERE,
        Kind.TOMBSTONE_LIVING,
        Kind.TOMBSTONE_MODSEQ,
        Kind.THREAD_REFERENCE,
    }
)
"""What ``RepairAccount`` puts right: all of it derived, or told apart without a guess."""

REPAIRED_BY_NUMBERS = frozenset({Kind.NEXT_NUMBERS, Kind.QUEUE_ROUTE})
"""What ``RepairNumbers`` puts right."""

REPAIRED_BY_RENDERING = frozenset({Kind.EMAIL_WIDE})
"""What ``Render`` puts right, by whoever can read the content and parse it: ``operations``."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. ``account`` is 0 where it is nobody's; ``text`` says what it means."""

    kind: Kind
    object: str
    text: str
    account: int = 0

    @property
    def repairable(self) -> bool:
        """Whether ``repairs`` has a command for it, or rendering anew helps."""
        return self.kind in REPAIRED_BY_NUMBERS or (
            bool(self.account) and self.kind in REPAIRED_BY_ACCOUNT | REPAIRED_BY_RENDERING
        )


Progress = Callable[[str, int, int], None]
"""Told (stage, done, of how many) after each slice; the counts are in the stage's own units."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What the stages of one fsck share. ``blobs``: the folder of large content, None without one."""

    reader: Reader
    blobs: Path | None
    deep: bool
    progress: Progress


def named(kind: str, object_id: int) -> str:
    """An email, mailbox or thread in words: its account and its number there."""
    return f"{kind} {object_id & LOW} of account {account_of(object_id)}"


async def slices(
    reader: Reader, table: str, column: str, low: int, high: int, size: int
) -> AsyncIterator[tuple[int, int]]:
    """Ranges of ids (both ends included) that hold at most ``size`` rows each, between two ids.

    The last range ends at ``high``, so that ids without a row lie in some range as well.
    """
    while low <= high:
        row = await reader.row(
            f"SELECT max(id), count(*) FROM (SELECT {column} AS id FROM {table}"
            f" WHERE {column} >= $1 AND {column} <= $2 ORDER BY {column} LIMIT $3) AS part",
            low,
            high,
            size,
        )
        if row is None or row[1] < size:
            yield low, high
            return
        yield low, row[0]
        low = row[0] + 1
