"""Mailboxes of other accounts that an account may look up: two statements for some twenty that share."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from malleposte.store.dialect import Reader, Row, any_of, both
from malleposte.store.ids import account_of
from malleposte.store.read import mailboxes, rights
from malleposte.store.read.mailboxes import Mailbox
from malleposte.store.read.rights import Sharer, gathered, nearest

_LISTS = both(
    "SELECT b.id, b.parent, r.grantee, r.letters FROM mailbox b LEFT JOIN mailbox_right r"
    " ON r.mailbox = b.id AND r.grantee IN ($1, 0, b.account) WHERE {accounts}",
    accounts=any_of("b.account", 2),
)

TOGETHER: Final = 20
"""Accounts read at once: some 4,000 mailboxes of common size, 10 ms."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A mailbox of ``sharer`` on which the one who asked holds ``letters``, ``l`` among them."""

    sharer: Sharer
    box: Mailbox
    letters: str


async def shared(reader: Reader, actor: int) -> list[Shared]:
    """All of them, by address, then as their owner lists them. One statement where nobody shares."""
    sharers = await rights.sharing(reader, actor)
    found: list[Shared] = []
    for start in range(0, len(sharers), TOGETHER):
        found += await _of(reader, actor, sharers[start : start + TOGETHER])
    return found


async def _of(reader: Reader, actor: int, sharers: Sequence[Sharer]) -> list[Shared]:
    accounts = [sharer.account for sharer in sharers]
    by_account: dict[int, list[Row]] = {account: [] for account in accounts}
    for row in await reader.rows(_LISTS, actor, accounts):
        by_account[account_of(row[0])].append(row)
    await asyncio.sleep(0)
    boxes = await mailboxes.of_accounts(reader, accounts)
    found: list[Shared] = []
    for sharer in sharers:
        await asyncio.sleep(0)
        parents, lists = gathered(by_account[sharer.account], sharer.account)
        for box in boxes[sharer.account]:
            letters = lists.get(nearest(box.id, parents, lists), "")
            if "l" in letters:
                found.append(Shared(sharer, box, letters))
    return found
