r"""Who may do what in a mailbox: RFC 4314 letters, the lists that give them, and how lists are inherited.

A mailbox has a list of its own or that of the nearest mailbox above that has one, as a whole: lists do
not add up (decision 0012). In ``mailbox_right`` a list is a row a grantee, and always one of the owner,
so that a list that gives nobody anything is still one. Grantee ``ANYONE`` is whoever can sign in to an
account of the owner's organisation; what a person has and what anyone has add up.

The owner and ``SYSTEM`` hold every right, whatever a list says. Nobody holds any in an account of another
organisation, or in one that is being deleted; one that is suspended or archived stays open to those it is
shared with, for that is when a deputy needs it.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from malleposte.store.commands import SYSTEM
from malleposte.store.dialect import Reader, Row, any_of, both
from malleposte.store.ids import LOW, account_of

ALL: Final = "lrswipkxtea"
"""Every letter, in RFC 4314's order: lookup, read, seen, write, insert, post, create, delete mailbox,
delete messages, expunge, administer."""
ANYONE: Final = 0
"""The grantee of what is for everybody."""
MAX_DEPTH: Final = 64
"""Levels walked up; mailboxes are not made deeper (``execute.mailboxes.MAX_DEPTH``)."""

_UP = (
    "WITH RECURSIVE up (id, parent, depth) AS (SELECT id, parent, 0 FROM mailbox WHERE id = $1"
    " UNION ALL SELECT b.id, b.parent, up.depth + 1 FROM up JOIN mailbox b ON b.id = up.parent"
    f" WHERE up.depth < {MAX_DEPTH}) SELECT up.id, up.parent, r.grantee, r.letters FROM up"
    " LEFT JOIN mailbox_right r ON r.mailbox = up.id"
)
_TOGETHER = (
    "EXISTS (SELECT 1 FROM account a JOIN account o ON o.organisation = a.organisation"
    " WHERE a.id = {actor} AND o.id = {owner} AND o.status <> 'deleted')"
)
"""The actor and the owner are of one organisation."""
_LETTERS = f"{_UP} AND r.grantee IN ($2, 0, $3) WHERE " + _TOGETHER.format(actor="$2", owner="$3")
_LISTS = f"{_UP} AND r.grantee = $2"
LISTED: Final = (
    "mailbox b LEFT JOIN mailbox_right o ON o.mailbox = b.id AND o.grantee = b.account"
    " LEFT JOIN mailbox_right m ON m.mailbox = b.id AND m.grantee = $1"
    " LEFT JOIN mailbox_right e ON e.mailbox = b.id AND e.grantee = 0"
)
"""Mailboxes with what their own lists give an actor: a row each."""
LETTERS: Final = (
    "CASE WHEN coalesce(o.letters, m.letters, e.letters) IS NOT NULL"
    " THEN coalesce(m.letters, '') || coalesce(e.letters, '') END"
)
"""Of ``LISTED``: the letters, to be ``summed``; NULL where a mailbox has no list of its own."""
AT_ONCE: Final = 1_000
"""Mailboxes of ``LISTED`` read in one statement: some 3 ms."""
_HELD = (
    f"SELECT b.id, b.parent, {LETTERS}, b.created_modseq FROM {LISTED}"
    " WHERE b.id > $2 AND b.id < $3 AND "
    + _TOGETHER.format(actor="$1", owner="$4")
    + f" ORDER BY b.id LIMIT {AT_ONCE}"
)
_ANY = "SELECT 1 FROM mailbox_right WHERE mailbox BETWEEN $1 AND $2 LIMIT 1"
_SHARED = (
    "SELECT b.id, b.parent, r.grantee, r.letters FROM mailbox b LEFT JOIN mailbox_right r"
    " ON r.mailbox = b.id WHERE b.account = $1"
)
_FELLOWS = both(
    "SELECT a.id FROM account a JOIN account o ON o.organisation = a.organisation"
    " WHERE {actors} AND o.id = $2 AND o.status <> 'deleted'",
    actors=any_of("a.id", 1),
)
_ENTRIES = (
    "SELECT r.grantee, coalesce(a.address, ''), r.letters FROM mailbox_right r"
    " LEFT JOIN account a ON a.id = r.grantee WHERE r.mailbox = $1 AND r.grantee <> $2"
    " ORDER BY r.grantee"
)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a grantee may do. ``address`` is '' for ``ANYONE``."""

    grantee: int
    address: str
    letters: str


