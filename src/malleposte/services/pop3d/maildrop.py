"""INBOX as it stood at sign-in: numbers, sizes and marks of one session (RFC 1939 §5).

Messages keep their numbers whatever happens in the mailbox meanwhile: what came later has none, what was
expunged can still be read as long as it is recoverable. Some 12 octets a message, while the session lasts.
"""

import asyncio
from array import array
from typing import Final

from malleposte.store.commands import MAX_ROWS, Ranges
from malleposte.store.dialect import Reader
from malleposte.store.execute.ranges import compact, encode
from malleposte.store.ids import LOW
from malleposte.store.read import emails as read_emails
from malleposte.store.read import mailboxes

SLICE: Final = 2_000
"""Messages read at a time: some 4 ms."""


class Maildrop:
    """See the module."""

    __slots__ = (
        "_marked",
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
        self._marked: set[int] = set()

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
                uids, emails, sizes = zip(*rows, strict=True)
                drop.uids.extend(uids)
                drop.emails.extend([email & LOW for email in emails])
                drop.sizes.extend(sizes)
                drop.octets += sum(sizes)
                last = uids[-1]
            if len(rows) < SLICE:
                break
            await asyncio.sleep(0)
        drop.count = len(drop.uids)
        return drop

    def __len__(self) -> int:
        """All messages, marked or not."""
        return len(self.uids)

    def position(self, number: int) -> int | None:
        """Where a message stands, from 0; None: there is none of this number, or it is marked."""
        at = number - 1
        return at if at < len(self.uids) and at not in self._marked else None

    def mark(self, at: int) -> None:
        """Have a message deleted at the end."""
        self._marked.add(at)
        self.count -= 1
        self.octets -= self.sizes[at]

    def unmark_all(self) -> None:
        """Have all stay."""
        self.count += len(self._marked)
        self.octets += sum(self.sizes[at] for at in self._marked)
        self._marked.clear()

    def marked(self) -> list[Ranges]:
        """UIDs of those marked, as the ranges of commands of ``MAX_ROWS`` messages at most."""
        uids = [self.uids[at] for at in sorted(self._marked)]
        return [
            tuple(compact(uids[start : start + MAX_ROWS]))
            for start in range(0, len(uids), MAX_ROWS)
        ]

    def unique_id(self, at: int) -> str:
        """What names a message for good (RFC 1939 §7): UIDVALIDITY and UID, which no other message of
        this mailbox ever gets."""
        return f"{self.validity}.{self.uids[at]}"

    def numbers(self, start: int, stop: int) -> list[int]:
        """Positions of those not marked, between two."""
        return [at for at in range(start, min(stop, len(self.uids))) if at not in self._marked]
