"""What an operator can set of the POP3 service. Times in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pop3Settings:
    """See the module; each value has its reason."""

    hostname: str
    """Our name, for the greeting."""
    stls: bool = True
    """Whether STLS is offered where TLS is not on yet; the listener must have a certificate."""
    sign_in_timeout: float = 120.0
    """From the greeting to a sign-in: people type, but strangers hold no connection."""
    idle_timeout: float = 600.0
    """Silence after sign-in. RFC 1939 §3 asks for 10 minutes at least; nobody else can sign in then."""
    stopping_timeout: float = 5.0
    """The same once the server stops: who fetches goes on while the time to drain lasts."""
    recoverable: int = 14 * 86_400
    """How long what is deleted can be recovered."""
