"""What strangers can take of a web service: octets, seconds, connections."""

import asyncio
import dataclasses
import time

import pytest

from malleposte.policy.connections import ConnectionSettings
from malleposte.services.connection import HANDSHAKE
from malleposte.services.web.session import LAST_WORDS
from unit.services.web.harness import HOST, REFUSE, SETTINGS, Client, serve

HEAD = f"GET /page HTTP/1.1\r\nHost: {HOST}\r\n".encode()
SHORT = dataclasses.replace(SETTINGS, head_timeout=1.0, body_timeout=1.0, keep_alive=1.0)


async def trickle(client: Client, octets: bytes, every: float) -> None:
    """Send an octet at a time for as long as anybody takes it."""
    for at in range(len(octets)):
        if client.writer.transport.is_closing():
            return
        client.send(octets[at : at + 1])
        await asyncio.sleep(every)


@pytest.mark.parametrize(
    "begin", [b"", b"G", HEAD, f"POST /body HTTP/1.1\r\nHost: {HOST}\r\n".encode()]
)
async def test_a_head_that_trickles_is_cut_off(begin: bytes) -> None:
    """Slow-loris: however little at a time it sends."""
    async with serve(SHORT) as served:
        client = await served.connect()
        began = time.monotonic()
        client.send(begin)
        slow = asyncio.create_task(trickle(client, b"X: " + b"y" * 500, 0.05))
        answer = await client.answer()
        assert (answer.status, answer.closes) == (408, True)
        assert b"HTTP/1.1" not in await client.ended()
        slow.cancel()
        assert time.monotonic() - began < 1 + LAST_WORDS + 3
        assert not served.listener.connections


async def test_content_that_trickles_is_cut_off() -> None:
    async with serve(SHORT) as served:
        client = await served.connect()
        client.send(f"POST /body HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 900\r\n\r\n".encode())
        slow = asyncio.create_task(trickle(client, b"y" * 900, 0.05))
        answer = await client.answer()
        assert (answer.status, answer.closes) == (408, True)
        await client.ended()
        slow.cancel()


async def test_a_connection_on_which_nothing_comes_is_closed_in_silence() -> None:
    async with serve(SHORT) as served:
        silent, idle = await served.connect(), await served.connect()
        assert (await idle.get("/page")).status == 200
        assert await silent.ended() == b""
        assert await idle.ended() == b""


async def test_a_second_request_may_be_late_but_not_slow() -> None:
    async with serve(dataclasses.replace(SHORT, keep_alive=20.0)) as served:
        client = await served.connect()
        assert (await client.get("/page")).status == 200
        await asyncio.sleep(2.5)
        assert (await client.get("/page")).status == 200
        client.send(b"G")
        assert (await client.answer()).status == 408


async def test_a_client_that_takes_nothing_is_cut_off() -> None:
    """It sends many requests ahead, and reads no response."""
    settings = dataclasses.replace(SETTINGS, write_timeout=1.0, max_requests=1_000_000)
    async with serve(settings) as served:
        client = await served.connect()
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        one = f"GET /page?{'x' * 8_000} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
        for _ in range(4_000):
            client.send(one)
        async with asyncio.timeout(20):
            while served.listener.connections:
                await asyncio.sleep(0.05)
        assert len(served.echo.asked) < 4_000


@pytest.mark.parametrize(
    "octets",
    [
        HEAD + b"X: " + b"y" * SETTINGS.max_head + b"\r\n\r\n",
        HEAD + b"X: " + b"y" * 10 * SETTINGS.max_head,
        b"GET /" + b"y" * 2 * SETTINGS.max_head + b" HTTP/1.1\r\n",
        HEAD + b"".join(b"X%d: y\r\n" % n for n in range(200)) + b"\r\n",
        HEAD + b"\r\n".join(b"X: y" for _ in range(100_000)),
    ],
)
async def test_a_head_that_is_too_large_is_refused(octets: bytes) -> None:
    async with serve() as served:
        client = await served.connect()
        client.send(octets)
        answer = await client.answer()
        assert (answer.status, answer.closes) == (431, True)
        await client.ended()
        assert served.echo.asked == []


