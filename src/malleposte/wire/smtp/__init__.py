"""SMTP, LMTP and submission as pure state machines: the server's side, and the client's (`sending`)."""

from malleposte.wire.dialogue import (
    Authenticate,
    CloseCause,
    ConnectionClosed,
    LocalProtocolError,
    Need,
    StartTls,
)

from .dsn import Notify, OriginalRecipient, Ret
from .engine import SmtpServer
from .events import (
    Body,
    DataChunk,
    DataEnd,
    DataStart,
    Event,
    Greeting,
    Hello,
    MailFrom,
    RcptTo,
    Reset,
    ResetCause,
)
from .limits import Limits
from .path import NULL_PATH, Path
from .reply import PeerError, Reply
from .settings import BareNewlines, Mode, Settings

__all__ = [
    "NULL_PATH",
    "Authenticate",
    "BareNewlines",
    "Body",
    "CloseCause",
    "ConnectionClosed",
    "DataChunk",
    "DataEnd",
    "DataStart",
    "Event",
    "Greeting",
    "Hello",
    "Limits",
    "LocalProtocolError",
    "MailFrom",
    "Mode",
    "Need",
    "Notify",
    "OriginalRecipient",
    "Path",
    "PeerError",
    "RcptTo",
    "Reply",
    "Reset",
    "ResetCause",
    "Ret",
    "Settings",
    "SmtpServer",
    "StartTls",
]
