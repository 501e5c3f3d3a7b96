"""Commands about what signs in beside the main password: second steps, passkeys, app passwords.

``but``: the token (digest) of the session of the web that stays where others end."""

from typing import ClassVar, Final

from malleposte.store.commands.base import Command

MAX_APP_PASSWORDS: Final = 50
"""Of an account."""
MAX_PASSKEYS: Final = 20
"""Of an account."""
MAX_WRONG_STEPS: Final = 10
"""Second steps of an account that may fail within ``WRONG_STEPS_FOR``: whoever makes them knows its
password."""
WRONG_STEPS_FOR: Final = 3600
"""Seconds."""
APP_NOTED_EVERY: Final = 3600
"""Seconds between two notes that an app password is used."""


def seed_name(account: int) -> str:
    """Under which the seed of one-time codes is sealed."""
    return f"totp:{account}"


class StartTotp(Command, frozen=True, array_like=True, kw_only=True):
    """Keep a sealed seed that is not asked for yet, in place of one that never was. Answer: ``Done``, or
    ``Refused`` (``exists``: one is in use)."""

    account: int
    sealed: bytes
    key_id: str


class ConfirmTotp(Command, frozen=True, array_like=True, kw_only=True):
    """Take one-time codes from now on; ``step``: the first that was shown. Where no second step was
    asked for, it is from now on, with recovery ``codes`` (digests). Answer: ``Done``, whose ``count``
    says whether the codes are good from now on; or ``Refused`` (``changed``: nothing waits to be
    confirmed)."""

    account: int
    step: int
    codes: tuple[bytes, ...]
    but: bytes = b""


class RequireSecondStep(Command, frozen=True, array_like=True, kw_only=True):
    """Ask for a second step from now on. Answer: as ``ConfirmTotp``'s; ``Refused`` (``exists``: it is
    asked for; ``not-empty``: there is none to ask for)."""

    account: int
    codes: tuple[bytes, ...]
    but: bytes = b""

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class DropSecondStep(Command, frozen=True, array_like=True, kw_only=True):
    """Ask for none any more, and forget seed and codes; with ``passkeys`` also those. Answer:
    ``Done``; its ``count`` says whether one was asked for."""

    account: int
    passkeys: bool = False
    but: bytes = b""


class DropTotp(Command, frozen=True, array_like=True, kw_only=True):
    """Forget the seed of one-time codes. Answer: ``Done``, whose ``count`` says whether there was one; or
    ``Refused`` (``in-use``: it is the only second step)."""

    account: int

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class PutRecoveryCodes(Command, frozen=True, array_like=True, kw_only=True):
    """Replace them (digests). Answer: ``Done``, or ``Refused`` (``not-empty``: none are asked for)."""

    account: int
    codes: tuple[bytes, ...]

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class TrySecondStep(Command, frozen=True, array_like=True, kw_only=True):
    """Before one is looked at: it counts as wrong until it is used. Answer: ``Done``, or ``Refused``
    (``too-many``)."""

    unnoticed: ClassVar[bool] = True

    account: int


class UseTotp(Command, frozen=True, array_like=True, kw_only=True):
    """The code of a time step was right. Answer: ``Done``, or ``Refused`` (``changed``: that step, or
    a later one, was used)."""

    unnoticed: ClassVar[bool] = True

    account: int
    step: int


class UseRecoveryCode(Command, frozen=True, array_like=True, kw_only=True):
    """Answer: ``Done``, whose ``count`` says how many are left; or ``Refused`` (``changed``: used, or
    none of the account's)."""

    unnoticed: ClassVar[bool] = True

    account: int
    digest: bytes


class AddPasskey(Command, frozen=True, array_like=True, kw_only=True):
    """``challenge``: the digest of what it answered, known until ``until``. Answer: ``Created``, or
    ``Refused`` (``exists``, ``limit``, ``changed``: the challenge was answered already)."""

    account: int
    credential: bytes
    public_key: bytes
    sign_count: int
    label: str
    challenge: bytes
    until: int

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class UsePasskey(Command, frozen=True, array_like=True, kw_only=True):
    """It signed a challenge (see ``AddPasskey``). Answer: ``Done``, or ``Refused`` (``changed``: the
    challenge was answered already, or the passkey is gone; ``in-use``: its counter did not grow, so
    there are two)."""

    account: int
    credential: bytes
    sign_count: int
    challenge: bytes
    until: int

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class DropPasskey(Command, frozen=True, array_like=True, kw_only=True):
    """Answer: ``Done``, whose ``count`` says whether there was one; or ``Refused`` (``in-use``: it is
    the only second step)."""

    account: int
    id: int

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class RenamePasskey(Command, frozen=True, array_like=True, kw_only=True):
    """Answer: ``Done``, whose ``count`` says whether there was one."""

    account: int
    id: int
    label: str

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class AddAppPassword(Command, frozen=True, array_like=True, kw_only=True):
    """``scope``: protocols, separated by spaces, '' for all. Answer: ``Created``, or ``Refused``
    (``limit``, ``no-such-account``)."""

    account: int
    password_hash: str
    label: str
    scope: str = ""

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class DropAppPassword(Command, frozen=True, array_like=True, kw_only=True):
    """Answer: ``Done``, whose ``count`` says whether there was one."""

    account: int
    id: int


class UseAppPassword(Command, frozen=True, array_like=True, kw_only=True):
    """It was used now; noted once in ``APP_NOTED_EVERY``. Answer: ``Done``."""

    unnoticed: ClassVar[bool] = True

    account: int
    id: int
