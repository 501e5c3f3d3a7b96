"""Reading ahead and remembering: fewer statements, the same answers, bounded memory."""

from __future__ import annotations

from typing import Any

import pytest

from malleposte.services.imapd import at_hand
from malleposte.store.read import emails as read_emails
from support.imap_client import ImapClient, Literal
from unit.services.imapd.harness import Served


def _message(n: int) -> bytes:
    return b"Subject: %d\r\n\r\nbody of %d\r\n" % (n, n)


async def _filled(served: Served, count: int = 20) -> ImapClient:
    _, address = await served.account()
    client = await served.signed_in(address)
    for n in range(count):
        await client.command(b"APPEND INBOX ", Literal(_message(n)))
    await client.command(b"SELECT INBOX")
    return client


async def _fetch(client: ImapClient, uid: int, item: bytes = b"BODY.PEEK[]") -> object:
    (row,) = (await client.command(b"UID FETCH %d %b" % (uid, item))).fetched()
    assert row.items.pop(b"UID") == uid
    (value,) = row.items.values()
    return value


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many emails each statement brought."""
    asked: list[int] = []
    stored_of = read_emails.stored_of

    async def counted(reader: Any, account: int, numbers: Any) -> list[read_emails.Stored]:
        asked.append(len(numbers))
        return await stored_of(reader, account, numbers)

    monkeypatch.setattr(read_emails, "stored_of", counted)
    return asked


async def test_in_order_it_reads_ahead(served: Served, statements: list[int]) -> None:
    client = await _filled(served)
    for n in range(20):
        assert await _fetch(client, n + 1) == _message(n)
    assert statements == [1, at_hand.AHEAD, at_hand.AHEAD, 3]


async def test_out_of_order_it_reads_what_was_asked(served: Served, statements: list[int]) -> None:
    client = await _filled(served)
    for n in (5, 3, 12, 7, 1):
        assert await _fetch(client, n + 1) == _message(n)
    assert statements == [1] * 5


async def test_parts_of_one_message_are_one_read(served: Served, statements: list[int]) -> None:
    client = await _filled(served)
    assert await _fetch(client, 4, b"BODY.PEEK[HEADER]") == b"Subject: 3\r\n\r\n"
    assert await _fetch(client, 4, b"BODY.PEEK[TEXT]") == b"body of 3\r\n"
    assert await _fetch(client, 4, b"BODY.PEEK[1]<0.4>") == b"body"
    other = await _filled(served)
    assert await _fetch(other, 4) == _message(3)
    assert statements == [1, 1]


async def test_what_was_read_ahead_and_expunged_is_not_sent(served: Served) -> None:
    client = await _filled(served, 6)
    assert await _fetch(client, 1) == _message(0)
    assert await _fetch(client, 2) == _message(1)
    await client.command(b"UID STORE 3 +FLAGS.SILENT (\\Deleted)")
    await client.command(b"EXPUNGE")
    answer = await client.command(b"UID FETCH 3 BODY.PEEK[]")
    assert answer.untagged == []
    assert await _fetch(client, 4) == _message(3)


async def test_memory_is_bounded(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_hand, "MOST", 5 * 1_300)
    client = await _filled(served)
    for n in range(20):
        assert await _fetch(client, n + 1) == _message(n)
    kept = served.service.at_hand
    assert 0 < len(kept._entries) <= 6
    assert kept._octets <= at_hand.MOST
    assert kept._octets == sum(at_hand._size(opened) for opened in kept._entries.values())
