"""How much may be sent: by an account, and by all accounts of a domain together.

Safety, no licence: a stolen password shall not have the whole server's mail refused elsewhere. The defaults
are far above what people write by hand.
"""

from dataclasses import dataclass

UNSAID = -1


@dataclass(frozen=True, slots=True)
class SendLimit:
    """``messages`` an hour, to ``recipients`` elsewhere a day: 0 without a limit, ``UNSAID`` as is said
    elsewhere. ``until``: Unix seconds after which nothing of it counts, 0 never."""

    messages: int = UNSAID
    recipients: int = UNSAID
    until: int = 0

    def over(self, usual: "SendLimit", now: float) -> "SendLimit":
        """This one, completed by what is usual."""
        if self.until and now >= self.until:
            return usual
        return SendLimit(
            usual.messages if self.messages < 0 else self.messages,
            usual.recipients if self.recipients < 0 else self.recipients,
        )


@dataclass(frozen=True, slots=True)
class SendLimits:
    """What counts where an account or a domain has no limit of its own."""

    account: SendLimit = SendLimit(500, 2_000)
    domain: SendLimit = SendLimit(5_000, 20_000)
