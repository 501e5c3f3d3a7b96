"""SMTP servers on loopback that behave as a test wants: each step answers by a table.

A reply may be a line, several in turn (the last one goes on), or one of the words: ``drop`` (closes),
``reset`` (closes by RST), ``silence`` (never answers), ``garbage`` (text), ``binary``, ``endless`` (lines
without a last one), ``huge`` (one line of a megabyte). A reply that begins with 421 closes after it.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

DROP, SILENCE, GARBAGE, RESET = "drop", "silence", "garbage", "reset"
BINARY, ENDLESS, HUGE = "binary", "endless", "huge"
_ODD = {
    GARBAGE: b"%%% what? %%%\r\n",
    BINARY: bytes(range(256)) + b"\r\n",
    ENDLESS: b"250-and so on\r\n" * 2_000,
    HUGE: b"250 " + b"x" * 1_000_000 + b"\r\n",
}

Replies = str | Sequence[str]
EVERYTHING = ("PIPELINING", "SIZE 1000000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN")


@dataclass(slots=True)
class Taken:
    """A message that was taken, or whose content had come whole."""

    sender: str
    recipients: list[str]
    content: bytes
    mail: str = ""
    """The MAIL command as it came."""
    tls: bool = False
    at: float = field(default_factory=time.monotonic)


@dataclass
class Manner:
    """How a server behaves. ``steps``: GREETING, EHLO, HELO, STARTTLS, AUTH, MAIL, RCPT, DATA, CONTENT,
    RSET, QUIT → replies. ``context``: TLS; ``handshake`` ``drop`` or ``garbage`` breaks it; ``after``
    messages of a session the next command is answered by ``then``. ``sessions``: how many at a time."""

    can: Sequence[str] = EVERYTHING
    steps: dict[str, Replies] = field(default_factory=dict)
    context: ssl.SSLContext | None = None
    handshake: str = ""
    implicit: bool = False
    slow: float = 0.0
    """Seconds before each reply."""
    drip: float = 0.0
    """Seconds before each octet of a reply."""
    after: int = 1_000_000
    then: str = DROP
    sessions: int = 1_000_000
    silent_reader: bool = False
    """Reads nothing of the content."""
    breaks: int = 0
    """Octets of the content that it reads; then it answers as for all of it, and lets the rest go."""


class ScriptedServer:
    """One server at an address. ``taken``: messages whose content it got whole; ``accepted`` those that
    it answered 2yz."""

    def __init__(self, manner: Manner) -> None:
        self.manner = manner
        self.taken: list[Taken] = []
        self.accepted: list[Taken] = []
        self.commands: list[str] = []
        self.connections = 0
        self.peers: list[str] = []
        self.now = 0
        self.most = 0
        self._turns: dict[str, int] = {}
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, address: str, port: int = 0) -> int:
        """The port it listens on."""
        context = self.manner.context if self.manner.implicit else None
        self._server = await asyncio.start_server(self._serve, address, port, ssl=context)
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.peers.append(writer.get_extra_info("peername")[0])
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            with contextlib.suppress(ConnectionError, ssl.SSLError, EOFError):
                await _Session(self, reader, writer).run()
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            self.now -= 1
            self._tasks.discard(task)
            writer.transport.abort()

    def reply(self, step: str, usual: str) -> str:
        """The reply of a step now."""
        replies = self.manner.steps.get(step, usual)
        if isinstance(replies, str):
            return replies
        turn = self._turns.get(step, 0)
        self._turns[step] = turn + 1
        return replies[min(turn, len(replies) - 1)]


class _Session:
    def __init__(
        self, server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server = server
        self.manner = server.manner
        self.reader = reader
        self.writer = writer
        self.sender, self.mail = "", ""
        self.recipients: list[str] = []
        self.mailing = False
        self.messages = 0
        self.tls = server.manner.implicit

    async def say(self, reply: str) -> bool:
        """False: the session is over."""
        if self.manner.slow:
            await asyncio.sleep(self.manner.slow)
        if reply == DROP:
            return False
        if reply == SILENCE:
            await asyncio.sleep(3_600)
        if reply == RESET:
            sock = self.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        octets = _ODD.get(reply) or reply.encode() + b"\r\n"
        for octet in octets if self.manner.drip else ():
            await asyncio.sleep(self.manner.drip)
            self.writer.write(bytes((octet,)))
        if not self.manner.drip:
            self.writer.write(octets)
        await self.writer.drain()
        return not reply.startswith("421")

    async def answer(self, step: str, usual: str) -> str:
        """The reply that was given; '' where the session is over."""
        reply = self.server.reply(step, usual)
        return reply if await self.say(reply) else ""

    async def run(self) -> None:
        server = self.server
        if server.now > self.manner.sessions:
            await self.say("421 4.7.0 too many connections from you")
            return
        if not await self.answer("GREETING", "220 there.example ESMTP"):
            return
        while line := await self.reader.readline():
            text = line.decode().rstrip("\r\n")
            server.commands.append(text)
            verb = text.split(" ")[0].split(":")[0].upper()
            if verb != "QUIT" and self.messages >= self.manner.after:
                await self.say(self.manner.then)
                return
            if not await self._one(verb, text):
                return

    async def _one(self, verb: str, text: str) -> bool:
        match verb:
            case "EHLO":
                can = [*self.manner.can]
                if self.manner.context is not None and not self.tls:
                    can.append("STARTTLS")
                lines = ["there.example", *can]
                usual = "\r\n".join(f"250-{one}" for one in lines[:-1]) + (
                    "\r\n" if lines[1:] else ""
                )
                return bool(await self.answer("EHLO", usual + f"250 {lines[-1]}"))
            case "MAIL":
                self.sender, self.mail = _path(text), text
                self.recipients = []
                reply = await self.answer("MAIL", "250 2.1.0 ok")
                self.mailing = reply.startswith("2")
                return bool(reply)
            case "RCPT" if not self.mailing:
                return await self.say("503 5.5.1 MAIL first")
            case "RCPT":
                reply = await self.answer("RCPT", "250 2.1.5 ok")
                if reply.startswith("25"):
                    self.recipients.append(_path(text))
                return bool(reply)
            case "DATA":
                usual = "354 go on" if self.recipients else "554 5.5.1 no valid recipients"
                reply = await self.answer("DATA", usual)
                return bool(reply) and (not reply.startswith("354") or await self._content())
            case "STARTTLS":
                return await self._tls()
            case "AUTH":
                return bool(await self.answer("AUTH", "235 2.7.0 welcome"))
            case "QUIT":
                await self.answer("QUIT", "221 2.0.0 bye")
                return False
            case _:
                return bool(await self.answer(verb, "250 2.0.0 ok"))

    async def _content(self) -> bool:
        if self.manner.silent_reader:
            await asyncio.sleep(3_600)
        if self.manner.breaks:
            await self.reader.readexactly(self.manner.breaks)
            reply = self.server.reply("CONTENT", DROP)
            await self.say(reply)
            while reply != DROP and await self.reader.read(65_536):
                pass
            return False
        lines = []
        while (line := await self.reader.readline()) != b".\r\n":
            if not line:
                return False
            lines.append(line[1:] if line.startswith(b".") else line)
        taken = Taken(self.sender, self.recipients, b"".join(lines), self.mail, self.tls)
        self.server.taken.append(taken)
        self.messages += 1
        reply = await self.answer("CONTENT", "250 2.0.0 queued as 1")
        if reply.startswith("2"):
            self.server.accepted.append(taken)
        return bool(reply)

    async def _tls(self) -> bool:
        reply = await self.answer("STARTTLS", "220 2.0.0 go on")
        if not reply.startswith("220"):
            return bool(reply)
        if self.manner.handshake == DROP:
            return False
        if self.manner.handshake == GARBAGE:
            await self.reader.read(1)
            self.writer.write(b"this is not TLS\r\n" * 4)
            await self.writer.drain()
            await asyncio.sleep(0.2)
            return False
        if self.manner.handshake == SILENCE:
            await asyncio.sleep(3_600)
        assert self.manner.context is not None
        await self.writer.start_tls(self.manner.context)
        self.tls = True
        return True


def _path(text: str) -> str:
    return text.partition("<")[2].partition(">")[0]
