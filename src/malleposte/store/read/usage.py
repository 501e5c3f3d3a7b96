"""What an account takes up of what it may (RFC 9208)."""

from collections.abc import Sequence
from dataclasses import dataclass

from malleposte.store.dialect import Reader, any_of, both
from malleposte.store.execute.mailboxes import MAX_MAILBOXES
from malleposte.store.read.annotations import MAX_OCTETS, kept

_USED = (
    "SELECT h.used_bytes, h.quota_bytes, (SELECT count(*) FROM mailbox b WHERE b.account = $1)"
    " FROM account_head h WHERE h.account = $1"
)
# What of it only one mailbox holds, and the account is charged for.
_FREED = "e.mailboxes = 1 AND e.exempt = 0"
_MARKED = both(
    "SELECT m.mailbox, coalesce(sum(e.size), 0) FROM membership m JOIN email e ON e.id = m.email"
    f" WHERE {{mailboxes}} AND m.deleted = 1 AND {_FREED} GROUP BY m.mailbox",
    mailboxes=any_of("m.mailbox", 1),
)
_MARKED_PART = (
    "SELECT coalesce(sum(e.size), 0) FROM membership m JOIN email e ON e.id = m.email"
    f" WHERE m.mailbox = $1 AND m.uid BETWEEN $2 AND $3 AND m.deleted = 1 AND {_FREED}"
)


@dataclass(frozen=True, slots=True)
class Usage:
    """Octets of mail, mailboxes, octets of entries of METADATA: used and allowed; 0 allowed: no bound."""

    octets: int
    octets_allowed: int
    mailboxes: int
    mailboxes_allowed: int
    annotation_octets: int
    annotation_octets_allowed: int


async def octets(reader: Reader, account: int) -> tuple[int, int]:
    """Of ``Usage`` what a new message is held against: octets used and allowed (0: no bound)."""
    row = await reader.row(
        "SELECT used_bytes, quota_bytes FROM account_head WHERE account = $1", account
    )
    return (0, 0) if row is None else (row[0], row[1])


async def usage(reader: Reader, account: int) -> Usage | None:
    """See ``Usage``; None where there is no such account."""
    row = await reader.row(_USED, account)
    if row is None:
        return None
    _, noted = await kept(reader, account)
    return Usage(row[0], row[1], row[2], MAX_MAILBOXES, noted, MAX_OCTETS)


async def marked(reader: Reader, mailboxes: Sequence[int]) -> dict[int, int]:
    r"""Octets that an EXPUNGE would give back, by mailbox, of those that hold any marked ``\Deleted``.

    The statement walks through all messages of these mailboxes.
    """
    rows = await reader.rows(_MARKED, list(mailboxes))
    return {row[0]: int(row[1]) for row in rows}


async def marked_part(reader: Reader, mailbox: int, first: int, last: int) -> int:
    """The same of one mailbox, of the UIDs from ``first`` to ``last``."""
    row = await reader.row(_MARKED_PART, mailbox, first, last)
    return 0 if row is None else int(row[0])
