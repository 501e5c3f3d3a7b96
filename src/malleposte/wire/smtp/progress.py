"""How a conversation with another server goes on: its steps, what was answered, events of the client."""

from dataclasses import dataclass
from enum import Enum

from .answers import RemoteReply
from .outgoing import Extensions


class Step(Enum):
    """Where a conversation stands; the value is what people are told."""

    CONNECT = "connect"
    GREETING = "greeting"
    HELLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL FROM"
    RCPT = "RCPT TO"
    DATA = "DATA"
    CONTENT = "end of content"
    QUIT = "QUIT"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of something: the server's reply, or None and why there is none."""

    step: Step
    reply: RemoteReply | None
    lost: str = ""

    @property
    def good(self) -> bool:
        """Taken."""
        return self.reply is not None and self.reply.positive


@dataclass(frozen=True, slots=True)
class Ready:
    """The next may be asked for. ``can``: what the server offers now."""

    can: Extensions


@dataclass(frozen=True, slots=True)
class Refused:
    """The greeting, EHLO, STARTTLS or AUTH was refused; after the last two the conversation goes on."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Handshake:
    """Do the TLS handshake now, then call ``tls_started``. What came in clear after the reply is gone."""


@dataclass(frozen=True, slots=True)
class Go:
    """The content is wanted: ``content`` piece by piece, then ``end_content``."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An envelope is done: an answer for each of its recipients, in their order."""

    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing can be asked for any more; ``why`` in words, '' after QUIT."""

    why: str


Event = Ready | Refused | Handshake | Go | Sent | Closed
