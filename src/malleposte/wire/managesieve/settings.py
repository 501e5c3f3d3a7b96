"""What a listener is. Plain data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """What one listener announces. `extensions` are Sieve's; `redirects` a script may do."""

    hostname: str
    extensions: tuple[str, ...] = ()
    redirects: int = 0
    starttls: bool = False
    """Offer STARTTLS while the connection is in the clear. The service has a certificate."""
