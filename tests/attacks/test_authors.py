"""Who signed in writes in nobody else's name, whatever From looks like and whoever reads it.

A line each: what stands in the header where Ada, who has no right on boss's address, says who she is. It
must be refused, or boss's address must be gone from what other servers and mailboxes get.
"""

from collections.abc import AsyncIterator

import pytest

from malleposte.delivery.leaving import Sending
from malleposte.delivery.outbound import Routing
from malleposte.store.commands import CreateDomain, TakeQueued
from malleposte.store.read import emails
from malleposte.store.read.sending import content_of
from malleposte.store.results import Taken
from support.store import Place
from unit.services.smtpd.harness import Served, serve

BOSS = b"boss@example.org"
HEADERS = [
    b"From: boss@example.org\r\n",
    b"from : boss@example.org\r\n",
    b"From:\r\n boss@example.org\r\n",
    b"From:\r\n\tThe boss\r\n\t<boss@example.org>\r\n",
    b"From: ada@example.org, boss@example.org\r\n",
    b"From: ada@example.org; boss@example.org\r\n",
    b"From: ada@example.org boss@example.org\r\n",
    b"From: <ada@example.org> <boss@example.org>\r\n",
    b"From: <boss@example.org> <ada@example.org>\r\n",
    b"From: <ada@example.org>boss@example.org\r\n",
    b"From: boss@example.org <ada@example.org>\r\n",
    b"From: g: ada@example.org, boss@example.org;\r\n",
    b"From: undisclosed: ;boss@example.org\r\n",
    b"From: <@ada@example.org:boss@example.org>\r\n",
    b"From: boss@example.org (ada@example.org)\r\n",
    b"From: ada@example.org\0boss@example.org\r\n",
    b"From: <<boss@example.org>>\r\n",
    b"From: boss(x)@example.org\r\n",
    b'From: "boss"@example.org\r\n',
    b'From: "ada@example.org <boss@example.org>\r\n',
    b"From: ada@example.org (x\\) , boss@example.org\r\n",
    b"From: ada@example.org\r\nFrom: boss@example.org\r\n",
    b"From: boss@example.org\r\nFrom: ada@example.org\r\n",
    b"Subject: x\rFrom: boss@example.org\r\nFrom: ada@example.org\r\n",
    b"From: ada@example.org\rFrom: boss@example.org\r\n",
    b"Subject: x\nFrom: boss@example.org\nFrom: ada@example.org\r\n",
    b"From: boss@example.org\r\rFrom: ada@example.org\r\n",
    b"From: ada@example.org" + b", ada@example.org" * 30 + b", boss@example.org\r\n",
    b"From: " + b"x" * 20_000 + b" <boss@example.org>\r\n",
    b"From: " + b"(" * 2_000 + b" boss@example.org\r\n",
    b"From: " + b'"' + b"\\" * 9_000 + b" boss@example.org\r\n",
    b"Sender: boss@example.org\r\nFrom: ada@example.org\r\n",
    b"Sender: ada@example.org\r\nSender: boss@example.org\r\nFrom: ada@example.org\r\n",
    b"Subject: x\rSender: boss@example.org\r\nFrom: ada@example.org\r\n",
    b"Return-Path: <boss@example.org>\r\nFrom: ada@example.org\r\n",
    b"From\0: boss@example.org\r\nFrom: ada@example.org\r\n",
    b"From\xc2\xa0: boss@example.org\r\nFrom: ada@example.org\r\n",
    b"From\xa0: boss@example.org\r\nFrom: ada@example.org\r\n",
    b"From\x0b: boss@example.org\r\nFrom: ada@example.org\r\n",
    b"From\x1f: boss@example.org\r\nFrom: ada@example.org\r\n",
    b"From\r\n : boss@example.org\r\nFrom: ada@example.org\r\n",
    b"From: ada@example.org\r\nFrom\r\n\t: boss@example.org\r\n",
    b"From: ada@example.org\r\nFr\r\n om: boss@example.org\r\n",
    b"From: ada@example.org\r\nResent-From: boss@example.org\r\n",
    b"From: ada@example.org\r\nResent-From: ada@example.org\r\nResent-Sender: <boss@example.org>\r\n",
    b"From: ada@example.org\r\nRESENT-FROM : x <boss@example.org> <ada@example.org>\r\n",
]


@pytest.fixture
async def served(place: Place) -> AsyncIterator[Served]:
    async with place.open() as store:
        await store.submit(CreateDomain(name="example.org"))
        async with serve(store, sending=Sending(Routing())) as served:
            for name in ("ada", "boss"):
                await served.account(name)
            yield served


async def test_nobody_writes_in_anothers_name(served: Served) -> None:
    client = await served.signed_in("ada@example.org")
    for header in HEADERS:
        for command in ("MAIL FROM:<ada@example.org>", "RCPT TO:<x@there.example>", "DATA"):
            assert (await client.ask(command))[0] in "23", header
        client._writer.write(header + b"\r\nbody\r\n.\r\n")
        reply = await client.reply()
        if reply[:3] != "250":
            assert reply[0] == "5", (header, reply)
            continue
        assert BOSS not in await sent(served), header


async def sent(served: Served) -> bytes:
    """The header of what left, as other servers see it."""
    store = served.store
    taken = await store.submit(TakeQueued(routes=9, each=9, seconds=60))
    assert isinstance(taken, Taken)
    (message,) = taken.messages
    stored = await content_of(store.reader, message)
    pieces = emails.read(store.reader, store.blobs, stored, 0, stored.size)
    octets = b"".join([piece async for piece in pieces])
    return octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").partition(b"\n\n")[0]


@pytest.mark.parametrize("value", [b"", b":;", b"Automatic: ;", b"nobody", b"=?utf-8?q?x=40y?="])
async def test_where_from_names_nobody_the_sender_is_named(served: Served, value: bytes) -> None:
    client = await served.signed_in("ada@example.org")
    for command in ("MAIL FROM:<ada@example.org>", "RCPT TO:<x@there.example>", "DATA"):
        assert (await client.ask(command))[0] in "23"
    client._writer.write(b"From: " + value + b"\r\n\r\nbody\r\n.\r\n")
    reply = await client.reply()
    if reply[:3] == "250":
        assert b"\nSender: <ada@example.org>\n" in b"\n" + await sent(served) + b"\n"
    else:
        assert reply[:9] == "550 5.7.1"
