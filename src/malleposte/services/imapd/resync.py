"""What changed since a client was here: VANISHED and changed messages (RFC 7162 §3.1.4, §3.2).

Tombstones tell which UIDs are gone; where they do not reach back far enough, every UID the client may
know and the mailbox does not have is gone.
"""

from array import array
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from malleposte.services.imapd import updates
from malleposte.services.imapd.numbering import Chosen
from malleposte.services.imapd.selected import Selected
from malleposte.store.read import mailboxes
from malleposte.wire.imap import responses
from malleposte.wire.imap.commands.select import QResync
from malleposte.wire.imap.sets import NumberSet, Range

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session


async def vanished(
    session: "Session", selected: Selected, known: NumberSet, since: int
) -> NumberSet:
    """UIDs among ``known`` that went after ``since``, and that the client does not count any more.

    Tombstones may be newer than the view: what the view or the session still has is not named.
    """
    view = selected.view
    reader = session.service.store.reader
    ranges, complete = await session.reading(
        mailboxes.vanished(reader, view.account, view.mailbox, since)
    )
    gone = _both(NumberSet.of(ranges), known) if complete else known
    there: Sequence[int] = view.uids
    if selected.ghosts:
        there = array("I", sorted(chain(view.uids, selected.ghosts)))
    return without(gone, there)


def _both(one: NumberSet, other: NumberSet) -> NumberSet:
    """What is in both sets."""
    found: list[Range] = []
    mine, theirs = iter(one), iter(other)
    a, b = next(mine, None), next(theirs, None)
    while a is not None and b is not None:
        low, high = max(a[0], b[0]), min(a[1], b[1])
        if low <= high:
            found.append((low, high))
        if a[1] < b[1]:
            a = next(mine, None)
        else:
            b = next(theirs, None)
    return NumberSet(tuple(found))


def without(numbers: NumberSet, there: Sequence[int]) -> NumberSet:
    """A set without those of ascending numbers."""
    found: list[Range] = []
    for low, high in numbers:
        start = low
        for first, last in NumberSet(((low, high),)).slices(there):
            # One slice at the most: the numbers between two bounds are neighbours.
            for number in there[first:last]:
                if number > start:
                    found.append((start, number - 1))
                start = number + 1
        if start <= high:
            found.append((start, high))
    return NumberSet(tuple(found))


async def changed(session: "Session", chosen: Chosen, since: int) -> Chosen:
    """Those of the chosen messages that changed after ``since`` (RFC 7162 §3.1.4.1)."""
    selected = session.mailbox
    places = selected.where(chosen.uids)
    if isinstance(places, range):
        modseqs = selected.view.modseqs_of(places)
        kept = [n for n, modseq in enumerate(modseqs) if modseq > since]
    else:
        here = [(n, at) for n, at in enumerate(places) if at is not None]
        modseqs = selected.view.modseqs_of([at for _, at in here])
        kept = [n for (n, _), modseq in zip(here, modseqs, strict=True) if modseq > since]
    if len(kept) == len(chosen):
        return chosen
    return Chosen(
        array("I", [chosen.uids[n] for n in kept]),
        array("I", [chosen.emails[n] for n in kept]),
        [chosen.seqs[n] for n in kept],
    )


async def resynchronise(session: "Session", selected: Selected, wanted: QResync) -> None:
    """Tell a client that comes back what it missed, behind SELECT (RFC 7162 §3.2.5)."""
    view = selected.view
    if wanted.uidvalidity != view.uidvalidity or wanted.modseq >= view.highest:
        return
    known = wanted.known_uids
    if known is None:
        known = NumberSet.of(((1, view.uidnext - 1),)) if view.uidnext > 1 else NumberSet()
    else:
        known = NumberSet(tuple(_below(known, view.uidnext)))
    first = _first_difference(selected, wanted)
    gone = await vanished(session, selected, NumberSet(tuple(_above(known, first))), wanted.modseq)
    session.send(responses.vanished(gone, earlier=True))
    chosen = selected.choose_uids(known)
    news = await changed(session, chosen, wanted.modseq)
    await updates.send_flags(session, news.uids, uid=True)


def _below(numbers: NumberSet, limit: int) -> Iterable[Range]:
    return [(low, min(high, limit - 1)) for low, high in numbers if low < limit]


def _above(numbers: NumberSet, least: int) -> Iterable[Range]:
    return [(max(low, least), high) for low, high in numbers if high >= least]


def _first_difference(selected: Selected, wanted: QResync) -> int:
    """The least UID from which on the client may know messages that are gone (§3.2.5.2): below the
    last pair of number and UID that still agree, nothing went."""
    if wanted.matching is None:
        return 1
    uids = selected.view.uids
    numbers = chain.from_iterable(range(a, b + 1) for a, b in wanted.matching[0])
    theirs = chain.from_iterable(range(a, b + 1) for a, b in wanted.matching[1])
    agreed = 0
    for number, uid in zip(numbers, theirs, strict=False):
        if number > len(uids) or uids[number - 1] != uid:
            break
        agreed = uid
    return agreed + 1
