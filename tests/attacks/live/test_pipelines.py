"""Thousands of commands in one packet: each is short work, and all together may not hold the others up."""

import asyncio

import pytest

from attacks.live.wire import raw
from support.imap_client import Literal, signed_in
from support.server import PASSWORD, Server
from support.vital_signs import VitalSigns, lively

WITHIN = 0.5
"""Seconds for another's NOOP; what is asked here takes a second and more if it is done in one go."""
ACCOUNT = "u8@example.test"


@pytest.fixture(scope="module")
def some_mail(target: Server) -> None:
    """150 short messages."""

    async def fill() -> None:
        async with signed_in(target.ports["imap"], ACCOUNT, PASSWORD) as client:
            message = Literal(b"From: a@b.example\r\nSubject: x\r\n\r\nx")
            for _ in range(150):
                await client.command(b"APPEND INBOX ", message)

    asyncio.run(fill())


@pytest.mark.parametrize(
    ("command", "times"),
    [
        (b"NOOP", 5_000),
        (b"FETCH 1:* (ENVELOPE)", 600),
        (b"FETCH 1:* (FLAGS BODY.PEEK[])", 150),
        (b"SEARCH ALL", 3_000),
        (b"SEARCH TEXT zzz", 300),
        (b'LIST "" "*"', 2_000),
        (b"STATUS INBOX (MESSAGES UNSEEN SIZE)", 2_000),
        (b"SELECT INBOX", 2_000),
    ],
)
async def test_imap(
    target: Server, signs: VitalSigns, some_mail: None, command: bytes, times: int
) -> None:
    async with raw(target.ports["imap"]) as wire:
        await wire.send(f'a LOGIN "{ACCOUNT}" "{PASSWORD}"\r\nb SELECT INBOX\r\n'.encode())
        await wire.tagged(b"b")
        many = (b"c " + command + b"\r\n") * times
        with lively(target, WITHIN):
            await wire.send(many + b"z NOOP\r\n")
            await wire.tagged(b"z")


@pytest.mark.parametrize("service", ["smtp", "lmtp"])
async def test_smtp(target: Server, signs: VitalSigns, service: str) -> None:
    hello = b"LHLO x\r\n" if service == "lmtp" else b"EHLO x\r\n"
    envelope = b"MAIL FROM:<a@b.example>\r\n" + b"RCPT TO:<u1@example.test>\r\n" * 1_000
    async with raw(target.ports[service]) as wire:
        with lively(target, WITHIN):
            await wire.send(hello + (envelope + b"RSET\r\n") * 8 + b"QUIT\r\n")
            assert (await wire.rest()).splitlines()[-1].startswith(b"221 ")


async def test_messages(target: Server, signs: VitalSigns) -> None:
    """Whole messages, one after the other without waiting for a reply."""
    message = (
        b"MAIL FROM:<a@b.example>\r\nRCPT TO:<u9@example.test>\r\nBDAT 40 LAST\r\n"
        b"Subject: one of many\r\n\r\n" + b"x" * 16
    )
    async with raw(target.ports["smtp"]) as wire:
        with lively(target, WITHIN):
            await wire.send(b"EHLO x\r\n" + message * 1_000 + b"QUIT\r\n")
            said = await wire.rest()
        assert said.count(b"250 2.0.0") == 1_000
