"""Clients that ask for much and read nothing: little is held for them, and others notice nothing."""

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager

import pytest

from support.imap_client import Literal, signed_in
from support.server import PASSWORD, Server
from support.vital_signs import MIB, VitalSigns, lively

ACCOUNT = "u5@example.test"
MESSAGES = 64
DEAF = 10
EACH = 2 * MIB
"""What one may cost: what was written ahead, under TLS twice, and the message it stands in."""


@pytest.fixture(scope="module")
def full(target: Server) -> None:
    """A mailbox of 64 messages of 1 MB, in a moment: copies of one."""
    asyncio.run(_fill(target))


async def _fill(target: Server) -> None:
    async with signed_in(target.ports["imap"], ACCOUNT, PASSWORD) as client:
        text = b"Subject: much\r\n\r\n" + b"much of it " * 95_000
        await client.command(b"APPEND INBOX ", Literal(text))
        await client.command(b"SELECT INBOX")
        while True:
            await client.command(b"COPY 1:* INBOX")
            answer = await client.command(b"STATUS INBOX (MESSAGES)")
            if b"MESSAGES %d" % MESSAGES in b"".join(answer.untagged):
                return


@contextmanager
def deaf(server: Server, service: str, said: bytes) -> Iterator[socket.socket]:
    """A client that says something and reads nothing."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    sock.settimeout(30)
    sock.connect(("127.0.0.1", server.ports[service]))
    if service == "imaps":
        context = ssl.create_default_context(cafile=str(server.data / "tls" / "ca.pem"))
        sock = context.wrap_socket(sock, server_hostname="localhost")
    try:
        sock.sendall(said)
        yield sock
    finally:
        sock.close()


LOGIN = f'a LOGIN "{ACCOUNT}" "{PASSWORD}"\r\nb SELECT INBOX\r\n'.encode()

ASKS = {
    "bodies": b"c FETCH 1:* BODY.PEEK[]\r\n" * 10,
    "pieces": b"".join(b"c FETCH 1:* BODY.PEEK[]<%d.60000>\r\n" % n for n in range(0, 900_000, 60_000)),
    "binary": b"c FETCH 1:* (BINARY.PEEK[1] BODY.PEEK[1])\r\n" * 10,
    "columns": b"c FETCH 1:* (ENVELOPE BODYSTRUCTURE FLAGS INTERNALDATE)\r\n" * 1_000,
    "lists": b'c LIST "" "*" RETURN (STATUS (MESSAGES))\r\n' * 1_000,
    "searches": b"c SEARCH ALL\r\n" * 5_000,
}  # fmt: skip


@pytest.mark.parametrize("service", ["imap", "imaps"])
@pytest.mark.parametrize("what", ASKS)
def test_deaf_readers_cost_little(
    target: Server, full: None, signs: VitalSigns, what: str, service: str
) -> None:
    with lively(target), ExitStack() as stack:
        for _ in range(DEAF):
            stack.enter_context(deaf(target, service, LOGIN + ASKS[what]))
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            assert signs.grown() < DEAF * EACH, f"{signs.grown() / MIB:.0f} MiB"
            time.sleep(0.1)
    signs.check(DEAF * EACH)


def test_a_deaf_client_that_idles(target: Server, full: None, signs: VitalSigns) -> None:
    """What happens in its mailbox is told at some length, and not read."""

    async def busy() -> None:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(
                signed_in(target.ports["imap"], ACCOUNT, PASSWORD)
            )
            await client.command(b"SELECT INBOX")
            for number in range(200):
                await client.command(b"STORE 1:* %bFLAGS (word)" % b"+-"[number % 2 :][:1])

    with lively(target), ExitStack() as stack:
        for _ in range(DEAF):
            stack.enter_context(deaf(target, "imap", LOGIN + b"c IDLE\r\n"))
        asyncio.run(busy())
        signs.check(DEAF * EACH)


def test_deaf_senders_and_gazers(target: Server, signs: VitalSigns) -> None:
    """SMTP that never reads a reply, and an endless asker for the figures."""
    envelope = b"MAIL FROM:<a@b.example>\r\n" + b"RCPT TO:<u1@example.test>\r\n" * 500 + b"RSET\r\n"
    figures = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
    with lively(target), ExitStack() as stack:
        for _ in range(DEAF):
            # As much as the kernel takes: the server stops reading when nobody reads it.
            sock = stack.enter_context(deaf(target, "smtp", b"EHLO x\r\n"))
            sock.setblocking(False)
            try:
                for _ in range(300):
                    sock.send(envelope)
            except BlockingIOError:
                pass
            stack.enter_context(deaf(target, "metrics", figures))
        time.sleep(1.5)
        assert signs.grown() < DEAF * EACH
    signs.check(DEAF * EACH)
