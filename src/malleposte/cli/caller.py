"""The command line's side of the admin socket: call an operation, wherever it runs.

``connect`` finds the running server, or starts the helper process that holds the store (``alone``).
Either way requests, parcels and answers are the same.
"""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import msgspec

from malleposte.cli.alone import start_alone
from malleposte.cli.exit_codes import DAMAGE, REFUSED, UNAVAILABLE, USAGE, Trouble
from malleposte.cli.output import spelt
from malleposte.node.config import Configuration
from malleposte.operations.protocol import (
    MAX_LINE,
    Channel,
    ErrorLine,
    Hello,
    Line,
    ProtocolError,
    raw,
)
from malleposte.operations.registry import Request, Response
from malleposte.operations.version import version

ResponseT = TypeVar("ResponseT", bound=Response)
Result = TypeVar("Result")

_CODES = {"refused": REFUSED, "failed": REFUSED, "invalid": USAGE, "unavailable": UNAVAILABLE}


class Listens(Protocol):
    """Progress on the operator's screen (``cli.progress``)."""

    def report(self, done: int, total: int, words: str = "") -> None: ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A parcel to send: its head, and the octets of its body in pieces."""

    head: msgspec.Struct
    pieces: Iterable[bytes] | None = None


Taker = Callable[[msgspec.Raw, AsyncIterator[bytes] | None], Coroutine[Any, Any, None]]
"""Takes a parcel that came; it must read the pieces to their end."""


class Caller:
    """A connection to a server or helper. One operation at a time."""

    def __init__(self, channel: Channel, hello: Hello) -> None:
        self._channel = channel
        self._number = 0
        self.hello = hello

    async def call(
        self,
        name: str,
        request: Request,
        response: type[ResponseT],
        *,
        progress: Listens | None = None,
        feed: AsyncIterator[Outgoing] | None = None,
        take: Taker | None = None,
    ) -> ResponseT:
        """Run an operation; its answer. Raises ``Trouble``, and what ``feed`` and ``take`` raise."""
        try:
            asked = raw(request)
        except UnicodeEncodeError as error:
            wrong = spelt(error.object[max(0, error.start - 20) : error.end + 20])
            raise Trouble(USAGE, f"{wrong!r} is not UTF-8: write it in that encoding") from None
        self._number += 1
        number = self._number
        feeding: asyncio.Task[None] | None = None
        broken: list[Exception] = []
        try:
            await self._channel.send(Line(id=number, operation=name, request=asked))
            if feed is not None:
                feeding = asyncio.create_task(self._feed(number, feed, broken))
            answer = await self._answer(progress, take)
        except (ConnectionError, ProtocolError) as error:
            if broken:
                raise broken[0] from None
            raise Trouble(
                UNAVAILABLE, f"the connection to the server broke off ({error}); try again"
            ) from None
        finally:
            if feeding is not None:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)
        return msgspec.json.decode(answer, type=response)

    async def _feed(
        self, number: int, feed: AsyncIterator[Outgoing], broken: list[Exception]
    ) -> None:
        try:
            async for parcel in feed:
                body = parcel.pieces is not None
                await self._channel.send(Line(id=number, parcel=raw(parcel.head), body=body))
                if parcel.pieces is not None:
                    # A body that breaks off is no end: the feed knows, and goes on.
                    with contextlib.suppress(BodyBroken):
                        await self._channel.send_body(parcel.pieces)
            await self._channel.send(Line(id=number, end=True))
        except ConnectionError:
            # What the server said before it hung up is still to be read.
            pass
        except Exception as error:  # noqa: BLE001 - handed to the caller, who waits for an answer
            broken.append(error)
            await self._channel.close()

    async def _answer(self, progress: Listens | None, take: Taker | None) -> msgspec.Raw:
        while True:
            line = await self._channel.receive()
            if line is None:
                raise ConnectionResetError("the server went away")
            if line.progress is not None and progress is not None:
                progress.report(line.progress.done, line.progress.total, line.progress.words)
            if line.parcel and take is not None:
                await take(line.parcel, self._channel.pieces() if line.body else None)
            if line.error is not None:
                raise trouble(line.error)
            if line.result:
                return line.result


class BodyBroken(Exception):
    """Raised by the pieces of a body that cannot be read to its end; the feed goes on after it."""


def trouble(error: ErrorLine) -> Trouble:
    """What the server said, as the command's end."""
    code = DAMAGE if error.reason == "damaged" else _CODES.get(error.kind, REFUSED)
    return Trouble(code, error.text, error.reason)


