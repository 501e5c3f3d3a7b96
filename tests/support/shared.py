"""What is shared with an account, read mailbox by mailbox: what quicker ways are held against."""

from malleposte.store.read import mailboxes, rights
from malleposte.store.read.mailboxes import Mailbox
from support.store import House


async def may_look_up(house: House, actor: int) -> dict[int, tuple[Mailbox, str]]:
    """Mailboxes of others that an actor may look up, and the actor's letters there."""
    found: dict[int, tuple[Mailbox, str]] = {}
    for (owner,) in await house.rows("SELECT id FROM account WHERE id <> $1", actor):
        for box in await mailboxes.mailboxes(house.store.reader, owner):
            letters = await rights.letters(house.store.reader, actor, box.id)
            if "l" in letters:
                found[box.id] = (box, letters)
    return found