@dataclass(frozen=True, slots=True)
class Grants:
    """The list that counts for a mailbox, without its owner. ``mailbox`` says whose it is: its own, that
    of one above, or 0 where none has one."""

    mailbox: int
    entries: tuple[Grant, ...]


class Held(NamedTuple):
    """What an actor may do in a mailbox, and the modseq at which that was made."""

    letters: str
    created: int


def ordered(letters: Iterable[str]) -> str:
    """Letters as they are kept: each once, in RFC 4314's order, without those that are none."""
    chosen = set(letters)
    return "".join(letter for letter in ALL if letter in chosen)


@lru_cache(maxsize=4096)
def summed(letters: str) -> str:
    """``ordered``, for what lists give: few of them differ."""
    return ordered(letters)


def nearest(mailbox: int, parents: Mapping[int, int], lists: Mapping[int, object]) -> int:
    """The mailbox whose list counts for a mailbox; 0 where neither it nor one above has one."""
    for _ in range(MAX_DEPTH):
        if not mailbox or mailbox in lists:
            return mailbox
        mailbox = parents.get(mailbox, 0)
    return 0


def gathered(rows: list[Row], owner: int) -> tuple[dict[int, int], dict[int, str]]:
    """From rows (mailbox, parent, grantee, letters): parents, and what each list gives."""
    parents: dict[int, int] = {}
    lists: dict[int, str] = {}
    for mailbox, parent, grantee, text in rows:
        parents[mailbox] = parent
        if grantee is not None:
            # Several rows only where anyone has rights besides.
            before = lists.get(mailbox, "")
            lists[mailbox] = before if grantee == owner else ordered(before + text)
    return parents, lists


async def letters(reader: Reader, actor: int, mailbox: int) -> str:
    """The rights an actor holds on a mailbox, as ordered letters; '' for none, or no such mailbox."""
    owner = account_of(mailbox)
    if actor in (SYSTEM, owner):
        return ALL
    parents, lists = gathered(await reader.rows(_LETTERS, mailbox, actor, owner), owner)
    return lists.get(nearest(mailbox, parents, lists), "")


async def may(reader: Reader, actor: int, mailbox: int, wanted: str) -> bool:
    """Whether an actor holds all the wanted letters on a mailbox."""
    held = await letters(reader, actor, mailbox)
    return all(letter in held for letter in wanted)


async def held(reader: Reader, actor: int, account: int) -> dict[int, str]:
    """An actor's letters on each mailbox of an account on which there are any; a slice at a time."""
    return {box: one.letters for box, one in (await holding(reader, actor, account)).items()}


async def holding(reader: Reader, actor: int, account: int) -> dict[int, Held]:
    """The same, with the modseqs at which the mailboxes were made."""
    parents: dict[int, int] = {}
    lists: dict[int, str] = {}
    made: dict[int, int] = {}
    after, end = account << 32, (account + 1) << 32
    while True:
        rows = await reader.rows(_HELD, actor, after, end, account)
        for mailbox, parent, text, created in rows:
            parents[mailbox] = parent
            made[mailbox] = created
            if text is not None:
                lists[mailbox] = summed(text)
        if len(rows) < AT_ONCE:
            break
        after = rows[-1][0]
        await asyncio.sleep(0)
    if actor in (SYSTEM, account):
        return {mailbox: Held(ALL, made[mailbox]) for mailbox in parents}
    found: dict[int, Held] = {}
    for at, mailbox in enumerate(parents, 1):
        text = lists.get(nearest(mailbox, parents, lists), "")
        if text:
            found[mailbox] = Held(text, made[mailbox])
        if not at % AT_ONCE:
            await asyncio.sleep(0)
    return found


async def grants(reader: Reader, mailbox: int) -> Grants:
    """The list that counts for a mailbox, by grantee; anyone comes first."""
    owner = account_of(mailbox)
    parents, lists = gathered(await reader.rows(_LISTS, mailbox, owner), owner)
    source = nearest(mailbox, parents, lists)
    if not source:
        return Grants(0, ())
    rows = await reader.rows(_ENTRIES, source, owner)
    return Grants(source, tuple(Grant(*row) for row in rows))


