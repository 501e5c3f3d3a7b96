"""A worker's side of the writer: submit a command, await its answer.

Commands wait in order on one Unix connection. When the writer goes away, the client connects again and
sends what is unanswered once more, marked, under the same keys. A command that has no answer after
``PATIENCE`` fails for its caller with ``UnknownOutcome``; it may still take effect.
"""

import asyncio
import contextlib
import os
import secrets
import socket
import time
from collections import deque
from pathlib import Path
from typing import Final

import msgspec

from malleposte.store.batch import decode_result
from malleposte.store.commands import AnyCommand
from malleposte.store.errors import (
    DiskFull,
    PermanentFailure,
    StoreError,
    TemporaryFailure,
    UnknownOutcome,
    of_system,
)
from malleposte.store.results import AnyResult
from malleposte.store.room import Room
from malleposte.store.writer import (
    AGAIN,
    ANSWER,
    DISK_FULL,
    MAX_FRAME,
    OK,
    PERMANENT,
    REQUEST,
    TEMPORARY,
    WITH_FD,
)

PATIENCE = 60.0
"""Seconds a command may wait for the writer before its caller gives up (design, §6)."""
LOOK_EVERY = 1.0
"""Seconds between two looks for commands that have waited so long: one timer, not one each."""
MAX_WAITING = 2_000
MAX_WAITING_OCTETS = 64 * 1024 * 1024
"""Commands and octets under way; past it, submitting waits: back-pressure up to the socket."""
RECEIVE = 64 * 1024
"""Octets of answers taken at a time."""

_FAILURES: Final[dict[int, type[StoreError]]] = {
    TEMPORARY: TemporaryFailure,
    DISK_FULL: DiskFull,
    PERMANENT: PermanentFailure,
}

_encode = msgspec.msgpack.Encoder().encode


class _Pending:
    __slots__ = ("body", "fd", "future", "since")

    def __init__(
        self, body: bytes, fd: int | None, future: "asyncio.Future[AnyResult]", since: float
    ) -> None:
        self.body = body
        self.fd = fd
        self.future = future
        self.since = since


class _Out:
    """Octets on their way, with a descriptor of their own: a caller that gives up closes none of ours."""

    __slots__ = ("data", "fd")

    def __init__(self, data: bytes, fd: int | None) -> None:
        self.data = data
        self.fd = fd

    def close(self) -> None:
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None


