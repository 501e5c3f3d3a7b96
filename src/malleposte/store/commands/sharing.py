"""Commands about what people are told of rights that others gave or took (RFC 9670 §3)."""

from typing import Final

from malleposte.store.commands.base import Command

MAX_NOTIFICATIONS: Final = 500
"""Of an account that are kept, with those it dismissed; past them the oldest go."""


class DropNotification(Command, frozen=True, array_like=True, kw_only=True):
    """Dismiss a notification. Answer: ``Done``; ``no-such-notification``."""

    account: int
    n: int

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)
