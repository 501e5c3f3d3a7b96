"""Commands about messages that are there."""

from typing import ClassVar

from malleposte.store.commands.base import Command, Ranges
from malleposte.store.commands.content import Rendered


class StoreFlags(Command, frozen=True, array_like=True, kw_only=True):
    """Change flags of the messages in a mailbox with these UIDs. Answer: ``Stored``.

    ``mode``: ``+``, ``-`` or ``=``. ``unchanged_since``: messages changed after it are left alone and
    named in the answer (RFC 7162 §3.1.3). Flags the actor may not set are left as they are, unless it may
    set none of those named; ``\\Seen`` of an actor who is not the owner is that actor's alone.
    """

    actor: int
    mailbox: int
    uids: Ranges
    mode: str
    flags: int = 0
    keywords: tuple[str, ...] = ()
    deleted: bool = False
    unchanged_since: int | None = None

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.mailbox >> 32,)


class Expunge(Command, frozen=True, array_like=True, kw_only=True):
    """Remove messages from a mailbox. Answer: ``Expunged``.

    ``marked``: only those with ``\\Deleted``. An email left without a mailbox stays recoverable until
    ``recoverable_until``.
    """

    actor: int
    mailbox: int
    uids: Ranges
    marked: bool = True
    recoverable_until: int = 0

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.mailbox >> 32,)


class Copy(Command, frozen=True, array_like=True, kw_only=True):
    """Copy messages into a mailbox, or move them within one account (between accounts: copy, then
    expunge). Answer: ``Copied``. New emails carry the flags the actor sees and may set there.

    ``deleted``: those marked ``\\Deleted`` are so in the target too."""

    actor: int
    mailbox: int
    uids: Ranges
    target: int
    move: bool = False
    deleted: bool = False

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return tuple({self.mailbox >> 32, self.target >> 32})


class Recover(Command, frozen=True, array_like=True, kw_only=True):
    """Put recoverable emails back into a mailbox. Answer: ``Copied`` (uids of the source are 0)."""

    actor: int
    target: int
    emails: tuple[int, ...]

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.target >> 32,)


class ClaimRecent(Command, frozen=True, array_like=True, kw_only=True):
    """Have the messages of a mailbox up to the UID ``upto`` that nobody claimed before (RFC 3501 §2.3.2
    ``\\Recent``). Answer: ``Claimed``."""

    unnoticed: ClassVar[bool] = True
    actor: int
    mailbox: int
    upto: int

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.mailbox >> 32,)


class Render(Command, frozen=True, array_like=True, kw_only=True):
    """Write what ``mime`` makes now of an email's content: its wide row, sent_at, attachment and size.

    The prefix of a row that is there stays; that of a lost one is lost, and the email so much shorter.
    Thread, flags and place stay. ``blob``: the content it was made of. Answer: ``Done``, whose ``count``
    is 1 where the row had been lost; ``no-such-email`` where the email is gone or has other content.
    """

    email: int
    blob: int
    rendered: Rendered

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.email >> 32,)
