"""What a worker has from the supervisor: all of it opened or made before the fork."""

import socket
from dataclasses import dataclass
from mmap import mmap

from malleposte.node.gate import Gate
from malleposte.node.sockets import Bound


@dataclass(frozen=True, slots=True)
class Inherited:
    """What the supervisor opened for its workers."""

    listeners: tuple[Bound, ...]
    metrics: socket.socket | None
    admin: socket.socket | None
    writer_path: str
    gate: Gate
    imap_sessions: mmap
    """What workers tell each other of their signed-in sessions (``policy.account_counts``)."""
    pop3_sessions: mmap
    """The same of POP3: one an account."""
