"""What an operator can set of the ManageSieve service. Times in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SieveSettings:
    """See the module; each value has its reason."""

    hostname: str
    """Our name, for the greeting."""
    starttls: bool = True
    """Whether STARTTLS is offered where TLS is not on yet; the listener must have a certificate."""
    sign_in_timeout: float = 120.0
    """From the greeting to a sign-in: people type, but strangers hold no connection."""
    idle_timeout: float = 1800.0
    """Silence after sign-in (RFC 5804 §1.2: 30 minutes at least)."""
    stopping_timeout: float = 1.0
    """The same once the server stops."""
    sessions_per_account: int = 20
    """Signed in at a time, to one worker; programs have one or two."""
