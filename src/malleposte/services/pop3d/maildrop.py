"""INBOX as it stood at sign-in: numbers, sizes and marks of one session (RFC 1939 §5).

Messages keep their numbers whatever happens in the mailbox meanwhile: what came later has none, what was
expunged can still be read as long as it is recoverable. Some 13 octets a message, while the session lasts.
"""

import asyncio
from array import array
from collections.abc import Iterator, Sequence
from typing import Final

from malleposte.store.commands import MAX_ROWS, Ranges
from malleposte.store.dialect import Reader, Row
from malleposte.store.execute.ranges import compact, encode
from malleposte.store.ids import LOW
from malleposte.store.read import emails as read_emails
from malleposte.store.read import mailboxes

SLICE: Final = 2_000
"""Messages read at a time: some 4 ms."""


class Maildrop:
    """See the module."""

    __slots__ = (
        "_marks",
        "_total",
        "account",
        "count",
        "emails",
        "mailbox",
        "octets",
        "sizes",
        "uids",
        "validity",
    )

    def __init__(self, account: int, mailbox: int, validity: int) -> None:
        self.account = account
        self.mailbox = mailbox
        self.validity = validity
        """The mailbox's UIDVALIDITY."""
        self.uids, self.emails, self.sizes = array("I"), array("I"), array("I")
        self.count = 0
        """Messages that are not marked."""
        self.octets = 0
        """Their octets."""
        self._total = 0  # octets of all
        self._marks = bytearray()

    @classmethod
    async def load(cls, reader: Reader, account: int) -> "Maildrop":
        """What is in INBOX now; nothing where there is no INBOX."""
        mailbox = await mailboxes.find(reader, account, "INBOX")
        box = await mailboxes.mailbox(reader, mailbox) if mailbox else None
        drop = cls(account, mailbox, box.uidvalidity if box else 0)
        last = 0
        while box is not None:
            rows = await read_emails.columns(
                reader, mailbox, encode([(last + 1, LOW)]), ("e.id", "e.size"), SLICE
            )
            if rows:
                drop.extend(rows)
                last = drop.uids[-1]
            if len(rows) < SLICE:
                break
            await asyncio.sleep(0)
        return drop

    def extend(self, rows: Sequence[Row]) -> None:
        """Messages behind those that are there: UID, email and size of each."""
        uids, emails, sizes = zip(*rows, strict=True)
        self.uids.extend(uids)
        self.emails.extend([email & LOW for email in emails])
        self.sizes.extend(sizes)
        self._marks.extend(bytes(len(rows)))
        self.count += len(rows)
        octets = sum(sizes)
        self.octets += octets
        self._total += octets

    def __len__(self) -> int:
        """All messages, marked or not."""
        return len(self.uids)

    def position(self, number: int) -> int | None:
        """Where a message stands, from 0; None: there is none of this number, or it is marked."""
        at = number - 1
        return at if at < len(self.uids) and not self._marks[at] else None

    def mark(self, at: int) -> None:
        """Have a message deleted at the end."""
        self._marks[at] = 1
        self.count -= 1
        self.octets -= self.sizes[at]

    def unmark_all(self) -> None:
        """Have all stay."""
        self._marks = bytearray(len(self.uids))
        self.count = len(self.uids)
        self.octets = self._total

    def marked(self) -> Iterator[Ranges]:
        """UIDs of those marked, as the ranges of commands of ``MAX_ROWS`` messages at most. Each is made
        when it is asked for: all at once would hold the loop."""
        uids: list[int] = []
        at = self._marks.find(1)
        while at >= 0:
            uids.append(self.uids[at])
            at = self._marks.find(1, at + 1)
            if at < 0 or len(uids) == MAX_ROWS:
                yield tuple(compact(uids))
                uids = []

    def unique_id(self, at: int) -> str:
        """What names a message for good (RFC 1939 §7): UIDVALIDITY and UID, which no other message of
        this mailbox ever gets."""
        return f"{self.validity}.{self.uids[at]}"

    def numbers(self, start: int, stop: int) -> list[int]:
        """Positions of those not marked, between two."""
        return [at for at in range(start, min(stop, len(self.uids))) if not self._marks[at]]
