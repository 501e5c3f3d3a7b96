"""Emails, their memberships, their wide rows, what is recoverable; a slice of an account at a time."""

from collections.abc import AsyncIterator, Iterator

from malleposte.store.dialect import Reader, Row
from malleposte.store.flags import join
from malleposte.store.fsck.finding import Examination, Finding, Kind, named, slices
from malleposte.store.ids import LOW, account_of

SLICE = 5_000
"""Emails in a statement: some 20 ms."""

_EMAILS = (
    "SELECT e.id, e.account, e.modseq, e.created_modseq, e.keywords, e.thread, e.blob, e.size,"
    " e.mailboxes, w.id, length(w.prefix), b.size, b.organisation, r.email,"
    " (SELECT count(*) FROM membership m WHERE m.email = e.id),"
    " (SELECT count(DISTINCT m.mailbox) FROM membership m WHERE m.email = e.id),"
    " h.modseq, h.organisation"
    " FROM email e JOIN account_head h ON h.account = $1"
    " LEFT JOIN email_wide w ON w.id = e.id LEFT JOIN blob b ON b.id = e.blob"
    " LEFT JOIN recoverable r ON r.email = e.id WHERE e.id BETWEEN $2 AND $3 ORDER BY e.id"
)
_WIDE_STRAY = (
    "SELECT id FROM email_wide w WHERE id BETWEEN $1 AND $2"
    " AND NOT EXISTS (SELECT 1 FROM email e WHERE e.id = w.id)"
)
_RECOVERABLE_STRAY = (
    "SELECT email FROM recoverable r WHERE (account = $1 OR email BETWEEN $2 AND $3)"
    " AND (NOT EXISTS (SELECT 1 FROM email e WHERE e.id = r.email)"
    " OR account <> $1 OR email NOT BETWEEN $2 AND $3)"
)
_READER_STRAY = (
    "SELECT email, reader FROM reader_seen s WHERE email BETWEEN $1 AND $2"
    " AND NOT EXISTS (SELECT 1 FROM email e WHERE e.id = s.email)"
)
_NO_READER = (
    "SELECT email, reader FROM reader_seen s WHERE email BETWEEN $1 AND $2"
    " AND NOT EXISTS (SELECT 1 FROM account a WHERE a.id = s.reader)"
)
_NO_EMAIL = (
    "SELECT m.mailbox, m.uid FROM membership m WHERE m.mailbox BETWEEN $1 AND $2"
    " AND NOT EXISTS (SELECT 1 FROM email e WHERE e.id = m.email) ORDER BY m.mailbox, m.uid"
)
_NO_MAILBOX = (
    "SELECT m.mailbox, count(*) FROM membership m WHERE m.mailbox BETWEEN $1 AND $2"
    " AND NOT EXISTS (SELECT 1 FROM mailbox b WHERE b.id = m.mailbox)"
    # Those of a deleted one wait to be swept.
    " AND NOT EXISTS (SELECT 1 FROM gone_mailbox g WHERE g.id = m.mailbox) GROUP BY m.mailbox"
)
_KEYWORDS = "SELECT name FROM keyword WHERE account = $1"


async def emails(examination: Examination, account: int) -> AsyncIterator[Finding]:
    """Everything that hangs on the emails of one account."""
    reader = examination.reader
    low, high = account << 32, (account << 32) + LOW
    keywords = await _keywords(reader, account)
    async for first, last in slices(reader, "email", "id", low, high, SLICE):
        for row in await reader.rows(_EMAILS, account, first, last):
            for finding in _email(account, row):
                yield finding
            if row[4]:
                unknown = set(row[4].split(" ")) - keywords
                if unknown:
                    # Perhaps one that came while we were reading.
                    keywords = await _keywords(reader, account)
                for word in sorted(unknown - keywords):
                    yield Finding(
                        Kind.KEYWORD_UNKNOWN,
                        named("email", row[0]),
                        f"its keyword {word!r} is not in the account's list: clients cannot see"
                        " that they may use it",
                        account,
                    )
    for (email,) in await reader.rows(_WIDE_STRAY, low, high):
        yield Finding(
            Kind.WIDE_STRAY,
            named("email", email),
            "its rendered columns are there, the email is not: dead weight",
            account,
        )
    for (email,) in await reader.rows(_RECOVERABLE_STRAY, account, low, high):
        yield Finding(
            Kind.RECOVERABLE_STRAY,
            named("email", email),
            "it is listed as recoverable and there is no such email",
            account,
        )
    for email, by in await reader.rows(_READER_STRAY, low, high):
        yield Finding(
            Kind.ROW_STRAY,
            named("email", email),
            f"account {by} has a \\Seen of its own for it, and there is no such email",
        )
    for email, by in await reader.rows(_NO_READER, low, high):
        yield Finding(
            Kind.ROW_STRAY,
            named("email", email),
            f"account {by} has a \\Seen of its own for it, and there is no such account",
        )
    async for finding in _memberships(reader, account, low, high):
        yield finding


