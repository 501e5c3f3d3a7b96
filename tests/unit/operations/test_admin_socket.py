"""The admin socket: who is served, what is said in which order, and what a broken client costs."""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from malleposte.operations.protocol import (
    BROKEN,
    MAX_CHUNK,
    MAX_LINE,
    Channel,
    Line,
    ProtocolError,
    raw,
)
from malleposte.operations.version import version
from malleposte.services import admin_socket
from malleposte.services.admin_socket import serve_admin, serve_connection
from support.store import House, inbox
from unit.operations.desk import Desk


@contextlib.asynccontextmanager
async def connected(desk: Desk, *, at_once: int = 0) -> AsyncIterator[Channel]:
    """A client of a connection that is served; ``at_once``: octets a write brings."""
    ours, theirs = socket.socketpair()
    task = asyncio.create_task(serve_connection(theirs, lambda actor: desk.context, {os.geteuid()}))
    reader, writer = await asyncio.open_unix_connection(sock=ours, limit=MAX_LINE)
    channel = Channel(reader, writer)
    try:
        yield channel
    finally:
        await channel.close()
        await asyncio.wait_for(task, 10)


async def greeted(channel: Channel) -> Line:
    line = await channel.receive()
    assert line is not None
    assert line.hello is not None
    return line


async def answer(channel: Channel) -> Line:
    """The next line that ends an operation."""
    while True:
        line = await channel.receive()
        assert line is not None
        if line.result or line.error is not None:
            return line


def ask(name: str, number: int = 1, **request: Any) -> Line:
    encoded = msgspec.Raw(msgspec.json.encode(request))
    return Line(id=number, operation=name, request=encoded)


async def test_the_server_says_who_it_is_and_whom_it_serves(desk: Desk) -> None:
    async with connected(desk) as channel:
        line = await greeted(channel)
        assert line.hello is not None
        assert (line.hello.version, line.hello.server) == (version(), True)
        assert line.hello.actor == f"local:{os.geteuid()}"


async def test_several_operations_on_a_connection(house: House, desk: Desk) -> None:
    async with connected(desk) as channel:
        await greeted(channel)
        await channel.send(ask("domain.add", 7, domain="a.example"))
        first = await answer(channel)
        assert (first.id, msgspec.json.decode(first.result)) == (
            7,
            {"domain": "a.example", "made": True},
        )
        await channel.send(ask("domain.add", 8, domain="not a domain"))
        second = await answer(channel)
        assert second.error is not None
        assert (second.id, second.error.kind) == (8, "invalid")
        await channel.send(ask("no.such", 9))
        third = await answer(channel)
        assert third.error is not None
        assert third.error.reason == "unknown-operation"
        await channel.send(ask("domain.list", 10))
        assert (await answer(channel)).result


async def test_the_kernel_says_who_may(
    house: House, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else than root and the service's user is told so, and nothing else."""
    monkeypatch.setattr(admin_socket, "peer_uid", lambda _: 65534)
    async with connected(desk) as channel:
        line = await channel.receive()
        assert line is not None
        assert line.hello is None
        assert line.error is not None
        assert "user 65534 may not" in line.error.text
        assert await channel.receive() is None


def test_the_peer_s_user_is_read_from_the_kernel() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert admin_socket.peer_uid(ours) == os.geteuid()


async def test_mail_streams_in_both_directions(house: House, desk: Desk) -> None:
    account = await house.account("ada")
    mail = [b"Subject: %d\r\n\r\n" % n + b"x" * (n * 100_000) for n in range(5)]
    async with connected(desk) as channel:
        await greeted(channel)
        await channel.send(
            ask("mail.import", address="ada@example.org", folders=[{"path": "INBOX"}])
        )
        plan = await channel.receive()
        assert plan is not None
        assert plan.parcel
        for n, octets in enumerate(mail):
            head = msgspec.Raw(msgspec.json.encode({"n": n, "folder": 0}))
            await channel.send(Line(id=1, parcel=head, body=True))
            await channel.send_body([octets])
        await channel.send(Line(id=1, end=True))
        done = await answer(channel)
        assert msgspec.json.decode(done.result)["imported"] == 5
        await channel.send(ask("mail.export", 2, address="ada@example.org"))
        assert (await channel.receive()) is not None
        await channel.send(Line(id=2, end=True))
        bodies = []
        while True:
            line = await channel.receive()
            assert line is not None
            if line.result:
                break
            assert line.body
            bodies.append(b"".join([piece async for piece in channel.pieces()]))
        assert sorted(bodies) == sorted(mail)
        assert inbox(account)


async def test_a_body_given_up_is_no_message(house: House, desk: Desk) -> None:
    await house.account("ada")

    async def breaking() -> AsyncIterator[bytes]:
        yield b"Subject: half\r\n"
        raise RuntimeError("the disk of the client")

    async with connected(desk) as channel:
        await greeted(channel)
        await channel.send(
            ask("mail.import", address="ada@example.org", folders=[{"path": "INBOX"}])
        )
        head = msgspec.Raw(b'{"n":0,"folder":0}')
        await channel.send(Line(id=1, parcel=head, body=True))
        with pytest.raises(RuntimeError):
            await channel.send_body(breaking())
        await channel.send(Line(id=1, end=True))
        assert msgspec.json.decode((await answer(channel)).result)["imported"] == 0


async def test_an_error_within_a_stream_reaches_a_client_that_is_still_writing(
    house: House, desk: Desk
) -> None:
    async with connected(desk) as channel:
        await greeted(channel)
        await channel.send(
            ask("mail.import", address="nobody@example.org", folders=[{"path": "INBOX"}])
        )
        head = msgspec.Raw(b'{"n":0,"folder":0}')
        for _ in range(20):
            await channel.send(Line(id=1, parcel=head, body=True))
            await channel.send_body([b"x" * 200_000])
        line = await answer(channel)
        assert line.error is not None
        assert line.error.reason == "no-such-account"


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"rubbish\n", "not a line of this protocol"),
        (b'{"id": 1}\n', "expected an operation"),
        (b'{"id": "x"}\n', "not a line"),
        (b"[" * 100_000 + b"\n", "not a line"),
        (b"x" * (MAX_LINE + 100_000) + b"\n", "more than"),
        (b"\xff\xfe\n", "not a line"),
    ],
    ids=["rubbish", "no-operation", "type", "nested", "long", "binary"],
)
async def test_what_is_not_the_protocol_is_told_and_the_connection_ends(
    house: House, desk: Desk, octets: bytes, words: str
) -> None:
    ours, theirs = socket.socketpair()
    task = asyncio.create_task(serve_connection(theirs, lambda actor: desk.context, {os.geteuid()}))
    reader, writer = await asyncio.open_unix_connection(sock=ours, limit=MAX_LINE)
    channel = Channel(reader, writer)
    await greeted(channel)
    with contextlib.suppress(ConnectionError):
        writer.write(octets)
        await writer.drain()
    line = await channel.receive()
    assert line is not None
    assert line.error is not None
    assert words in line.error.text
    assert await channel.receive() is None
    await channel.close()
    await asyncio.wait_for(task, 10)


