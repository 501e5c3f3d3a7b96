"""Connections: bounded input and output, deadlines, drain, over asyncio's loop and uvloop's."""

import asyncio
import contextlib
import errno
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

from malleposte.policy.connections import ConnectionLimit, ConnectionSettings
from malleposte.runtime.tls_selfsigned import self_signed_pair
from malleposte.services import accepting
from malleposte.services.connection import LINGER, Connection, ConnectionLost, Draining, TimedOut
from malleposte.services.inbox import READ_AHEAD
from malleposte.services.listener import Listener, Sweep

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
    listener.listen(sock)
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


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS contexts of a server and its client."""
    folder: Path = tmp_path_factory.mktemp("tls")
    self_signed_pair(folder, "localhost")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem", folder / "server.key")
    return server, ssl.create_default_context(cafile=str(folder / "ca.pem"))


async def echo(connection: Connection) -> None:
    while data := await connection.read(5):
        connection.write(data)
        await connection.drain()


@pytest.mark.parametrize("loop", LOOPS)
def test_octets_keep_their_order_under_tls(
    loop: str, pair: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    """Two clients at once: what they send stands in the listener's one buffer in turn."""
    server, client = pair

    async def one(port: int, mark: bytes) -> None:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=client, server_hostname="localhost"
        )
        sent = b"".join(b"%b%06d" % (mark, n) for n in range(60_000))
        writer.write(sent)
        assert await reader.readexactly(len(sent)) == sent
        writer.close()

    async def test() -> None:
        async with listening(echo, tls=lambda: server, implicit=True) as (_, port):
            await asyncio.gather(one(port, b"a"), one(port, b"b"))

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(test())


@pytest.mark.parametrize("loop", LOOPS)
def test_tls_after_a_word_in_clear(loop: str, pair: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server, client = pair

    async def serve(connection: Connection) -> None:
        assert await connection.read(5) == b"STARTTLS"
        connection.write(b"go")
        await connection.start_tls()
        assert connection.tls
        assert connection.tls_facts()[0] == "TLSv1.3"
        await echo(connection)

    async def test() -> None:
        async with listening(serve, tls=lambda: server) as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"STARTTLS")
            assert await reader.readexactly(2) == b"go"
            await writer.start_tls(client, server_hostname="localhost")
            writer.write(b"x" * 300_000)
            assert await reader.readexactly(300_000) == b"x" * 300_000
            writer.close()

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(test())


@pytest.mark.parametrize("loop", LOOPS)
def test_clear_text_that_waits_is_never_read_under_tls(
    loop: str, pair: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    """It came in a packet of its own while the server was busy: the engine did not see it."""
    server, client = pair
    read: list[bytes] = []

    async def serve(connection: Connection) -> None:
        read.append(await connection.read(5))
        await asyncio.sleep(0.3)
        connection.write(b"go")
        await connection.start_tls()
        read.append(await connection.read(5))

    async def test() -> None:
        async with listening(serve, tls=lambda: server) as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"STARTTLS")
            await asyncio.sleep(0.1)
            writer.write(b"injected")

            async def go_on() -> None:
                assert await reader.readexactly(2) == b"go"
                await writer.start_tls(client, server_hostname="localhost")
                await reader.readexactly(1)

            with pytest.raises((OSError, EOFError)):
                await go_on()
            writer.close()

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(test())
    assert read == [b"STARTTLS"]


@pytest.mark.parametrize("loop", LOOPS)
def test_half_a_handshake_counts_and_does_not_hold_the_end_up(
    loop: str, pair: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    server, client = pair

    async def test() -> None:
        limit = ConnectionLimit(ConnectionSettings(per_network=3, total=10))
        async with listening(echo, tls=lambda: server, implicit=True, limit=limit) as (
            listener,
            port,
        ):
            halves = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
            try:
                halves[0].send(b"\x16\x03\x01")
                await asyncio.sleep(0.1)
                with pytest.raises(OSError):  # closed: nothing is spent on a handshake
                    await asyncio.open_connection(
                        "127.0.0.1", port, ssl=client, server_hostname="localhost"
                    )
                assert limit.total == 3
                halves.pop().close()
                await asyncio.sleep(0.1)
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", port, ssl=client, server_hostname="localhost"
                )
                writer.write(b"hello")
                assert await reader.readexactly(5) == b"hello"
                writer.close()
                await asyncio.sleep(0.1)
                started = time.monotonic()
                await listener.drain(20)
                assert time.monotonic() - started < 10
                assert not listener.connections
                assert limit.total == 0
            finally:
                for half in halves:
                    half.close()

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(test())


@on_both_loops
async def test_no_free_descriptor_is_a_rest_not_the_end() -> None:
    """EMFILE: the socket stays readable, so looking at it again at once would only spin."""

    class Poor(socket.socket):
        refusals = 0

        def accept(self) -> Any:
            if Poor.refusals < 1:
                Poor.refusals += 1
                raise OSError(errno.EMFILE, "Too many open files")
            return super().accept()

    listener = Listener(echo)
    sock = Poor(socket.AF_INET, socket.SOCK_STREAM)
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    sock.setblocking(False)
    listener.listen(sock)
    reader, writer = await asyncio.open_connection(*sock.getsockname())
    writer.write(b"hello")
    assert await asyncio.wait_for(reader.readexactly(5), 10 * accepting.REST) == b"hello"
    assert Poor.refusals == 1
    Poor.refusals = 0
    writer.close()
    await listener.drain(1)


