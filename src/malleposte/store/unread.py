"""What readers of others' mailboxes have not read, remembered while nothing changes.

It is counted from all that a reader ever marked in an account (``read.mailboxes.unseen_differences``), and
programs ask for one mailbox after the other, again and again. An account's modseq tells whether anything
can have changed since.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import replace

from malleposte.store.dialect import Reader, any_of, both
from malleposte.store.ids import account_of
from malleposte.store.read.mailboxes import Mailbox, unseen_differences

KEPT = 1_000
"""Pairs of reader and account that are remembered: some 100 octets for each mailbox that differs."""

_HEADS = both("SELECT account, modseq FROM account_head WHERE {ids}", ids=any_of("account", 1))


def as_read(box: Mailbox, differences: Mapping[int, int]) -> Mailbox:
    """A mailbox whose ``unseen`` is what that actor has not read, whose ``differences`` these are."""
    return replace(box, unseen=max(0, box.unseen + differences.get(box.id, 0)))


class Unread:
    """One for each worker."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._kept: OrderedDict[tuple[int, int], tuple[int, dict[int, int]]] = OrderedDict()

    async def differences(self, actor: int, accounts: Collection[int]) -> dict[int, int]:
        """How many more messages of mailboxes in other accounts an actor has not seen than their owners,
        by mailbox; those left out agree."""
        heads: dict[int, int] = dict(await self._reader.rows(_HEADS, sorted(accounts)))
        known = {account: self._kept.get((actor, account)) for account in heads}
        stale = {a for a, kept in known.items() if kept is None or kept[0] != heads[a]}
        if stale:
            counted: dict[int, dict[int, int]] = {account: {} for account in stale}
            for box, n in (await unseen_differences(self._reader, actor, stale)).items():
                counted[account_of(box)][box] = n
            known.update((account, (heads[account], counted[account])) for account in stale)
        found: dict[int, int] = {}
        for account, kept in known.items():
            if kept is not None:
                found.update(kept[1])
                self._kept[actor, account] = kept
                self._kept.move_to_end((actor, account))
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return found
