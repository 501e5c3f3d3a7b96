r"""\Seen set by reading (RFC 9051 §6.4.5 BODY[…])."""

from array import array
from typing import TYPE_CHECKING

from malleposte.services.imapd.ranges import slices
from malleposte.services.imapd.selected import Chosen
from malleposte.store.commands import StoreFlags
from malleposte.store.flags import SEEN

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session


async def mark_seen(session: "Session", chosen: Chosen) -> frozenset[int]:
    r"""Set \Seen where it is missing, with one command for all; the UIDs it was set on."""
    selected = session.mailbox
    view = selected.view
    if selected.read_only:
        return frozenset()
    unseen = array("I")
    for uid, at in zip(chosen.uids, selected.where(chosen.uids), strict=True):
        if at is not None and not view.flags_at(at)[0] & SEEN:
            unseen.append(uid)
    if not unseen:
        return frozenset()
    marked = frozenset(unseen)
    selected.begin_own()
    try:
        for ranges in slices(unseen):
            await session.submit(
                StoreFlags(
                    actor=session.actor, mailbox=view.mailbox, uids=ranges, mode="+", flags=SEEN
                )
            )
        await session.reading(view.refresh())
    finally:
        changed = selected.end_own()
        selected.change([uid for uid in changed if uid not in marked])
    return marked
