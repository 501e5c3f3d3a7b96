"""What became of an account's mailboxes since a modseq: a statement for all of them, never one each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from malleposte.store.dialect import Reader, any_of, both
from malleposte.store.execute.mailboxes import MAX_DEPTH, SEPARATOR
from malleposte.store.read import mailboxes
from malleposte.store.read.mailboxes import Mailbox

_HEAD = "SELECT modseq, tombstone_floor FROM account_head WHERE account = $1"
_GONE = (
    "SELECT first, last FROM tombstone WHERE account = $1 AND kind = 'mailbox' AND container = 0"
    " AND modseq > $2 AND modseq <= $3"
)

_NOTES = both(
    "SELECT mailbox, name, reader <> 0, modseq FROM annotation WHERE {accounts}"
    " AND reader IN (0, $2)",
    accounts=any_of("account", 1),
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An account's mailboxes by id, as of one of its modseqs, without their ``path``. ``names`` are
    subscribed to and no mailbox has them. A mailbox that did not change is the same object in the next
    snapshot."""

    modseq: int = 0
    boxes: Mapping[int, Mailbox] = field(default_factory=dict)
    names: frozenset[str] = frozenset()

    def path(self, mailbox: int) -> str:
        """The full name of a mailbox; '' where there is none."""
        levels: list[str] = []
        box = self.boxes.get(mailbox)
        while box is not None and len(levels) <= MAX_DEPTH:
            levels.append(box.name)
            box = self.boxes.get(box.parent)
        return SEPARATOR.join(reversed(levels))


async def look(reader: Reader, account: int, before: Snapshot) -> Snapshot:
    """The account's mailboxes now; ``before`` itself where nothing happened.

    What is committed while it is being read stands in the next one, so that each change is in one only;
    but where all must be read (the first time, and where tombstones that old are gone) perhaps in this.
    """
    head = await reader.row(_HEAD, account)
    if head is None:
        return Snapshot()
    modseq, floor = head
    if modseq == before.modseq:
        return before
    boxes: dict[int, Mailbox] = {}
    since = -1
    if before.modseq and before.modseq >= floor:
        boxes.update(before.boxes)
        since = before.modseq
        found = await mailboxes.changed(reader, account, since, modseq)
    else:
        found = await mailboxes.every(reader, account)
    for box in found:
        known = before.boxes.get(box.id)
        boxes[box.id] = box if known is None or known != box else known
    for first, last in await reader.rows(_GONE, account, since, modseq):
        for mailbox in range(first, last + 1):
            boxes.pop(mailbox, None)
    names = frozenset(await mailboxes.subscriptions(reader, account))
    return Snapshot(modseq, boxes, names if names != before.names else before.names)


async def notes(
    reader: Reader, actor: int, accounts: Iterable[int]
) -> dict[tuple[int, str, bool], int]:
    """What an actor sees of the metadata in accounts: (mailbox or 0, name, private) to the modseq of the
    last change."""
    rows = await reader.rows(_NOTES, list(accounts), actor)
    return {(mailbox, name, bool(private)): modseq for mailbox, name, private, modseq in rows}