async def test_the_largest_head_that_is_allowed_is_taken() -> None:
    async with serve() as served:
        client = await served.connect()
        room = SETTINGS.max_head - len(HEAD) - len(b"X: \r\n\r\n")
        answer = await client.ask(HEAD + b"X: " + b"y" * room + b"\r\n\r\n")
        assert answer.status == 200
        answer = await client.ask(HEAD + b"X: " + b"y" * (room + 1) + b"\r\n\r\n")
        assert answer.status == 431


@pytest.mark.parametrize("chunked", [False, True])
async def test_content_that_is_too_large_is_refused_and_the_answer_is_seen(chunked: bool) -> None:
    async with serve() as served:
        client = await served.connect()
        size = SETTINGS.max_body + 1
        how = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
        client.send(f"POST /body HTTP/1.1\r\nHost: {HOST}\r\n{how}\r\n\r\n".encode())
        if chunked:
            client.send(b"%x\r\n" % size)
        # All of it, while the answer is under way: who is reset at once sees none.
        client.send(b"y" * size)
        answer = await client.answer()
        assert (answer.status, answer.closes) == (413, True)
        assert str(SETTINGS.max_body) in answer.words
        await client.ended()


async def test_the_largest_content_is_taken() -> None:
    async with serve() as served:
        client = await served.connect()
        answer = await client.post("/body", b"y" * SETTINGS.max_body)
        assert (answer.status, len(answer.body)) == (200, SETTINGS.max_body)


async def test_chunks_without_end_are_refused() -> None:
    """An octet each, or extensions alone: little content, much else."""
    head = f"POST /body HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    for endless in (b"1\r\ny\r\n", b"1;" + b"x" * 70_000 + b"\r\ny\r\n", b"9" * 30 + b"\r\n"):
        async with serve() as served:
            client = await served.connect()
            client.send(head + endless * (1_000_000 // len(endless)))
            answer = await client.answer()
            assert answer.status in (400, 413, 431)
            assert answer.closes
            client.cut()


async def test_a_network_has_so_many_connections() -> None:
    async with serve(connections=ConnectionSettings(per_network=2)) as served:
        first, second = await served.connect(), await served.connect()
        assert (await first.get("/page")).status == 200
        assert (await second.get("/page")).status == 200
        assert await (await served.connect()).ended() == REFUSE
        first.cut()
        async with asyncio.timeout(10):
            while served.limit.total == 2:
                await asyncio.sleep(0.01)
        assert (await (await served.connect()).get("/page")).status == 200


async def test_a_client_that_breaks_off_costs_nothing() -> None:
    async with serve() as served:
        for octets in (b"", b"GET", HEAD, HEAD + b"\r\n"):
            client = await served.connect()
            client.send(octets)
            await asyncio.sleep(0.05)
            client.cut()
        half = await served.connect()
        half.send(f"POST /body HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 9\r\n\r\nxx".encode())
        half.writer.write_eof()
        assert (await half.answer()).status == 400
        async with asyncio.timeout(10):
            while served.listener.connections:
                await asyncio.sleep(0.01)
        assert served.seen.defects == []


async def test_the_refused_are_listened_to_for_a_moment_only() -> None:
    async with serve() as served:
        client = await served.connect()
        client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
        assert (await client.answer()).status == 400
        began = time.monotonic()
        flood = asyncio.create_task(trickle(client, b"y" * 10_000, 0.01))
        await client.ended()
        flood.cancel()
        assert time.monotonic() - began < LAST_WORDS + 3 < HANDSHAKE


async def test_many_slow_clients_hold_up_nobody() -> None:
    async with serve() as served:
        for _ in range(80):
            (await served.connect()).send(HEAD)
        began = time.monotonic()
        assert (await (await served.connect()).get("/page")).status == 200
        assert time.monotonic() - began < 5.0
