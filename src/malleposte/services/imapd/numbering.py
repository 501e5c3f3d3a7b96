"""Sequence numbers and UIDs as the client of a selected mailbox counts them.

Invariants, in the client's eyes:
- it knows ``exists`` messages: those of the view up to the UID ``announced``, and the *ghosts*, which
  the view no longer has and whose EXPUNGE was not sent yet;
- a sequence number is the rank of a UID among both (RFC 9051 §2.3.1.2).
Who makes ghosts of messages and tells of new ones is ``selected``.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from malleposte.services.imapd.replies import Refuse
from malleposte.store.flags import SEEN
from malleposte.store.view import View
from malleposte.wire.imap.sets import MessageSet, NumberSet, SavedResult


@dataclass(frozen=True, slots=True)
class Chosen:
    """Messages a command names: UIDs, ascending, with their email numbers and sequence numbers.

    A snapshot: the view may move on while the command works. ``ghosts``: how many of them are gone.
    """

    uids: "array[int]"
    emails: "array[int]"
    seqs: Sequence[int]
    ghosts: int = 0

    def __len__(self) -> int:
        return len(self.uids)

    def part(self, start: int, stop: int) -> "Chosen":
        """Those at positions ``start`` to ``stop``; how many of them are gone is not counted anew."""
        return Chosen(self.uids[start:stop], self.emails[start:stop], self.seqs[start:stop])


class Numbering:
    """See the module. A ``Selected`` is one."""

    __slots__ = ("_ghost_emails", "_ghosts", "announced", "exists", "saved", "view")

    def __init__(self, view: View) -> None:
        self.view = view
        self.exists = len(view)
        """What the client takes for the number of messages."""
        self.announced = view.uids[-1] if view.uids else 0
        """The highest UID the client has been told of."""
        self.saved: NumberSet | None = None
        """UIDs of the last SEARCH with SAVE (RFC 9051 §6.4.4.1); None: nothing was saved."""
        self._ghosts: array[int] | None = None
        self._ghost_emails: array[int] | None = None

    @property
    def ghosts(self) -> "array[int] | None":
        """UIDs that are gone and whose EXPUNGE was not sent, ascending; None: none."""
        return self._ghosts

    @property
    def known(self) -> int:
        """How many messages of the view the client knows."""
        view = self.view
        if not view.uids or view.uids[-1] <= self.announced:
            return len(view)
        return view.rank(self.announced + 1)

    def seqs(self, uids: "array[int]") -> Sequence[int]:
        """Sequence numbers of ascending UIDs the client knows, ghosts or not."""
        view, ghosts = self.view, self._ghosts
        if not uids:
            return ()
        first, size = view.rank(uids[0]), len(uids)
        if view.uids[first : first + size] != uids:
            if not ghosts:
                return [view.rank(uid) + 1 for uid in uids]
            return [view.rank(uid) + bisect_left(ghosts, uid) + 1 for uid in uids]
        if not ghosts:
            return range(first + 1, first + 1 + size)
        # Neighbours in the view: their numbers leap only where a ghost stands between.
        found = array("I")
        before, within = bisect_left(ghosts, uids[0]), bisect_left(ghosts, uids[-1])
        start = first
        for count in range(before, within):
            stop = view.rank(ghosts[count])
            found.extend(range(start + count + 1, stop + count + 1))
            start = stop
        found.extend(range(start + within + 1, first + size + within + 1))
        return found

    def where(self, uids: "array[int]") -> "Sequence[int | None]":
        """Positions of ascending UIDs in the view; None for a ghost."""
        view = self.view
        if not uids:
            return ()
        first = view.rank(uids[0])
        if view.uids[first : first + len(uids)] == uids:
            return range(first, first + len(uids))
        return [view.position(uid) for uid in uids]

    def highest_uid(self) -> int:
        """The highest UID the client knows of that is there, or a ghost; 0 for an empty mailbox."""
        known = self.known
        last = self.view.uids[known - 1] if known else 0
        return max(last, self._ghosts[-1]) if self._ghosts else last

    def choose(self, messages: MessageSet, *, uid: bool) -> Chosen:
        """The messages that a set names. UIDs nobody has are passed over (RFC 9051 §6.4.9).

        Raises ``Refuse`` for a sequence number that is not there.
        """
        if isinstance(messages, SavedResult):
            return self.choose_uids(self.saved or NumberSet())
        if uid:
            if not messages.tail and len(messages.ranges) == 1 and not self._ghosts:
                first, last = messages.ranges[0]
                if first == last:
                    return self._one(first)
            return self.choose_uids(messages.resolve(self.highest_uid()))
        if messages.beyond(self.exists):
            raise Refuse("There is no message of such a number", bad=True)
        numbers = messages.resolve(self.exists)
        return self._cut([(first - 1, last) for first, last in numbers])

    def _one(self, uid: int) -> Chosen:
        """The message with a UID, as clients fetch most bodies; quick."""
        at = self.view.position(uid) if uid <= self.announced else None
        if at is None:
            return Chosen(array("I"), array("I"), ())
        return Chosen(array("I", (uid,)), self.view.emails[at : at + 1], (at + 1,))

    def lost(self, chosen: Chosen) -> bool:
        """Whether any of these is gone now, before or since it was chosen."""
        ghosts = self._ghosts
        return bool(ghosts and NumberSet.from_sorted(chosen.uids).intersect(ghosts))

    def marked(self, chosen: Chosen | None = None) -> "array[int]":
        r"""UIDs of the chosen messages, or of all the client knows, that carry \Deleted."""
        wanted = {n for n, (_, _, deleted) in enumerate(self.view.flagsets) if deleted}
        return self._with_sets(chosen, wanted)

    def unseen(self, chosen: Chosen) -> "array[int]":
        r"""UIDs of the chosen messages without \Seen."""
        wanted = {n for n, (flags, _, _) in enumerate(self.view.flagsets) if not flags & SEEN}
        return self._with_sets(chosen, wanted)

    def _with_sets(self, chosen: Chosen | None, wanted: set[int]) -> "array[int]":
        """UIDs of messages whose flag set is wanted; ghosts have none."""
        view = self.view
        sets: Sequence[int]
        if chosen is None:
            uids, sets = view.uids[: self.known], view.sets_of(range(self.known))
        else:
            uids = chosen.uids
            places = self.where(uids)
            if isinstance(places, range):
                sets = view.sets_of(places)
            else:
                there = iter(view.sets_of([at for at in places if at is not None]))
                sets = [-1 if at is None else next(there) for at in places]
        if not wanted:
            return array("I")
        return array("I", [uid for uid, n in zip(uids, sets, strict=False) if n in wanted])

    def choose_uids(self, uids: NumberSet) -> Chosen:
        """The messages with these UIDs, as far as the client knows them."""
        base = self._base()[0]
        cuts = []
        for start, stop in uids.slices(base):
            if start < self.exists:
                cuts.append((start, min(stop, self.exists)))
        return self._cut(cuts)

    def _base(self) -> "tuple[array[int], array[int]]":
        """UIDs and emails as the client numbers them; beyond ``exists`` stands what it cannot know."""
        view, ghosts, emails = self.view, self._ghosts, self._ghost_emails
        if not ghosts or emails is None:
            return view.uids, view.emails
        uids, numbers = array("I"), array("I")
        start = 0
        for uid, email in zip(ghosts, emails, strict=True):
            stop = view.rank(uid)
            uids.extend(view.uids[start:stop])
            numbers.extend(view.emails[start:stop])
            uids.append(uid)
            numbers.append(email)
            start = stop
        uids.extend(view.uids[start:])
        numbers.extend(view.emails[start:])
        return uids, numbers

    def _cut(self, cuts: Sequence[tuple[int, int]]) -> Chosen:
        uids, emails = self._base()
        if not cuts:
            return Chosen(array("I"), array("I"), ())
        if len(cuts) == 1:
            start, stop = cuts[0]
            chosen, numbers = uids[start:stop], emails[start:stop]
            seqs: Sequence[int] = range(start + 1, stop + 1)
        else:
            chosen, numbers = array("I"), array("I")
            for start, stop in cuts:
                chosen.extend(uids[start:stop])
                numbers.extend(emails[start:stop])
            ranges = [range(start + 1, stop + 1) for start, stop in cuts]
            seqs = array("I", chain.from_iterable(ranges))
        ghosts = self._ghosts
        gone = len(NumberSet.from_sorted(chosen).intersect(ghosts)) if ghosts else 0
        return Chosen(chosen, numbers, seqs, gone)