async def same_lists(reader: Reader, one: int, other: int) -> bool:
    """Whether the lists that count for two mailboxes of an account give the same people the same."""
    owner = account_of(one)
    if await reader.row(_ANY, owner << 32, (owner << 32) + LOW) is None:
        return True  # of most accounts nothing is shared
    first, second = await grants(reader, one), await grants(reader, other)
    return _given(first) == _given(second)


def _given(listed: Grants) -> dict[int, str]:
    return {grant.grantee: grant.letters for grant in listed.entries if grant.letters}


async def counts(reader: Reader, account: int) -> dict[int, tuple[int, int]]:
    """For each mailbox of an account for which a list counts: whose list that is, and how many it names."""
    parents: dict[int, int] = {}
    lists: dict[int, int] = {}
    for mailbox, parent, grantee, _ in await reader.rows(_SHARED, account):
        parents[mailbox] = parent
        if grantee is not None:
            lists[mailbox] = lists.get(mailbox, 0) + (grantee != account)
    found = {mailbox: nearest(mailbox, parents, lists) for mailbox in parents}
    return {mailbox: (source, lists[source]) for mailbox, source in found.items() if source}


async def given(reader: Reader, account: int) -> dict[int, dict[int, str]]:
    """For each mailbox of an account for which a list counts: the letters of those it names, by grantee,
    without the owner's. What is inherited is the same object."""
    parents: dict[int, int] = {}
    lists: dict[int, dict[int, str]] = {}
    for mailbox, parent, grantee, text in await reader.rows(_SHARED, account):
        parents[mailbox] = parent
        if grantee is not None:
            named = lists.setdefault(mailbox, {})
            if grantee != account:
                named[grantee] = text
    found = {mailbox: nearest(mailbox, parents, lists) for mailbox in parents}
    return {mailbox: lists[source] for mailbox, source in found.items() if source}


async def seen_by(
    reader: Reader, account: int, pairs: Collection[tuple[int, int]]
) -> set[tuple[int, int]]:
    """Of pairs of another account and a mailbox of this one, those in which it may look the mailbox up."""
    fellows = {row[0] for row in await reader.rows(_FELLOWS, [who for who, _ in pairs], account)}
    parents: dict[int, int] = {}
    lists: dict[int, set[int]] = {}
    for mailbox, parent, grantee, text in await reader.rows(_SHARED, account):
        parents[mailbox] = parent
        if grantee is not None:
            seeing = lists.setdefault(mailbox, set())
            if "l" in text and grantee != account:
                seeing.add(grantee)

    def sees(who: int, mailbox: int) -> bool:
        return not lists.get(nearest(mailbox, parents, lists), set()).isdisjoint((who, ANYONE))

    return {(who, mailbox) for who, mailbox in pairs if who in fellows and sees(who, mailbox)}


async def writers(reader: Reader, account: int) -> dict[int, frozenset[int]]:
    """Who besides the owner may set flags, by mailbox of an account; all mailboxes are there."""
    parents: dict[int, int] = {}
    lists: dict[int, set[int]] = {}
    for mailbox, parent, grantee, text in await reader.rows(_SHARED, account):
        parents[mailbox] = parent
        if grantee is not None:
            writing = lists.setdefault(mailbox, set())
            if "w" in text and grantee != account:
                writing.add(grantee)
    frozen = {mailbox: frozenset(some) for mailbox, some in lists.items()}
    nobody: frozenset[int] = frozenset()
    return {m: frozen.get(nearest(m, parents, lists), nobody) for m in parents}


async def writers_of(reader: Reader, mailbox: int) -> set[int]:
    """The same of one mailbox."""
    return {g.grantee for g in (await grants(reader, mailbox)).entries if "w" in g.letters}


async def inheriting(reader: Reader, mailbox: int) -> list[int]:
    """A mailbox, and those below it for which the same list counts, in the order of their ids."""
    below: dict[int, list[int]] = {}
    for one, parent, grantee, _ in await reader.rows(_SHARED, account_of(mailbox)):
        if grantee is None:
            below.setdefault(parent, []).append(one)
    found = [mailbox]
    for one in found:  # grows as it goes down
        found += below.pop(one, ())
    return sorted(found)
