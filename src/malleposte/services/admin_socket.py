"""The admin socket: operators' programs on this machine, on behalf of whom the kernel says they are.

Only root and the user the server runs as are served; they act as owner, ``local:UID`` in the audit. One
operation at a time on a connection (``operations.protocol``). It opens no path that a client names:
mail comes and goes as octets.
"""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterable

import msgspec
import structlog

from malleposte.operations.context import Context
from malleposte.operations.errors import OperationError
from malleposte.operations.exchange import Parcel
from malleposte.operations.perform import decode, named, perform
from malleposte.operations.protocol import (
    MAX_LINE,
    Channel,
    ErrorLine,
    Hello,
    Line,
    ProgressLine,
    ProtocolError,
    raw,
)
from malleposte.operations.version import version
from malleposte.policy.permissions import Actor

log = structlog.get_logger("admin")

MAX_CONNECTIONS = 32
"""Connections to one worker: operators and their scripts; each may hold some MB."""
PROGRESS_EVERY = 0.1
"""Seconds between two lines of progress: a person reads no faster."""

ContextFactory = Callable[[Actor], Context]


async def serve_admin(
    listener: socket.socket, context_for: ContextFactory, *, uid: int | None = None
) -> None:
    """Serve connections to a listening Unix socket until cancelled.

    ``uid``: the user who is served besides root, by default the one this process runs as.
    """
    loop = asyncio.get_running_loop()
    listener.setblocking(False)
    allowed = {0, os.geteuid() if uid is None else uid}
    tasks: set[asyncio.Task[None]] = set()
    try:
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
            except OSError as error:
                log.warning("admin_accept", reason=str(error))
                await asyncio.sleep(0.5)
                continue
            if len(tasks) >= MAX_CONNECTIONS:
                connection.close()
                continue
            task = loop.create_task(serve_connection(connection, context_for, allowed))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def peer_uid(connection: socket.socket) -> int:
    """Who is at the other end, by the kernel (SO_PEERCRED)."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    _, uid, _ = struct.unpack("iII", credentials)
    return int(uid)


async def serve_connection(
    connection: socket.socket,
    context_for: ContextFactory,
    allowed: set[int],
    *,
    server: bool = True,
) -> None:
    """One connection's life; it is closed at the end."""
    uid = peer_uid(connection)
    connection.setblocking(False)
    reader, writer = await asyncio.open_unix_connection(sock=connection, limit=MAX_LINE)
    channel = Channel(reader, writer)
    try:
        if uid not in allowed:
            log.warning("admin_refused", uid=uid)
            words = f"user {uid} may not administer this server: use root or the service's user"
            await channel.send(Line(error=ErrorLine(kind="refused", reason="uid", text=words)))
            return
        actor = Actor.local(uid)
        hello = Hello(version=version(), actor=actor.name, server=server)
        await channel.send(Line(hello=hello))
        context = context_for(actor)
        while (line := await channel.receive()) is not None:
            if not await _serve_line(channel, line, context):
                return
    except ProtocolError as error:
        log.warning("admin_protocol", uid=uid, reason=str(error))
        with contextlib.suppress(ConnectionError, ProtocolError):
            said = ErrorLine(kind="invalid", reason="protocol", text=str(error))
            await channel.send(Line(error=said))
            await channel.discard(1.0)
    except ConnectionError:
        pass
    except Exception:
        log.exception("admin_defect")
        raise
    finally:
        await channel.close()


async def refuse_connection(connection: socket.socket, kind: str, reason: str, text: str) -> None:
    """Tell a client in place of the greeting why it is not served, and close."""
    line = Line(error=ErrorLine(kind=kind, reason=reason, text=text))
    # It may be closed already, where the store failed at the very end.
    with contextlib.suppress(OSError), connection:
        connection.settimeout(5)
        connection.sendall(msgspec.json.encode(line) + b"\n")


async def _serve_line(channel: Channel, line: Line, context: Context) -> bool:
    """Answer one request; False where the connection cannot be used any more."""
    if line.operation is None:
        raise ProtocolError("expected an operation")
    exchange = _Exchange(channel, line.id)
    streams = False
    try:
        operation = named(line.operation)
        streams = operation.streams
        request = decode(operation, line.request or msgspec.Raw(b"{}"))
        result = raw(await perform(context, operation, request, exchange))
        answer = Line(id=line.id, result=result)
    except OperationError as error:
        words = ErrorLine(kind=error.kind, reason=error.reason, text=error.text)
        answer = Line(id=line.id, error=words)
    await channel.send(answer)
    if answer.error is None or not streams:
        return True
    # What a client still streams cannot be told from a request.
    await channel.discard(5.0)
    return False


class _Exchange:
    """An operation's ``Exchange`` over the channel."""

    def __init__(self, channel: Channel, number: int) -> None:
        self._channel = channel
        self._number = number
        self._told = 0.0
        self._ended = False
        self._sending = asyncio.Lock()

    @property
    def gone(self) -> bool:
        """Whether the caller went away."""
        return self._channel.ended

    def report(self, done: int, total: int, words: str = "") -> None:
        """Tell the caller, now and then."""
        now = asyncio.get_running_loop().time()
        if done != total and now - self._told < PROGRESS_EVERY:
            return
        if self._sending.locked():
            # A body is on its way: nothing may come between its chunks.
            return
        self._told = now
        line = ProgressLine(done=done, total=total, words=words)
        with contextlib.suppress(ConnectionError):
            self._channel.put(Line(id=self._number, progress=line))

    async def receive(self) -> Parcel | None:
        """The caller's next parcel."""
        if self._ended:
            return None
        line = await self._channel.receive()
        if line is None:
            raise ConnectionResetError("the caller went away")
        if line.end:
            self._ended = True
            return None
        if not line.parcel:
            raise ProtocolError("expected a parcel")
        return Parcel(line.parcel, self._channel.pieces() if line.body else None)

    async def send(
        self,
        head: msgspec.Struct,
        pieces: AsyncIterator[bytes] | Iterable[bytes] | None = None,
    ) -> None:
        """Send a parcel; one at a time."""
        line = Line(id=self._number, parcel=raw(head), body=pieces is not None)
        async with self._sending:
            await self._channel.send(line)
            if pieces is not None:
                await self._channel.send_body(pieces)
