"""What a session keeps of its selected mailbox: the difference between the view and its client.

The view (``store.view``) is shared and always up to date; a client learns of changes only where the
protocol allows. Invariants, in the client's eyes:
- it knows ``exists`` messages: those of the view up to the UID ``announced``, and the *ghosts*, which
  the view no longer has and whose EXPUNGE was not sent yet;
- a sequence number is the rank of a UID among both (RFC 9051 §2.3.1.2);
- ``changed`` are UIDs whose new flags it was not told; past ``CHANGED_MAX`` only the modseq is kept
  from which on they are looked up.
Nothing here waits and nothing sends.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from malleposte.services.imapd.recency import RecentUids
from malleposte.services.imapd.replies import Refuse
from malleposte.store.flags import SEEN
from malleposte.store.view import View
from malleposte.wire.imap.sets import MessageSet, NumberSet, SavedResult

CHANGED_MAX: Final = 1_000
"""UIDs of changed messages that are listed: 64 KB a session at the most, while it does not listen."""

SHARED_CHANGES: Final = "iewt"
r"""Any of these makes a mailbox READ-WRITE (RFC 4314 §5.2): not `s`, for each reader has a \Seen."""


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


class Selected:
    """See the module. One for each SELECT; it is the view's watcher."""

    __slots__ = (
        "__weakref__",
        "_changed",
        "_ghost_emails",
        "_ghosts",
        "_own",
        "_since",
        "announced",
        "complete",
        "exists",
        "expected",
        "gone",
        "keywords",
        "letters",
        "listened",
        "read_only",
        "recent",
        "saved",
        "told",
        "told_recent",
        "view",
        "wake",
    )

    def __init__(self, view: View, *, read_only: bool) -> None:
        self.view = view
        self.read_only = read_only
        self.letters = view.letters
        """The session's rights on the mailbox, as far as the client was told (RFC 4314 §2.1)."""
        self.exists = len(view)
        """What the client takes for the number of messages."""
        self.announced = view.uids[-1] if view.uids else 0
        """The highest UID the client has been told of."""
        self.listened = self.announced
        """The same when it was last sure to listen: at SELECT, or at the end of its last IDLE."""
        self.told = view.modseq
        """The modseq up to which the client was told all changes of flags."""
        self.complete = view.modseq
        """The modseq up to which it was told everything, what is gone too."""
        self.keywords = len(view.shown)
        """How many keywords of the account the client was told of."""
        self.gone = False
        self.recent: RecentUids | None = None
        """UIDs the client is the first to hear of (``recency``); None: none so far."""
        self.told_recent = 0
        """How many of them it was told there are."""
        self.expected = 0
        """The UID behind the last one whose body was fetched alone: asked for next, more are read."""
        self.saved: NumberSet | None = None
        """UIDs of the last SEARCH with SAVE (RFC 9051 §6.4.4.1); None: nothing was saved."""
        self.wake: Callable[[], None] | None = None
        """Called when there is something to tell, while the client idles."""
        self._ghosts: array[int] | None = None
        self._ghost_emails: array[int] | None = None
        self._changed: set[int] | None = None
        self._since = -1  # modseq after which changes are looked up; -1: `_changed` has them all
        self._own: list[int] | None = None
        view.watchers.add(self)

    @property
    def changeable(self) -> str:
        """The rights that count: of a mailbox that is open for reading only, none."""
        return "" if self.read_only else self.letters

    @property
    def writable(self) -> bool:
        """Whether the session may change what all who see the mailbox share: [READ-WRITE]."""
        return any(letter in self.changeable for letter in SHARED_CHANGES)

    def close(self) -> None:
        """Watch no more."""
        self.view.watchers.discard(self)

    # The view tells (store.view.Watcher) ----------------------------------------------------------

    def view_changed(
        self, expunged: list[tuple[int, int]], flagged: list[int], grown: bool
    ) -> None:
        """See ``Watcher``."""
        if expunged:
            self._haunt([row for row in expunged if row[0] <= self.announced])
        if flagged:
            if self._own is not None:
                self._own.extend(flagged)
            else:
                self.change(flagged)
        if self.wake is not None:
            self.wake()

    def view_gone(self) -> None:
        """See ``Watcher``."""
        self.gone = True
        if self.wake is not None:
            self.wake()

    def _haunt(self, expunged: list[tuple[int, int]]) -> None:
        if not expunged:
            return
        if self._ghosts is not None and self._ghost_emails is not None:
            expunged = sorted([*zip(self._ghosts, self._ghost_emails, strict=True), *expunged])
        self._ghosts = array("I", [row[0] for row in expunged])
        self._ghost_emails = array("I", [row[1] for row in expunged])

    def change(self, uids: Sequence[int]) -> None:
        """Remember that the client does not know the flags of these."""
        if self._since >= 0:
            return
        if len(uids) > CHANGED_MAX:
            self._changed, self._since = None, self.told
            return
        changed = self._changed
        if changed is None:
            changed = self._changed = set()
        changed.update(uids)
        if len(changed) > CHANGED_MAX:
            self._changed = None
            self._since = self.told

    # Changes of the session's own -----------------------------------------------------------------

    def begin_own(self) -> None:
        """From now on changes are set aside: the session makes some itself and tells them apart."""
        self._own = []

    def end_own(self) -> list[int]:
        """UIDs that changed since ``begin_own``, whoever changed them."""
        own, self._own = self._own, None
        return own or []

    # Numbers --------------------------------------------------------------------------------------

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
            uids, sets = view.uids[: self.known], view.sets
        else:
            uids = chosen.uids
            places = self.where(uids)
            if isinstance(places, range):
                sets = view.sets[places.start : places.stop]
            else:
                sets = [-1 if at is None else view.sets[at] for at in places]
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

    # What the client has not been told ------------------------------------------------------------

    @property
    def news(self) -> bool:
        """Whether there is anything to tell."""
        view = self.view
        return bool(
            self._ghosts
            or self._changed
            or self._since >= 0
            or len(view.uids) != self.exists
            or len(view.shown) != self.keywords
        )

    def take_ghosts(self) -> "tuple[array[int], list[int]]":
        """UIDs that are gone and their sequence numbers, for EXPUNGE; the client knows them now."""
        ghosts = self._ghosts
        if not ghosts:
            return array("I"), []
        numbers = [self.view.rank(uid) + n + 1 for n, uid in enumerate(ghosts)]
        self._ghosts = self._ghost_emails = None
        self.exists -= len(ghosts)
        return ghosts, numbers

    @property
    def arrived(self) -> int:
        """The highest UID of the messages the client was not told of; 0: there are none."""
        uids = self.view.uids
        return uids[-1] if uids and uids[-1] > self.announced else 0

    def take_arrivals(self, upto: int) -> bool:
        """Whether there are new messages up to a UID; ``exists`` and ``announced`` tell of them then."""
        view = self.view
        size = view.rank(upto + 1)
        if not size or view.uids[size - 1] <= self.announced:
            return False
        self.announced = view.uids[size - 1]
        self.exists = size + (len(self._ghosts) if self._ghosts else 0)
        return True

    def recent_to(self, first: int, last: int) -> None:
        """UIDs ``first`` to ``last`` are recent in this session."""
        if self.recent is None:
            self.recent = RecentUids()
        self.recent.add(first, last)

    def take_recent(self) -> int:
        """How many messages are recent, of those the client knows; it is told now."""
        count = 0
        if self.recent is not None:
            count = self.recent.count(self.view.uids[: self.known])
            count += self.recent.count(self._ghosts or ())
        self.told_recent = count
        return count

    def take_changed(self) -> "array[int]":
        """UIDs of the view whose flags the client must be told, ascending; it knows them now."""
        view = self.view
        changed, since = self._changed, self._since
        self._changed, self._since = None, -1
        last = self.announced
        if since >= 0:
            found = [
                uid
                for uid, modseq in zip(view.uids, view.modseqs, strict=True)
                if modseq > since and uid <= last
            ]
            return array("I", found)
        if not changed:
            return array("I")
        return array(
            "I", [u for u in sorted(changed) if u <= last and view.position(u) is not None]
        )

    def seen(self, uids: "array[int]") -> None:
        """The client was just told the flags of these."""
        if self._changed:
            self._changed.difference_update(uids)

    def up_to_date(self) -> None:
        """The client knows all the view knows."""
        self.told = self.view.modseq
