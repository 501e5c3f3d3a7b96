r"""\Seen set by reading (RFC 9051 §6.4.5 BODY[…])."""

from array import array
from typing import TYPE_CHECKING

from malleposte.services.imapd.numbering import Chosen
from malleposte.services.imapd.ranges import slices
from malleposte.store.commands import StoreFlags
from malleposte.store.flags import SEEN

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session


async def mark_seen(session: "Session", chosen: Chosen) -> frozenset[int]:
    r"""Set \Seen where it is missing, with one command for all; the UIDs it was set on."""
    selected = session.mailbox
    view = selected.view
    unseen = selected.unseen(chosen) if "s" in selected.changeable else array("I")
    if not unseen:
        return frozenset()
    marked = frozenset(unseen)
    for ranges in slices(unseen):
        selected.begin_own()
        try:
            await session.submit(
                StoreFlags(
                    actor=session.actor, mailbox=view.mailbox, uids=ranges, mode="+", flags=SEEN
                )
            )
            await session.reading(view.refresh())
        finally:
            selected.change([uid for uid in selected.end_own() if uid not in marked])
    return marked
