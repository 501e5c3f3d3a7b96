"""An account's mailboxes with all the lists of rights on them, for those who watch some of them.

After a change only what changed is read: a list is changed by a change of its mailbox (``SetRights``).
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from malleposte.store.dialect import Reader, Row, any_of, both
from malleposte.store.read.changes import Snapshot
from malleposte.store.read.mailboxes import Paths
from malleposte.store.read.rights import ANYONE, nearest, summed

AT_ONCE: Final = 1_000
"""Rows or mailboxes between two breaths: some 1 ms."""
_FEW: Final = 20
"""Mailboxes whose lists are read by name; past it the lists of all are."""

_ALL = (
    "SELECT mailbox, grantee, letters FROM mailbox_right WHERE (mailbox, grantee) > ($1, $2)"
    f" AND mailbox < $3 ORDER BY mailbox, grantee LIMIT {AT_ONCE}"
)
_SOME = both(
    "SELECT mailbox, grantee, letters FROM mailbox_right WHERE {mailboxes}"
    " ORDER BY mailbox, grantee",
    mailboxes=any_of("mailbox", 1),
)

Lists = Mapping[int, Mapping[int, str]]
"""Lists by their mailboxes: letters by grantee, without the owner."""


@dataclass(frozen=True, slots=True)
class Estate:
    """See the module. ``lists``, ``parents`` and ``paths`` (full names) are the same objects in the next
    one as long as nothing about them changed."""

    snapshot: Snapshot = field(default_factory=Snapshot)
    lists: Lists = field(default_factory=dict)
    parents: Mapping[int, int] = field(default_factory=dict)
    paths: Mapping[int, str] = field(default_factory=dict)

    def letters(self, actor: int, mailbox: int) -> str:
        """What the list that counts for a mailbox gives an actor who is not its owner."""
        given = self.lists.get(nearest(mailbox, self.parents, self.lists))
        return summed(given.get(actor, "") + given.get(ANYONE, "")) if given else ""


async def look(reader: Reader, account: int, now: Snapshot, before: Estate) -> Estate:
    """The account's mailboxes as in a snapshot, with their lists; ``before`` itself where it has that
    already."""
    was = before.snapshot.boxes
    if now is before.snapshot:
        return before
    changed = [mailbox for mailbox, box in now.boxes.items() if was.get(mailbox) is not box]
    parents, paths = before.parents, before.paths
    if len(now.boxes) != len(was) or any(_moved(now, before, mailbox) for mailbox in changed):
        parents, paths = await _named(now)
    return Estate(now, await _lists(reader, account, now, before.lists, changed), parents, paths)


def _moved(now: Snapshot, before: Estate, mailbox: int) -> bool:
    box, earlier = now.boxes[mailbox], before.snapshot.boxes.get(mailbox)
    return earlier is None or (earlier.parent, earlier.name) != (box.parent, box.name)


async def _named(now: Snapshot) -> tuple[dict[int, int], dict[int, str]]:
    names = Paths({mailbox: (box.parent, box.name) for mailbox, box in now.boxes.items()})
    paths: dict[int, str] = {}
    for at, mailbox in enumerate(now.boxes, 1):
        paths[mailbox] = names.of(mailbox)
        if not at % AT_ONCE:
            await asyncio.sleep(0)
    return {mailbox: box.parent for mailbox, box in now.boxes.items()}, paths


async def _lists(
    reader: Reader, account: int, now: Snapshot, before: Lists, changed: Collection[int]
) -> Lists:
    """The lists of all mailboxes; ``before`` itself where they are the same."""
    if len(changed) > _FEW:
        found = await _all(reader, account)
    else:
        found = dict(before)
        for mailbox in changed:
            found.pop(mailbox, None)
        if changed:
            found.update(_gathered(account, await reader.rows(_SOME, list(changed))))
    kept = {mailbox: given for mailbox, given in found.items() if mailbox in now.boxes}
    return kept if kept != before else before


async def _all(reader: Reader, account: int) -> dict[int, Mapping[int, str]]:
    rows: list[Row] = []
    mailbox, grantee, end = account << 32, 0, (account + 1) << 32
    while True:
        part = await reader.rows(_ALL, mailbox, grantee, end)
        rows += part
        if len(part) < AT_ONCE:
            break
        mailbox, grantee, _ = part[-1]
        await asyncio.sleep(0)
    return _gathered(account, rows)


def _gathered(account: int, rows: list[Row]) -> dict[int, Mapping[int, str]]:
    found: dict[int, dict[int, str]] = {}
    for mailbox, grantee, letters in rows:
        given = found.setdefault(mailbox, {})
        if grantee != account:
            given[grantee] = letters
    # Most lists of an account are copies of each other.
    same: dict[tuple[tuple[int, str], ...], Mapping[int, str]] = {}
    return {
        mailbox: same.setdefault(tuple(given.items()), given) for mailbox, given in found.items()
    }
