"""Where ``fileinto`` leads: mailboxes of the account itself, and those of others in which it may put
messages (right ``i``, RFC 4314 §4), by id or under the names that it sees them by."""

from dataclasses import dataclass
from typing import Final

from malleposte.directory.addresses import BadAddressError, normalise
from malleposte.directory.sharing import SEPARATOR, owner_shown, parted, root_of, under_root
from malleposte.normal_form import normal
from malleposte.store.commands import CreateMailbox
from malleposte.store.dialect import Reader
from malleposte.store.execute.mailboxes import is_inbox
from malleposte.store.ids import MAILBOX_LETTER, account_of, id_number
from malleposte.store.read import mailboxes, outlines, rights, sharers
from malleposte.store.read.rights import ALL
from malleposte.store.read.sharers import Sharer

USES: Final = {f"\\{role}": role for role in ("archive", "drafts", "junk", "sent", "trash")}
"""Special uses (RFC 6154 §2), lower case, and the roles they are in the store."""

_BY_ROLE: Final = "SELECT id FROM mailbox WHERE account = $1 AND role = $2"


@dataclass(frozen=True, slots=True)
class Place:
    """A mailbox. ``letters``: the account's rights there; ``name``: as it sees it."""

    mailbox: int
    letters: str = ALL
    name: str = ""

    @property
    def owner(self) -> int:
        """Whose mailbox it is."""
        return account_of(self.mailbox)


@dataclass(frozen=True, slots=True)
class Places:
    """Of an account."""

    reader: Reader
    account: int

    async def find(self, name: str, use: str = "", identity: str = "") -> Place | None:
        """The mailbox that a fileinto means: by id, by use, by name. None where there is none that the
        account may put messages into."""
        if identity and (place := await self.by_id(identity)) is not None:
            return place
        role = USES.get(use.lower()) if use else None
        if role is not None:
            row = await self.reader.row(_BY_ROLE, self.account, role)
            if row is not None:
                return await self._own(int(row[0]))
        return await self.by_name(name)

    async def by_id(self, identity: str) -> Place | None:
        """The same, by id alone (RFC 9042)."""
        number = id_number(MAILBOX_LETTER, identity)
        if not number:
            return None
        if account_of(number) == self.account:
            return await self._own(number)
        row = await self.reader.row(
            "SELECT address, kind FROM account WHERE id = $1", account_of(number)
        )
        if row is None:
            return None
        return await self._others(Sharer(account_of(number), row[0], row[1]), number)

    async def by_name(self, name: str) -> Place | None:
        """The same, by name alone. The account's own mailboxes come first."""
        found = await mailboxes.find(self.reader, self.account, name)
        if found:
            return Place(found, name=kept_path(name))
        sharer, path = await self._sharer(name)
        if sharer is None:
            return None
        return await self._others(sharer, await mailboxes.find(self.reader, sharer.account, path))

    async def to_make(self, name: str, use: str) -> CreateMailbox:
        """What makes the mailbox of a name. Others' are made with the rights that the account has there."""
        sharer, path = await self._sharer(name)
        return CreateMailbox(
            actor=self.account,
            account=self.account if sharer is None else sharer.account,
            parent=0,
            path=tuple(path.split(SEPARATOR)),
            role=USES.get(use.lower()) if sharer is None else None,
            subscribe=sharer is None,
        )

    async def _sharer(self, name: str) -> tuple[Sharer | None, str]:
        """Of a name below those of others: whose it is, and its name there."""
        name = normal("NFC", name)
        if not under_root(name):
            return None, name
        root, owner, rest = parted(name)
        try:
            address = normalise(owner)
        except BadAddressError:
            return None, name
        sharer = await sharers.sharer(self.reader, self.account, address)
        if sharer is None or root_of(sharer.kind) != root:
            return None, name
        return sharer, rest or "INBOX"

    async def _own(self, number: int) -> Place | None:
        found = (await outlines.whole(self.reader, [number])).get(number)
        return None if found is None else Place(number, name=found.path)

    async def _others(self, sharer: Sharer, number: int) -> Place | None:
        letters = await rights.letters(self.reader, self.account, number) if number else ""
        if not {"l", "i"} <= set(letters):
            return None
        found = (await outlines.whole(self.reader, [number])).get(number)
        if found is None:
            return None
        owner = owner_shown(sharer.kind, sharer.address)
        shown = owner if found.path == "INBOX" else f"{owner}{SEPARATOR}{found.path}"
        return Place(number, letters, shown)


def kept_path(name: str) -> str:
    """A mailbox's full name as the store has it."""
    name = normal("NFC", name)
    first, slash, rest = name.partition("/")
    return f"INBOX{slash}{rest}" if is_inbox(first) else name
