"""Send many messages over some connections at once, each message with an envelope of its own."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from support.smtp_load import _reply as reply

A_CONNECTION_CARRIES = 50
"""Messages, then a new connection is made, as real senders do."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message with CRLF line ends and its envelope. ``chunked``: by BDAT, which may hold anything."""

    sender: str
    recipients: tuple[str, ...]
    octets: bytes
    chunked: bool = False


async def pour(port: int, letters: Iterable[Letter], connections: int) -> None:
    """Send all; whatever is not accepted is an ``AssertionError``."""
    waiting = iter(letters)
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_sender(port, waiting))


async def _sender(port: int, waiting: Iterator[Letter]) -> None:
    for first in waiting:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await _expect(reader, b"220")
            writer.write(b"EHLO pour.example\r\n")
            await _expect(reader, b"250")
            await send(reader, writer, first)
            for _, letter in zip(range(A_CONNECTION_CARRIES - 1), waiting, strict=False):
                await send(reader, writer, letter)
            writer.write(b"QUIT\r\n")
            await _expect(reader, b"221")
        finally:
            writer.close()


async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, letter: Letter) -> None:
    """One transaction, pipelined."""
    envelope = [f"MAIL FROM:<{letter.sender}> BODY=8BITMIME\r\n"]
    envelope += [f"RCPT TO:<{recipient}>\r\n" for recipient in letter.recipients]
    if letter.chunked:
        writer.write("".join(envelope).encode())
        half = len(letter.octets) // 2
        writer.write(b"BDAT %d\r\n%b" % (half, letter.octets[:half]))
        writer.write(b"BDAT %d LAST\r\n%b" % (len(letter.octets) - half, letter.octets[half:]))
        for _ in range(len(letter.recipients) + 3):
            await _expect(reader, b"250")
        return
    writer.write("".join([*envelope, "DATA\r\n"]).encode())
    for _ in range(len(letter.recipients) + 1):
        await _expect(reader, b"250")
    await _expect(reader, b"354")
    octets = letter.octets.replace(b"\r\n.", b"\r\n..")
    writer.write((b"." if octets.startswith(b".") else b"") + octets + b".\r\n")
    await _expect(reader, b"250")


async def _expect(reader: asyncio.StreamReader, code: bytes) -> None:
    line = await reply(reader)
    assert line.startswith(code), line
