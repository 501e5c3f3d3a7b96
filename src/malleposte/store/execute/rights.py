"""Mailbox rights in commands: what a command demands of its actor, and how many there may be of lists.

What is inherited from where is ``read.rights``' business; ``SetRights`` is in ``giving``.
"""

from malleposte.store import dialect
from malleposte.store.dialect import Reader
from malleposte.store.ids import account_of
from malleposte.store.read.rights import ALL, grants, letters
from malleposte.store.results import Refused
from malleposte.store.work import Head, MailboxRow, Work

MAX_GRANTS = 1_000
"""Grantees of a mailbox; a list is copied for each mailbox that departs from it."""
MAX_GIVEN = 20_000
"""Entries of all lists of an account without the owner's: workers hold them in memory for who watches, and
two for each mailbox there can be is more than people give."""

NO_SUCH_MAILBOX = Refused(reason="no-such-mailbox")
OTHERWISE_SHARED = (
    "these mailboxes are shared with different people, and a message has one set of flags"
)
_WORDS = {
    "l": "see this mailbox",
    "r": "read this mailbox",
    "s": "mark messages as read in this mailbox",
    "w": "change flags in this mailbox",
    "i": "put messages into this mailbox",
    "p": "send to this mailbox",
    "k": "create mailboxes here",
    "x": "rename or delete this mailbox",
    "t": "mark messages of this mailbox as deleted",
    "e": "expunge messages of this mailbox",
    "a": "see or change who may use this mailbox",
}
SET = dialect.insert(
    "mailbox_right",
    {"mailbox": "bigint", "grantee": "bigint", "letters": "text"},
    on_conflict="ON CONFLICT (mailbox, grantee) DO UPDATE SET letters = excluded.letters",
)
_GIVEN = "SELECT count(*) FROM mailbox_right WHERE mailbox > $1 AND mailbox < $2 AND grantee <> $3"


def no_rights(letter: str) -> Refused:
    """The refusal of an actor who lacks a right."""
    return Refused(reason="no-rights", text=f"you may not {_WORDS[letter]} (right {letter})")


async def demand(reader: Reader, actor: int, mailbox: int, wanted: str = "") -> str | Refused:
    """The letters an actor holds on a mailbox, where all the wanted ones are among them; or the refusal.

    To whom may not look it up, a mailbox is not there (RFC 4314 §6).
    """
    held = await letters(reader, actor, mailbox)
    if "l" not in held:
        return NO_SUCH_MAILBOX
    for letter in wanted:
        if letter not in held:
            return no_rights(letter)
    return held


async def opened(
    work: Work, actor: int, mailbox: int, wanted: str = ""
) -> tuple[Head, MailboxRow, str] | Refused:
    """The mailbox a command works on, with its account's head, and the letters its actor holds there, as
    ``demand`` has them."""
    head = await work.head(account_of(mailbox))
    row = await work.mailbox(mailbox)
    if head is None or row is None:
        return NO_SUCH_MAILBOX
    held = await demand(work.tx, actor, mailbox, wanted)
    return held if isinstance(held, Refused) else (head, row, held)


async def no_room_for_lists(
    work: Work, account: int, *, keep: int = 0, take: int = 0
) -> Refused | None:
    """Why an account cannot have the copies that ``keep_list`` and ``take_list`` make, of the lists that
    count for these mailboxes (0: there is none to make)."""
    more = 0
    if keep:
        listed = await grants(work.tx, keep)
        more += len(listed.entries) if listed.mailbox != keep else 0
    if take:
        more += len((await grants(work.tx, take)).entries)
    return await no_room(work, account, more)


async def no_room(work: Work, account: int, more: int) -> Refused | None:
    """Why the lists of an account cannot have so many more entries; who takes away is never refused, but
    where that makes a list of its own."""
    if more <= 0:
        return None
    row = await work.tx.row(_GIVEN, account << 32, (account + 1) << 32, account)
    if row is None or row[0] + more <= MAX_GIVEN:
        return None
    return Refused(
        reason="limit",
        text=f"the mailboxes of an account give rights {MAX_GIVEN} times at most, and this would be more:"
        " give them on a mailbox above, so that those below have the same list, or take some away",
    )


async def keep_list(work: Work, mailbox: int) -> None:
    """Give a mailbox that inherits its list a copy of it, so that it has the same in another place."""
    if (await grants(work.tx, mailbox)).mailbox not in (0, mailbox):
        await _copy_list(work, mailbox, mailbox)


async def take_list(work: Work, mailbox: int, source: int) -> None:
    """Give a mailbox for which no list counts a copy of the one that counts for another of the account."""
    if (await grants(work.tx, mailbox)).mailbox:
        return
    await _copy_list(work, mailbox, source)


async def _copy_list(work: Work, mailbox: int, source: int) -> None:
    rows = [(mailbox, g.grantee, g.letters) for g in (await grants(work.tx, source)).entries]
    await work.tx.many(SET, [*rows, (mailbox, account_of(mailbox), ALL)])
