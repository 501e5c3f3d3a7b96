"""Senders that keep account of what was acknowledged, through whatever happens to the server."""

import asyncio
import contextlib
import random
from dataclasses import dataclass, field


@dataclass(slots=True)
class Sender:
    """One sender: `acknowledged` are Message-IDs that got their 250, `tried` all that were begun."""

    port: int
    recipients: tuple[str, ...]
    name: str
    octets: int = 2_000
    large: int = 400_000
    """Octets of every fortieth message: kept in a file of its own on SQLite."""
    acknowledged: list[str] = field(default_factory=list)
    refused: list[bytes] = field(default_factory=list)
    tried: int = 0
    stopped: bool = False

    def identity(self, number: int) -> str:
        """The Message-ID of its n-th message."""
        return f"{self.name}.{number}@load.example"

    def content(self, number: int) -> bytes:
        """The octets of its n-th message; those of a large one do not compress to nothing."""
        head = f"Message-ID: <{self.identity(number)}>\r\nSubject: {self.name} {number}\r\n\r\n"
        if number % 40 == 0:
            line = random.Random(number).randbytes(37).hex().encode() + b"\r\n"
            return head.encode() + line * (self.large // len(line))
        return head.encode() + (b"x" * 76 + b"\r\n") * (self.octets // 78 + 1)

    async def run(self) -> None:
        """Send until `stopped`, over new connections when one breaks."""
        while not self.stopped:
            with contextlib.suppress(OSError, EOFError, TimeoutError):
                await self._connection()
            if not self.stopped:
                await asyncio.sleep(0.02)

    async def _connection(self) -> None:
        async with asyncio.timeout(70):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            await _reply(reader)
            writer.write(b"EHLO load.example\r\n")
            await _reply(reader)
            while not self.stopped:
                async with asyncio.timeout(70):
                    await self._message(reader, writer)
        finally:
            writer.close()

    async def _message(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tried += 1
        identity = self.identity(self.tried)
        recipient = self.recipients[self.tried % len(self.recipients)]
        writer.write(f"MAIL FROM:<load@load.example>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode())
        for expected in (b"250", b"250", b"354"):
            reply = await _reply(reader)
            if not reply.startswith(expected):
                self.refused.append(reply)
                raise EOFError
        writer.write(self.content(self.tried) + b".\r\n")
        reply = await _reply(reader)
        if reply.startswith(b"250"):
            self.acknowledged.append(identity)
        else:
            self.refused.append(reply)


async def _reply(reader: asyncio.StreamReader) -> bytes:
    while True:
        line = await reader.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        if line[3:4] != b"-":
            return line
