"""The loop's side of a connection (``asyncio.Protocol``): what comes lies here until the task takes it.

Bounded both ways: what the task has not taken stops the socket, what the client has not taken stops the
task. Whoever waits is woken here.
"""

import asyncio
from typing import cast

from malleposte.policy.connections import Admission

READ_AHEAD = 256 * 1024
"""Octets received but not yet taken, past which the socket is no longer read."""
WRITE_AHEAD = 256 * 1024
"""Octets not yet sent, past which ``drain`` waits: a slow client holds no more."""


class Inbox(asyncio.Protocol):
    """See the module. A ``Connection`` is one."""

    __slots__ = (
        "_deadline",
        "_drain",
        "_eof",
        "_inbox",
        "_inbox_size",
        "_loop",
        "_lost",
        "_paused",
        "_transport",
        "_waiter",
        "admission",
        "tls",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, admission: Admission | None, *, tls: bool
    ) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._inbox: list[bytes] = []
        self._inbox_size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._drain: asyncio.Future[None] | None = None
        self._deadline = 0.0
        self._paused = False
        self._eof = False
        self._lost = False
        self.admission = admission
        self.tls = tls
        """Whether TLS is on."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``; comes again after STARTTLS."""
        # uvloop's are no subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=WRITE_AHEAD)

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        self._inbox.append(data)
        self._inbox_size += len(data)
        if self._inbox_size > READ_AHEAD and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """See ``asyncio.Protocol``: the task may still answer what came before."""
        self._eof = True
        self._wake()
        return not self.tls

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        self._lost = self._eof = True
        self._deadline = 0.0
        self._wake()
        if self._drain is not None and not self._drain.done():
            self._drain.set_result(None)
        # Not before: whoever takes nothing of what he is sent still holds the socket.
        if self.admission is not None:
            self.admission.close()

    def pause_writing(self) -> None:
        """See ``asyncio.Protocol``."""
        self._drain = self._loop.create_future()

    def resume_writing(self) -> None:
        """See ``asyncio.Protocol``."""
        drain, self._drain = self._drain, None
        if drain is not None and not drain.done():
            drain.set_result(None)

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
