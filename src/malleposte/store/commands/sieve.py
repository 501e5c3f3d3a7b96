"""Commands of Sieve: scripts, what forms keep, what runs remember.

An ``owner`` is an account, or an organisation as a negative number; ``domain`` is 0 but for an
organisation's scripts that are for one domain only.
"""

from typing import Final

import msgspec

from malleposte.store.commands.base import Command
from malleposte.store.commands.upkeep import AddJob

DUPLICATE: Final = 0
ANSWERED: Final = 1
TOLD: Final = 2
REJECTED: Final = 3
"""What is remembered: that a message came before, that somebody was answered, that an owner was told of
a script that fails, that a sender was told of a rejection."""


class _OfOwner(Command, frozen=True, array_like=True, kw_only=True):
    owner: int
    domain: int = 0

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.owner,) if self.owner > 0 else ()


class PutScript(_OfOwner, frozen=True, array_like=True, kw_only=True):
    """Keep a script under a name, in place of one of that name. Answer: ``Done``, whose ``modseq`` is the
    script's version; ``limit``, ``too-long``, ``bad-name``.

    ``expected``: refused (``changed``) where the one there is not of that version, 0 for none; None asks
    for nothing. ``active``: it runs from now on, in place of the one that did.
    """

    name: str
    content: bytes
    expected: int | None = None
    active: bool = False


class ActivateScript(_OfOwner, frozen=True, array_like=True, kw_only=True):
    """Have a script run at delivery, and none of the others; '' for none at all. Answer: ``Done``;
    ``no-such-script``."""

    name: str


class DeleteScript(_OfOwner, frozen=True, array_like=True, kw_only=True):
    """Remove a script that is not active. Answer: ``Done``; ``no-such-script``, ``in-use``, ``changed``."""

    name: str
    expected: int | None = None


class RenameScript(_OfOwner, frozen=True, array_like=True, kw_only=True):
    """Give a script another name. Answer: ``Done``; ``no-such-script``, ``exists``, ``bad-name``."""

    name: str
    to: str


class PutForm(Command, frozen=True, array_like=True, kw_only=True):
    """Keep what a form holds (``state``, JSON; empty removes it) and the Sieve made of it (empty: nothing
    runs). Answer: ``Done``, whose ``modseq`` is its version; ``changed`` as of ``PutScript``."""

    account: int
    kind: str
    state: bytes
    content: bytes = b""
    expected: int | None = None

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class Remember(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What a script of an account remembers for ``seconds`` (0: not at all), under a digest of 16 octets.
    ``last``: again from this time on where it is known. ``work`` is done where it was not known.

    Nothing is remembered, and no work is done, where every copy for that account was refused: its sender
    will come again.
    """

    account: int
    kind: int
    digest: bytes
    seconds: int
    last: bool = False
    work: AddJob | None = None
