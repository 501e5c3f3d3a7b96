"""What a person puts into a mailbox: Append, several at once, and one in place of another.

Also content that is put before a command uses it. RFC 9051 §6.3.12, RFC 3502, RFC 8508.
"""

from collections.abc import Sequence

from malleposte.store.commands import (
    MAX_ROWS,
    SYSTEM,
    Append,
    AppendAll,
    Enclosed,
    PutContent,
    Replace,
)
from malleposte.store.execute.expunging import members, remove
from malleposte.store.execute.filing import (
    BREATH,
    PUT_FOR,
    Known,
    file_message,
    warn,
    why_no_room,
)
from malleposte.store.execute.flagging import READER_SEEN
from malleposte.store.execute.keywords import admit_keywords
from malleposte.store.execute.purging import ON_HOLD
from malleposte.store.execute.rights import NO_SUCH_MAILBOX, OTHERWISE_SHARED, opened
from malleposte.store.flags import SEEN, join
from malleposte.store.ids import account_of
from malleposte.store.read.rights import same_lists
from malleposte.store.results import Appended, AppendedAll, Done, Refused
from malleposte.store.work import Head, MailboxRow, Work

NO_GRACE = 1 << 40
"""Seconds of patience with a full account: its owner is here and is told, whenever it filled up."""
OUTRUN = 20_000_000
"""Octets past its bound, if not as many again, that an account may have while the purge is on its way."""


async def append(
    work: Work, command: Append, known: Known, *, freed: int = 0
) -> Appended | Refused:
    """Execute ``Append``. ``freed``: octets that will be free in the account once it is done."""
    target = await opened(work, command.actor, command.mailbox, "i")
    if isinstance(target, Refused):
        return target
    head, mailbox, held = target
    also = await _also(work, command)
    if isinstance(also, Refused):
        return also
    outruns = await _outruns(work, head, command.actor)
    if outruns is not None:
        return outruns
    size = command.content.size - freed
    if not command.exempt and why_no_room(work, head, size, NO_GRACE):
        return Refused(reason="over-quota")
    email, uid, modseq = await _put(work, known, head, mailbox, command, held, command.actor, also)
    if head.quota_bytes:
        await warn(work, head)
    return Appended(email=email, uid=uid, uidvalidity=mailbox.uidvalidity, modseq=modseq)


async def _also(work: Work, command: Append) -> list[MailboxRow] | Refused:
    """The further mailboxes: shared with the same people, for an email has one set of keywords."""
    found: list[MailboxRow] = []
    for one in command.also:
        if account_of(one) != account_of(command.mailbox):
            return NO_SUCH_MAILBOX
        place = await opened(work, command.actor, one, "i")
        if isinstance(place, Refused):
            return place
        if not await same_lists(work.tx, command.mailbox, one):
            return Refused(reason="no-rights", text=OTHERWISE_SHARED)
        found.append(place[1])
    return found


async def _outruns(work: Work, head: Head, actor: int) -> Refused | None:
    """Refuse what a person brings faster than the purge removes what was expunged before: it would fill
    the disk, and for everybody. A hold keeps all of it: then it is no loop that brought it there."""
    most = work.recoverable_most(head)
    if actor == SYSTEM or head.recoverable_bytes <= most + max(most, OUTRUN):
        return None
    if await work.tx.row(ON_HOLD, head.account) is not None:
        return None
    return Refused(
        reason="purging",
        text="too much deleted mail of this account waits for its removal: try again in a minute",
    )


async def _put(
    work: Work,
    known: Known,
    head: Head,
    mailbox: MailboxRow,
    message: Append | Enclosed,
    held: str,
    actor: int,
    also: Sequence[MailboxRow] = (),
) -> tuple[int, int, int]:
    r"""Put one message into a mailbox for somebody with rights on it; (email, uid, modseq).

    Flags without the right to set them are left out (RFC 4314 §4, APPEND). ``\Seen`` of somebody who is
    not the owner is that reader's alone.
    """
    allowed = (SEEN if "s" in held else 0) | (~SEEN if "w" in held else 0)
    flags = message.flags & allowed
    personal = flags & SEEN if actor not in (SYSTEM, head.account) else 0
    words = message.keywords if "w" in held else ()
    keywords = await admit_keywords(work, head, words) if words else ()
    email, uid, modseq = file_message(
        work,
        known,
        head,
        mailbox,
        message,
        prefix=b"",
        flags=flags & ~personal,
        keywords=join(keywords),
        deleted=int(message.deleted and "t" in held),
        also=also,
    )
    if personal:
        work.add(READER_SEEN, (email, actor, 1, modseq))
    return email, uid, modseq


async def append_all(work: Work, command: AppendAll, known: Known) -> AppendedAll | Refused:
    """Execute ``AppendAll``. What could be refused is looked at before the first is put."""
    if len(command.messages) > MAX_ROWS:
        return Refused(reason="limit", text=f"at most {MAX_ROWS} messages in one command")
    if any(message.content.file for message in command.messages):
        raise ValueError("content in a file is put before")
    target = await opened(work, command.actor, command.mailbox, "i")
    if isinstance(target, Refused):
        return target
    head, mailbox, held = target
    outruns = await _outruns(work, head, command.actor)
    if outruns is not None:
        return outruns
    size = sum(message.content.size for message in command.messages)
    if why_no_room(work, head, size, NO_GRACE):
        return Refused(reason="over-quota")
    put: list[tuple[int, int, int]] = []
    for message in command.messages:
        put.append(await _put(work, known, head, mailbox, message, held, command.actor))
        if len(put) % BREATH == 0:
            # On PostgreSQL in a worker's loop: rows of a thousand messages at once would hold it.
            await work.flush()
            await work.breathe()
    if head.quota_bytes:
        await warn(work, head)
    return AppendedAll(
        emails=tuple(email for email, _, _ in put),
        uids=tuple(uid for _, uid, _ in put),
        uidvalidity=mailbox.uidvalidity,
        modseq=put[-1][2] if put else 0,
    )


async def replace(work: Work, command: Replace, known: Known) -> Appended | Refused:
    """Execute ``Replace``. RFC 8508 §4.1: with the rights of STORE, EXPUNGE and APPEND."""
    place = await opened(work, command.actor, command.source, "te")
    if isinstance(place, Refused):
        # A message of a mailbox that is not there, or that one may not see, is no more there.
        return place if place.reason == "no-rights" else Refused(reason="no-such-email")
    head, source, _ = place
    await work.flush()
    rows = await members(work, command.source, ((command.uid, command.uid),))
    if not rows:
        return Refused(reason="no-such-email")
    same_account = account_of(command.source) == account_of(command.mailbox)
    *_, size, mailboxes, _, exempt = rows[0]
    freed = size if same_account and mailboxes <= 1 and not exempt else 0
    result = await append(work, command, known, freed=freed)
    if isinstance(result, Appended):
        await work.flush()
        await remove(work, head, source, rows, head.bump(), until=command.recoverable_until)
    return result


async def put_content(work: Work, command: PutContent, known: Known) -> Done | Refused:
    """Execute ``PutContent``. ``count``: 1 where it was not here."""
    organisation = command.organisation
    if not organisation:
        head = await work.head(command.account)
        if head is None:
            return Refused(reason="no-such-account")
        organisation = head.organisation
    new = (organisation, command.content.digest) not in known.blobs
    known.blob(work, organisation, command.content, id(command), ahead=PUT_FOR)
    return Done(count=int(new))
