"""What an operator can set of the IMAP service. Times in seconds."""

from dataclasses import dataclass, field

from malleposte.policy.sharing import WhoMayGive
from malleposte.wire.imap import Limits


@dataclass(frozen=True, slots=True)
class ImapSettings:
    """See the module; each value has its reason."""

    limits: Limits = field(default_factory=Limits)
    starttls: bool = True
    """Whether STARTTLS is offered where TLS is not on yet; the listener must have a certificate."""
    sign_in_timeout: float = 120.0
    """From the greeting to a sign-in: people type, but strangers hold no connection."""
    idle_timeout: float = 1_860.0
    """Silence after sign-in, IDLE included. RFC 9051 §5.4 asks for 30 minutes at least."""
    idle_notice: float = 240.0
    """An idling client hears ``* OK`` this often: NAT forgets after 5 minutes, and a client that is
    gone is found out."""
    sessions_per_account: int = 100
    """Over all workers of a node; past it only the newest is refused. 20 devices with 5 connections
    each."""
    append_total: int = 256 * 1024 * 1024
    """Octets of all messages of one APPEND of several (RFC 3502): they wait in a file for the last."""
    recoverable: int = 14 * 86_400
    """How long what is expunged can be recovered."""
    anyone: WhoMayGive = "administrators"
    """Who may give rights to ``anyone``."""
    waiting_notice: float = 15.0
    """A command that waits for the store says so this often: clients give up after 20 s."""