@on_both_loops
async def test_who_goes_on_after_the_word_of_draining_waits_as_before() -> None:
    """A message on its way is taken to its end: the read after the word neither spins nor ends."""
    told: list[bytes] = []

    async def serve(connection: Connection) -> None:
        got = b""
        while not got.endswith(b"."):
            try:
                got += await connection.read(30)
            except Draining:
                told.append(got)
                assert len(told) == 1, "told again and again"
        connection.write(b"taken " + got)

    async with listening(serve) as (listener, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"half ")
        while not listener.connections:
            await asyncio.sleep(0.01)
        draining = asyncio.create_task(listener.drain(30))
        until = time.monotonic() + 10
        while not told and time.monotonic() < until:
            await asyncio.sleep(0.01)
        writer.write(b"and half.")
        assert await reader.read() == b"taken half and half."
        await draining
        writer.close()


@on_both_loops
async def test_what_shall_be_finished_is_not_told_of_draining() -> None:
    async def serve(connection: Connection) -> None:
        got = b""
        while not got.endswith(b"."):
            got += await connection.read(30, stoppable=False)
        connection.write(b"taken " + got)
        try:
            await connection.read(30)
        except Draining:
            connection.write(b", goodbye")

    async with listening(serve) as (listener, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"half ")
        while not listener.connections:
            await asyncio.sleep(0.01)
        draining = asyncio.create_task(listener.drain(30))
        await asyncio.sleep(0.1)
        writer.write(b"and half.")
        assert await reader.read() == b"taken half and half., goodbye"
        await draining
        writer.close()


@on_both_loops
async def test_when_the_time_to_drain_is_over_answers_of_the_store_still_go_out() -> None:
    """Who waits for the client is let go; a commit under way is answered, or it would come twice."""
    committed = asyncio.Event()
    ended: list[str] = []

    async def serve(connection: Connection) -> None:
        try:
            if await connection.read(30, stoppable=False) == b"commit":
                await committed.wait()
                connection.write(b"done")
            await connection.read(30, stoppable=False)
        except ConnectionLost:
            ended.append("lost")

    async with listening(serve) as (listener, port):
        silent, silent_writer = await asyncio.open_connection("127.0.0.1", port)
        busy, busy_writer = await asyncio.open_connection("127.0.0.1", port)
        busy_writer.write(b"commit")
        while len(listener.connections) < 2:
            await asyncio.sleep(0.01)
        draining = asyncio.create_task(listener.drain(0.2))
        assert await silent.read() == b""
        committed.set()
        assert await busy.read() == b"done"
        await draining
        assert ended == ["lost", "lost"]
        assert not listener.connections
        silent_writer.close()
        busy_writer.close()


def deaf(port: int) -> socket.socket:
    """A client that takes a few octets and no more."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    sock.connect(("127.0.0.1", port))
    return sock


async def _deaf_client_is_let_go(limit: ConnectionLimit, listener: Listener, port: int) -> None:
    sock = deaf(port)
    try:
        sock.send(b"go")
        while not any(c._closing for c in listener.connections):
            await asyncio.sleep(0.01)
        (connection,) = listener.connections
        await asyncio.sleep(0.2)
        # It still holds a socket and what it was sent: it counts.
        assert limit.total == 1
        connection.expire(time.monotonic())
        await asyncio.sleep(0.2)
        assert listener.connections == {connection}
        connection.expire(time.monotonic() + LINGER)
        until = time.monotonic() + 10
        while listener.connections and time.monotonic() < until:
            await asyncio.sleep(0.01)
        assert not listener.connections
        assert limit.total == 0
    finally:
        sock.close()


@on_both_loops
async def test_a_closed_connection_whose_client_takes_nothing_counts_and_is_cut_off() -> None:
    async def serve(connection: Connection) -> None:
        await connection.read(30)
        connection.write(b"x" * 20_000_000)

    limit = ConnectionLimit(ConnectionSettings(per_network=5, total=10))
    async with listening(serve, limit=limit) as (listener, port):
        await _deaf_client_is_let_go(limit, listener, port)


@pytest.mark.parametrize("loop", LOOPS)
def test_the_end_of_half_a_handshake_after_a_word_in_clear_is_noticed(
    loop: str, pair: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    server, _ = pair

    async def serve(connection: Connection) -> None:
        await connection.read(5)
        connection.write(b"go")
        await connection.start_tls()

    async def test() -> None:
        limit = ConnectionLimit(ConnectionSettings(per_network=3, total=10))
        async with listening(serve, tls=lambda: server, limit=limit) as (listener, port):
            for greeting in (b"", b"\x16\x03\x01", b"no TLS at all"):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"STARTTLS")
                assert await reader.readexactly(2) == b"go"
                writer.write(greeting)
                writer.close()
                until = time.monotonic() + 10
                while (listener.connections or limit.total) and time.monotonic() < until:
                    await asyncio.sleep(0.01)
                assert not listener.connections
                assert limit.total == 0

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(test())
