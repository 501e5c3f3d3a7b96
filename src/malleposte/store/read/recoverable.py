"""Expunged emails that can still be brought back, as their owner looks for them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from malleposte.store.dialect import Reader, any_of, both

_LATEST: Final = (
    "SELECT r.email, r.mailbox, r.at, r.until, e.size, e.received_at, w.subject, w.from_text"
    " FROM recoverable r JOIN email e ON e.id = r.email JOIN email_wide w ON w.id = r.email"
    " WHERE r.account = $1 AND r.at <= $2 AND (r.at < $2 OR r.email < $3)"
    " ORDER BY r.at DESC, r.email DESC LIMIT $4"
)
_HOMES: Final = both(
    "SELECT r.email, r.mailbox FROM recoverable r WHERE r.account = $1 AND {emails}",
    emails=any_of("r.email", 2),
)


class Expunged(NamedTuple):
    """``mailbox``: where it was. ``at``: when it was expunged, ``until``: when it goes for good; Unix
    seconds, as ``received_at``."""

    email: int
    mailbox: int
    at: int
    until: int
    size: int
    received_at: int
    subject: str
    sender: str


async def latest(
    reader: Reader, account: int, limit: int, before: tuple[int, int]
) -> list[Expunged]:
    """What was expunged last, before a time and an email of that time."""
    return [Expunged(*row) for row in await reader.rows(_LATEST, account, *before, limit)]


async def homes(reader: Reader, account: int, emails: Sequence[int]) -> dict[int, int]:
    """The mailboxes that emails were in, of those that can be brought back."""
    return {row[0]: row[1] for row in await reader.rows(_HOMES, account, list(emails))}
