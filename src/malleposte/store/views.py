"""The views of a worker (``view``): who opens a mailbox gets the one there is, and few are kept unused."""

from collections import OrderedDict

from malleposte.store.dialect import Reader
from malleposte.store.ids import account_of
from malleposte.store.view import Clock, View


class Views:
    """The views of a worker: those watched, and the most recent of the others."""

    def __init__(self, db: Reader, clock: Clock, *, spare: int = 2_000_000) -> None:
        self._db = db
        self._clock = clock
        self._spare = spare
        """Messages held in views nobody watches (20 octets each), and a sixteenth more."""
        self._opened = self._made = 0
        """How often a view was opened, and messages in views made, since the last ``_trim``."""
        self._views: OrderedDict[tuple[int, int], View] = OrderedDict()

    async def open(self, mailbox: int, reader: int = 0) -> View:
        """The up-to-date view of a mailbox; ``gone`` where there is none such.

        ``reader``: the account that looks, 0 for the owner. What it may do is for the caller to ask
        (``View.letters``).
        """
        if reader == account_of(mailbox):
            reader = 0
        key = mailbox, reader
        view = self._views.get(key)
        if made := view is None:
            view = self._views[key] = View(self._db, self._clock, mailbox, reader)
        self._views.move_to_end(key)
        await view.refresh()
        if view.gone:
            if self._views.get(key) is view:
                del self._views[key]
            if view.uidvalidity:
                # Its UIDVALIDITY changed: a new view, for whoever selects it now.
                view = View(self._db, self._clock, mailbox, reader)
                await view.refresh()
                if not view.gone:
                    self._views[key] = view
        self._opened += 1
        self._made += len(view) + 50 if made else 0
        # Not each time: of small views there may be tens of thousands.
        if self._opened * 8 > len(self._views) or self._made > self._spare // 16:
            self._opened = self._made = 0
            self._trim()
        return view

    def _trim(self) -> None:
        spare = 0
        newest = next(reversed(self._views), None)
        for key, view in reversed(list(self._views.items())):
            if not view.watchers:
                spare += len(view) + 50
                # The newest stays: whoever opened it watches it next.
                if spare > self._spare and key != newest:
                    del self._views[key]

    def watched(self) -> dict[int, list[View]]:
        """Views with sessions, by account: what the push hub looks after."""
        found: dict[int, list[View]] = {}
        for view in self._views.values():
            if view.watchers:
                found.setdefault(view.account, []).append(view)
        return found
