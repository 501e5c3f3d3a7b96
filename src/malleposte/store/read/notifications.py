"""What people were told of rights that others gave or took (RFC 9670 §3)."""

from typing import Final, NamedTuple

from malleposte.store.dialect import Reader

TABLE: Final = "share_notification"
_EVERY: Final = (
    "SELECT s.n, s.created_at, s.owner, s.kind, s.object, s.name, s.had, s.has, coalesce(a.id, 0),"
    " coalesce(a.name, ''), coalesce(a.address, '') FROM share_notification s"
    " JOIN account o ON o.id = s.account LEFT JOIN account a ON a.id = s.changed_by"
    " AND a.organisation = o.organisation AND a.status <> 'deleted'"
    " WHERE s.account = $1 AND s.gone = 0 ORDER BY s.n"
)


class Notification(NamedTuple):
    """One change. ``by``: who made it, 0 where that is nobody of the organisation (any more)."""

    n: int
    created_at: int
    owner: int
    kind: str
    object: int
    name: str
    had: str
    has: str
    by: int
    by_name: str
    by_address: str


async def every(reader: Reader, account: int) -> list[Notification]:
    """Those of an account, in the order they came; a few hundred at most."""
    return [Notification._make(row) for row in await reader.rows(_EVERY, account)]