async def _keywords(reader: Reader, account: int) -> set[str]:
    return {row[0] for row in await reader.rows(_KEYWORDS, account)}


def _email(account: int, row: Row) -> Iterator[Finding]:
    id_, owner, modseq, created, keywords, thread, blob, size, mailboxes = row[:9]
    wide, prefix, blob_size, blob_organisation, recoverable, memberships, distinct = row[9:16]
    head_modseq, organisation = row[16:]

    def finding(kind: Kind, text: str) -> Finding:
        return Finding(kind, named("email", id_), text, account)

    if owner != account:
        yield finding(Kind.EMAIL_ACCOUNT, f"its row says account {owner}: JMAP cannot see it")
    if mailboxes != memberships:
        yield finding(
            Kind.EMAIL_MAILBOXES,
            f"it says it is in {mailboxes} mailboxes and is in {memberships}: expunging it would"
            " go wrong",
        )
    if memberships != distinct:
        yield finding(
            Kind.MEMBERSHIP_TWICE,
            "one mailbox holds it twice: a client sees two messages that share their flags",
        )
    if not memberships and recoverable is None:
        yield finding(
            Kind.EMAIL_UNLISTED, "no mailbox has it and it is not recoverable: nobody can see it"
        )
    if memberships and recoverable is not None:
        yield finding(
            Kind.RECOVERABLE_LISTED,
            "it is in a mailbox and listed as recoverable: it would be purged under the reader",
        )
    if modseq > head_modseq or created > modseq or created < 1:
        yield finding(
            Kind.EMAIL_MODSEQ,
            f"its modseqs (created {created}, changed {modseq}) do not fit the account's"
            f" ({head_modseq}): clients miss its changes",
        )
    if account_of(thread) != account or not thread & LOW:
        yield finding(Kind.EMAIL_THREAD, f"it is in thread {thread}, which is not its account's")
    if keywords is not None and join(set(keywords.lower().split())) != keywords:
        yield finding(
            Kind.EMAIL_KEYWORDS, f"its keywords {keywords!r} are not sorted lower-case words"
        )
    if wide is None:
        lines = size - (blob_size or size)
        before = f", not the {lines} octets (Return-Path, Received) before it" if lines > 0 else ""
        yield finding(
            Kind.EMAIL_WIDE,
            "its rendered columns are gone: clients do not see it; they can be rendered again"
            f" from its content{before}",
        )
    if blob_size is None:
        yield finding(
            Kind.EMAIL_CONTENT,
            f"its content (blob {blob}) is gone: it is listed but cannot be read; get it from a"
            " backup",
        )
    elif prefix is not None and size != blob_size + prefix:
        yield finding(
            Kind.EMAIL_SIZE,
            f"it says {size} octets, its content and prefix have {blob_size + prefix}: clients"
            " cut it or wait for more",
        )
    if blob_organisation is not None and blob_organisation != organisation:
        yield finding(Kind.BLOB_ORGANISATION, "its content belongs to another organisation's store")


async def _memberships(reader: Reader, account: int, low: int, high: int) -> AsyncIterator[Finding]:
    for mailbox, uid in await reader.rows(_NO_EMAIL, low, high):
        yield Finding(
            Kind.MEMBERSHIP_WITHOUT_EMAIL,
            f"UID {uid} in {named('mailbox', mailbox)}",
            "the message it stood for is gone from the store: clients see a UID with nothing",
            account,
        )
    for mailbox, count in await reader.rows(_NO_MAILBOX, low, high):
        yield Finding(
            Kind.MEMBERSHIP_WITHOUT_MAILBOX,
            named("mailbox", mailbox),
            f"the mailbox is gone, {count} messages in it are not: nobody can see them",
            account,
        )
