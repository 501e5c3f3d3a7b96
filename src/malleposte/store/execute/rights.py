"""Mailbox rights: RFC 4314 letters per grantee, inherited from the nearest mailbox above that has any.

The owner of an account and ``SYSTEM`` hold every right. "Anyone" is grantee 0; a person's own letters
and anyone's add up.
"""

from malleposte.store.commands import SYSTEM, SetRights
from malleposte.store.dialect import Reader
from malleposte.store.ids import account_of
from malleposte.store.results import Done, Refused
from malleposte.store.work import Work

ALL = "lrswipkxtea"
"""Every letter, in RFC 4314's order: lookup, read, seen, write, insert, post, create, delete mailbox,
delete messages, expunge, administer."""

MAX_DEPTH = 64
"""Levels walked up; mailboxes are not made deeper (``mailboxes.MAX_DEPTH``)."""

_LETTERS = (
    "SELECT m.parent, r.letters FROM mailbox m LEFT JOIN mailbox_right r"
    " ON r.mailbox = m.id AND r.grantee IN ($1, 0) WHERE m.id = $2"
)


async def letters(reader: Reader, actor: int, mailbox: int) -> str:
    """The rights an actor holds on a mailbox, as sorted RFC 4314 letters; '' for none."""
    if actor in (SYSTEM, account_of(mailbox)):
        return ALL
    current = mailbox
    for _ in range(MAX_DEPTH):
        found = await reader.rows(_LETTERS, actor, current)
        if not found:
            return ""
        held = {letter for _, text in found if text is not None for letter in text}
        if any(text is not None for _, text in found):
            return "".join(letter for letter in ALL if letter in held)
        current = found[0][0]
        if not current:
            return ""
    return ""


async def may(reader: Reader, actor: int, mailbox: int, wanted: str) -> bool:
    """Whether an actor holds all the wanted letters on a mailbox."""
    if actor in (SYSTEM, account_of(mailbox)):
        return True
    held = await letters(reader, actor, mailbox)
    return all(letter in held for letter in wanted)


async def set_rights(work: Work, command: SetRights) -> Done | Refused:
    """Execute ``SetRights``."""
    row = await work.mailbox(command.mailbox)
    head = await work.head(account_of(command.mailbox))
    if row is None or head is None:
        return Refused(reason="no-such-mailbox")
    if not await may(work.tx, command.actor, command.mailbox, "a"):
        return Refused(reason="no-rights", text="a")
    chosen = "".join(letter for letter in ALL if letter in command.letters)
    if chosen:
        await work.tx.run(
            "INSERT INTO mailbox_right (mailbox, grantee, letters) VALUES ($1, $2, $3)"
            " ON CONFLICT (mailbox, grantee) DO UPDATE SET letters = excluded.letters",
            command.mailbox,
            command.grantee,
            chosen,
        )
    else:
        await work.tx.run(
            "DELETE FROM mailbox_right WHERE mailbox = $1 AND grantee = $2",
            command.mailbox,
            command.grantee,
        )
    modseq = head.bump()
    row.modseq = modseq
    row.dirty = True
    return Done(modseq=modseq)
