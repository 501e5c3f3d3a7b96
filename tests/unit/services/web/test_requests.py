"""What a web session answers, and how a connection goes on after it."""

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator

import pytest

from unit.services.web.harness import HOST, SETTINGS, Served, serve


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serve() as served:
        yield served


async def test_requests_follow_each_other_on_a_connection(served: Served) -> None:
    client = await served.connect()
    for target in ("/page", "/page?a=1", "/body"):
        answer = await client.get(target)
        assert answer.status == (405 if target == "/body" else 200)
        assert not answer.closes
    assert (await client.post("/body", b"content")).body == b"content"
    assert served.seen.requests == [("page", 200)] * 2 + [("none", 405), ("body", 200)]


async def test_requests_sent_ahead_are_answered_in_order(served: Served) -> None:
    client = await served.connect()
    one = f"GET /page?{{}} HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
    client.send("".join(one.format(n) for n in range(50)).encode())
    for n in range(50):
        assert (await client.answer()).body == f"/page?{n}".encode()


async def test_a_request_may_come_an_octet_at_a_time(served: Served) -> None:
    client = await served.connect()
    octets = f"POST /body HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 5\r\n\r\nhello".encode()
    for at in range(len(octets)):
        client.send(octets[at : at + 1])
        await asyncio.sleep(0)
    assert (await client.answer()).body == b"hello"


async def test_content_in_chunks_is_put_together(served: Served) -> None:
    client = await served.connect()
    head = f"POST /body HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    answer = await client.ask(head + b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: t\r\n\r\n")
    assert answer.body == b"abcdefg"
    assert (await client.get("/page")).status == 200


async def test_a_client_that_waits_to_send_is_told_to_go_on(served: Served) -> None:
    client = await served.connect()
    fields = "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    client.send(f"POST /body HTTP/1.1\r\nHost: {HOST}\r\n{fields}".encode())
    async with asyncio.timeout(10):
        assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 \r\n\r\n"
    assert (await client.ask(b"hello")).body == b"hello"
    # Whoever is refused needs not send it.
    client.send(f"POST /page HTTP/1.1\r\nHost: {HOST}\r\n{fields}".encode())
    assert (await client.answer()).status == 405


async def test_head_is_get_without_the_content(served: Served) -> None:
    client = await served.connect()
    whole = await client.get("/page")
    bare = await client.get("/page", method="HEAD")
    assert bare.fields == whole.fields | {"date": bare.fields["date"]}
    assert bare.fields["content-length"] == "5"
    assert (await client.get("/nowhere", method="HEAD")).status == 404
    assert (await client.get("/page")).body == b"/page"


async def test_an_unknown_path_is_said_in_words(served: Served) -> None:
    client = await served.connect()
    for target in ("/", "/nowhere", "/page/", "/mail/../page", "/%2e%2e/etc/passwd", "//page"):
        answer = await client.get(target)
        assert (answer.status, answer.fields["content-type"]) == (404, "text/plain; charset=utf-8")
        assert "Nothing is here" in answer.words


