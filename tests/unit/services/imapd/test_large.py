"""Messages larger than a frame: streamed in, streamed out, cut anywhere, never whole in memory."""

from __future__ import annotations

import asyncio
import base64
import os
from array import array

import pytest

from malleposte.services.connection import Connection
from malleposte.services.imapd.session import Session
from malleposte.services.inbox import WRITE_AHEAD
from malleposte.store import content
from support.imap_client import ImapClient, Literal
from support.store import Place
from unit.services.imapd.harness import Served, served_with, unchecked

FRAME = content.FRAME


def _message() -> tuple[bytes, bytes]:
    """A message of some frames, and the octets of its attachment."""
    attachment = os.urandom(5) + bytes(range(256)) * 5_000
    encoded = base64.encodebytes(attachment).replace(b"\n", b"\r\n")
    head = (
        b"From: ada@example.com\r\nSubject: Large\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\n\r\nBefore the needle.\r\n"
        b"--cut\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n"
    )
    text = b"\r\n".join(b"line %06d of many" % n for n in range(40_000))
    tail = b"--cut\r\nContent-Type: text/plain\r\n\r\n" + text + b" and the haystack\r\n--cut--\r\n"
    return head + encoded + tail, attachment


async def _filed(served: Served) -> tuple[ImapClient, bytes, bytes]:
    _, address = await served.account()
    client = await served.signed_in(address)
    message, attachment = _message()
    await client.command(b"APPEND INBOX ", Literal(message))
    await client.command(b"SELECT INBOX")
    return client, message, attachment


async def _body(client: ImapClient, item: bytes) -> bytes:
    answer = await client.command(b"FETCH 1 (%b)" % item)
    (row,) = answer.fetched()
    (value,) = row.items.values()
    assert isinstance(value, bytes)
    return value


async def test_it_comes_back_whole_and_in_parts(served: Served) -> None:
    client, message, _ = await _filed(served)
    assert len(message) > 4 * FRAME
    assert await _body(client, b"BODY.PEEK[]") == message
    for first, count in (
        (0, 10),
        (FRAME - 5, 10),
        (FRAME, FRAME),
        (3 * FRAME - 1, 2 * FRAME + 2),
        (len(message) - 7, 100),
        (len(message) + 9, 100),
    ):
        got = await _body(client, b"BODY.PEEK[]<%d.%d>" % (first, count))
        assert got == message[first : first + count], (first, count)
    head, _, rest = message.partition(b"\r\n\r\n")
    assert await _body(client, b"BODY.PEEK[HEADER]") == head + b"\r\n\r\n"
    assert await _body(client, b"BODY.PEEK[TEXT]") == rest
    assert await _body(client, b"BODY.PEEK[HEADER.FIELDS (SUBJECT)]") == b"Subject: Large\r\n\r\n"
    assert await _body(client, b"BODY.PEEK[1]") == b"Before the needle."


async def test_a_large_part_is_decoded_as_it_streams(served: Served) -> None:
    client, _, attachment = await _filed(served)
    for item, wanted in (
        (b"BINARY.PEEK[2]", attachment),
        (b"BINARY.PEEK[2]<3.300000>", attachment[3:300_003]),
        (b"BINARY.PEEK[2]<1280000.90>", attachment[1_280_000:1_280_090]),
    ):
        tag = client.send(b"FETCH 1 (%b)" % item)
        response = await unchecked(client)
        assert response.endswith(b"~{%d}\r\n%b)\r\n" % (len(wanted), wanted)), item
        assert (await client.response()).startswith(tag + b" OK")
    tag = client.send(b"FETCH 1 (BINARY.SIZE[2])")
    assert await unchecked(client) == b"* 1 FETCH (BINARY.SIZE[2] %d)\r\n" % len(attachment)
    assert (await client.response()).startswith(tag + b" OK")


async def test_text_is_found_through_the_window(served: Served) -> None:
    client, _, _ = await _filed(served)
    for text, found in (
        (b"needle", b"1"),
        (b"line 039999 of many AND THE haystack", b"1"),
        (b"line 020000", b"1"),
        (b"line 040000", b""),
    ):
        answer = await client.command(b'SEARCH BODY "%b"' % text)
        assert answer.untagged == [(b"* SEARCH " + found).rstrip() + b"\r\n"], text


