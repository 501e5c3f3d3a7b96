"""Commands about identities and submissions of JMAP (RFC 8621 §6, §7)."""

from typing import Final

import msgspec

from malleposte.store.commands.base import Command

MAX_IDENTITIES: Final = 200
"""Of an account."""
MAX_SUBMISSIONS: Final = 10_000
"""Of an account that are kept; past them the oldest go."""
MAX_OCTETS: Final = 256 * 1024
"""Octets of what is kept of an identity."""
MAX_SENT: Final = 1024 * 1024
"""Octets of what is kept of a submission."""


class _OfAccount(Command, frozen=True, array_like=True, kw_only=True):
    account: int

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class SeedIdentities(_OfAccount, frozen=True, array_like=True, kw_only=True):
    """Make identities of addresses (with their state) that never had one in the account. Answer: ``Done``,
    whose ``count`` is of those made."""

    identities: tuple[tuple[str, bytes], ...]


class PutIdentity(_OfAccount, frozen=True, array_like=True, kw_only=True):
    """Make an identity (``n`` 0), or keep another state of one. Answer: ``Done``, whose ``count`` is its
    number; ``limit``, ``too-long``, ``no-such-identity``."""

    n: int = 0
    address: str = ""
    state: bytes


class DropIdentity(_OfAccount, frozen=True, array_like=True, kw_only=True):
    """Remove an identity. Answer: ``Done``; ``no-such-identity``."""

    n: int


class Submitted(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """That a message which is delivered was submitted by an account, as an email that it has."""

    account: int
    identity: int
    email: int
    thread: int
    send_at: int
    state: bytes


class NoteProgress(_OfAccount, frozen=True, array_like=True, kw_only=True):
    """See how far submissions have come whose mail is, or was, in the queue; those that came further
    change. Answer: ``Done``, whose ``count`` is of these."""


class CancelSubmission(_OfAccount, frozen=True, array_like=True, kw_only=True):
    """Take a submission out of the queue where nothing of it was tried. Answer: ``Done``;
    ``no-such-submission``, ``cannot-unsend``."""

    n: int


class DropSubmission(_OfAccount, frozen=True, array_like=True, kw_only=True):
    """Forget a submission; its message goes on. Answer: ``Done``; ``no-such-submission``."""

    n: int
