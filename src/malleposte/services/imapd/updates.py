"""Telling the client what happened in its mailbox (RFC 9051 §7.4, §7.5; RFC 7162 §3.2.10)."""

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from malleposte.services.imapd import recency
from malleposte.store.view import View
from malleposte.wire.imap import codes, fetch_rows, responses
from malleposte.wire.imap.flags import DELETED, SEEN, SYSTEM_FLAGS, render_flags

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

ROWS: Final = 2_000
"""FETCH responses made at a time: some 2 ms."""

EXPUNGES: Final = 5_000
"""EXPUNGE responses made at a time."""

_SYSTEM: Final = render_flags(SYSTEM_FLAGS)
_WELL_KNOWN: Final = b"$Forwarded $MDNSent $Junk $NotJunk $Phishing"


def flag_names(view: View) -> bytes:
    """All flags there are in a mailbox: the system's, well-known keywords, the account's own."""
    own = render_flags([*view.shown.values()])
    return b" ".join([_SYSTEM, _WELL_KNOWN, own]) if own else b" ".join([_SYSTEM, _WELL_KNOWN])


def flags_lines(view: View, letters: str) -> bytes:
    """FLAGS and PERMANENTFLAGS, the latter as far as these rights let flags be set (RFC 4314 §4)."""
    return responses.flags(flag_names(view)) + responses.ok(
        responses.UNTAGGED, "Flags that last", codes.permanent_flags(_permanent(view, letters))
    )


def _permanent(view: View, letters: str) -> bytes:
    if all(letter in letters for letter in "swt"):
        return flag_names(view) + b" \\*"
    system = render_flags(tuple(f for f in SYSTEM_FLAGS if right_of(f) in letters))
    if "w" not in letters:
        return system
    return b" ".join([system, *flag_names(view).split(b" ")[len(SYSTEM_FLAGS) :], b"\\*"])


def right_of(flag: str) -> str:
    """The right it takes to set or clear a flag (RFC 4314 §4)."""
    return "s" if flag == SEEN else "t" if flag == DELETED else "w"


def tell_keywords(session: "Session") -> None:
    """FLAGS, where the account has keywords the client was not told of.

    Before any FETCH that shows one: clients may take a keyword that is not in FLAGS for an error
    (RFC 3501 §7.2.6 says what applies in the mailbox).
    """
    selected = session.mailbox
    view = selected.view
    if len(view.shown) != selected.keywords:
        selected.keywords = len(view.shown)
        session.send(flags_lines(view, selected.changeable))


async def tell(session: "Session", *, expunge: bool) -> None:
    """Send what changed in the selected mailbox. ``expunge``: whether EXPUNGE may be sent now."""
    selected = session.selected
    if selected is None or not selected.news:
        return
    if not {"l", "r"}.issubset(selected.view.letters):
        return  # taken away while a command ran; with the next one the session ends
    watch = session.watch
    if expunge and selected.ghosts and (watch is None or watch.may_expunge()):
        uids, numbers = selected.take_ghosts()
        if session.qresync:
            session.send(responses.vanished(uids))
        else:
            # From the last to the first, so that none shifts the next.
            for stop in range(len(numbers), 0, -EXPUNGES):
                session.send(responses.expunges(reversed(numbers[max(0, stop - EXPUNGES) : stop])))
                if stop > EXPUNGES:
                    await session.breathe()
    known = selected.announced
    arrived = selected.arrived if watch is None or watch.counts else 0
    if arrived:
        await recency.hear(session, selected, arrived)
        # More may have come meanwhile: that is told next time.
        if selected.take_arrivals(arrived):
            session.send(responses.exists(selected.exists))
            _tell_recent(session)
            if watch is not None:
                await watch.arrived(known)
    if watch is not None and not watch.flags:
        return  # what changed is kept until it is asked for
    tell_keywords(session)
    changed = selected.take_changed()
    if not selected.arrived:
        selected.up_to_date()
    if changed:
        # With UIDs for who watches (RFC 5465 §5.1).
        await send_flags(session, changed, uid=watch is not None)


def _tell_recent(session: "Session") -> None:
    """RECENT, behind EXISTS, where it is not what the client was told (RFC 3501 §7.3.2)."""
    selected = session.mailbox
    if selected.recent is not None and not session.engine.rev2:
        before = selected.told_recent
        count = selected.take_recent()
        if count != before:
            session.send(responses.recent(count))


def hold_back(session: "Session") -> None:
    """Before a tagged response: where something waits to be told, VANISHED say, a client under QRESYNC
    is told how far it knows everything; else it would go by the highest MODSEQ it has seen, and miss what
    waited if the connection broke (RFC 7162 §6)."""
    if session.mailbox.news:
        code = codes.highest_modseq(told_up_to(session))
        session.send(responses.ok(responses.UNTAGGED, "Not all is told yet", code))
    else:
        told_up_to(session)


def told_up_to(session: "Session") -> int:
    """HIGHESTMODSEQ of the selected mailbox, as far as the client was told everything by now."""
    selected = session.mailbox
    view = selected.view
    if selected.news:
        return min(selected.complete, view.highest)
    selected.complete = view.modseq
    return view.highest


async def send_flags(session: "Session", uids: "array[int]", *, uid: bool = False) -> None:
    """FETCH responses with the flags of messages the client knows; ghosts are passed over.

    ``uid``: with their UIDs, as an answer to a UID command (RFC 9051 §6.4.9).
    """
    selected = session.mailbox
    view = selected.view
    with_uid = uid or session.qresync
    for start in range(0, len(uids), ROWS):
        tell_keywords(session)
        part = uids[start : start + ROWS]
        where = selected.where(part)
        if isinstance(where, range):
            places: Sequence[int] = where
        else:
            part = array("I", [u for u, at in zip(part, where, strict=True) if at is not None])
            places = [at for at in where if at is not None]
        if not part:
            continue
        seqs = selected.seqs(part)
        flags = view.wire_lists(view.sets_of(places))
        if selected.recent is not None:
            flags = selected.recent.marked(part, flags)
        if session.condstore:
            modseqs = view.modseqs_of(places)
            if with_uid:
                names = (b"UID %d", b"FLAGS (%b)", b"MODSEQ (%d)")
                session.send(fetch_rows.fetch_columns(seqs, names, part, flags, modseqs))
            else:
                names2 = (b"FLAGS (%b)", b"MODSEQ (%d)")
                session.send(fetch_rows.fetch_columns(seqs, names2, flags, modseqs))
        elif with_uid:
            session.send(fetch_rows.fetch_uid_flags(seqs, part, flags))
        else:
            session.send(fetch_rows.fetch_flags(seqs, flags))
        if start + ROWS < len(uids):
            await session.breathe()


async def send_modseqs(session: "Session", uids: "array[int]", *, uid: bool) -> None:
    """FETCH responses with nothing but new modseqs, after a silent STORE (RFC 7162 §3.1.3)."""
    selected = session.mailbox
    view = selected.view
    known = array("I", [u for u in uids if view.position(u) is not None])
    for start in range(0, len(known), ROWS):
        part = known[start : start + ROWS]
        modseqs = view.modseqs_of([view.rank(u) for u in part])
        seqs = selected.seqs(part)
        if uid or session.qresync:
            session.send(fetch_rows.fetch_columns(seqs, (b"UID %d", b"MODSEQ (%d)"), part, modseqs))
        else:
            session.send(fetch_rows.fetch_columns(seqs, (b"MODSEQ (%d)",), modseqs))
        if start + ROWS < len(known):
            await session.breathe()
