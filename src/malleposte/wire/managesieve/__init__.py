"""ManageSieve (RFC 5804): the server's side of the conversation as a pure state machine.

`ManageSieveServer` reads octets and hands out commands (`commands`, a class each); it is answered by
`responses`. Nothing here waits, keeps time or touches a socket, and nothing knows what a script is.
"""

from malleposte.wire.dialogue import (
    Authenticate,
    CloseCause,
    ConnectionClosed,
    Need,
    StartTls,
)

from .commands import (
    CheckScript,
    Command,
    DeleteScript,
    Event,
    GetScript,
    HaveSpace,
    ListScripts,
    PutScript,
    RenameScript,
    SetActive,
    Unauthenticate,
)
from .engine import ManageSieveServer
from .limits import Limits
from .responses import Code, Response, bye, content, listed, no, ok
from .settings import Settings

__all__ = [
    "Authenticate",
    "CheckScript",
    "CloseCause",
    "Code",
    "Command",
    "ConnectionClosed",
    "DeleteScript",
    "Event",
    "GetScript",
    "HaveSpace",
    "Limits",
    "ListScripts",
    "ManageSieveServer",
    "Need",
    "PutScript",
    "RenameScript",
    "Response",
    "SetActive",
    "Settings",
    "StartTls",
    "Unauthenticate",
    "bye",
    "content",
    "listed",
    "no",
    "ok",
]
