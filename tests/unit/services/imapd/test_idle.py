"""IDLE misses nothing: hints that come while it looks, and while its client is slow."""

from __future__ import annotations

import asyncio

import pytest

from malleposte.store.view import View
from support.imap_client import ImapClient, Literal
from support.store import deliver
from unit.services.imapd.harness import Served


async def _idling(served: Served) -> tuple[int, ImapClient]:
    number, address = await served.account()
    client = await served.signed_in(address)
    await client.command(b"SELECT INBOX")
    client.send(b"IDLE")
    assert (await client.response()).startswith(b"+")
    return number, client


async def test_a_hint_while_it_looks_is_not_lost(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is committed behind the statement that is under way comes with the next look."""
    number, client = await _idling(served)
    refresh = View.refresh
    late = [deliver(number)]

    async def slow(self: View) -> None:
        await refresh(self)
        if late:
            await served.store.submit(late.pop())
            served.hub.hint(number)

    monkeypatch.setattr(View, "refresh", slow)
    served.hub.hint(number)
    async with asyncio.timeout(5):
        assert await client.response() == b"* 1 EXISTS\r\n"


async def test_what_is_new_already_comes_after_idling_in_a_piece_of_its_own(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thunderbird leaves what comes in one piece with «+ idling» unread until something else comes."""
    number, address = await served.account()
    client = await served.signed_in(address)
    await client.command(b"SELECT INBOX")
    await served.store.submit(deliver(number))
    pieces: list[bytes] = []
    data_received = asyncio.StreamReader.feed_data

    def fed(self: asyncio.StreamReader, data: bytes) -> None:
        pieces.append(bytes(data))
        data_received(self, data)

    monkeypatch.setattr(asyncio.StreamReader, "feed_data", fed)
    client.send(b"IDLE")
    async with asyncio.timeout(5):
        assert (await client.response()).startswith(b"+")
        assert await client.response() == b"* 1 EXISTS\r\n"
    assert pieces[0] == b"+ idling\r\n"


async def test_what_was_told_at_once_is_told_again_a_while_later(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that read it in one piece with «+ idling» goes on reading with that; once only."""
    monkeypatch.setattr("malleposte.services.imapd.idle.ECHO", 0.3)
    number, address = await served.account()
    client = await served.signed_in(address)
    await client.command(b"SELECT INBOX")
    await served.store.submit(deliver(number))
    client.send(b"IDLE")
    async with asyncio.timeout(5):
        assert (await client.response()).startswith(b"+")
        heard = [await client.response() for _ in range(3)]
    # RFC 3501's RECENT, which a client of rev1 is told besides.
    assert [line for line in heard if b"RECENT" not in line] == [b"* 1 EXISTS\r\n"] * 2
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await client.response()


async def test_mail_told_of_while_it_fetched_is_told_of_again(served: Served) -> None:
    """Thunderbird passes over an EXISTS that comes while it loads a message. Once, not at each IDLE."""
    number, address = await served.account()
    await served.store.submit(deliver(number))
    client = await served.signed_in(address)
    await client.command(b"SELECT INBOX")
    await served.store.submit(deliver(number))
    answer = await client.command(b"UID FETCH 1 (BODY.PEEK[])")
    assert b"* 2 EXISTS\r\n" in answer.untagged
    client.send(b"IDLE")
    async with asyncio.timeout(5):
        assert (await client.response()).startswith(b"+")
        assert await client.response() == b"* 2 EXISTS\r\n"
        client.raw(b"DONE\r\n")
        assert b" OK" in await client.response()
        client.send(b"IDLE")
        assert (await client.response()).startswith(b"+")
        await served.store.submit(deliver(number))
        served.hub.hint(number)
        assert await client.response() == b"* 3 EXISTS\r\n"


async def test_done_is_answered_at_once(served: Served) -> None:
    """Before the first look already; what is new comes with it."""
    number, address = await served.account()
    client = await served.signed_in(address)
    await client.command(b"SELECT INBOX")
    tag = client.send(b"IDLE")
    assert (await client.response()).startswith(b"+")
    await served.store.submit(deliver(number))
    client.raw(b"DONE\r\n")
    heard = []
    async with asyncio.timeout(5):
        while not (line := await client.response()).startswith(tag):
            heard.append(line)
    assert heard[0] == b"* 1 EXISTS\r\n"


async def test_hints_for_nothing_say_nothing(served: Served) -> None:
    number, client = await _idling(served)
    for _ in range(5):
        served.hub.hint(number)
        await asyncio.sleep(0)
    client.raw(b"DONE\r\n")
    assert b" OK" in await client.response()
    assert served.hub.callbacks[number] == []


async def test_idle_without_a_mailbox(served: Served) -> None:
    number, address = await served.account()
    client = await served.signed_in(address)
    tag = client.send(b"IDLE")
    assert (await client.response()).startswith(b"+")
    served.hub.hint(number)
    client.raw(b"DONE\r\n")
    assert (await client.response()).startswith(tag + b" OK")


async def test_a_client_that_hangs_up_leaves_nothing_behind(served: Served) -> None:
    number, client = await _idling(served)
    view = await served.store.views.open(number << 32 | 1)
    assert len(view.watchers) == 1
    client.close()
    async with asyncio.timeout(5):
        while served.listener.connections:
            await asyncio.sleep(0.01)
    assert view.watchers == set()
    assert served.hub.callbacks[number] == []
    assert number not in served.service.sessions


async def test_flags_arrivals_and_departures_come_in_an_order_that_counts(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.services.imapd.idle.SETTLING", 0)
    number, client = await _idling(served)
    other = await served.signed_in(served.service.sessions[number].copy().pop().account.address)  # type: ignore[union-attr]
    for n in range(3):
        await other.command(b"APPEND INBOX ", Literal(b"Subject: %d\r\n\r\n" % n))
    await other.command(b"SELECT INBOX")
    await other.command(b"STORE 3 +FLAGS.SILENT (\\Seen)")
    await other.command(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
    await other.command(b"EXPUNGE")
    served.hub.hint(number)
    count = 0
    heard: list[bytes] = []
    async with asyncio.timeout(5):
        while not any(b"EXPUNGE" in line for line in heard):
            heard.append(await client.response())
    for line in heard:
        word = line.split()[2]
        if word == b"EXISTS":
            count = int(line.split()[1])
        elif word == b"EXPUNGE":
            count -= 1
        else:
            assert 1 <= int(line.split()[1]) <= count
    assert count == 2