def run(
    configuration: Configuration,
    work: Callable[[Caller], Coroutine[Any, Any, Result]],
    *,
    make: bool = False,
) -> Result:
    """Connect, have ``work`` done, and disconnect. ``make``: also where there is no store yet.

    Raises ``Trouble``.
    """
    with _connected(configuration, make=make) as connection:
        return asyncio.run(_with_caller(connection, work))


def ask(
    configuration: Configuration, name: str, request: Request, response: type[ResponseT]
) -> ResponseT:
    """``run`` for one operation that tells nothing on the way. Raises ``Trouble``."""
    return run(configuration, lambda caller: caller.call(name, request, response))


@contextlib.contextmanager
def _connected(configuration: Configuration, *, make: bool) -> Iterator[socket.socket]:
    connection = to_server(configuration)
    if connection is not None:
        with connection:
            yield connection
        return
    if not make:
        _check_store(configuration)
    connection, pid = start_alone(configuration)
    try:
        with connection:
            yield connection
    finally:
        connection.close()
        # Until it has copied its log and given the lock up.
        os.waitpid(pid, 0)


def to_server(configuration: Configuration) -> socket.socket | None:
    """A connection to the running server; None where there is none. Raises ``Trouble``."""
    path = configuration.admin_socket
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    connection.settimeout(10)
    try:
        connection.connect(str(path))
    except OSError as error:
        connection.close()
        if error.errno in (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR):
            return None
        if error.errno in (errno.EACCES, errno.EPERM):
            raise Trouble(
                REFUSED,
                f"you may not use {path}: run this as root or as the user the server runs as",
                "not-allowed",
            ) from None
        raise Trouble(UNAVAILABLE, f"{path}: {error.strerror or error}") from None
    connection.setblocking(False)
    return connection


def _check_store(configuration: Configuration) -> None:
    """Without a server the store must be there: only ``init`` makes one."""
    if configuration.store.backend != "sqlite":
        return
    data = configuration.node.data_dir
    try:
        there = (data / "store.db").exists()
    except PermissionError:
        raise Trouble(
            REFUSED,
            f"you may not look into {data}: run this as root or as its owner",
            "not-allowed",
        ) from None
    if not there:
        raise Trouble(UNAVAILABLE, f"there is no store in {data}: run `malleposte init` first")


async def _with_caller(
    connection: socket.socket, work: Callable[[Caller], Coroutine[Any, Any, Result]]
) -> Result:
    connection.setblocking(False)
    reader, writer = await asyncio.open_unix_connection(sock=connection, limit=MAX_LINE)
    channel = Channel(reader, writer)
    try:
        return await work(Caller(channel, await _greeted(channel)))
    finally:
        await channel.close()


async def _greeted(channel: Channel) -> Hello:
    try:
        async with asyncio.timeout(30):
            line = await channel.receive()
    except (TimeoutError, ConnectionError, ProtocolError) as error:
        raise Trouble(UNAVAILABLE, f"the server does not answer: {error}; try again") from None
    if line is not None and line.error is not None:
        raise trouble(line.error)
    if line is None or line.hello is None:
        raise Trouble(UNAVAILABLE, "the server does not answer; see its log, or try again")
    if line.hello.version != version():
        raise Trouble(
            UNAVAILABLE,
            f"the running server is version {line.hello.version}, this command {version()}:"
            " restart the server",
            "version",
        )
    return line.hello
