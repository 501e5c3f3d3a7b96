"""Commands about mailboxes: their names, who may use them, what is noted on them."""

import msgspec

from malleposte.store.commands.base import MAX_ROWS, Command


class CreateMailbox(Command, frozen=True, array_like=True, kw_only=True):
    """Make a mailbox at a path below a parent (0: top), and what is missing on the way.

    Answer: ``Created`` with the id of the last one; ``exists`` if it was there, ``in-use`` if another one
    has the role. ``claim``: if it is this mailbox that has it, and it was never used (no message, nothing
    below it, no rights given), it is moved to the path in place of making one.
    """

    actor: int
    account: int
    parent: int
    path: tuple[str, ...]
    role: str | None = None
    subscribe: bool = True
    claim: int = 0

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class SetMailbox(Command, frozen=True, array_like=True, kw_only=True):
    """Make a mailbox (``mailbox`` 0) or change one, all of it at once: name, place, role, order,
    subscription. Answer: ``Created``; ``Done`` of a change, with modseq 0 where it was so already; as
    ``CreateMailbox`` and ``RenameMailbox`` refuse, and ``changed`` where the account is at another modseq
    than ``if_modseq``.

    None leaves a value as it is. ``parent`` 0: on top. ``role``: one that another mailbox has passes to one
    that is changed, never to one that is made (``in-use``); '' takes it away. What people subscribe to in
    another's account is in lists of their own (``Subscribe``).
    """

    actor: int
    account: int
    mailbox: int = 0
    name: str | None = None
    parent: int | None = None
    role: str | None = None
    sort_order: int | None = None
    subscribed: bool | None = None
    if_modseq: int | None = None

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class RenameMailbox(Command, frozen=True, array_like=True, kw_only=True):
    """Give a mailbox another parent and name, by id; its children go with it. Answer: ``Done``.

    ``path`` is the new place below ``parent``: the last level is the name, levels above it that do not
    exist are made.
    """

    actor: int
    mailbox: int
    parent: int
    path: tuple[str, ...]

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.mailbox >> 32,)


class ExchangeMailboxes(Command, frozen=True, array_like=True, kw_only=True):
    """Give two mailboxes of an account each other's parent and name; their children go with them. Answer:
    ``Done``; as ``RenameMailbox`` refuses."""

    actor: int
    one: int
    other: int

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.one >> 32,)


class DeleteMailbox(Command, frozen=True, array_like=True, kw_only=True):
    """Remove a mailbox without children; its messages go with it, of more than ``MAX_ROWS`` all after it
    (``SweepMailbox``, by a job). Answer: ``Done``; ``not-empty`` with ``only_empty`` where it holds any.

    ``heir``: a mailbox of the account; if it has no role, it takes the role of the one that goes.
    ``entries``: and those of METADATA that it has not itself.
    ``only_empty``: messages marked to be deleted do not count where ``but_marked``.
    """

    actor: int
    mailbox: int
    recoverable_until: int = 0
    heir: int = 0
    only_empty: bool = False
    but_marked: bool = False
    entries: bool = False
    if_modseq: int | None = None

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.mailbox >> 32,)


class SweepMailbox(Command, frozen=True, array_like=True, kw_only=True):
    """Have messages whose mailbox was deleted become recoverable, ``limit`` at a time. Answer: ``Done``,
    whose ``more`` says whether some may be left; nothing to do in a mailbox that is not a deleted one."""

    mailbox: int
    limit: int = MAX_ROWS

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.mailbox >> 32,)


class PartCopies(Command, frozen=True, array_like=True, kw_only=True):
    """Give messages of a mailbox Emails of their own where the same Email is also in a mailbox in which
    other people may set flags; of ``limit`` messages behind a UID. Answer: ``Done``, whose ``count`` is the
    UID it came to; ``more`` says whether some may be left."""

    mailbox: int
    after: int = 0
    limit: int = MAX_ROWS

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.mailbox >> 32,)


class Subscribe(Command, frozen=True, array_like=True, kw_only=True):
    """Subscribe or unsubscribe a name; ``mailbox`` is 0 where none of the account has that name. ``of``:
    the mailbox of another account that it is the name of, which it then follows. Answer: ``Done``."""

    account: int
    name: str
    mailbox: int = 0
    subscribed: bool = True
    of: int = 0

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class SetRights(Command, frozen=True, array_like=True, kw_only=True):
    """Set what a grantee (an account, or 0: anyone) may do in a mailbox, in letters of RFC 4314 §2.1.
    Answer: ``Done``, with modseq 0 where nothing changed; ``no-such-account`` for a grantee who is not of
    the owner's organisation; ``limit`` past the bounds of a mailbox or an account.

    ``mode``: ``=`` in place of what the grantee had, ``+`` besides, ``-`` without; letters that are none
    are passed over. The first change makes the list the mailbox had from above its own; from then on it
    has one, also when nobody is left in it. The owner holds every right, whatever is set.

    ``owner_shown``: the name under which others see the owner; a grantee who is named and can see the
    mailbox from now on is subscribed to it below that name; '': nobody is. What a right brought goes
    with it.
    """

    actor: int
    mailbox: int
    grantee: int
    letters: str
    mode: str = "="
    owner_shown: str = ""

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return tuple({self.mailbox >> 32, self.grantee or self.mailbox >> 32})


class Entry(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """An entry of METADATA (RFC 5464): its name in lower case without ``/private`` or ``/shared``, and
    its value; None removes it."""

    name: str
    private: bool
    value: bytes | None = None


class SetMetadata(Command, frozen=True, array_like=True, kw_only=True):
    """Set entries of METADATA, each named once, of a mailbox, or of the server (0) as the actor sees it;
    all or none. Answer: ``Done``; ``too-long``, ``too-many`` past the bounds of ``read.annotations``.

    ``role``: also the mailbox's use (RFC 6154 §4), which another one then has no more; '' takes its use
    away, None leaves it.
    """

    actor: int
    mailbox: int
    entries: tuple[Entry, ...]
    role: str | None = None

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``: private entries are counted where the actor keeps his."""
        return tuple({self.mailbox >> 32 or self.actor, self.actor})
