"""The views of a worker (``view``): who opens a mailbox gets the one there is, and few are kept unused."""

from collections import OrderedDict
from typing import Final
from weakref import WeakValueDictionary

from malleposte.store.dialect import Reader
from malleposte.store.ids import account_of
from malleposte.store.messages import Clock, Messages
from malleposte.store.view import View

READERS: Final = 100
"""Views of readers kept though nobody watches them: each is told of what changes."""


class Views:
    """The views of a worker: those watched, and the most recent of the others. Beside a reader's view
    stands the owner's, which costs nothing: so a mailbox's arrays are kept as long as it is."""

    def __init__(self, db: Reader, clock: Clock, *, spare: int = 2_000_000) -> None:
        self._db = db
        self._clock = clock
        self._spare = spare
        """Messages held in views nobody watches (20 octets each), and a sixteenth more."""
        self._opened = self._made = 0
        """How often a view was opened, and messages in views made, since the last ``_trim``."""
        self._views: OrderedDict[tuple[int, int], View] = OrderedDict()
        self._messages: WeakValueDictionary[int, Messages] = WeakValueDictionary()
        """Those of the views there are, by mailbox; also of views kept by nobody but their sessions."""

    async def open(self, mailbox: int, reader: int = 0) -> View:
        """The up-to-date view of a mailbox; ``gone`` where there is none such.

        ``reader``: the account that looks, 0 for the owner. What it may do is for the caller to ask
        (``View.letters``).
        """
        if reader == account_of(mailbox):
            reader = 0
        known = mailbox in self._messages
        view = self._get(mailbox, reader)
        await view.refresh()
        if view.gone:
            self._forget(view)
            if view.uidvalidity:
                # Its UIDVALIDITY changed: a new view, for whoever selects it now.
                known = False
                view = self._get(mailbox, reader)
                await view.refresh()
                if view.gone:
                    self._forget(view)
        self._opened += 1
        self._made += 0 if known else len(view) + 50
        # Not each time: of small views there may be tens of thousands.
        if self._opened * 8 > len(self._views) or self._made > self._spare // 16:
            self._opened = self._made = 0
            self._trim()
        return view

    def _get(self, mailbox: int, reader: int) -> View:
        """The view there is, or a new one; the most recent now."""
        key = mailbox, reader
        view = self._views.get(key)
        if reader:
            messages = self._get(mailbox, 0).messages
            if view is None or view.messages is not messages:
                view = View(messages, reader)
        elif view is None:
            found = self._messages.get(mailbox)
            if found is None or found.gone:
                found = self._messages[mailbox] = Messages(self._db, self._clock, mailbox)
            view = View(found)
        self._views[key] = view
        self._views.move_to_end(key)
        return view

    def _forget(self, view: View) -> None:
        """Let go of a view that is gone, and of its owner's."""
        for key in ((view.mailbox, view.reader), (view.mailbox, 0)):
            kept = self._views.get(key)
            if kept is not None and kept.messages is view.messages:
                del self._views[key]

    def _trim(self) -> None:
        newest = next(reversed(self._views), None)
        if newest is None:
            return
        watched = {mailbox for (mailbox, _), view in self._views.items() if view.watchers}
        spare = readers = 0
        for (mailbox, reader), view in reversed(list(self._views.items())):
            if not reader and mailbox not in watched:
                spare += len(view) + 50
                # The newest stays: whoever opened it watches it next.
                if spare > self._spare and mailbox != newest[0]:
                    del self._views[mailbox, 0]
        for key, view in reversed(list(self._views.items())):
            if key[1] and not view.watchers and key != newest:
                readers += 1
                spare += len(view.marks or ()) // 2  # some 8 octets each
                owners = self._views.get((key[0], 0))
                alone = owners is None or owners.messages is not view.messages
                if alone or readers > READERS or spare > self._spare:
                    del self._views[key]

    def watched(self) -> dict[int, list[View]]:
        """Views with sessions, by account: what the push hub looks after."""
        found: dict[int, list[View]] = {}
        for view in self._views.values():
            if view.watchers:
                found.setdefault(view.account, []).append(view)
        return found