@pytest.mark.parametrize(
    "tail",
    [
        struct.pack(">I", MAX_CHUNK + 1) + b"x",
        b"",
        struct.pack(">I", 100) + b"x",
        struct.pack(">I", 5) + b"abcde" + b"\x00",
    ],
    ids=["chunk-too-long", "no-body", "half-a-chunk", "half-a-length"],
)
async def test_a_stream_that_breaks_off_files_nothing_of_its_last_message(
    house: House, desk: Desk, tail: bytes
) -> None:
    account = await house.account("ada")
    ours, theirs = socket.socketpair()
    task = asyncio.create_task(serve_connection(theirs, lambda actor: desk.context, {os.geteuid()}))
    reader, writer = await asyncio.open_unix_connection(sock=ours, limit=MAX_LINE)
    channel = Channel(reader, writer)
    await greeted(channel)
    await channel.send(ask("mail.import", address="ada@example.org", folders=[{"path": "INBOX"}]))
    await channel.receive()
    head = msgspec.Raw(b'{"n":0,"folder":0}')
    await channel.send(Line(id=1, parcel=head, body=True))
    await channel.send_body([b"Subject: whole\r\n\r\nwhole\r\n"])
    await channel.send(Line(id=1, parcel=head, body=True))
    writer.write(tail)
    await writer.drain()
    await channel.close()
    await asyncio.wait_for(task, 10)
    assert await house.value("SELECT messages FROM mailbox WHERE id = $1", inbox(account)) == 1


async def test_a_client_that_hangs_up_in_an_operation_leaves_the_server_well(
    house: House, desk: Desk
) -> None:
    async with connected(desk) as channel:
        await greeted(channel)
        await channel.send(ask("domain.list"))
    async with connected(desk) as channel:
        await greeted(channel)


async def test_a_listening_socket_is_served_until_cancelled(
    house: House, desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "admin.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(8)
    task = asyncio.create_task(serve_admin(listener, lambda actor: desk.context))
    channels = []
    for _ in range(3):
        reader, writer = await asyncio.open_unix_connection(str(path), limit=MAX_LINE)
        channels.append(Channel(reader, writer))
        await greeted(channels[-1])
    await asyncio.gather(*(c.send(ask("domain.list")) for c in channels))
    for channel in channels:
        assert (await answer(channel)).result
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert await channels[0].receive() is None
    for channel in channels:
        await channel.close()
    listener.close()


async def test_more_connections_than_served_are_closed_at_once(
    house: House, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_socket, "MAX_CONNECTIONS", 1)
    path = tmp_path / "admin.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(8)
    task = asyncio.create_task(serve_admin(listener, lambda actor: desk.context))
    reader, writer = await asyncio.open_unix_connection(str(path), limit=MAX_LINE)
    first = Channel(reader, writer)
    await greeted(first)
    reader, writer = await asyncio.open_unix_connection(str(path), limit=MAX_LINE)
    second = Channel(reader, writer)
    with contextlib.suppress(ConnectionError):
        assert await second.receive() is None
    for channel in (first, second):
        await channel.close()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    listener.close()


async def test_a_line_too_long_is_not_sent() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=MAX_LINE)
        channel = Channel(reader, writer)
        with pytest.raises(ProtocolError, match="too long"):
            channel.put(Line(parcel=msgspec.Raw(b'"' + b"x" * MAX_LINE + b'"')))
        await channel.close()
    assert BROKEN > MAX_CHUNK
    assert raw(Line(id=1))
