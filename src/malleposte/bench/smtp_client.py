"""SMTP and LMTP from the sending side, as cheap as asyncio allows.

MAIL, RCPT and DATA go in one write (PIPELINING, RFC 2920), the content in the next. One recipient
a message. A connection carries a few messages, then a new one is made, as real senders do. Every
reply is checked: anything but the expected code ends the measurement.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from malleposte.bench.subject import Endpoint
from malleposte.bench.trouble import BenchTrouble

Greeting = Literal[b"EHLO", b"LHLO"]
Accepted = Callable[["Letter"], None]
"""Called at once when a letter's last `250` has come."""

SENDER = b"sender@example.org"
# One message, its fsyncs and the queue before it never take longer on a machine worth measuring.
REPLY_TIMEOUT = 120.0
# A reply has at most a few hundred bytes; more unread text than this is not SMTP.
_MAX_UNREAD = 65_536


@dataclass(frozen=True, slots=True)
class Letter:
    """One message for one recipient; `data` is dot-stuffed and ends with the final dot."""

    recipient: bytes
    data: bytes
    eight_bit: bool


def letter(recipient: str, message: bytes) -> Letter:
    """Make a letter of a message with CRLF line ends (transparency: RFC 5321 §4.5.2)."""
    stuffed = message.replace(b"\r\n.", b"\r\n..")
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    end = b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n"
    return Letter(recipient.encode(), stuffed + end, not message.isascii())


class Replies(asyncio.Protocol):
    """Collects replies of one connection; `ask` sends and waits for a number of them."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._unread = b""
        self._replies: list[bytes] = []
        self._lines: list[bytes] = []
        self._wanted = 0
        self._waiting: asyncio.Future[None] | None = None
        self._trouble: BenchTrouble | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio: cut into replies; a hyphen after the code means more lines follow."""
        *lines, self._unread = (self._unread + data).split(b"\r\n")
        for line in lines:
            self._lines.append(line)
            if line[3:4] != b"-":
                self._replies.append(b"\n".join(self._lines))
                self._lines = []
        if len(self._unread) > _MAX_UNREAD or len(self._lines) > 100:
            self._fail(BenchTrouble("the server sent text that is no SMTP reply"))
        elif self._waiting is not None and len(self._replies) >= self._wanted:
            self._release()

    def connection_lost(self, error: Exception | None) -> None:
        """Called by asyncio."""
        said = b" ".join(self._replies)[:200].decode(errors="replace")
        self._fail(BenchTrouble(f"the server closed the connection ({said or error or 'no word'})"))

    async def ask(self, data: bytes, replies: int) -> list[bytes]:
        """Send `data` and return the next `replies` replies."""
        if data and self._transport is not None and self._trouble is None:
            self._transport.write(data)
        if len(self._replies) < replies:
            if self._trouble is not None:
                raise self._trouble
            self._wanted = replies
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        answer, self._replies = self._replies[:replies], self._replies[replies:]
        return answer

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def _release(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
        self._waiting = None

    def _fail(self, trouble: BenchTrouble) -> None:
        self._trouble = self._trouble or trouble
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(self._trouble)
        self._waiting = None


class Courier:
    """One connection to one server: greeting done, ready for letters."""

    def __init__(self, replies: Replies, eight_bit: bool) -> None:
        self._replies = replies
        self._eight_bit = eight_bit

    @classmethod
    async def connect(cls, endpoint: Endpoint, greeting: Greeting) -> "Courier":
        """Connect, read the greeting, say EHLO or LHLO; PIPELINING must be offered."""
        loop = asyncio.get_running_loop()
        _, replies = await loop.create_connection(Replies, endpoint.host, endpoint.port)
        _expect(b"220", await replies.ask(b"", 1))
        offered = await replies.ask(greeting + b" bench.example.org\r\n", 1)
        _expect(b"250", offered)
        if b"PIPELINING" not in offered[0]:
            raise BenchTrouble("the server does not offer PIPELINING")
        return cls(replies, b"8BITMIME" in offered[0])

    async def deliver(self, message: Letter) -> None:
        """Hand over one letter and wait until the server has taken charge of it."""
        body = b" BODY=8BITMIME" if message.eight_bit and self._eight_bit else b""
        envelope = b"MAIL FROM:<%b>%b\r\nRCPT TO:<%b>\r\nDATA\r\n"
        answer = await self._replies.ask(envelope % (SENDER, body, message.recipient), 3)
        _expect(b"250", answer[:2])
        _expect(b"354", answer[2:])
        _expect(b"250", await self._replies.ask(message.data, 1))

    async def quit(self) -> None:
        """Say QUIT and close."""
        await self._replies.ask(b"QUIT\r\n", 1)
        self._replies.close()

    def close(self) -> None:
        """Close without a word."""
        self._replies.close()


def _expect(code: bytes, replies: Sequence[bytes]) -> None:
    for reply in replies:
        if not reply.startswith(code):
            raise BenchTrouble(f"the server said: {reply[:300].decode(errors='replace')}")


async def _carry(
    endpoint: Endpoint,
    greeting: Greeting,
    letters: Iterator[Letter],
    share: int,
    on_accepted: Accepted | None,
) -> float:
    """One sender: takes letters while there are any, a new connection after every `share`.

    Returns when its last letter was accepted (`time.perf_counter`), 0.0 if it had none.
    """
    accepted = 0.0
    while batch := list(itertools.islice(letters, share)):
        courier = await Courier.connect(endpoint, greeting)
        try:
            for message in batch:
                async with asyncio.timeout(REPLY_TIMEOUT):
                    await courier.deliver(message)
                if on_accepted is not None:
                    on_accepted(message)
                accepted = time.perf_counter()
            await courier.quit()
        finally:
            courier.close()
    return accepted


async def send(
    endpoint: Endpoint,
    greeting: Greeting,
    letters: Sequence[Letter],
    *,
    connections: int,
    share: int = 25,
    on_accepted: Accepted | None = None,
) -> float:
    """Send all letters over `connections` concurrent connections, `share` letters each time.

    Returns the seconds from the first connection to the last `250` after a content.
    """
    waiting = iter(letters)
    started = time.perf_counter()
    try:
        async with asyncio.TaskGroup() as group:
            senders = [
                group.create_task(_carry(endpoint, greeting, waiting, share, on_accepted))
                for _ in range(connections)
            ]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures
    return max(sender.result() for sender in senders) - started
