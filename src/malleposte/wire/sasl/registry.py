"""Mechanisms by name, and the one policy about them: no password in the clear."""

from collections.abc import Callable

from .login import Login
from .mechanism import Mechanism
from .plain import Plain

# In the order of announcement: clients take the first that they know.
_PLAINTEXT: dict[str, Callable[[], Mechanism]] = {"PLAIN": Plain, "LOGIN": Login}


def mechanism_names(*, plaintext_allowed: bool) -> tuple[str, ...]:
    """What to announce. `plaintext_allowed`: under TLS, or the transport never leaves the machine.

    Both mechanisms send the password itself, so otherwise there is none.
    """
    return tuple(_PLAINTEXT) if plaintext_allowed else ()


def start_mechanism(name: str, *, plaintext_allowed: bool) -> Mechanism | None:
    """A fresh exchange, or None if the name (any case) is unknown or may not be used here."""
    make = _PLAINTEXT.get(name.upper()) if plaintext_allowed else None
    return make() if make is not None else None
