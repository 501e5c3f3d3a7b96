"""POP3 (RFC 1939): the server's side of the conversation as a pure state machine.

`Pop3Server` reads octets and hands out commands (`commands`, a class each); it is answered by
`responses`, messages in slices (`content`). Nothing here waits, keeps time or touches a socket, and
nothing knows a maildrop.
"""

from malleposte.wire.dialogue import (
    Authenticate,
    CloseCause,
    ConnectionClosed,
    Need,
    StartTls,
)

from .commands import Command, Delete, Event, List, Quit, Reset, Retrieve, Stat, Top, Uidl
from .engine import Pop3Server
from .limits import Limits
from .responses import Code, Err, Ok
from .settings import Settings

__all__ = [
    "Authenticate",
    "CloseCause",
    "Code",
    "Command",
    "ConnectionClosed",
    "Delete",
    "Err",
    "Event",
    "Limits",
    "List",
    "Need",
    "Ok",
    "Pop3Server",
    "Quit",
    "Reset",
    "Retrieve",
    "Settings",
    "StartTls",
    "Stat",
    "Top",
    "Uidl",
]
