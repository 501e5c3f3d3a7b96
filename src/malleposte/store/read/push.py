"""Push subscriptions as they are kept."""

from dataclasses import dataclass
from typing import Final

from malleposte.store.commands.push import PROVED, TO_PROVE, UNPROVED
from malleposte.store.dialect import Reader, Row, any_of, both

_COLUMNS: Final = (
    "s.account, s.n, s.credential, s.device, s.url, s.p256dh, s.auth, s.code, s.stage, s.types,"
    " s.created_at, s.expires_at, s.told, s.due_at, s.failures, s.said"
)
_OF: Final = (
    f"SELECT {_COLUMNS} FROM push_subscription s WHERE s.account = $1 AND s.credential = $2"
    " AND s.expires_at > $3 ORDER BY s.created_at, s.n"
)
# Of columns that an index has.
_DUE: Final = (
    "SELECT s.account, s.n FROM push_subscription s JOIN account_head h ON h.account = s.account"
    " WHERE s.expires_at <= $1 OR (s.stage < $2 AND s.created_at <= $3) OR (s.due_at <= $1"
    " AND (s.stage = $4 OR (s.stage = $2 AND s.told <> h.modseq))) ORDER BY s.due_at LIMIT $5"
)
_SOME: Final = both(
    f"SELECT {_COLUMNS} FROM push_subscription s WHERE {{accounts}} AND {{numbers}}"
    " ORDER BY s.due_at, s.account, s.n",
    accounts=any_of("s.account", 1),
    numbers=any_of("s.n", 2),
)


@dataclass(frozen=True, slots=True)
class Push:
    """A subscription; see step 21 of the schema."""

    account: int
    n: int
    credential: str
    device: str
    url: str
    p256dh: bytes
    auth: bytes
    code: str
    stage: int
    types: str
    created_at: int
    expires_at: int
    told: int
    due_at: int
    failures: int
    said: str

    def over(self, now: float) -> bool:
        """Whether its time is over."""
        return now >= self.expires_at or (
            self.stage != PROVED and now >= self.created_at + UNPROVED
        )


async def subscriptions(reader: Reader, account: int, credential: str, now: int) -> list[Push]:
    """Those of an account that a credential made, in the order they were made."""
    return [_push(row) for row in await reader.rows(_OF, account, credential, now)]


async def due(reader: Reader, now: int, most: int) -> list[Push]:
    """Those with which something is to be done: to push, or to forget."""
    found = await reader.rows(_DUE, now, PROVED, now - UNPROVED, TO_PROVE, most)
    if not found:
        return []
    keys = {(account, n) for account, n in found}
    rows = await reader.rows(_SOME, [key[0] for key in keys], [key[1] for key in keys])
    return [one for one in map(_push, rows) if (one.account, one.n) in keys]


def _push(row: Row) -> Push:
    account, n, credential, device, url, p256dh, auth, *rest = row
    return Push(account, n, credential, device, url, bytes(p256dh), bytes(auth), *rest)
