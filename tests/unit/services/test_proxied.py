"""Behind proxies of ours the client is who they say; from elsewhere nobody gets a word."""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator

import pytest

from malleposte.policy.connections import ConnectionLimit, ConnectionSettings
from malleposte.services import proxied
from malleposte.services.connection import Connection
from malleposte.services.listener import Listener

OURS = (ipaddress.ip_network("127.0.0.1/32"),)
OTHERS = (ipaddress.ip_network("192.0.2.0/24"),)


@contextlib.asynccontextmanager
async def listening(
    *proxies: ipaddress.IPv4Network | ipaddress.IPv6Network, per_network: int = 100
) -> AsyncIterator[tuple[Listener, int]]:
    async def serve(connection: Connection) -> None:
        connection.write(f"{connection.peer} {connection.loopback}\n".encode())
        connection.write(await connection.read(5))

    limit = ConnectionLimit(ConnectionSettings(per_network=per_network))
    listener = Listener(serve, limit=limit, refuse=b"too many\n", proxies=proxies)
    sock = socket.create_server(("127.0.0.1", 0))
    sock.setblocking(False)
    listener.listen(sock)
    try:
        yield listener, sock.getsockname()[1]
    finally:
        await listener.drain(1.0)


async def said(port: int, *pieces: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.01)
        return await asyncio.wait_for(reader.read(), 8)
    except ConnectionError:
        return b""
    finally:
        writer.transport.abort()


async def test_the_client_is_whom_the_proxy_names() -> None:
    async with listening(*OURS) as (_, port):
        header = b"PROXY TCP4 192.0.2.9 127.0.0.1 4711 25\r\n"
        assert await said(port, header + b"hello") == b"192.0.2.9 False\nhello"
        assert await said(port, *(header[n : n + 1] for n in range(len(header))), b"x") == (
            b"192.0.2.9 False\nx"
        )


async def test_nobody_is_at_this_machine_because_a_header_says_so() -> None:
    """Else a password could be asked for in the clear, on a wire that others can read."""
    async with listening(*OURS) as (_, port):
        header = b"PROXY TCP4 127.0.0.1 127.0.0.1 4711 25\r\n"
        assert await said(port, header, b"x") == b"127.0.0.1 False\nx"


async def test_from_elsewhere_nobody_gets_a_word() -> None:
    async with listening(*OTHERS) as (listener, port):
        assert await said(port, b"PROXY TCP4 192.0.2.9 127.0.0.1 1 25\r\n", b"x") == b""
        assert not listener.connections


@pytest.mark.parametrize("first", [b"EHLO client.example\r\n", b"\x16\x03\x01\x00\xff" + bytes(20)])
async def test_who_names_nobody_is_let_go(first: bytes) -> None:
    async with listening(*OURS) as (listener, port):
        assert await said(port, first) == b""
        assert not listener.connections


async def test_who_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxied, "PATIENCE", 0.1)
    async with listening(*OURS) as (listener, port):
        assert await said(port, b"PROXY TCP4 ") == b""
        assert listener._proxied is not None
        assert listener._proxied.pending == 0


async def test_only_so_many_may_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxied, "PENDING", 2)
    async with listening(*OURS) as (_, port):
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        await asyncio.sleep(0.05)
        assert await said(port, b"PROXY TCP4 192.0.2.9 127.0.0.1 1 25\r\n", b"x") == b""
        for _, writer in silent:
            writer.transport.abort()
        await asyncio.sleep(0.05)
        assert b"192.0.2.9" in await said(port, b"PROXY TCP4 192.0.2.9 127.0.0.1 1 25\r\n", b"x")


async def test_limits_count_the_client_and_not_the_proxy() -> None:
    async with listening(*OURS, per_network=1) as (_, port):
        first = await asyncio.open_connection("127.0.0.1", port)
        first[1].write(b"PROXY TCP4 192.0.2.9 127.0.0.1 1 25\r\n")
        assert await first[0].readline() == b"192.0.2.9 False\n"
        again = await said(port, b"PROXY TCP4 192.0.2.9 127.0.0.1 2 25\r\n")
        other = await said(port, b"PROXY TCP4 192.0.2.10 127.0.0.1 3 25\r\n", b"x")
        first[1].transport.abort()
    assert again == b"too many\n"
    assert other == b"192.0.2.10 False\nx"