async def test_a_slow_client_holds_no_more_than_a_frame(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, message, _ = await _filed(served)
    waiting = array("q", [0])
    write = Connection.write

    def watched(self: Connection, data: bytes) -> None:
        write(self, data)
        transport = self._transport
        assert transport is not None
        waiting[0] = max(waiting[0], transport.get_write_buffer_size())

    monkeypatch.setattr(Connection, "write", watched)
    # Three times the message, asked for and not read for a while.
    client.send(b"FETCH 1 (BODY.PEEK[] BODY.PEEK[TEXT] BODY.PEEK[2])")
    await asyncio.sleep(0.2)
    response = await unchecked(client)
    assert len(response) > 2 * len(message)
    assert 0 < waiting[0] <= WRITE_AHEAD + 2 * FRAME


async def test_a_message_that_does_not_fit_is_refused_before_it_is_sent(served: Served) -> None:
    _, address = await served.account(quota=10_000)
    client = await served.signed_in(address)
    tag = client.send(b"APPEND INBOX {20000}")
    assert (await client.response()).startswith(tag + b" NO [OVERQUOTA]")
    limit = served.service.settings.limits.append_bytes
    tag = client.send(b"APPEND INBOX {%d}" % (limit + 1))
    assert (await client.response()).startswith(tag + b" NO [TOOBIG]")
    await client.command(b"APPEND INBOX ", Literal(b"Subject: fits\r\n\r\n"))


async def test_a_spool_that_breaks_off_leaves_nothing(served: Served) -> None:
    number, address = await served.account()
    client = await served.signed_in(address)
    client.send(b"APPEND INBOX {900000+}")
    client.raw(b"x" * 500_000)
    client.close()
    client = await served.signed_in(address)
    answer = await client.command(b"STATUS INBOX (MESSAGES)")
    assert answer.untagged == [b'* STATUS "INBOX" (MESSAGES 0)\r\n']
    assert number


def _odd(kind: int) -> bytes:
    """Messages whose columns are long, and one whose are not."""
    if kind == 0:
        to = b",\r\n ".join(b"Person %d <person%d@example.com>" % (n, n) for n in range(600))
        return b"Subject: many people\r\nTo: " + to + b"\r\n\r\nx\r\n"
    if kind == 1:
        part = b"--cut\r\nContent-Type: text/plain; name=n\r\n\r\nx\r\n"
        head = b"Subject: many parts\r\nContent-Type: multipart/mixed; boundary=cut\r\n\r\n"
        return head + part * 1_500 + b"--cut--\r\n"
    return b"Subject: short\r\n\r\nx\r\n"


async def test_long_columns_come_one_at_a_time_and_right(served: Served) -> None:
    _, address = await served.account()
    client = await served.signed_in(address)
    for kind in (2, 0, 0, 2, 2, 1, 0, 1, 2):
        await client.command(b"APPEND INBOX ", Literal(_odd(kind)))
    await client.command(b"SELECT INBOX")
    # In the other mailbox UIDs and emails stand in different orders.
    for seq in (9, 1, 8, 2, 7, 3, 6, 4, 5):
        await client.command(b"COPY %d Archive" % seq)
    for mailbox in (b"INBOX", b"Archive"):
        await client.command(b"SELECT " + mailbox)
        for items in (
            b"(UID ENVELOPE BODYSTRUCTURE FLAGS)",
            b"BODY",
            b"(RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)] ENVELOPE)",
            b"(BODY.PEEK[1.MIME] BODY.PEEK[1500])",
        ):
            together = (await client.command(b"FETCH 1:* " + items)).untagged
            alone: list[bytes] = []
            for seq in range(1, 10):
                alone += (await client.command(b"FETCH %d %b" % (seq, items))).untagged
            assert together == alone
    answer = await client.command(b'SEARCH TO "person 599" SUBJECT people')
    assert len(answer.untagged[0].split()) == 2 + 3


async def test_damage_is_told_and_the_rest_is_sent(place: Place) -> None:
    async with served_with(place) as served:
        _, address = await served.account()
        client = await served.signed_in(address)
        for n in range(3):
            await client.command(b"APPEND INBOX ", Literal(b"Subject: %d\r\n\r\nx\r\n" % n))
        async with place.raw() as tx:
            row = await tx.row("SELECT min(id) FROM blob_frame")
            assert row is not None
            await tx.run("UPDATE blob_frame SET data = $1 WHERE id = $2", b"junk", row[0])
        await client.command(b"SELECT INBOX")
        tag = client.send(b"FETCH 1:3 BODY.PEEK[]")
        seen = []
        while not (response := await client.response()).startswith(tag):
            seen.append(response[:9])
        assert seen == [b"* 2 FETCH", b"* 3 FETCH"]
        assert response.startswith(tag + b" NO [CORRUPTION]")


async def test_many_sections_never_stand_in_memory_together(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = 0
    send = Session.send

    def watched(session: Session, octets: bytes) -> None:
        nonlocal held
        send(session, octets)
        held = max(held, session._out_size)

    monkeypatch.setattr(Session, "send", watched)
    _, address = await served.account()
    client = await served.signed_in(address)
    message = b"Subject: s\r\nX-Big: " + b"x" * 200_000 + b"\r\n\r\nbody\r\n"
    await client.command(b"APPEND INBOX ", Literal(message))
    await client.command(b"SELECT INBOX")
    item = b"BODY.PEEK[HEADER.FIELDS (X-BIG)]<%d.150000>"
    answer = await client.command(b"FETCH 1 (UID %b)" % b" ".join(item % n for n in range(40)))
    (row,) = answer.fetched()
    assert len(row.items) == 41
    assert sum(len(value) for value in row.items.values() if isinstance(value, bytes)) == 6_000_000
    assert held < 1_000_000
