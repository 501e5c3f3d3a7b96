"""Fetching from real servers on loopback: pinned, bounded, verified."""

import asyncio
import contextlib
import dataclasses
import ipaddress
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from malleposte.egress.fetch import Response, fetch, post
from malleposte.egress.settings import EgressError, EgressPolicy
from malleposte.runtime.tls_selfsigned import self_signed_pair

Script = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[..., Awaitable[int]]

HERE = ipaddress.ip_network("127.0.0.1/32")


def answer(*parts: bytes) -> Script:
    async def script(request: bytes, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return script


OK = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-One: a\r\nX-One: b\r\n\r\nhello")


def redirect(location: str, status: int = 302) -> Script:
    head = f"HTTP/1.1 {status} Go\r\nLocation: {location}\r\nSet-Cookie: a=b\r\n\r\n"
    return answer(head.encode())


class Server:
    """Answers by script and keeps the requests it saw."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.port = 0


@contextlib.asynccontextmanager
async def serving(
    script: Script, *, address: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    seen = Server()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            request = await reader.readuntil(b"\r\n\r\n")
            seen.requests.append(request)
            await script(request, writer)
            writer.close()
            await writer.wait_closed()
        writer.transport.abort()

    server = await asyncio.start_server(handle, address, port, ssl=tls)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        await asyncio.sleep(0.02)


def policy(server: Server, **changes: object) -> EgressPolicy:
    made = EgressPolicy(allowed=(HERE,), ports=frozenset({80, 443, server.port}), total_timeout=10)
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


async def get(server: Server, path: str = "/", **changes: object) -> Response:
    return await fetch(f"http://127.0.0.1:{server.port}{path}", policy(server, **changes))


async def failure(server: Server, path: str = "/", **changes: object) -> EgressError:
    with pytest.raises(EgressError) as caught:
        await get(server, path, **changes)
    return caught.value


async def test_a_page_comes_with_its_header() -> None:
    async with serving(OK) as server:
        response = await get(server, "/a?b=c d#e")
    assert (response.status, response.body) == (200, b"hello")
    assert response.header(b"x-one") == b"a"
    assert response.header(b"x-two") is None
    assert response.url == f"http://127.0.0.1:{server.port}/a?b=c%20d"


async def test_the_request_tells_only_what_it_must() -> None:
    async with serving(OK) as server:
        await get(server, "/x")
    assert server.requests[0].decode().split("\r\n") == [
        "GET /x HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "User-Agent: Malleposte",
        "Accept: */*",
        "Accept-Encoding: identity",
        "Connection: close",
        "",
        "",
    ]


async def test_an_error_status_is_a_response() -> None:
    async with serving(answer(b"HTTP/1.0 404 No\r\n\r\nnot here")) as server:
        response = await get(server)
    assert (response.status, response.body) == (404, b"not here")


async def test_it_comes_byte_by_byte_all_the_same() -> None:
    whole = b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    whole += b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
    async with serving(answer(*(whole[n : n + 1] for n in range(len(whole))))) as server:
        assert (await get(server)).body == b"hello"


async def test_nothing_is_decompressed() -> None:
    small = zlib.compress(bytes(1_000_000))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n"
    async with serving(answer(head + small)) as server:
        assert (await get(server)).body == small


async def test_loopback_is_refused_without_being_asked() -> None:
    async with serving(OK) as server:
        forms = "127.0.0.1 [::ffff:127.0.0.1] localhost 127.1 0x7f000001 2130706433 017700000001 0"
        for host in forms.split():
            with pytest.raises(EgressError) as caught:
                await fetch(f"http://{host}:{server.port}/", policy(server, allowed=()))
            assert caught.value.kind == "refused", host
            # Nothing but what was asked for; Python 3.13 writes ::ffff:127.0.0.1 so, without brackets.
            assert "127.0.0.1" not in str(caught.value).replace(host.strip("[]"), "")
    assert server.requests == []


class TestNames:
    async def test_a_name_is_resolved_once_and_the_answer_used(self) -> None:
        """Rebinding: the second answer would be the inside."""
        asked: list[str] = []

        async def resolver(host: str, port: int) -> list[str]:
            asked.append(host)
            return ["127.0.0.2"] if len(asked) == 1 else ["127.0.0.1"]

        allowed = (ipaddress.ip_network("127.0.0.2/32"),)
        async with (
            serving(OK, address="127.0.0.2") as outside,
            serving(OK, address="127.0.0.1", port=outside.port) as inside,
        ):
            url = f"http://rebind.example:{outside.port}/"
            response = await fetch(url, policy(outside, allowed=allowed), resolver=resolver)
            assert response.body == b"hello"
            assert asked == ["rebind.example"]
            assert outside.requests[0].splitlines()[1] == b"Host: rebind.example:%d" % outside.port
            with pytest.raises(EgressError, match=r"rebind\.example is in this machine"):
                await fetch(url, policy(outside, allowed=allowed), resolver=resolver)
            assert inside.requests == []

    async def test_a_redirect_is_resolved_and_judged_anew(self) -> None:
        answers = {"good.example": ["127.0.0.2"], "bad.example": ["127.0.0.1"]}

        async def resolver(host: str, port: int) -> list[str]:
            return answers[host]

        allowed = (ipaddress.ip_network("127.0.0.2/32"),)
        async with serving(OK) as inside:
            script = redirect(f"http://bad.example:{inside.port}/")
            async with serving(script, address="127.0.0.2", port=inside.port) as outside:
                with pytest.raises(EgressError, match=r"bad\.example is in this machine"):
                    await fetch(
                        f"http://good.example:{outside.port}/",
                        policy(outside, allowed=allowed),
                        resolver=resolver,
                    )
            assert inside.requests == []
            assert len(outside.requests) == 1

    async def test_inner_answers_beside_good_ones_are_left_out(self) -> None:
        async def resolver(host: str, port: int) -> list[str]:
            return ["10.0.0.1", "::1", "127.0.0.1", "127.0.0.1"]

        async with serving(OK) as server:
            url = f"http://mixed.example:{server.port}/"
            assert (await fetch(url, policy(server), resolver=resolver)).status == 200

    async def test_the_next_address_is_tried_when_one_does_not_answer(self) -> None:
        async def resolver(host: str, port: int) -> list[str]:
            return ["127.0.0.3", "127.0.0.1"]

        async with serving(OK) as server:
            everywhere = (ipaddress.ip_network("127.0.0.0/8"),)
            url = f"http://two.example:{server.port}/"
            response = await fetch(url, policy(server, allowed=everywhere), resolver=resolver)
        assert response.status == 200

    async def test_a_name_that_is_not_found_or_answers_is_told(self) -> None:
        async def nowhere(host: str, port: int) -> list[str]:
            raise OSError("not found")

        async def gone(host: str, port: int) -> list[str]:
            return ["127.0.0.1"]

        async with serving(OK) as server:
            pass
        for resolver, words in ((nowhere, "was not found"), (gone, "does not answer")):
            with pytest.raises(EgressError, match=words) as caught:
                await fetch(f"http://a.example:{server.port}/", policy(server), resolver=resolver)
            assert caught.value.temporary


class TestRedirects:
    async def test_three_are_followed_and_no_cookie_comes_along(self) -> None:
        async def script(request: bytes, writer: asyncio.StreamWriter) -> None:
            number = int(request.split()[1][1:])
            await (OK if number == 3 else redirect(f"/{number + 1}", 301 + number))(request, writer)

        async with serving(script) as server:
            response = await get(server, "/0")
        assert response.body == b"hello"
        assert response.url.endswith("/3")
        assert len(server.requests) == 4
        assert not any(b"cookie" in request.lower() for request in server.requests)

    async def test_a_circle_ends(self) -> None:
        async with serving(redirect("/again")) as server:
            error = await failure(server)
        assert error.kind == "refused"
        assert "redirects more than 3 times" in str(error)
        assert len(server.requests) == 4

    @pytest.mark.parametrize("location", ["file:///etc/passwd", "http://127.0.0.1:25/", "//u:p@x/"])
    async def test_each_is_judged_like_a_first_address(self, location: str) -> None:
        async with serving(redirect(location)) as server:
            assert (await failure(server)).kind == "refused"

    async def test_without_location_it_is_a_response(self) -> None:
        async with serving(answer(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")) as server:
            assert (await get(server)).status == 302


class TestBounds:
    @pytest.mark.parametrize(
        "head", [b"Content-Length: 101", b"X: y", b"Transfer-Encoding: chunked"]
    )
    async def test_body(self, head: bytes) -> None:
        body = b"65\r\n" + b"x" * 101 + b"\r\n0\r\n\r\n" if b"chunked" in head else b"x" * 101
        async with serving(answer(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + body)) as server:
            error = await failure(server, max_body=100)
            assert error.kind == "too large"
            assert (await get(server, max_body=101)).body == b"x" * 101

    async def test_a_length_is_believed_before_the_body_comes(self) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"
        async with serving(answer(head)) as server:
            assert (await failure(server)).kind == "too large"

    async def test_header(self) -> None:
        async with serving(answer(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 40_000)) as server:
            assert (await failure(server)).kind == "too large"

    async def test_time(self) -> None:
        async def drip(request: bytes, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            for _ in range(1000):
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.01)

        async with serving(drip) as server:
            error = await failure(server, total_timeout=0.2)
        assert error.kind == "too slow"
        assert error.temporary

    async def test_interim_responses(self) -> None:
        async with serving(answer(b"HTTP/1.1 103 Hints\r\n\r\n" * 9)) as server:
            assert (await failure(server)).kind == "protocol"

    @pytest.mark.parametrize(
        "wire",
        [
            b"",
            b"SSH-2.0-OpenSSH\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n",
            b"HTTP/1.1 101 Switch\r\n\r\n",
        ],
    )
    async def test_what_is_no_http_is_an_error(self, wire: bytes) -> None:
        async with serving(answer(wire)) as server:
            assert (await failure(server)).kind == "protocol"


class TestTls:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        self_signed_pair(tmp_path / "tls", "good.example")
        return tmp_path / "tls"

    @pytest.fixture
    def context(self, folder: Path) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        return context

    @staticmethod
    async def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async def test_the_name_is_sent_and_verified(
        self, folder: Path, context: ssl.SSLContext
    ) -> None:
        names: list[str | None] = []
        context.sni_callback = lambda _, name, __: names.append(name)
        async with serving(OK, tls=context) as server:
            trusting = policy(server, authorities=folder / "ca.pem")
            url = f"https://good.example:{server.port}/"
            response = await fetch(url, trusting, resolver=self.here)
            assert response.body == b"hello"
            assert names == ["good.example"]
            with pytest.raises(
                EgressError, match=r"of bad\.example is not good: Hostname"
            ) as caught:
                await fetch(url.replace("good", "bad"), trusting, resolver=self.here)
            assert caught.value.kind == "tls"
        assert len(server.requests) == 1

    async def test_an_unknown_authority_is_not_trusted(self, context: ssl.SSLContext) -> None:
        async with serving(OK, tls=context) as server:
            with pytest.raises(EgressError) as caught:
                await fetch(
                    f"https://good.example:{server.port}/", policy(server), resolver=self.here
                )
        assert caught.value.kind == "tls"
        assert server.requests == []

    async def test_there_is_no_way_back_to_plain_http(
        self, folder: Path, context: ssl.SSLContext
    ) -> None:
        async with serving(redirect("http://good.example/"), tls=context) as server:
            with pytest.raises(EgressError, match="redirects from https to http"):
                await fetch(
                    f"https://good.example:{server.port}/",
                    policy(server, authorities=folder / "ca.pem"),
                    resolver=self.here,
                )

    async def test_a_plain_server_is_no_secure_one(self, folder: Path) -> None:
        async with serving(OK) as server:
            with pytest.raises(EgressError) as caught:
                await fetch(
                    f"https://good.example:{server.port}/",
                    policy(server, connect_timeout=0.3),
                    resolver=self.here,
                )
        assert caught.value.kind in ("tls", "unreachable")


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(OK) as proxy, serving(OK) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        await get(server)
    assert proxy.requests == []
    assert len(server.requests) == 1


async def test_what_is_posted_comes_with_its_kind() -> None:
    async with serving(OK) as server:
        url = f"http://127.0.0.1:{server.port}/in?x=1"
        response = await post(url, b"octets", "application/x", policy(server))
        assert (response.status, response.body) == (200, b"hello")
        (head,) = server.requests
        lines = head.lower().split(b"\r\n")
        assert head.startswith(b"POST /in?x=1 HTTP/1.1\r\n")
        assert b"content-type: application/x" in lines
        assert b"content-length: 6" in lines


async def test_what_is_posted_goes_nowhere_else() -> None:
    async with serving(redirect("/elsewhere", 307)) as server:
        url = f"http://127.0.0.1:{server.port}/in"
        assert (await post(url, b"octets", "application/x", policy(server))).status == 307
        assert len(server.requests) == 1
    with pytest.raises(EgressError, match="this machine"):
        await post("https://127.0.0.1/in", b"octets", "application/x", EgressPolicy())


async def test_where_none_is_followed_a_redirect_says_so() -> None:
    async with serving(redirect("/elsewhere")) as server:
        with pytest.raises(EgressError, match="redirects elsewhere, which is not followed"):
            await get(server, max_redirects=0)
        assert len(server.requests) == 1
