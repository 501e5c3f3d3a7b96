"""What the parts of the site share."""

from dataclasses import dataclass

from malleposte.services.web.authentication import Authentication


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """What an operator can set. Seconds."""

    idle: int = 14 * 86_400
    """Without use, then a session ends."""
    lasts: int = 90 * 86_400
    """Then it ends whatever is done with it."""
    passing_idle: int = 2 * 3600
    """The same of one on a device that is not one's own, which also ends with the browser."""
    passing_lasts: int = 12 * 3600
    fresh: int = 900
    """After a password or a passkey was shown, for so long credentials may be changed."""


@dataclass(frozen=True, slots=True)
class Context:
    """See the module."""

    settings: AuthSettings
    authentication: Authentication
