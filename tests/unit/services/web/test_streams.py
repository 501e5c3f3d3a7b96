"""Content made while it is sent, or read while it comes; connections that go to another protocol."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from unit.services.web.harness import HOST, Served, serve


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serve() as served:
        yield served


async def test_pieces_go_out_as_they_are_made(served: Served) -> None:
    client = await served.connect()
    client.send(f"GET /stream HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    async with asyncio.timeout(10):
        head = await client.reader.readuntil(b"\r\n\r\n")
        assert b"Transfer-Encoding: chunked" in head
        assert await client.reader.readuntil(b"one \r\n") == b"4\r\none \r\n"
        served.echo.gate.set()
        assert await client.reader.readuntil(b"0\r\n\r\n") == b"3\r\ntwo\r\n0\r\n\r\n"
    assert (await client.get("/page")).status == 200


async def test_a_known_length_is_told(served: Served) -> None:
    client = await served.connect()
    served.echo.gate.set()
    answer = await client.get("/stream?length=7")
    assert answer.body == b"one two"
    assert not answer.closes


async def test_a_length_that_was_wrong_ends_the_connection_and_not_the_worker(
    served: Served,
) -> None:
    client = await served.connect()
    served.echo.gate.set()
    client.send(f"GET /stream?length=9 HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    assert b"Content-Length: 9" in await client.ended()
    assert served.seen.defects == ["http content"]


async def test_nothing_is_made_for_head(served: Served) -> None:
    client = await served.connect()
    answer = await client.get("/stream?length=7", method="HEAD")
    assert answer.fields["content-length"] == "7"
    assert (await client.get("/page")).status == 200


async def test_a_client_that_goes_ends_what_is_made_for_it(served: Served) -> None:
    client = await served.connect()
    client.send(f"GET /stream HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    async with asyncio.timeout(10):
        await client.reader.readuntil(b"one \r\n")
        client.cut()
        await asyncio.sleep(0.05)
        served.echo.gate.set()
        await served.echo.closed.wait()


async def test_content_is_handed_on_as_it_comes(served: Served) -> None:
    client = await served.connect()
    answer = await client.post("/upload", bytes(200_000))
    total, largest = map(int, answer.words.split())
    assert total == 200_000
    assert largest < 70_000


async def test_an_upload_has_bounds_of_its_own(served: Served) -> None:
    client = await served.connect()
    answer = await client.post("/upload?most=10", bytes(11))
    assert (answer.status, answer.closes) == (413, True)
    client = await served.connect()
    head = f"POST /upload?most=10 HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert (await client.ask(head.encode() + b"b\r\n" + bytes(11) + b"\r\n")).status == 413


async def test_another_protocol_takes_the_connection_over_with_what_came_ahead(
    served: Served,
) -> None:
    client = await served.connect()
    lines = (
        "GET /switch HTTP/1.1",
        f"Host: {HOST}",
        "Connection: Upgrade",
        "Upgrade: echo",
        "",
        "hello",
    )
    client.send("\r\n".join(lines).encode())
    async with asyncio.timeout(10):
        head = await client.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        assert await client.reader.readexactly(5) == b"HELLO"
        client.send(b"again")
        assert await client.reader.readexactly(5) == b"AGAIN"
    client.send(b"bye")
    assert await client.ended() == b""


async def test_who_is_not_handed_over_is_answered_and_let_go(served: Served) -> None:
    client = await served.connect()
    answer = await client.get("/page", "Connection: Upgrade", "Upgrade: echo")
    assert (answer.status, answer.closes) == (200, True)