class WriterClient:
    """See the module. Belongs to one event loop."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._origin = secrets.randbits(62)
        self._seq = 0
        self._acked = 0
        self._pending: dict[int, _Pending] = {}
        self._room = Room(MAX_WAITING, MAX_WAITING_OCTETS)
        self._sock: socket.socket | None = None
        self._out: deque[_Out] = deque()
        self._in = bytearray()
        self._flush_planned = False
        self._writing = False
        self._connecting: asyncio.Task[None] | None = None
        self._closed = False
        self._sent_before = False
        self._looking: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def waiting(self) -> int:
        """Commands without an answer yet."""
        return len(self._pending)

    async def submit(self, command: AnyCommand, fd: int | None = None) -> AnyResult:
        """Have a command executed durably; its answer.

        ``fd``: the spooled file of its content; it is duplicated, the caller's stays the caller's.
        Raises ``TemporaryFailure`` or ``PermanentFailure`` as the writer says.
        """
        try:
            body = _encode(command)
        except (TypeError, ValueError, OverflowError) as error:
            raise PermanentFailure(f"not a command: {error}") from error
        if len(body) > MAX_FRAME:
            # The writer would hang up, and the next one too: it must not stop the others.
            raise PermanentFailure(f"a command of {len(body)} octets is too large")
        await self._room.enter(len(body))
        try:
            return await self._ask(body, fd)
        finally:
            self._room.leave(len(body))

    async def _ask(self, body: bytes, fd: int | None) -> AnyResult:
        self._seq += 1
        seq = self._seq
        future: asyncio.Future[AnyResult] = self._loop.create_future()
        try:
            pending = _Pending(body, None if fd is None else os.dup(fd), future, self._loop.time())
        except OSError as error:
            raise of_system(error) from error
        self._pending[seq] = pending
        try:
            self._queue(seq, pending, 0)
            if self._looking is None:
                self._looking = self._loop.call_later(LOOK_EVERY, self._look)
            return await future
        except OSError as error:
            raise of_system(error) from error
        finally:
            del self._pending[seq]
            if pending.fd is not None:
                os.close(pending.fd)
            # Everything below the oldest still waiting has its answer and is never asked for again.
            self._acked = (next(iter(self._pending)) - 1) if self._pending else self._seq

    def _look(self) -> None:
        """Give up on those that waited too long; they are in the order in which they came."""
        self._looking = None
        late = self._loop.time() - PATIENCE
        for pending in self._pending.values():
            if pending.since > late:
                break
            if not pending.future.done():
                pending.future.set_exception(UnknownOutcome("the store does not answer"))
        if self._pending and not self._closed:
            self._looking = self._loop.call_later(LOOK_EVERY, self._look)

    def _queue(self, seq: int, pending: _Pending, flags: int) -> None:
        """Have a command sent. Raises ``OSError`` where no descriptor is free for its content."""
        if pending.fd is not None:
            flags |= WITH_FD
        head = REQUEST.pack(
            len(pending.body), self._origin, seq, self._acked, flags, time.monotonic()
        )
        fd = None if pending.fd is None else os.dup(pending.fd)
        self._out.append(_Out(head + pending.body, fd))
        if not self._flush_planned:
            # One write for all commands of this turn of the loop.
            self._flush_planned = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_planned = False
        if self._sock is None:
            if self._connecting is None and not self._closed:
                self._connecting = self._loop.create_task(self._connect())
            return
        if not self._writing:
            self._write()

    def _write(self) -> None:
        """Send what waits; the loop calls again when the socket takes more."""
        sock = self._sock
        if sock is None:
            return
        try:
            while self._out:
                if len(self._out) > 1:
                    self._gather()
                out = self._out[0]
                if out.fd is not None:
                    sent = socket.send_fds(sock, [out.data], [out.fd])
                    # It goes with the first octet.
                    out.close()
                else:
                    sent = sock.send(out.data)
                if sent < len(out.data):
                    out.data = out.data[sent:]
                else:
                    self._out.popleft()
        except BlockingIOError:
            if not self._writing:
                self._writing = True
                self._loop.add_writer(sock.fileno(), self._write)
            return
        except OSError:
            self._lost()
            return
        if self._writing:
            self._writing = False
            self._loop.remove_writer(sock.fileno())

    def _gather(self) -> None:
        """Join leading commands without descriptors into one write."""
        parts = []
        size = 0
        while self._out and self._out[0].fd is None and size < 1 << 18:
            parts.append(self._out.popleft().data)
            size += len(parts[-1])
        if parts:
            self._out.appendleft(_Out(b"".join(parts) if len(parts) > 1 else parts[0], None))

    def _drop_out(self) -> None:
        for out in self._out:
            out.close()
        self._out.clear()

    async def _connect(self) -> None:
        delay = 0.01
        try:
            while not self._closed:
                sock = self._connected()
                if sock is None:
                    await asyncio.sleep(delay)
                    delay = min(delay * 2, 0.5)
                    continue
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
                self._sock = sock
                self._in.clear()
                self._drop_out()
                self._loop.add_reader(sock.fileno(), self._readable)
                flags = AGAIN if self._sent_before else 0
                self._sent_before = True
                for seq, pending in self._pending.items():
                    try:
                        self._queue(seq, pending, flags)
                    except OSError as error:
                        if not pending.future.done():
                            words = f"it could not be sent again: {error}"
                            pending.future.set_exception(UnknownOutcome(words))
                return
        finally:
            self._connecting = None

    def _connected(self) -> socket.socket | None:
        """A connection to the writer; None: not now."""
        try:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        except OSError:
            return None  # no descriptor is free
        try:
            sock.setblocking(False)
            sock.connect(str(self._path))
        except OSError:
            sock.close()
            return None
        return sock

    def _readable(self) -> None:
        sock = self._sock
        if sock is None:
            return
        try:
            data = sock.recv(RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lost()
            return
        buffer = self._in
        buffer += data
        at, head = 0, ANSWER.size
        while len(buffer) - at >= head:
            length, seq, status = ANSWER.unpack_from(buffer, at)
            if len(buffer) - at < head + length:
                break
            body = bytes(memoryview(buffer)[at + head : at + head + length])
            at += head + length
            pending = self._pending.get(seq)
            if pending is None or pending.future.done():
                continue
            if status == OK:
                pending.future.set_result(decode_result(body))
            else:
                failure = _FAILURES.get(status, PermanentFailure)
                pending.future.set_exception(failure(body.decode("utf-8", "replace")))
        del buffer[:at]

    def _lost(self) -> None:
        sock, self._sock = self._sock, None
        if sock is not None:
            self._loop.remove_reader(sock.fileno())
            if self._writing:
                self._loop.remove_writer(sock.fileno())
                self._writing = False
            sock.close()
        if self._connecting is None and not self._closed:
            self._connecting = self._loop.create_task(self._connect())

    async def close(self) -> None:
        """Let go; commands without an answer fail as unknown."""
        self._closed = True
        self._room.close()
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        if self._connecting is not None:
            self._connecting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._connecting
        if self._sock is not None:
            self._loop.remove_reader(self._sock.fileno())
            if self._writing:
                self._loop.remove_writer(self._sock.fileno())
            self._sock.close()
            self._sock = None
        self._drop_out()
        for pending in list(self._pending.values()):
            if not pending.future.done():
                pending.future.set_exception(UnknownOutcome("the server is stopping"))
