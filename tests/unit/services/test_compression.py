"""Compression of a connection: one stream to the client, bounded memory, nothing held back."""

from __future__ import annotations

import asyncio
import os
import ssl
import tracemalloc
import zlib
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from malleposte.services import compression
from malleposte.services.compression import HISTORY, PIECE, Deflated, Garbled
from malleposte.services.connection import Connection
from unit.services.test_connection import listening, pair

__all__ = ["pair"]

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def play(loop: str, test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(test())


class Client:
    """The other end: whatever it is sent it can read at once."""

    def __init__(self, wbits: int = -15) -> None:
        self._deflate = zlib.compressobj(wbits=wbits)
        self._inflate = zlib.decompressobj(-15)

    def says(self, octets: bytes) -> bytes:
        return self._deflate.compress(octets) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def hears(self, octets: bytes) -> bytes:
        return self._inflate.decompress(octets)


# The layer alone --------------------------------------------------------------------------------------

_TEXTS = st.lists(
    st.builds(
        lambda word, times: word * times,
        st.binary(min_size=1, max_size=12),
        st.integers(1, 1_500),
    ),
    max_size=20,
)


@given(_TEXTS)
def test_each_piece_can_be_read_when_it_comes(texts: list[bytes]) -> None:
    """The compressors, a new one for each, make one stream for the client."""
    layer, client = Deflated(), Client()
    for text in texts:
        layer.send(text)
        assert client.hears(layer.deflated()) == text
        assert layer.waiting == 0


@given(_TEXTS, st.lists(st.integers(0, 20_000), max_size=10), st.sampled_from((-9, -12, -15)))
def test_what_arrives_in_any_cuts_is_what_was_said(
    texts: list[bytes], cuts: list[int], wbits: int
) -> None:
    layer, client = Deflated(), Client(wbits)
    said = b"".join(map(client.says, texts))
    got = b""
    start = 0
    for cut in [*sorted(cuts), len(said)]:
        layer.arrived(said[start:cut])
        start = max(start, cut)
        while octets := layer.inflated():
            got += octets
        assert not layer.has_input
    assert got == b"".join(texts)


@pytest.mark.parametrize("size", [1, 2, 3, 257, 258, 259, 500])
def test_no_octet_stays_behind_where_a_piece_is_full(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decompressor may hold octets of which all input was taken: a command's end would wait there
    for more to arrive, and the client for the answer."""
    monkeypatch.setattr(compression, "PIECE", size)
    monkeypatch.setattr(compression, "_TASTE", 7)
    text = b"a" * 1_000 + os.urandom(300) + b"ab" * 700
    layer, client = Deflated(), Client()
    layer.arrived(client.says(text))
    pieces = []
    while octets := layer.inflated():
        pieces.append(octets)
    assert b"".join(pieces) == text
    assert max(map(len, pieces)) <= size


@pytest.mark.parametrize("size", [HISTORY - 1, HISTORY, HISTORY + 1, PIECE, PIECE + 1, 5 * PIECE])
def test_the_end_of_what_was_sent_serves_what_follows(size: int) -> None:
    """Said again, text costs next to nothing: it is still in the client's window."""
    layer, client = Deflated(), Client()
    text = os.urandom(1_000)
    for octets in (os.urandom(size - len(text)), text):
        layer.send(octets)
    while layer.waiting:
        client.hears(layer.deflated())
    layer.send(text)
    again = layer.deflated()
    assert client.hears(again) == text
    assert len(again) < 100


def test_much_is_compressed_piece_by_piece() -> None:
    layer, client = Deflated(), Client()
    texts = [os.urandom(n) for n in (10, PIECE, 3 * PIECE + 5, 0, 7, 900)]
    for text in texts:
        layer.send(text)
    heard = []
    while layer.waiting:
        before = layer.waiting
        heard.append(client.hears(layer.deflated()))
        assert before - layer.waiting == len(heard[-1]) <= PIECE
    assert b"".join(heard) == b"".join(texts)
    assert len(heard) == -(-sum(map(len, texts)) // PIECE)
    assert layer.deflated() == b""


def test_little_that_becomes_much_is_handed_out_in_pieces() -> None:
    """A bomb: 1 MB that would be 1 GB takes no more memory than any input."""
    bomb = Client().says(bytes(64_000_000))
    layer = Deflated()
    for _ in range(16):
        layer.arrived(bomb)
    tracemalloc.start()
    try:
        for _ in range(300):
            assert 0 < len(layer.inflated()) <= PIECE
        assert layer.has_input
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4 * PIECE


def test_what_is_no_deflate_is_said_to_be_garbled() -> None:
    layer = Deflated()
    layer.arrived(b"a NOOP\r\n" * 10)
    with pytest.raises(Garbled):
        layer.inflated()


def test_a_stream_that_was_ended_is_the_end() -> None:
    layer = Deflated()
    deflate = zlib.compressobj(wbits=-15)
    layer.arrived(deflate.compress(b"a LOGOUT\r\n") + deflate.flush() + b"and more")
    assert layer.inflated() == b"a LOGOUT\r\n"
    assert not layer.ended or not layer.has_input
    assert layer.inflated() == b""
    assert layer.ended
    assert not layer.has_input


def test_a_connection_that_compresses_takes_at_most_48_kib_more() -> None:
    """After both directions have seen more than any window, and at rest: what thousands of idle
    clients cost. zlib's memory is counted too, as Python asks for it."""
    many = 40
    client_said = Client().says(os.urandom(200_000))
    text = os.urandom(3_000)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        layers = [Deflated() for _ in range(many)]
        for layer in layers:
            layer.arrived(client_said)
            while layer.inflated():
                pass
            for _ in range(5):
                layer.send(text)
                layer.deflated()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 32 * 1024 < (after - before) / many <= 48 * 1024


# On a connection --------------------------------------------------------------------------------------


async def _compressing(connection: Connection) -> None:
    """Says OK in clear, then echoes, compressed."""
    assert await connection.read(5) == b"COMPRESS"
    connection.write(b"OK")
    connection.compress()
    while data := await connection.read(5):
        connection.write(data)
        await connection.drain()
    assert connection.at_end


async def _echoed(port: int, context: ssl.SSLContext | None = None) -> None:
    """Text goes and comes back, while more is written than the sockets hold."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname="localhost" if context else None
    )
    writer.write(b"COMPRESS")
    assert await reader.readexactly(2) == b"OK"
    client = Client()
    text = b"".join(b"%d bottles, " % n for n in range(400_000)) + os.urandom(500_000)

    async def write() -> None:
        for start in range(0, len(text), 100_000):
            writer.write(client.says(text[start : start + 100_000]))
            await writer.drain()

    writing = asyncio.create_task(write())
    heard = b""
    async with asyncio.timeout(60):
        while len(heard) < len(text):
            data = await reader.read(50_000)
            assert data
            heard += client.hears(data)
    await writing
    assert heard == text
    writer.close()


@pytest.mark.parametrize("loop", LOOPS)
def test_both_ways_through_sockets(loop: str) -> None:
    async def test() -> None:
        async with listening(_compressing) as (_, port):
            await asyncio.gather(_echoed(port), _echoed(port))

    play(loop, test)


@pytest.mark.parametrize("loop", LOOPS)
def test_both_ways_under_tls(loop: str, pair: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server, client = pair

    async def test() -> None:
        async with listening(_compressing, tls=lambda: server, implicit=True) as (_, port):
            await _echoed(port, client)

    play(loop, test)


@pytest.mark.parametrize("loop", LOOPS)
def test_all_that_was_written_goes_out_at_the_end(loop: str) -> None:
    """Also what nobody waited for: goodbyes, and the rest of a long answer."""
    text = os.urandom(5 * PIECE + 3)

    async def serve(connection: Connection) -> None:
        connection.compress()
        connection.write(text)
        connection.write(b"goodbye")

    async def test() -> None:
        async with listening(serve) as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert Client().hears(await reader.read()) == text + b"goodbye"
            writer.close()

    play(loop, test)


@pytest.mark.parametrize("loop", LOOPS)
def test_others_run_while_a_bomb_goes_off(loop: str) -> None:
    pieces = turns = 0

    async def serve(connection: Connection) -> None:
        nonlocal pieces
        connection.compress()
        while await connection.read(5):
            pieces += 1

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def test() -> None:
        async with listening(serve) as (listener, port):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            running = asyncio.create_task(others())
            writer.write(Client().says(bytes(20_000_000)))
            writer.write_eof()
            while listener.connections:
                await asyncio.sleep(0.01)
            running.cancel()
            writer.close()

    play(loop, test)
    assert pieces >= 20_000_000 // PIECE
    assert turns > pieces


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_ends_its_stream_has_ended(loop: str) -> None:
    said: list[object] = []

    async def serve(connection: Connection) -> None:
        connection.compress()
        while data := await connection.read(5):
            said.append(data)
        said.append(connection.at_end)

    async def test() -> None:
        async with listening(serve) as (listener, port):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            deflate = zlib.compressobj(wbits=-15)
            writer.write(deflate.compress(b"LOGOUT") + deflate.flush() + b"junk")
            while listener.connections:
                await asyncio.sleep(0.01)
            writer.close()

    play(loop, test)
    assert said == [b"LOGOUT", True]


def test_tls_that_compresses_is_known(
    pair: tuple[ssl.SSLContext, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No library of today does it: it is made believe."""
    server, client = pair
    seen: list[bool] = []

    async def serve(connection: Connection) -> None:
        seen.append(connection.compressed)
        monkeypatch.setattr(ssl.SSLObject, "compression", lambda self: "zlib compression")
        seen.append(connection.compressed)
        connection.write(b"done")

    async def test() -> None:
        async with listening(serve, tls=lambda: server, implicit=True) as (_, port):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=client, server_hostname="localhost"
            )
            assert await reader.readexactly(4) == b"done"
            writer.close()

    play("asyncio", test)
    assert seen == [False, True]
