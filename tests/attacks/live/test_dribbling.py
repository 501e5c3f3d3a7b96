"""Slow-loris: who sends a little now and then to hold a connection is let go, and holds nobody up.

All run at the same time, since each takes the ten seconds that the configuration allows at the least.
"""

import asyncio
import ssl
from dataclasses import dataclass

import pytest

from attacks.live.wire import raw
from support.server import PASSWORD, Server
from support.vital_signs import MIB, VitalSigns, lively

ALLOWED = 10.0
"""Seconds, as ``conftest.SETTINGS`` has them."""
SLACK = 8.0
"""For the sweep, once a second, and a busy machine."""


@dataclass(frozen=True)
class Dribble:
    """What is said at once, what then comes an octet at a time, and how the server ends it."""

    name: str
    service: str
    first: bytes
    then: bytes
    end: bytes


DRIBBLES = [
    Dribble("silence before HELO", "smtp", b"", b"", b"421 4.4.2 "),
    Dribble("a command", "smtp", b"", b"EHLO " + b"x" * 500, b"421 4.4.2 "),
    Dribble("commands in time, the last one slow", "smtp", b"EHLO x\r\n" * 3, b"NOOP", b"421 "),
    Dribble(
        "content",
        "smtp",
        b"HELO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u1@example.test>\r\nDATA\r\nSubject: ",
        b"x" * 500,
        b"421 4.4.2 ",
    ),
    Dribble(
        "a chunk",
        "smtp",
        b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u1@example.test>\r\nBDAT 1000 LAST\r\n",
        b"x" * 500,
        b"421 4.4.2 ",
    ),
    Dribble("lines of content", "lmtp", b"LHLO x\r\nMAIL FROM:<a@b.example>\r\n"
            b"RCPT TO:<u1@example.test>\r\nDATA\r\n", b"\r\n" * 300, b"421 4.4.2 "),
    Dribble("silence before sign-in", "imap", b"", b"", b"* BYE "),
    Dribble("a sign-in", "imap", b"", b"A1 LOGIN " + b"x" * 500, b"* BYE "),
    Dribble("a literal before sign-in", "imap", b"A1 LOGIN {2000+}\r\n", b"x" * 500, b"* BYE "),
    Dribble("commands before sign-in", "imap", b"", b"A NOOP\r\n" * 100, b"* BYE "),
    Dribble("a SASL answer", "imap", b"A1 AUTHENTICATE PLAIN\r\n", b"A" * 500, b"* BYE "),
    Dribble("silence before sign-in to POP3", "pop3", b"", b"", b""),
    Dribble("a name", "pop3", b"", b"USER " + b"x" * 500, b""),
    Dribble("names", "pop3", b"", b"USER a\r\n" * 90, b"+OK "),
    Dribble("a request", "metrics", b"GET / HTTP/1.1\r\n", b"X: y\r\n" * 100, b""),
]  # fmt: skip


async def play(server: Server, attack: Dribble) -> None:
    async with raw(server.ports[attack.service], source="127.0.0.12") as wire:
        await wire.send(attack.first)
        started = asyncio.get_running_loop().time()
        dribbling = asyncio.create_task(wire.dribble(attack.then, 0.3))
        heard = await wire.rest(ALLOWED + SLACK)
        assert asyncio.get_running_loop().time() - started > ALLOWED - 1, heard
        dribbling.cancel()
        last = heard.rstrip(b"\r\n").rpartition(b"\n")[2]
        assert last.startswith(attack.end), heard


async def signed_in_and_slow(server: Server, stop: asyncio.Event) -> None:
    """A message that trickles in by APPEND: nobody may notice. After sign-in 30 minutes of silence
    are allowed (RFC 9051 §5.4), so it goes on."""
    async with raw(server.ports["imap"], source="127.0.0.13") as wire:
        await wire.send(f'a LOGIN "u7@example.test" "{PASSWORD}"\r\n'.encode())
        assert b"a OK" in await wire.tagged(b"a")
        await wire.send(b"b APPEND INBOX {100000+}\r\n")
        dribbling = asyncio.create_task(wire.dribble(b"x" * 1_000, 0.1))
        await stop.wait()
        dribbling.cancel()
        assert not wire.closed


async def test_slow_clients_are_let_go(target: Server, signs: VitalSigns) -> None:
    stop = asyncio.Event()
    with lively(target):
        slow = [asyncio.create_task(signed_in_and_slow(target, stop)) for _ in range(5)]
        results = await asyncio.gather(
            *[play(target, attack) for attack in DRIBBLES], return_exceptions=True
        )
        stop.set()
        await asyncio.gather(*slow)
    failures = {
        attack.name: result
        for attack, result in zip(DRIBBLES, results, strict=True)
        if result is not None
    }
    assert not failures
    signs.check(16 * MIB)


@pytest.mark.slow
async def test_slow_handshakes_are_let_go(target: Server, signs: VitalSigns) -> None:
    """``services.connection.HANDSHAKE``: 30 s, on the ports for TLS and after STARTTLS alike."""
    context = ssl.create_default_context(cafile=str(target.data / "tls" / "ca.pem"))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    hello = outgoing.read()

    async def slow(service: str, first: bytes, answers: int) -> None:
        async with raw(target.ports[service], source="127.0.0.14") as wire:
            await wire.send(first)
            for _ in range(answers):
                await wire.reply()
            dribbling = asyncio.create_task(wire.dribble(hello, 30 / len(hello) * 1.5))
            await wire.rest(30 + SLACK)
            dribbling.cancel()

    with lively(target):
        await asyncio.gather(
            slow("imaps", b"", 0),
            slow("submissions", b"", 0),
            slow("imap", b"a STARTTLS\r\n", 2),
            slow("submission", b"EHLO x\r\nSTARTTLS\r\n", 3),
        )
