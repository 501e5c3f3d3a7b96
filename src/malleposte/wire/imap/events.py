"""What the engine tells its service besides commands.

Events are read with `Connection.next_event`. Where an event says that the engine has answered, the
bytes are in `Connection.data_to_send` already.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Final

from malleposte.wire.imap.commands.append import StreamingCommand
from malleposte.wire.imap.commands.base import Command
from malleposte.wire.imap.errors import Cause
from malleposte.wire.imap.flags import Flag
from malleposte.wire.imap.lexer import Tag
from malleposte.wire.imap.mailbox_names import MailboxName


class Signal(Enum):
    """Why there is no event now."""

    NEED_DATA = "need data"
    """Read from the peer and call `receive_data`."""
    BUSY = "busy"
    """A command is in work: the service owes `command_done`, or a decision on a message."""


NEED_DATA: Final = Signal.NEED_DATA
BUSY: Final = Signal.BUSY


@dataclass(frozen=True, slots=True)
class Rejected:
    """The engine answered NO or BAD itself. Ends an IDLE or AUTHENTICATE that was going on.

    `text` is what the client was told; it never repeats its input.
    """

    tag: Tag
    cause: Cause
    text: str


@dataclass(frozen=True, slots=True)
class AuthResponse:
    """The client's answer to a challenge, decoded (RFC 9051 §6.2.2)."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class IdleDone:
    """DONE: the service sends what is left and completes the IDLE of this tag."""

    tag: Tag


@dataclass(frozen=True, slots=True)
class AppendStart:
    """A message is about to come. The service calls `accept_append` or `refuse_append`.

    `index` counts the messages of a MULTIAPPEND from 0. `binary` means literal8: NUL may occur
    (RFC 3516). `utf8` means the message comes in `UTF8 (…)` (RFC 6855 §4). `waiting` tells that the
    client sends nothing before it is asked, so that a refusal is cheap.
    """

    command: StreamingCommand
    index: int
    size: int
    flags: tuple[Flag, ...] = ()
    date: datetime | None = None
    binary: bool = False
    utf8: bool = False
    waiting: bool = True

    @property
    def tag(self) -> Tag:
        return self.command.tag

    @property
    def mailbox(self) -> MailboxName:
        return self.command.mailbox


@dataclass(frozen=True, slots=True)
class AppendData:
    """Octets of the current message, at most `Limits.append_chunk_bytes`; they add up to `size`."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class AppendEnd:
    """The command is complete: commit all of its messages, answer, call `command_done`."""

    command: StreamingCommand


@dataclass(frozen=True, slots=True)
class AppendAborted:
    """The command broke off after a message was accepted; the engine has answered. Nothing of it
    may be filed (RFC 3502: all or none)."""

    command: StreamingCommand
    cause: Cause
    text: str


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing more will come: send what is left of `data_to_send` and close.

    `reason` is for the log: "end of input", or the text of the BYE.
    """

    reason: str


Event = (
    Command
    | Rejected
    | AuthResponse
    | IdleDone
    | AppendStart
    | AppendData
    | AppendEnd
    | AppendAborted
    | Closed
)
