"""Commands about push subscriptions (RFC 8620 §7.2). None of them is news: they have no state."""

from typing import ClassVar, Final

from malleposte.store.commands.base import Command

MAX_SUBSCRIPTIONS: Final = 50
"""Of an account: a dozen devices, each with a browser or two."""
MAX_TEXT: Final = 4_096
"""Characters of an address, of a device's name and of a list of types."""
UNPROVED: Final = 86_400
"""Seconds that one is kept whose code did not come back."""

TO_PROVE: Final = 0
ASKED: Final = 1
PROVED: Final = 2
"""Stages: its code is to be sent, was sent, came back."""


class _Unnoticed(Command, frozen=True, array_like=True, kw_only=True):
    unnoticed: ClassVar[bool] = True
    account: int


class AddPush(_Unnoticed, frozen=True, array_like=True, kw_only=True):
    """Keep a subscription; nothing but its code is pushed until that came back. Answer: ``Done``;
    ``limit``, ``too-long``, ``no-such-account``."""

    n: int
    credential: str
    device: str
    url: str
    p256dh: bytes
    auth: bytes
    code: str
    types: str
    expires_at: int


class ChangePush(_Unnoticed, frozen=True, array_like=True, kw_only=True):
    """Change one made by a credential: its ``types`` and ``expires_at`` where they are not None; ``code``:
    what is shown to have come back. Answer: ``Done``; ``no-such-push``, ``wrong-code``, ``too-long``."""

    n: int
    credential: str
    types: str | None = None
    expires_at: int | None = None
    code: str | None = None


class DropPush(_Unnoticed, frozen=True, array_like=True, kw_only=True):
    """Forget one; ``credential`` '': whoever made it. Answer: ``Done``; ``no-such-push``."""

    n: int
    credential: str = ""


class NotePush(_Unnoticed, frozen=True, array_like=True, kw_only=True):
    """Note what became of a push. ``stage`` is never lowered. Answer: ``Done``, whose ``count`` says
    whether the subscription is there."""

    n: int
    stage: int
    told: int
    due_at: int
    failures: int = 0
    said: str = ""
