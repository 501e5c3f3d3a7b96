"""A small asyncio IMAP client for tests: every response it reads is held against the grammar.

Commands may hold literals, each as a ``Literal``; they are sent with LITERAL+. ``command`` raises
``Refused`` for NO and BAD, and ``Lost`` where the connection ends before the answer: then nobody knows
whether the command was executed.
"""

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Self

from support.imap_answers import Fetched, check, fetched, next_response

LONGEST = 90.0
"""Seconds an answer may take: sessions wait up to 60 s for the store (design, §6)."""


class Lost(Exception):
    """The connection ended."""


class Refused(Exception):
    """NO or BAD; ``line`` is the tagged line without its tag."""

    def __init__(self, line: bytes) -> None:
        super().__init__(line.decode(errors="replace"))
        self.line = line


@dataclass(frozen=True, slots=True)
class Literal:
    """Octets that go as a literal."""

    octets: bytes


@dataclass(slots=True)
class Answer:
    """What came up to the tagged OK. ``line``: the tagged line without its tag."""

    line: bytes
    untagged: list[bytes] = field(default_factory=list)

    def fetched(self) -> list[Fetched]:
        """The FETCH responses among it."""
        return [fetched(r) for r in self.untagged if re.match(rb"\* \d+ FETCH ", r)]

    def code(self, name: bytes) -> list[bytes]:
        """Arguments of a response code of the tagged line, or of an untagged OK."""
        for line in (self.line, *self.untagged):
            found = re.search(rb"\[" + name + rb"(?: ([^\]]*))?\]", line)
            if found is not None:
                return (found[1] or b"").split(b" ")
        raise AssertionError(f"no [{name.decode()}] in {self.line!r}")


class ImapClient:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._buffer = bytearray()
        self._count = 0

    @classmethod
    async def connect(cls, port: int, context: ssl.SSLContext | None = None) -> Self:
        """Connect to a loopback port and read the greeting."""
        try:
            async with asyncio.timeout(LONGEST):
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", port, ssl=context, server_hostname="localhost" if context else None
                )
        except OSError as error:
            raise Lost(str(error)) from error
        client = cls(reader, writer)
        try:
            async with asyncio.timeout(LONGEST):
                greeting = await client.response()
            if not greeting.startswith(b"* OK"):
                raise Lost(greeting.decode(errors="replace"))
        except BaseException:
            await client.__aexit__()
            raise
        return client

    async def response(self) -> bytes:
        """The next response of any kind, checked."""
        while True:
            found = next_response(self._buffer)
            if found is not None:
                check(found)
                return found
            try:
                data = await self._reader.read(1 << 18)
            except OSError as error:
                raise Lost(str(error)) from error
            if not data:
                raise Lost("the server closed the connection")
            self._buffer += data

    async def command(self, *parts: bytes | Literal) -> Answer:
        """Send a command and read to its tagged line."""
        tag = self.send(*parts)
        answer = Answer(b"")
        async with asyncio.timeout(LONGEST):
            while True:
                response = await self.response()
                if response.startswith(tag + b" "):
                    answer.line = response[len(tag) + 1 : -2]
                    if not answer.line.startswith(b"OK"):
                        raise Refused(answer.line)
                    return answer
                if response.startswith(b"* BYE") and b"LOGOUT" not in parts:
                    raise Lost(response.decode(errors="replace"))
                answer.untagged.append(response)

    def send(self, *parts: bytes | Literal) -> bytes:
        """Send a command without waiting; its tag."""
        self._count += 1
        tag = b"t%d" % self._count
        out = [tag, b" "]
        for part in parts:
            if isinstance(part, Literal):
                out.append(b"{%d+}\r\n%b" % (len(part.octets), part.octets))
            else:
                out.append(part)
        out.append(b"\r\n")
        self._writer.write(b"".join(out))
        return tag

    def raw(self, octets: bytes) -> None:
        """Send octets as they are."""
        self._writer.write(octets)

    async def login(self, address: str, password: str) -> None:
        """LOGIN."""
        await self.command(f'LOGIN "{address}" "{password}"'.encode())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
        # Whatever is said about the end: it is the end.
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await self._writer.wait_closed()

    def close(self) -> None:
        """Close without LOGOUT."""
        self._writer.close()


@contextlib.asynccontextmanager
async def signed_in(
    port: int, address: str, password: str, context: ssl.SSLContext | None = None
) -> AsyncIterator[ImapClient]:
    """A connection that has signed in; closed at the end."""
    async with await ImapClient.connect(port, context) as client:
        await client.login(address, password)
        yield client
