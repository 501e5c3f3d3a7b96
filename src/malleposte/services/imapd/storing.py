r"""STORE and EXPUNGE (RFC 9051 §6.4.3, §6.4.6; UNCHANGEDSINCE is RFC 7162 §3.1.3).

The store takes ``MAX_ROWS`` messages a command; more are cut into several. What the session changes
itself is told apart from what others change meanwhile: a .SILENT change is not told unless the flags
came out otherwise than the client must think.
"""

import time
from array import array
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from malleposte.services.imapd import names, updates
from malleposte.services.imapd.ranges import slices
from malleposte.services.imapd.replies import EXPUNGED, READ_ONLY, Refuse
from malleposte.services.imapd.selected import Selected
from malleposte.store import commands as c
from malleposte.store import flags as store_flags
from malleposte.store.execute.ranges import compact
from malleposte.store.flag_sets import FlagSet, changer
from malleposte.store.results import Expunged, Stored
from malleposte.wire.imap import codes, responses
from malleposte.wire.imap.commands.message import Expunge
from malleposte.wire.imap.commands.store import Store, StoreMode
from malleposte.wire.imap.flags import DELETED
from malleposte.wire.imap.sets import NumberSet

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

_MODES: Final = {StoreMode.REPLACE: "=", StoreMode.ADD: "+", StoreMode.REMOVE: "-"}


async def store(session: "Session", command: Store) -> bytes:
    """RFC 9051 §6.4.6."""
    selected = session.mailbox
    if selected.read_only:
        raise Refuse(READ_ONLY, codes.READ_ONLY)
    chosen = selected.choose(command.messages, uid=command.uid)
    if command.unchanged_since is not None:
        session.enable_condstore()
    modified = array("I")
    for start in range(0, len(chosen), c.MAX_ROWS):
        modified.extend(await _slice(session, command, chosen.uids[start : start + c.MAX_ROWS]))
    code = None
    if modified:
        code = codes.modified(modified if command.uid else list(selected.seqs(modified)))
    if not command.uid and selected.lost(chosen):
        code = code or codes.EXPUNGEISSUED
        if not command.silent:
            return responses.no(command.tag, EXPUNGED, code)
        # RFC 2180 §4.2.1: whoever asked for silence need not hear of those that are gone.
        return responses.ok(command.tag, EXPUNGED, code)
    return responses.ok(command.tag, "Done" if code is None else "Some were changed before", code)


async def _slice(session: "Session", command: Store, uids: "array[int]") -> "array[int]":
    """STORE on as many messages as the store takes; the UIDs it left alone (UNCHANGEDSINCE)."""
    selected = session.mailbox
    view = selected.view
    bits, words = store_flags.split(command.flags)
    before = _flag_sets(selected, uids) if command.silent else {}
    selected.begin_own()
    try:
        result = await session.submit(
            c.StoreFlags(
                actor=session.actor,
                mailbox=view.mailbox,
                uids=NumberSet.from_sorted(uids).ranges,
                mode=_MODES[command.mode],
                flags=bits,
                keywords=tuple(flag for flag in command.flags if flag.lower() in words),
                deleted=DELETED in command.flags,
                unchanged_since=command.unchanged_since,
            )
        )
        assert isinstance(result, Stored)
        left_alone = array("I", sorted(result.modified))
        spared = set(left_alone)
        mine = array("I", [uid for uid in uids if uid not in spared]) if spared else uids
        change = changer(_MODES[command.mode], bits, words, deleted=DELETED in command.flags)
        await session.reading(view.stored(result.modseq, mine, set(words), change))
    except BaseException:
        # What others changed meanwhile, or the command itself though its answer is lost.
        selected.change(selected.end_own())
        raise
    changed = set(selected.end_own())
    # What others changed is told at the end, as everywhere.
    selected.change(list(changed.difference(mine)))
    if command.silent:
        selected.change(_unforeseen(selected, before, change, spared))
        if session.condstore:
            # RFC 7162 §3.1.3: the new MODSEQ is told also where the flags need not be.
            touched = array("I", sorted(changed.intersection(mine)))
            await updates.send_modseqs(session, touched, uid=command.uid)
    else:
        await updates.send_flags(session, mine, uid=command.uid)
        selected.seen(mine)
    if left_alone:
        # With what they are now (RFC 7162 §3.1.3), and as an answer to this command.
        await updates.send_flags(session, left_alone, uid=command.uid)
        selected.seen(left_alone)
    return left_alone


def _flag_sets(selected: Selected, uids: "array[int]") -> dict[int, FlagSet]:
    """Flags by UID, as the client has been told or will be."""
    view = selected.view
    places = selected.where(uids)
    return {uid: view.flags_at(at) for uid, at in zip(uids, places, strict=True) if at is not None}


def _unforeseen(
    selected: Selected,
    before: dict[int, FlagSet],
    change: Callable[[FlagSet], FlagSet],
    left_alone: set[int],
) -> list[int]:
    """UIDs whose flags are now other than a silent STORE makes of those before."""
    foreseen: dict[FlagSet, FlagSet] = {}
    view = selected.view
    found = []
    for uid, old in before.items():
        if uid in left_alone:
            continue
        expected = foreseen.get(old)
        if expected is None:
            expected = foreseen[old] = change(old)
        at = view.position(uid)
        if at is not None and view.flags_at(at) != expected:
            found.append(uid)
    return found


async def expunge(session: "Session", command: Expunge) -> bytes:
    """RFC 9051 §6.4.3, UID EXPUNGE §6.4.9."""
    selected = session.mailbox
    if selected.read_only:
        raise Refuse(READ_ONLY, codes.READ_ONLY)
    names.demand(selected.letters, "e")
    chosen = None if command.uids is None else selected.choose(command.uids, uid=True)
    gone = await remove_marked(session, selected.marked(chosen))
    if gone and session.qresync:
        # RFC 7162 §3.2.7: the news go out first, so that this covers all the client knows.
        await updates.tell(session, expunge=True)
        code = codes.highest_modseq(updates.told_up_to(session))
        return responses.ok(command.tag, "Expunged", code)
    return responses.ok(command.tag, "Expunged")


async def remove_marked(session: "Session", marked: "array[int]") -> int:
    r"""Expunge those messages of the selected mailbox that carry \Deleted; how many went."""
    view = session.mailbox.view
    gone = 0
    until = int(time.time()) + session.service.settings.recoverable
    for ranges in slices(marked):
        result = await session.submit(
            c.Expunge(
                actor=session.actor, mailbox=view.mailbox, uids=ranges, recoverable_until=until
            )
        )
        assert isinstance(result, Expunged)
        gone += len(result.uids)
        await session.reading(view.expunged(result.modseq, compact(result.uids)))
    return gone


HANDLERS: Final = {Store: store, Expunge: expunge}
