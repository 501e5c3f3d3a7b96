"""Emails a worker has read not long ago, opened, and a few ahead of who reads one after the other.

Clients ask for one message in several commands (header, then parts), and for one message after the
other; a statement costs ten times what one row more does. Small emails only, a few MB for all sessions
of a worker; what an email holds never changes, so that nothing here goes stale.
"""

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from malleposte.store.ids import LOW
from malleposte.store.opened import Opened
from malleposte.store.read import emails as read_emails

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

MOST: Final = 4 * 1024 * 1024
"""Octets of messages kept: some 1,000 of common size."""
AHEAD: Final = 8
"""Messages read at once for who asks in order: 256 KB of stored content at the most."""
OBJECT: Final = 1_000
"""What an entry takes besides its octets, about."""


class AtHand:
    """See the module. One for each service."""

    __slots__ = ("_entries", "_octets")

    def __init__(self) -> None:
        self._entries: OrderedDict[int, Opened] = OrderedDict()
        self._octets = 0

    def get(self, email: int) -> Opened | None:
        """An email that is here."""
        opened = self._entries.get(email)
        if opened is not None:
            self._entries.move_to_end(email)
        return opened

    def put(self, opened: Opened) -> None:
        """Keep an email, if it is small; the oldest go."""
        email = opened.stored.email
        if not opened.small or email in self._entries:
            return
        self._entries[email] = opened
        self._octets += _size(opened)
        while self._octets > MOST:
            _, old = self._entries.popitem(last=False)
            self._octets -= _size(old)


def _size(opened: Opened) -> int:
    stored = opened.stored
    return stored.size + len(stored.first or b"") + len(stored.structure) + OBJECT


async def open_one(session: "Session", uid: int, number: int) -> Opened | None:
    """The email of one message of the selected mailbox; None where it is gone."""
    selected = session.mailbox
    view = selected.view
    at_hand = session.service.at_hand
    at = view.position(uid)
    opened = at_hand.get(view.account << 32 | number)
    if opened is None:
        numbers = [number]
        if at is not None and selected.expected == uid:
            numbers = view.emails[at : at + AHEAD].tolist()
        store = session.service.store
        rows = await session.reading(
            read_emails.stored_of(store.reader, view.account, sorted(numbers))
        )
        for row in rows:
            one = Opened(store, row)
            at_hand.put(one)
            if row.email & LOW == number:
                opened = one
    after = len(view) if at is None else at + 1
    selected.expected = view.uids[after] if after < len(view) else 0
    return opened
