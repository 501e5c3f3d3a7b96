"""What a new password must be: few rules, in words (NIST SP 800-63B §3.1.1.2: length, no common ones)."""

from malleposte.operations.errors import OperationError

LEAST = 10
"""Characters: short enough to type on a phone, too many to guess at the throttle's pace."""
_DIFFERENT = 4
"""Different characters; fewer is a key held down."""
_COMMON = frozenset(
    {
        "1234567890",
        "0123456789",
        "0987654321",
        "12345678910",
        "123456789012",
        "1q2w3e4r5t",
        "1q2w3e4r5t6y",
        "administrator",
        "azertyuiop",
        "iloveyou123",
        "letmein123",
        "letmein1234",
        "malleposte",
        "motdepasse",
        "motdepasse1",
        "passw0rd123",
        "password10",
        "password12",
        "password123",
        "password1234",
        "password12345",
        "qwertyuiop",
        "qwerty12345",
        "qwerty123456",
        "welcome123",
        "welcome1234",
    }
)
"""The commonest of ten characters and more in published lists."""


def check_password(password: str, address: str) -> None:
    """Refuse a password that would be guessed. Raises ``OperationError``; shows nothing of it."""
    low = password.casefold()
    local = address.partition("@")[0].casefold()
    if len(password) < LEAST:
        _unfit(f"a password has at least {LEAST} characters; several words are easy to type")
    if len(set(password)) < _DIFFERENT:
        _unfit(f"the password repeats the same few characters: use at least {_DIFFERENT} different")
    if low in _COMMON:
        _unfit("the password is one of the commonest there are: choose another")
    if low.strip("0123456789!.-_") in (local, address.casefold()):
        _unfit("the password is the address with something added: choose another")


def _unfit(text: str) -> None:
    raise OperationError("refused", "weak-password", text)
