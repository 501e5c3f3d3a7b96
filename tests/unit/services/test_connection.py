"""Connections: bounded input and output, deadlines, drain, over asyncio's loop and uvloop's."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import pytest
import uvloop

from malleposte.policy.connections import ConnectionLimit, ConnectionSettings
from malleposte.services.connection import (
    READ_AHEAD,
    Connection,
    ConnectionLost,
    Draining,
    Listener,
    Sweep,
    TimedOut,
)

Serve = Callable[[Connection], Awaitable[None]]


LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def on_both_loops(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[str], None]:
    """Run a test on the standard library's loop and on uvloop's, which differ in buffers and TLS."""

    @pytest.mark.parametrize("loop", LOOPS)
    def run(loop: str) -> None:
        with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
            runner.run(test())

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run


@contextlib.asynccontextmanager
async def listening(serve: Serve, **options: object) -> AsyncIterator[tuple[Listener, int]]:
    listener = Listener(serve, **options)  # type: ignore[arg-type]
    sock = socket.create_server(("127.0.0.1", 0))
    sock.setblocking(False)
    port = sock.getsockname()[1]
    await listener.listen(sock)
    sweep = asyncio.create_task(Sweep([listener]).run())
    try:
        yield listener, port
    finally:
        sweep.cancel()
        await listener.drain(1.0)


@on_both_loops
async def test_what_is_sent_in_pieces_is_read_in_order() -> None:
    got: list[bytes] = []
    done = asyncio.Event()

    async def serve(connection: Connection) -> None:
        while data := await connection.read(5):
            got.append(data)
        done.set()

    async with listening(serve) as (_, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(50):
            writer.write(b"%d," % number)
            await asyncio.sleep(0)
        writer.close()
        await asyncio.wait_for(done.wait(), 5)
    assert b"".join(got) == b"".join(b"%d," % n for n in range(50))


@on_both_loops
async def test_input_that_is_not_taken_stops_the_sender() -> None:
    """Memory a connection is bounded: what nobody reads stays with the client."""
    release = asyncio.Event()
    total = 0

    async def serve(connection: Connection) -> None:
        nonlocal total
        await release.wait()
        while data := await connection.read(5):
            # uvloop hands over at most 256 KiB past the bound before the socket is paused.
            assert len(data) <= READ_AHEAD * 2 + 65_536
            total += len(data)

    size = 30_000_000
    async with listening(serve) as (listener, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"x" * size)
        await asyncio.sleep(0.3)
        (connection,) = listener.connections
        assert connection._inbox_size <= READ_AHEAD * 2 + 65_536
        release.set()
        await writer.drain()
        writer.close()
        until = time.monotonic() + 10
        while total < size and time.monotonic() < until:
            await asyncio.sleep(0.01)
    assert total == size


@on_both_loops
async def test_silence_ends_a_read_and_the_goodbye_still_goes_out() -> None:
    async def serve(connection: Connection) -> None:
        try:
            await connection.read(0.2)
        except TimedOut:
            connection.write(b"too slow")

    async with listening(serve) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await asyncio.wait_for(reader.read(), 5) == b"too slow"
        writer.close()


@on_both_loops
async def test_a_client_that_takes_nothing_is_let_go() -> None:
    lost = asyncio.Event()

    async def serve(connection: Connection) -> None:
        try:
            while True:
                connection.write(b"x" * 100_000)
                await connection.drain(0.3)
        except ConnectionLost:
            lost.set()
            raise

    async with listening(serve) as (listener, port):
        sock = socket.create_connection(("127.0.0.1", port))
        try:
            await asyncio.wait_for(lost.wait(), 10)
            await asyncio.sleep(0.05)
            assert not listener.connections
        finally:
            sock.close()


@on_both_loops
async def test_draining_wakes_those_who_wait_and_lets_the_busy_finish() -> None:
    said: list[str] = []

    async def serve(connection: Connection) -> None:
        try:
            data = await connection.read(30)
            await asyncio.sleep(0.3)
            said.append(data.decode())
            await connection.read(30)
        except Draining:
            connection.write(b"goodbye")

    async with listening(serve) as (listener, port):
        idle_reader, idle_writer = await asyncio.open_connection("127.0.0.1", port)
        busy_reader, busy_writer = await asyncio.open_connection("127.0.0.1", port)
        busy_writer.write(b"work")
        await asyncio.sleep(0.1)
        await listener.drain(5)
        assert await idle_reader.read() == b"goodbye"
        assert await busy_reader.read() == b"goodbye"
        assert said == ["work"]
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", port)
        idle_writer.close()
        busy_writer.close()


@on_both_loops
async def test_one_too_many_is_told_so_and_others_go_on() -> None:
    async def serve(connection: Connection) -> None:
        while data := await connection.read(5):
            connection.write(data)

    limit = ConnectionLimit(ConnectionSettings(per_network=2, total=10))
    async with listening(serve, limit=limit, refuse=b"too many") as (_, port):
        pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        for _, writer in pairs:
            writer.write(b"hello")
        for reader, _ in pairs:
            assert await reader.readexactly(5) == b"hello"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b"too many"
        writer.close()
        pairs[0][1].close()
        await asyncio.sleep(0.1)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"again")
        assert await reader.readexactly(5) == b"again"
        writer.close()
        pairs[1][1].close()


@on_both_loops
async def test_a_defect_ends_one_connection_only() -> None:
    failures = []

    async def serve(connection: Connection) -> None:
        if await connection.read(5) == b"bad":
            raise ValueError("a defect")
        connection.write(b"fine")

    async with listening(serve, on_failure=lambda c: failures.append(c.peer)) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        other, other_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"bad")
        with contextlib.suppress(ConnectionError):  # a reset, if it comes before the end
            assert await reader.read() == b""
        other_writer.write(b"good")
        assert await other.read() == b"fine"
        writer.close()
        other_writer.close()
    assert failures == ["127.0.0.1"]
