"""What surrounds a message whose script runs: its recipient's mailboxes, addresses, what was remembered.

A run asks and cannot wait: what is not known yet is answered with no and noted; then it is found, and the
script runs again (a run has no effects).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from hashlib import blake2b
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from malleposte.directory.addresses import SEPARATOR
from malleposte.directory.book import Account
from malleposte.normal_form import normal
from malleposte.sieve import Delivery
from malleposte.store.commands import DUPLICATE
from malleposte.store.dialect import Reader
from malleposte.store.execute.mailboxes import is_inbox
from malleposte.store.ids import MAILBOX_LETTER, account_of, id_number
from malleposte.store.read import mailboxes, sieve

ROUNDS: Final = 8
"""Times that a script is run again with more answers; people's need two."""
MOST_ADDRESSES: Final = 1_000
"""Addresses of an account that vacation looks for."""
USES: Final[Mapping[str, str]] = {
    f"\\{role}": role for role in ("archive", "drafts", "junk", "sent", "trash")
}
"""Special uses (RFC 6154 §2), lower case, and the roles they are in the store."""

_ADDRESSES: Final = (
    "SELECT address FROM address_target WHERE account = $1 ORDER BY address LIMIT $2"
)
_BY_ROLE: Final = "SELECT id FROM mailbox WHERE account = $1 AND role = $2"


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


class Surroundings:
    """See the module; for one account and one message."""

    def __init__(self, reader: Reader, account: Account, now: float) -> None:
        self._reader = reader
        self._account = account
        self._now = now
        self._paths: dict[str, int] | None = None
        self._roles: dict[int, str] = {}
        self._seen: dict[tuple[str, str], bool] = {}
        self._wants_mailboxes = False
        self._wanted: set[tuple[str, str]] = set()

    async def delivery(self, sender: str, recipient: str, *, addresses: bool) -> Delivery:
        """For the engine. ``addresses``: whether a script wants to know the account's."""
        own = frozenset((self._account.address,))
        if addresses:
            rows = await self._reader.rows(_ADDRESSES, self._account.id, MOST_ADDRESSES)
            own |= {row[0] for row in rows}
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
        if mailboxes_too:
            await self._read_mailboxes()
        if wanted:
            digests = {key: digest_of(*key) for key in wanted}
            known = await sieve.remembered(
                self._reader, self._account.id, DUPLICATE, digests.values(), int(self._now)
            )
            self._seen.update({key: digest in known for key, digest in digests.items()})
        return mailboxes_too or bool(wanted)

    # What the engine asks -------------------------------------------------------------------------

    def _exists(self, name: str) -> bool:
        return self._by_path(name) is not None

    def _id_exists(self, text: str) -> bool:
        self._by_path("")
        return id_number(MAILBOX_LETTER, text) in self._roles

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

    # Where messages go ----------------------------------------------------------------------------

    async def mailbox(self, name: str, use: str, identity: str) -> int:
        """The mailbox that a fileinto means, 0 where there is none: by id, by use, by name."""
        account = self._account.id
        if identity:
            number = id_number(MAILBOX_LETTER, identity)
            if number and account_of(number) == account:
                row = await self._reader.row("SELECT id FROM mailbox WHERE id = $1", number)
                if row is not None:
                    return number
        role = USES.get(use.lower()) if use else None
        if role is not None:
            row = await self._reader.row(_BY_ROLE, account, role)
            if row is not None:
                return int(row[0])
        return await mailboxes.find(self._reader, account, name)


def kept_path(name: str) -> str:
    """A mailbox's full name as the store has it."""
    name = normal("NFC", name)
    first, slash, rest = name.partition("/")
    return f"INBOX{slash}{rest}" if is_inbox(first) else name
