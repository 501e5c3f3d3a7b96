"""COPY and MOVE (RFC 9051 §6.4.7, §6.4.8; COPYUID is RFC 4315).

A COPY is done wholly or not at all: where a later slice of a large one fails, the copies of the
earlier ones are removed again. A MOVE may stop half way (RFC 9051 §6.4.8); what moved is told.
"""

import time
from array import array
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from malleposte.services.imapd import names, updates
from malleposte.services.imapd.ranges import slices
from malleposte.services.imapd.replies import EXPUNGED, READ_ONLY, Refuse
from malleposte.store import StoreError
from malleposte.store import commands as c
from malleposte.store.ids import account_of
from malleposte.store.results import Copied
from malleposte.wire.imap import codes, responses
from malleposte.wire.imap.commands.message import Copy, Move
from malleposte.wire.imap.responses import UNTAGGED

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

Pairs = list[tuple[int, int]]
"""Source and target UIDs, in order."""


async def transfer(
    session: "Session", source: int, uids: "array[int]", target: int, *, move: bool
) -> tuple[int, Pairs, Exception | None]:
    """Copy or move messages of a mailbox: the target's UIDVALIDITY, what was done, and why a move
    stopped half way. Raises ``Refuse`` and store failures where nothing was done."""
    pairs: Pairs = []
    uidvalidity = 0
    # Between accounts a move is a copy, its commit, then the removal: a crash between doubles messages
    # and loses none (RFC 6851 §3.3: in one of both at least, which must be; not in both only should).
    across = move and account_of(source) != account_of(target)
    try:
        for ranges in slices(uids):
            result = await session.submit(
                c.Copy(
                    actor=session.actor,
                    mailbox=source,
                    uids=ranges,
                    target=target,
                    move=move and not across,
                ),
                target=True,
            )
            assert isinstance(result, Copied)
            uidvalidity = result.uidvalidity
            if across:
                await _remove_copied(session, source, target, result.uids)
            pairs += result.uids
    except (Refuse, StoreError) as error:
        if pairs and move:
            return uidvalidity, pairs, error
        await _undo(session, target, pairs)
        raise
    return uidvalidity, pairs, None


async def _remove_copied(
    session: "Session", source: int, target: int, pairs: Sequence[tuple[int, int]]
) -> None:
    """The second half of a move between accounts. What the owner loses stays recoverable there.

    Where it is refused (rights were taken away meanwhile), the copies go again; where the store does not
    answer, both may stay.
    """
    until = int(time.time()) + session.service.settings.recoverable
    try:
        await remove(session, session.actor, source, (old for old, _ in pairs), until)
    except Refuse:
        await _undo(session, target, pairs)
        raise


async def _undo(session: "Session", target: int, pairs: Sequence[tuple[int, int]]) -> None:
    """Remove the copies that were made before one failed; they need not be recoverable.

    It is the server's doing: whoever may put messages somewhere may perhaps not expunge there.
    """
    await remove(session, c.SYSTEM, target, (new for _, new in pairs), int(time.time()))


async def remove(
    session: "Session", actor: int, mailbox: int, uids: Iterable[int], until: int
) -> None:
    """Expunge messages, marked or not, in steps, each whole, so that others are served between; they are
    recoverable until then."""
    for ranges in slices(array("I", sorted(uids))):
        await session.submit(
            c.Expunge(
                actor=actor, mailbox=mailbox, uids=ranges, marked=False, recoverable_until=until
            )
        )


async def copy(session: "Session", command: Copy) -> bytes:
    """RFC 9051 §6.4.7."""
    selected = session.mailbox
    chosen = selected.choose(command.messages, uid=command.uid)
    target = await names.need(session, command.mailbox, "i", target=True)
    if chosen.ghosts and not command.uid:
        raise Refuse(EXPUNGED, codes.EXPUNGEISSUED)
    if not chosen:
        return responses.ok(command.tag, "There is nothing to copy")
    view = selected.view
    uidvalidity, pairs, _ = await transfer(session, view.mailbox, chosen.uids, target, move=False)
    await session.reading(view.refresh())
    if not pairs:
        return responses.ok(command.tag, "There is nothing to copy")
    return responses.ok(command.tag, "Copied", _copy_uid(uidvalidity, pairs))


async def move(session: "Session", command: Move) -> bytes:
    """RFC 9051 §6.4.8: COPYUID stands in an untagged OK, before the EXPUNGEs."""
    selected = session.mailbox
    if selected.read_only:
        raise Refuse(READ_ONLY, codes.READ_ONLY)
    names.demand(selected.letters, "te")
    chosen = selected.choose(command.messages, uid=command.uid)
    target = await names.need(session, command.mailbox, "i", target=True)
    if chosen.ghosts and not command.uid:
        raise Refuse(EXPUNGED, codes.EXPUNGEISSUED)
    if not chosen:
        return responses.ok(command.tag, "There is nothing to move")
    view = selected.view
    done = await transfer(session, view.mailbox, chosen.uids, target, move=True)
    uidvalidity, pairs, error = done
    if pairs:
        session.send(responses.ok(UNTAGGED, "Moved", _copy_uid(uidvalidity, pairs)))
    await session.reading(view.refresh())
    await updates.tell(session, expunge=True)
    if error is not None:
        raise error
    if pairs and session.qresync:
        code = codes.highest_modseq(updates.told_up_to(session))  # RFC 7162 §3.2.7, as EXPUNGE
        return responses.ok(command.tag, "Moved", code)
    return responses.ok(command.tag, "Moved")


def _copy_uid(uidvalidity: int, pairs: Pairs) -> bytes:
    return codes.copy_uid(uidvalidity, [old for old, _ in pairs], [new for _, new in pairs])


HANDLERS: Final = {Copy: copy, Move: move}
