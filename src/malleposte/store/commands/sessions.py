"""Commands about sessions of the web. ``token`` is always the digest of what the browser has."""

from typing import ClassVar, Final

from malleposte.store.commands.base import Command

MAX_SESSIONS: Final = 100
"""Of an account; one more ends the one that was not used for the longest time."""
MAX_DEVICES: Final = 50
"""Remembered of an account, likewise."""
MAX_AGENT: Final = 300
"""Characters of what a browser says of itself."""


class OpenWebSession(Command, frozen=True, array_like=True, kw_only=True):
    """Keep a session. ``version``: of the credentials that were shown; ``idle``: seconds without use that
    end it; ``lasts``: seconds, whatever is done with it; ``way``: the last step of signing in; ``device``:
    digest of what the browser keeps beside, to be known again.

    Answer: ``Done``, whose ``count`` is 1 where the account signed in before, but never from there; or
    ``Refused`` (``changed``: the credentials were, meanwhile)."""

    token: bytes
    account: int
    version: int
    idle: int
    lasts: int
    way: str
    agent: str = ""
    address: str = ""
    device: bytes = b""


class UseWebSession(Command, frozen=True, array_like=True, kw_only=True):
    """It was used now; ``proved``: with a password or a passkey. Answer: ``Done``, whose ``count`` says
    whether it is there."""

    unnoticed: ClassVar[bool] = True

    token: bytes
    proved: bool = False


class CloseWebSessions(Command, frozen=True, array_like=True, kw_only=True):
    """End sessions of an account: those of ``ids``, or all; but for one, where ``but`` is its token.
    Answer: ``Done`` with their ``count``."""

    account: int
    ids: tuple[int, ...] = ()
    but: bytes = b""
