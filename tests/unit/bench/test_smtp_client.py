"""The sender pipelines, stuffs dots, spreads letters over connections and checks every reply."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from malleposte.bench.smtp_client import Replies, letter, send
from malleposte.bench.subject import Endpoint
from malleposte.bench.trouble import BenchTrouble


class Sink:
    """An SMTP server that takes everything and remembers what came in one read."""

    def __init__(self, final: bytes = b"250 2.0.0 kept\r\n") -> None:
        self.final = final
        self.connections: list[int] = []
        self.envelopes: list[bytes] = []
        self.contents: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(0)
        mine = len(self.connections) - 1
        writer.write(b"220 ready\r\n")
        while line := await reader.readline():
            if line.startswith((b"EHLO", b"LHLO")):
                writer.write(b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
            elif line.startswith(b"MAIL"):
                rest = await reader.readuntil(b"DATA\r\n")
                self.envelopes.append(line + rest)
                writer.write(b"250 ok\r\n250 ok\r\n354 go\r\n")
                self.contents.append(await reader.readuntil(b"\r\n.\r\n"))
                self.connections[mine] += 1
                writer.write(self.final)
            else:
                writer.write(b"221 bye\r\n")
                break
        await writer.drain()
        writer.close()


@asynccontextmanager
async def listening(sink: Sink) -> AsyncIterator[Endpoint]:
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0)
    async with server:
        yield Endpoint("127.0.0.1", server.sockets[0].getsockname()[1])


async def test_every_letter_arrives_once_and_connections_are_renewed() -> None:
    sink = Sink()
    letters = [letter(f"u{number}@example.test", b"m %d\r\n" % number) for number in range(23)]
    async with listening(sink) as endpoint:
        seconds = await send(endpoint, b"EHLO", letters, connections=3, share=5)
    assert seconds > 0
    assert sorted(sink.contents) == sorted(one.data for one in letters)
    assert len(sink.connections) == 5
    assert max(sink.connections) == 5


async def test_eight_bit_content_is_announced() -> None:
    sink = Sink()
    letters = [letter("a@example.test", b"caf\xe9\r\n"), letter("a@example.test", b"cafe\r\n")]
    async with listening(sink) as endpoint:
        await send(endpoint, b"LHLO", letters, connections=1)
    assert [b"BODY=8BITMIME" in envelope for envelope in sink.envelopes] == [True, False]


async def test_a_refusal_ends_the_measurement_with_its_words() -> None:
    sink = Sink(b"452 4.2.2 over quota\r\n")
    async with listening(sink) as endpoint:
        with pytest.raises(BenchTrouble, match="over quota"):
            await send(endpoint, b"EHLO", [letter("a@x", b"b\r\n")] * 4, connections=2)


@pytest.mark.parametrize(
    ("message", "data"),
    [
        (b"a\r\n.\r\n.b\r\n", b"a\r\n..\r\n..b\r\n.\r\n"),
        (b".first\r\n", b"..first\r\n.\r\n"),
        (b"no end", b"no end\r\n.\r\n"),
        (b"", b"\r\n.\r\n"),
    ],
)
def test_dots_are_stuffed_and_the_end_stands_alone(message: bytes, data: bytes) -> None:
    assert letter("a@x", message).data == data


async def test_replies_are_cut_the_same_byte_by_byte() -> None:
    replies = Replies()
    for byte in b"250-one\r\n250-two\r\n250 three\r\n354 go\r\n":
        replies.data_received(bytes([byte]))
    assert await replies.ask(b"", 2) == [b"250-one\n250-two\n250 three", b"354 go"]


async def test_text_without_an_end_is_refused() -> None:
    replies = Replies()
    replies.data_received(b"x" * 70_000)
    with pytest.raises(BenchTrouble, match="no SMTP reply"):
        await replies.ask(b"", 1)
