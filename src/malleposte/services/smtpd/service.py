"""What a listener of SMTP, LMTP or submission serves, and who is told of it."""

from dataclasses import dataclass, field

from malleposte.delivery.mail_log import MailLog
from malleposte.delivery.receive import Reception
from malleposte.directory.book import Book
from malleposte.directory.signin import Door
from malleposte.services.connection import Connection
from malleposte.services.smtpd.session import Session
from malleposte.wire.smtp import Limits, Settings


class Observer:
    """Told of what happens, for metrics and logs; this one keeps it to itself."""

    def accepted(self, mode: str, octets: int, recipients: int, seconds: float) -> None:
        """A message was filed."""

    def refused(self, mode: str, code: int) -> None:
        """A recipient or message was refused."""

    def signed_in(self, service: str, good: bool) -> None:
        """A sign-in ended."""

    def defect(self, where: str) -> None:
        """An exception of ours was met (called in its handler)."""


@dataclass(slots=True)
class SmtpService:
    """What one listener serves."""

    settings: Settings
    limits: Limits
    reception: Reception
    book: Book
    door: Door
    observer: Observer = field(default_factory=Observer)
    log: MailLog = field(default_factory=MailLog)

    async def serve(self, connection: Connection) -> None:
        """One connection, from greeting to end."""
        await Session(self, connection).run()
