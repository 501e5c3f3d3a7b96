"""What surrounds a message whose script runs: its recipient's mailboxes, addresses, what was remembered.

A run asks and cannot wait: what is not known yet is answered with no and noted; then it is found, and the
script runs again (a run has no effects).
"""

from datetime import UTC, datetime, tzinfo
from hashlib import blake2b
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from malleposte.directory.addresses import SEPARATOR
from malleposte.directory.book import Account
from malleposte.directory.sharing import under_root
from malleposte.sieve import Delivery
from malleposte.store.commands import DUPLICATE
from malleposte.store.dialect import Reader
from malleposte.store.ids import MAILBOX_LETTER, account_of, id_number
from malleposte.store.read import mailboxes, sieve

from .places import USES, Places, kept_path

ROUNDS: Final = 8
"""Times that a script is run again with more answers; people's need two."""
MOST_ADDRESSES: Final = 1_000
"""Addresses of an account that vacation looks for."""

_ADDRESSES: Final = (
    "SELECT address FROM address_target WHERE account = $1 ORDER BY address LIMIT $2"
)


def digest_of(*parts: str) -> bytes:
    """What scripts remember is kept as this, 16 octets."""
    made = blake2b(digest_size=16)
    for part in parts:
        made.update(part.encode("utf-8", "replace") + b"\0")
    return made.digest()


def zone_of(account: Account) -> tzinfo:
    """An account's time zone; UTC where its name is none (any more)."""
    try:
        return ZoneInfo(account.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


async def own_addresses(reader: Reader, account: Account, most: int) -> frozenset[str]:
    """Addresses that lead to an account, its own among them."""
    rows = await reader.rows(_ADDRESSES, account.id, most)
    return frozenset((account.address, *(row[0] for row in rows)))


class Surroundings:
    """See the module; for one account and one message."""

    def __init__(self, reader: Reader, account: Account, now: float) -> None:
        self._reader = reader
        self._account = account
        self._now = now
        self._paths: dict[str, int] | None = None
        self._roles: dict[int, str] = {}
        self._seen: dict[tuple[str, str], bool] = {}
        self.places = Places(reader, account.id)
        self._others: dict[tuple[str, str], bool] = {}
        self._wanted_others: set[tuple[str, str]] = set()
        self._wants_mailboxes = False
        self._wanted: set[tuple[str, str]] = set()

    async def delivery(self, sender: str, recipient: str, *, addresses: bool) -> Delivery:
        """For the engine. ``addresses``: whether a script wants to know the account's."""
        own = frozenset((self._account.address,))
        if addresses:
            own = await own_addresses(self._reader, self._account, MOST_ADDRESSES)
        return Delivery(
            sender=sender,
            recipient=recipient,
            addresses=own,
            now=datetime.fromtimestamp(self._now, UTC),
            zone=zone_of(self._account),
            separator=SEPARATOR,
            mailbox_exists=self._exists,
            mailbox_id_exists=self._id_exists,
            special_use_exists=self._has_use,
            seen=self._came_before,
        )

    async def found(self) -> bool:
        """Find what runs have asked for; whether there was anything."""
        wanted, self._wanted = self._wanted, set()
        mailboxes_too, self._wants_mailboxes = self._wants_mailboxes, False
        others, self._wanted_others = self._wanted_others, set()
        if mailboxes_too:
            await self._read_mailboxes()
        for kind, name in others:
            find = self.places.by_id if kind == "id" else self.places.by_name
            self._others[kind, name] = await find(name) is not None
        if wanted:
            digests = {key: digest_of(*key) for key in wanted}
            known = await sieve.remembered(
                self._reader, self._account.id, DUPLICATE, digests.values(), int(self._now)
            )
            self._seen.update({key: digest in known for key, digest in digests.items()})
        return mailboxes_too or bool(wanted or others)

    # What the engine asks -------------------------------------------------------------------------

    def _exists(self, name: str) -> bool:
        if self._by_path(name) is not None:
            return True
        return self._paths is not None and under_root(name) and self._of_others("name", name)

    def _id_exists(self, text: str) -> bool:
        self._by_path("")
        number = id_number(MAILBOX_LETTER, text)
        if not number or account_of(number) == self._account.id:
            return number in self._roles
        return self._of_others("id", text)

    def _of_others(self, kind: str, name: str) -> bool:
        """Whether there is one of somebody else's into which messages may be put (RFC 5490 §3.1)."""
        known = self._others.get((kind, name))
        if known is None:
            self._wanted_others.add((kind, name))
        return bool(known)

    def _has_use(self, name: str | None, use: str) -> bool:
        role = USES.get(use.lower())
        if name is None:
            self._by_path("")
            return role is not None and role in self._roles.values()
        found = self._by_path(name)
        return role is not None and found is not None and self._roles[found] == role

    def _came_before(self, handle: str, value: str) -> bool:
        known = self._seen.get((handle, value))
        if known is None:
            self._wanted.add((handle, value))
        return bool(known)

    def _by_path(self, name: str) -> int | None:
        if self._paths is None:
            self._wants_mailboxes = True
            return None
        return self._paths.get(kept_path(name))

    async def _read_mailboxes(self) -> None:
        found = await mailboxes.mailboxes(self._reader, self._account.id)
        self._paths = {box.path: box.id for box in found}
        self._roles = {box.id: box.role or "" for box in found}
