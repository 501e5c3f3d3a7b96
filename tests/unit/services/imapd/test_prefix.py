"""What stands before the stored content for one recipient (Return-Path …) is part of his message."""

from __future__ import annotations

import pytest

from malleposte.delivery.spool import Spool, prepare
from malleposte.store.commands import Deliver, Filing
from malleposte.store.results import Delivered
from support.imap_client import ImapClient
from unit.services.imapd.harness import Served
from unit.services.imapd.messages import MESSAGES

PREFIX = b"Return-Path: <ada@example.com>\r\nDelivered-To: bob@example.org\r\n"


async def _delivered(served: Served, message: bytes) -> ImapClient:
    number, address = await served.account()
    spool = Spool(served.store.incoming)
    spool.write(message)
    prepared = await prepare(spool)
    result = await served.store.submit(
        Deliver(
            content=prepared.content,
            rendered=prepared.rendered,
            filings=(Filing(account=number, prefix=PREFIX),),
            received_at=1_790_000_000,
        ),
        prepared.descriptor,
    )
    prepared.close()
    spool.close()
    assert isinstance(result, Delivered)
    assert not result.filed[0].refused
    client = await served.signed_in(address)
    await client.command(b"SELECT INBOX")
    return client


async def _item(client: ImapClient, item: bytes) -> object:
    (row,) = (await client.command(b"FETCH 1 (%b)" % item)).fetched()
    (value,) = row.items.values()
    return value


LARGE = MESSAGES["digest"].replace(b"See below.", b"See below." + b"\r\nand more" * 60_000)


@pytest.mark.parametrize("message", [MESSAGES["digest"], LARGE], ids=["small", "large"])
async def test_every_section_is_where_it_should_be(served: Served, message: bytes) -> None:
    client = await _delivered(served, message)
    whole = PREFIX + message
    head, _, body = whole.partition(b"\r\n\r\n")
    assert await _item(client, b"RFC822.SIZE") == len(whole)
    assert await _item(client, b"BODY.PEEK[]") == whole
    assert await _item(client, b"BODY.PEEK[HEADER]") == head + b"\r\n\r\n"
    assert await _item(client, b"BODY.PEEK[TEXT]") == body
    for first, count in ((0, 5), (len(PREFIX) - 3, 9), (len(PREFIX), 12), (len(whole) - 4, 99)):
        part = await _item(client, b"BODY.PEEK[]<%d.%d>" % (first, count))
        assert part == whole[first : first + count]
    fields = await _item(client, b"BODY.PEEK[HEADER.FIELDS (return-path subject)]")
    assert fields == b"Return-Path: <ada@example.com>\r\nSubject: Forwarded\r\n\r\n"
    assert await _item(client, b"BODY.PEEK[2.1]") == b"Inner text."
    assert await _item(client, b"BODY.PEEK[2.HEADER]") == (
        b"From: carol@example.net\r\nSubject: Inner matters\r\nMessage-ID: <inner@example.net>\r\n"
        b"Content-Type: multipart/mixed; boundary=in\r\n\r\n"
    )


@pytest.mark.parametrize("message", [MESSAGES["digest"], LARGE], ids=["small", "large"])
async def test_it_is_searched_as_well(served: Served, message: bytes) -> None:
    client = await _delivered(served, message)
    for key, found in (
        (b"HEADER Return-Path ada@", True),
        (b"HEADER Delivered-To BOB", True),
        (b"HEADER Delivered-To carol", False),
        (b"TEXT delivered-to", True),
        (b"BODY delivered-to", False),
        (b'BODY "inner text"', True),
        (b"BODY forwarded", False),
        (b"TEXT forwarded", True),
        (b"BODY inner@example.net", True),
        (b'OR BODY nowhere TEXT "see below"', True),
        (b"NOT BODY nowhere NOT TEXT elsewhere", True),
        (b'TO "bob@example.org"', True),
        (b'TO "<bob"', False),
    ):
        answer = await client.command(b"SEARCH " + key)
        assert answer.untagged == [b"* SEARCH 1\r\n" if found else b"* SEARCH\r\n"], key
