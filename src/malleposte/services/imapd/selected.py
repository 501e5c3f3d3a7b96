"""What a session keeps of its selected mailbox: the difference between the view and its client.

The view (``store.view``) is shared and always up to date; a client learns of changes only where the
protocol allows. What it calls the messages by is in ``numbering``. ``changed`` are UIDs whose new flags
it was not told; past ``CHANGED_MAX`` only the modseq is kept from which on they are looked up.
Nothing here waits and nothing sends.
"""

from array import array
from collections.abc import Callable, Sequence
from typing import Final

from malleposte.services.imapd.numbering import Numbering
from malleposte.services.imapd.recency import RecentUids
from malleposte.store.view import View

CHANGED_MAX: Final = 1_000
"""UIDs of changed messages that are listed: 64 KB a session at the most, while it does not listen."""

SHARED_CHANGES: Final = "iewt"
r"""Any of these makes a mailbox READ-WRITE (RFC 4314 §5.2): not `s`, for each reader has a \Seen."""


class Selected(Numbering):
    """See the module. One for each SELECT; it is the view's watcher."""

    __slots__ = (
        "__weakref__",
        "_changed",
        "_own",
        "_since",
        "complete",
        "expected",
        "gone",
        "keywords",
        "letters",
        "listened",
        "read_only",
        "recent",
        "told",
        "told_recent",
        "wake",
    )

    def __init__(self, view: View, *, read_only: bool) -> None:
        super().__init__(view)
        self.read_only = read_only
        self.letters = view.letters
        """The session's rights on the mailbox, as far as the client was told (RFC 4314 §2.1)."""
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
        self.wake: Callable[[], None] | None = None
        """Called when there is something to tell, while the client idles."""
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
