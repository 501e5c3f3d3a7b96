"""What a listener is. Plain data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """What one listener announces."""

    hostname: str
    """Our name, for the greeting."""

    stls: bool = False
    """Offer STLS while the connection is in the clear. The service has a certificate."""
