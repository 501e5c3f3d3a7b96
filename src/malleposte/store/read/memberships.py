"""Which mailboxes emails are in, without those in which they are marked to be deleted."""

from collections.abc import Collection, Sequence
from typing import Final

from malleposte.store.dialect import Reader, any_of, both

_OF: Final = both(
    "SELECT m.email, m.mailbox FROM membership m JOIN mailbox b ON b.id = m.mailbox"
    " WHERE {emails} AND m.deleted = 0 ORDER BY m.email, m.mailbox",
    emails=any_of("m.email", 1),
)


async def of(
    reader: Reader, emails: Sequence[int], among: Collection[int] | None = None
) -> dict[int, list[int]]:
    """Mailboxes by email, ``among`` those that somebody sees; an email that is nowhere to be seen is left
    out."""
    found: dict[int, list[int]] = {}
    for email, mailbox in await reader.rows(_OF, list(emails)):
        if among is None or mailbox in among:
            found.setdefault(email, []).append(mailbox)
    return found
