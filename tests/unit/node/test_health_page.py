"""The health page answers what it should and is bounded in all it takes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from malleposte.node import health_page
from malleposte.node.health_page import Page

HOST = b"Host: localhost\r\n\r\n"


class Shown:
    """A page on a port of its own, and how often its figures were made."""

    def __init__(self, port: int, page: Page) -> None:
        self.port = port
        self.page = page

    async def ask(self, *pieces: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0)
        async with asyncio.timeout(20):
            answer = await reader.read()
        writer.close()
        return answer


made = 0


@pytest.fixture
async def shown() -> AsyncIterator[Shown]:
    global made
    made = 0

    def figures() -> bytes:
        global made
        made += 1
        return b"figures %d\n" % made

    async def healthy() -> tuple[bool, str]:
        return False, '{"status": "store away"}'

    page = Page(healthy, figures, names=("mail.example.test", "Monitored"))
    server = await asyncio.get_running_loop().create_server(page.connection, "127.0.0.1", 0)
    yield Shown(server.sockets[0].getsockname()[1], page)
    server.close()


async def test_figures(shown: Shown) -> None:
    answer = await shown.ask(b"GET /metrics?x=1 HTTP/1.1\r\n" + HOST)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nfigures 1\n")
    answer = await shown.ask(*[bytes([o]) for o in b"HEAD /metrics HTTP/1.1\r\n" + HOST])
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Length: 10\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LocalHost:9464", 200),
        ("localhost.", 200),
        ("127.0.0.1:9464", 200),
        ("192.0.2.7", 200),
        ("[::1]:9464", 200),
        ("[2001:db8::1]", 200),
        ("mail.example.test", 200),
        ("monitored:9464", 200),
        # Names that anybody can make point here, and read what the browser of this machine may.
        ("evil.example", 421),
        ("evil.example:9464", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("evil-mail.example.test", 421),
        ("[::1].evil.example", 421),
        ("[evil.example]", 421),
        ("2130706433", 421),
        ("", 421),
        ("\xff", 421),
    ],
)
@pytest.mark.parametrize("path", ["/metrics", "/health"])
async def test_only_names_of_this_machine_are_answered(
    shown: Shown, host: str, status: int, path: str
) -> None:
    """A web page cannot read it under a name of its own (DNS rebinding)."""
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1")
    answer = await shown.ask(request)
    wanted = 503 if status == 200 and path == "/health" else status
    assert answer.startswith(b"HTTP/1.1 %d " % wanted)
    older = await shown.ask(request.replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert older.startswith(b"HTTP/1.1 %d " % wanted)
    assert (b"figures" in answer) == (wanted == 200)


async def test_health_that_is_bad(shown: Shown) -> None:
    answer = await shown.ask(b"GET /health HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert answer.endswith(b'{"status": "store away"}\n')


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n" + HOST, 404),
        (b"POST /metrics HTTP/1.1\r\n" + HOST, 405),
        (b"GET /metrics HTTP/1.1\r\n\r\n", 400),
        (b"GET /metrics HTTP/1.1\r\nHost: a\r\n" + HOST, 400),
        (b"GET /metrics\r\n\r\n", 400),
        (b"GET  /metrics HTTP/1.1\r\n" + HOST, 400),
        (b"PRI * HTTP/2.0\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 9_000 + b"\r\n" + HOST, 431),
        (b"x" * 100_000, 431),
    ],
)
async def test_what_is_refused(shown: Shown, request_: bytes, status: int) -> None:
    answer = await shown.ask(request_)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert made == 0


async def test_a_flood_shares_few_expositions(shown: Shown) -> None:
    request = b"GET /metrics HTTP/1.1\r\n" + HOST
    answers = await asyncio.gather(*[shown.ask(request) for _ in range(50)])
    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers)
    assert made <= 10


async def test_one_connection_too_many_is_closed(shown: Shown) -> None:
    writers = []
    for _ in range(health_page.CONNECTIONS):
        _, writer = await asyncio.open_connection("127.0.0.1", shown.port)
        writers.append(writer)
    await asyncio.sleep(0.05)
    with contextlib.suppress(ConnectionError):
        assert await shown.ask(b"GET / HTTP/1.1\r\n" + HOST) == b""
    for writer in writers:
        writer.close()
    await asyncio.sleep(0.05)
    assert shown.page.open == 0
    assert (await shown.ask(b"GET / HTTP/1.1\r\n" + HOST)).startswith(b"HTTP/1.1 404 ")


async def test_a_request_that_does_not_end_is_closed(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_page, "SECONDS", 0.1)
    with contextlib.suppress(ConnectionError):
        assert await shown.ask(b"GET / HTTP/1.1\r\n") == b""
    assert shown.page.open == 0