async def test_every_response_closes_browsers_doors_and_says_nothing_of_us(served: Served) -> None:
    client = await served.connect()
    for target in ("/page", "/nowhere", "/body", "/defect"):
        fields = (await client.get(target)).fields
        assert fields["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in fields["content-security-policy"]
        assert "frame-ancestors 'none'" in fields["content-security-policy"]
        assert fields["referrer-policy"] == "no-referrer"
        assert fields["cache-control"] == "no-store"
        assert not {"server", "x-powered-by", "via", "set-cookie"} & set(fields)
        # On loopback, without TLS: a browser would keep it for everybody's "localhost".
        assert "strict-transport-security" not in fields


async def test_a_method_that_a_page_has_not_is_told_which_it_has(served: Served) -> None:
    client = await served.connect()
    answer = await client.get("/page", method="DELETE")
    assert (answer.status, answer.fields["allow"]) == (405, "GET, HEAD")
    answer = await client.get("/body")
    assert (answer.status, answer.fields["allow"]) == (405, "POST")


async def test_content_that_nobody_read_ends_the_connection(served: Served) -> None:
    """What follows could be taken for a request."""
    client = await served.connect()
    hidden = f"GET /page HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    answer = await client.post("/ignores", hidden)
    assert answer.closes
    assert await client.ended() == b""
    assert [request.path for request in served.echo.asked] == ["/ignores"]


async def test_a_defect_ends_one_connection_and_shows_nothing(served: Served) -> None:
    client = await served.connect()
    answer = await client.get("/defect")
    assert (answer.status, answer.words) == (500, "This went wrong in the server.\n")
    assert await client.ended() == b""
    assert served.seen.defects == ["http"]
    assert (await (await served.connect()).get("/page")).status == 200


async def test_http_1_0_is_answered_and_closed(served: Served) -> None:
    client = await served.connect()
    answer = await client.ask(b"GET /page HTTP/1.0\r\n\r\n")
    assert (answer.status, answer.closes) == (200, True)
    assert await client.ended() == b""


async def test_a_client_that_sends_no_more_is_answered_all_it_asked(served: Served) -> None:
    client = await served.connect()
    client.send(f"GET /page HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode() * 3)
    client.writer.write_eof()
    for _ in range(3):
        assert (await client.answer()).status == 200
    assert await client.ended() == b""


async def test_a_client_may_close_after_one(served: Served) -> None:
    client = await served.connect()
    assert (await client.get("/page", "Connection: close")).closes
    assert await client.ended() == b""


async def test_a_connection_has_its_last_request() -> None:
    async with serve(dataclasses.replace(SETTINGS, max_requests=3)) as served:
        client = await served.connect()
        answers = [await client.get("/page") for _ in range(3)]
        assert [answer.closes for answer in answers] == [False, False, True]
        assert await client.ended() == b""


async def test_when_the_server_stops_the_idle_are_closed_and_the_others_are_answered() -> None:
    async with serve() as served:
        idle, busy = await served.connect(), await served.connect()
        assert (await idle.get("/page")).status == 200
        busy.send(f"GET /slow HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        while len(served.echo.asked) < 2:
            await asyncio.sleep(0.01)
        began = time.monotonic()
        drained = asyncio.create_task(served.listener.drain(10))
        assert await idle.ended() == b""
        served.echo.gate.set()
        answer = await busy.answer()
        assert (answer.words, answer.closes) == ("at last\n", True)
        await drained
        assert time.monotonic() - began < 5


# The name that is asked -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "status"),
    [
        (HOST, 200),
        ("MAIL.example.ORG:8443", 200),
        (f"{HOST}.", 200),
        ("localhost:2080", 200),
        ("192.0.2.1", 200),
        ("[2001:db8::1]:2080", 200),
        # Who has a mail server below a domain may ask for settings below that domain.
        ("autoconfig.example.org", 200),
        ("evil.example", 421),
        (f"{HOST}.evil.example", 421),
        ("autoconfig.evil.example", 421),
        ("autoconfig.org", 421),
        ("autoconfig.", 421),
        ("user@mail.example.org", 400),
        ("mail.example.org/x", 400),
        ("mail.example.org:x", 400),
        ("mail.example.org:99999", 400),
        ("[::1", 400),
        ("[mail.example.org]", 400),
        ("", 400),
        (":80", 400),
        ("a b", 400),
    ],
)
async def test_it_answers_to_its_own_names(served: Served, host: str, status: int) -> None:
    client = await served.connect()
    answer = await client.ask(f"GET /page HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert answer.status == status
    if status != 200:
        assert served.echo.asked == []


async def test_an_absolute_target_names_the_host(served: Served) -> None:
    """RFC 9112 §3.2.2: whatever Host says."""
    client = await served.connect()
    for target, host, status in (
        (f"http://{HOST}/page", "evil.example", 200),
        ("http://evil.example/page", HOST, 421),
        (f"HTTPS://{HOST}", HOST, 404),
        ("ftp://mail.example.org/page", HOST, 400),
        ("http:///page", HOST, 400),
    ):
        answer = await client.ask(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert answer.status == status, target
