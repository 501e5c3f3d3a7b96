"""Who is in an organisation, as its people look each other up: accounts and groups.

Read in slices, kept in memory until the directory changes; ``state`` changes only where an entry does. Ids
stay as long as an account lives, and a group under its address.
"""

import asyncio
import uuid
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final
from weakref import WeakKeyDictionary

from malleposte.directory.book import Book
from malleposte.store.dialect import Reader, any_of, both

SLICE: Final = 1_000
"""Rows read before other work of the loop runs."""
MOST: Final = 50_000
"""Entries of an organisation that are listed."""

_ACCOUNTS: Final = (
    "SELECT id, address, name, kind, created_at FROM account WHERE organisation = $1"
    " AND status = 'active' AND kind IN ('person', 'shared', 'resource') AND id > $2"
    " ORDER BY id LIMIT $3"
)
_GROUPS: Final = (
    "SELECT g.address, g.name FROM mail_group g JOIN address p ON p.address = g.address"
    " JOIN domain d ON d.id = p.domain WHERE d.organisation = $1 AND g.address > $2"
    " ORDER BY g.address LIMIT $3"
)
_MEMBERS: Final = both(
    "SELECT mail_group, account FROM group_member WHERE member = 1 AND account <> 0 AND {groups}"
    " ORDER BY mail_group, account",
    groups=any_of("mail_group", 1, "text"),
)
_NAMESPACE: Final = uuid.UUID("7a1d4c5e-93c4-5f6b-8f0e-2b6a5d1c9e47")


@dataclass(frozen=True, slots=True)
class Person:
    """An entry. ``id``: an account's, or less than 0 for a group; ``kind``: person, shared, resource,
    group. ``members``: uids of a group's."""

    id: int
    address: str
    name: str
    kind: str
    uid: str
    members: tuple[str, ...] = ()

    @property
    def tag(self) -> str:
        """Another where anything in it is another."""
        said = "\0".join((self.address, self.name, self.kind, *self.members))
        return blake2b(said.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class People:
    """An organisation's."""

    organisation: int
    entries: dict[int, Person] = field(default_factory=dict)
    state: str = ""


_known: "WeakKeyDictionary[Book, dict[int, tuple[int, People]]]" = WeakKeyDictionary()


async def people(book: Book, reader: Reader, organisation: int) -> People:
    """Those of an organisation; from memory while the directory is as it was."""
    await book.fresh()
    known = _known.setdefault(book, {})
    version, found = known.get(organisation, (-1, None))
    if found is None or version != book.version:
        version = book.version
        found = await _read(reader, organisation)
        known[organisation] = (version, found)
    return found


async def _read(reader: Reader, organisation: int) -> People:
    entries: dict[int, Person] = {}
    uids: dict[int, str] = {}
    after = 0
    while len(entries) < MOST:
        rows = await reader.rows(_ACCOUNTS, organisation, after, SLICE)
        for id_, address, name, kind, created_at in rows:
            uids[id_] = _uid(f"{id_} {created_at}")
            entries[id_] = Person(id_, address, name, kind, uids[id_])
        if len(rows) < SLICE:
            break
        after = rows[-1][0]
        await asyncio.sleep(0)
    name_after = ""
    while len(entries) < MOST:
        groups = await reader.rows(_GROUPS, organisation, name_after, SLICE)
        members: dict[str, list[str]] = {}
        for address, account in await reader.rows(_MEMBERS, [row[0] for row in groups]):
            if account in uids:
                members.setdefault(address, []).append(uids[account])
        for address, name in groups:
            id_ = -(int.from_bytes(blake2b(address.encode(), digest_size=7).digest()) or 1)
            entries[id_] = Person(
                id_, address, name, "group", _uid(address), tuple(members.get(address, ()))
            )
        if len(groups) < SLICE:
            break
        name_after = groups[-1][0]
        await asyncio.sleep(0)
    return People(organisation, entries, await _state(entries))


async def _state(entries: dict[int, Person]) -> str:
    digest = blake2b(digest_size=9)
    for at, (id_, person) in enumerate(entries.items()):
        digest.update(f"{id_} {person.tag}\n".encode())
        if at % SLICE == SLICE - 1:
            await asyncio.sleep(0)
    return digest.hexdigest()


def _uid(said: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, said)}"
