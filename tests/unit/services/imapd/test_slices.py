"""What is more than one store command takes is done in several, and looks like one."""

from __future__ import annotations

import pytest

from malleposte.services.imapd import ranges
from malleposte.store import commands
from support.imap_client import ImapClient, Literal, Refused
from unit.services.imapd.harness import Served

MESSAGE = Literal(b"Subject: x\r\n\r\n" + b"y" * 100)


@pytest.fixture(autouse=True)
def three_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "MAX_ROWS", 3)
    monkeypatch.setattr(ranges, "MAX_ROWS", 3)


async def _filled(served: Served, mailbox: bytes = b"INBOX", *, quota: int = 0) -> ImapClient:
    _, address = await served.account(quota=quota)
    client = await served.signed_in(address)
    if mailbox != b"INBOX":
        await client.command(b"CREATE " + mailbox)
    for _ in range(8):
        await client.command(b"APPEND %b " % mailbox, MESSAGE)
    await client.command(b"SELECT " + mailbox)
    return client


async def _count(client: ImapClient, mailbox: bytes) -> int:
    answer = await client.command(b"STATUS %b (MESSAGES)" % mailbox)
    return int(answer.untagged[0].split()[-1].rstrip(b")\r\n"))


async def test_store_and_expunge(served: Served) -> None:
    client = await _filled(served)
    answer = await client.command(b"STORE 1:8 +FLAGS (\\Deleted)")
    assert [row.seq for row in answer.fetched()] == list(range(1, 9))
    answer = await client.command(b"EXPUNGE")
    assert answer.untagged == [b"* %d EXPUNGE\r\n" % n for n in range(8, 0, -1)]
    assert await _count(client, b"INBOX") == 0


async def test_reading_marks_all(served: Served) -> None:
    client = await _filled(served)
    answer = await client.command(b"FETCH 1:8 BODY[]")
    assert all(row.items[b"FLAGS"] == (b"\\Recent", b"\\Seen") for row in answer.fetched())
    assert len(answer.untagged) == 8


async def test_copy_and_move(served: Served) -> None:
    client = await _filled(served)
    answer = await client.command(b"COPY 1:8 Archive")
    assert answer.code(b"COPYUID")[1:] == [b"1:8", b"1:8"]
    answer = await client.command(b"MOVE 2:8 Archive")
    assert answer.code(b"COPYUID")[1:] == [b"2:8", b"9:15"]
    assert await _count(client, b"INBOX") == 1
    assert await _count(client, b"Archive") == 15


async def test_a_copy_that_fails_half_way_leaves_nothing(served: Served) -> None:
    size = len(MESSAGE.octets)
    client = await _filled(served, quota=8 * size + 4 * size)
    # Into the same mailbox copies take room: the first three fit, the next three do not.
    with pytest.raises(Refused, match="OVERQUOTA"):
        await client.command(b"COPY 1:8 INBOX")
    assert await _count(client, b"INBOX") == 8
    answer = await client.command(b"FETCH 1:* UID")
    assert len(answer.fetched()) == 8
    await client.command(b"COPY 1:3 INBOX")


async def test_a_full_mailbox_is_deleted(served: Served) -> None:
    client = await _filled(served, b"box")
    await client.command(b"DELETE box")
    with pytest.raises(Refused, match="NONEXISTENT"):
        await client.command(b"SELECT box")


async def test_a_full_inbox_is_renamed(served: Served) -> None:
    client = await _filled(served)
    await client.command(b"RENAME INBOX saved")
    assert await _count(client, b"INBOX") == 0
    assert await _count(client, b"saved") == 8
