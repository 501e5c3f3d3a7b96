"""Mailbox rights in commands: what a command demands of its actor, and ``SetRights``.

What is inherited from where is ``read.rights``' business.
"""

from malleposte.store import dialect
from malleposte.store.commands import SetRights
from malleposte.store.dialect import Reader
from malleposte.store.execute import readers_names
from malleposte.store.execute.listed_names import SEPARATOR, path_of
from malleposte.store.ids import account_of, mailbox_id
from malleposte.store.read.rights import ALL, ANYONE, grants, letters, ordered
from malleposte.store.results import Done, Refused
from malleposte.store.work import Head, MailboxRow, Work

MAX_GRANTS = 1_000
"""Grantees of a mailbox; a list is copied for each mailbox that departs from it."""
MAX_GIVEN = 20_000
"""Entries of all lists of an account without the owner's: workers hold them in memory for who watches, and
two for each mailbox there can be is more than people give."""

NO_SUCH_MAILBOX = Refused(reason="no-such-mailbox")
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
_SET = dialect.insert(
    "mailbox_right",
    {"mailbox": "bigint", "grantee": "bigint", "letters": "text"},
    on_conflict="ON CONFLICT (mailbox, grantee) DO UPDATE SET letters = excluded.letters",
)
_TAKE = "DELETE FROM mailbox_right WHERE mailbox = $1 AND grantee = $2"
_GIVEN = "SELECT count(*) FROM mailbox_right WHERE mailbox > $1 AND mailbox < $2 AND grantee <> $3"
_ORGANISATION = "SELECT organisation FROM account WHERE id = $1 AND status <> 'deleted'"


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


async def set_rights(work: Work, command: SetRights) -> Done | Refused:
    """Execute ``SetRights``."""
    mailbox, grantee = command.mailbox, command.grantee
    owner = account_of(mailbox)
    place = await opened(work, command.actor, mailbox, "a")
    if isinstance(place, Refused):
        return place
    head, row, _ = place
    if grantee == owner:
        return Done()
    listed = await grants(work.tx, mailbox)
    own = listed.mailbox == mailbox
    known = {grant.grantee: grant.letters for grant in listed.entries}
    before = known.get(grantee, "")
    after = _changed(before, command)
    work.remarks.update(before=before, after=after)
    if after == before:
        return Done()
    if after and grantee != ANYONE:
        account = await work.tx.row(_ORGANISATION, grantee)
        if account is None or account[0] != head.organisation:
            return Refused(
                reason="no-such-account", text="there is nobody of this name to share with"
            )
    if after and grantee not in known and len(known) >= MAX_GRANTS:
        return Refused(
            reason="limit", text=f"a mailbox is shared with at most {MAX_GRANTS} accounts"
        )
    rows = [(mailbox, grantee, after)] if after else []
    if not own:
        # From now on it has a list of its own, which begins as the one it had from above.
        rows += [(mailbox, other, text) for other, text in known.items() if other != grantee]
    refused = await _no_room(work, owner, len(rows) - (own and grantee in known))
    if refused is not None:
        return refused
    if not own:
        rows.append((mailbox, owner, ALL))
    await _subscriptions(work, command, known, after)
    if rows:
        await work.tx.many(_SET, rows)
    if own and not after:
        await work.tx.run(_TAKE, mailbox, grantee)
    modseq = head.bump()
    row.modseq = modseq
    row.dirty = True
    return Done(modseq=modseq)


async def _subscriptions(work: Work, command: SetRights, known: dict[int, str], after: str) -> None:
    """Who is named and sees a mailbox from now on is subscribed to it, for many programs show nothing else;
    what was brought so goes with the right. ``known``: the letters of each grantee until now."""
    mailbox, grantee = command.mailbox, command.grantee
    everyone = "l" in known.get(ANYONE, "")
    saw, sees = "l" in known.get(grantee, ""), "l" in after
    if saw and not sees and (grantee == ANYONE or not everyone):
        seeing = {who for who, text in known.items() if "l" in text and who != grantee}
        await readers_names.withdraw(work, mailbox, seeing)
    elif sees and not (saw or everyone) and grantee != ANYONE and command.owner_shown:
        name = command.owner_shown
        if mailbox != mailbox_id(account_of(mailbox), 1):  # INBOX stands under the owner's name
            name += SEPARATOR + await path_of(work, mailbox)
        await readers_names.bring(work, grantee, name, mailbox)


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
    return await _no_room(work, account, more)


async def _no_room(work: Work, account: int, more: int) -> Refused | None:
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
    await work.tx.many(_SET, [*rows, (mailbox, account_of(mailbox), ALL)])


def _changed(before: str, command: SetRights) -> str:
    """A grantee's letters after the command (RFC 4314 §3.1)."""
    match command.mode:
        case "=":
            return ordered(command.letters)
        case "+":
            return ordered(before + command.letters)
        case "-":
            return "".join(letter for letter in before if letter not in command.letters)
    raise ValueError(f"no such way to set rights: {command.mode!r}")
