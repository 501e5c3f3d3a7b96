"""Several messages in one APPEND, and REPLACE: all or nothing, whatever their number and size."""

from __future__ import annotations

import asyncio
import os

import pytest

from malleposte.delivery.spool import IN_MEMORY, Spool
from malleposte.services.imapd import ImapSettings, appending
from malleposte.store import TemporaryFailure, content
from malleposte.store.commands import (
    AnyCommand,
    AppendAll,
    DeleteMailbox,
    DropContent,
    Expunge,
    PutContent,
)
from malleposte.store.results import AnyResult
from malleposte.store.writer import MAX_FRAME
from support.imap_client import ImapClient, Literal, Refused
from support.store import Place, inbox
from unit.services.imapd.harness import Served, served_with


async def _signed_in(served: Served, *, quota: int = 0) -> tuple[int, ImapClient]:
    number, address = await served.account(quota=quota)
    return number, await served.signed_in(address)


async def _append(client: ImapClient, *messages: bytes, mailbox: bytes = b"INBOX") -> list[bytes]:
    """Append them in one command; what APPENDUID says."""
    parts: list[bytes | Literal] = [b"APPEND " + mailbox]
    for message in messages:
        parts += [b" ", Literal(message)]
    answer = await client.command(*parts)
    return answer.code(b"APPENDUID")


async def _count(client: ImapClient, mailbox: bytes = b"INBOX") -> int:
    answer = await client.command(b"STATUS %b (MESSAGES)" % mailbox)
    return int(answer.untagged[0].rpartition(b" ")[2].rstrip(b")\r\n"))


class _Watched:
    """A writer that remembers what it was given, and can fail for one kind of command."""

    def __init__(self, served: Served) -> None:
        self._writer = served.store.writer
        served.store.writer = self
        self.commands: list[AnyCommand] = []
        self.fail: type | None = None

    async def submit(self, command: AnyCommand, fd: int | None = None) -> AnyResult:
        self.commands.append(command)
        if self.fail is not None and isinstance(command, self.fail):
            raise TemporaryFailure("away")
        return await self._writer.submit(command, fd)

    def kinds(self) -> list[type]:
        return [type(command) for command in self.commands]


def _random(size: int) -> bytes:
    """A message that does not compress."""
    return b"Subject: random\r\n\r\n" + os.urandom(size)


async def test_small_ones_are_one_command_of_the_store(served: Served) -> None:
    _, client = await _signed_in(served)
    watched = _Watched(served)
    messages = [b"Subject: %d\r\n\r\nbody %d\r\n" % (n, n) for n in range(200)]
    _, uids = await _append(client, *messages)
    assert uids == b"1:200"
    assert watched.kinds() == [AppendAll]
    await client.command(b"SELECT INBOX")
    rows = (await client.command(b"UID FETCH 1:* BODY.PEEK[]")).fetched()
    assert [row.octets(b"BODY[]") for row in rows] == messages


async def test_what_does_not_fit_into_a_command_is_put_before(served: Served) -> None:
    """Content is put first, then all messages appear at once."""
    _, client = await _signed_in(served)
    messages = [_random(200_000) for _ in range(12)] + [b"Subject: small\r\n\r\n"]
    messages.insert(3, _random(2 * content.FRAME))
    watched = _Watched(served)
    _, uids = await _append(client, *messages)
    assert uids == b"1:14"
    *put, last = watched.commands
    assert len(put) > 5
    assert {type(command) for command in put} == {PutContent}
    assert isinstance(last, AppendAll)
    assert appending.INLINE + appending.COLUMNS < MAX_FRAME
    assert sum(len(f) for m in last.messages for f in m.content.frames) <= appending.INLINE
    await client.command(b"SELECT INBOX")
    rows = (await client.command(b"UID FETCH 1:* BODY.PEEK[]")).fetched()
    assert [row.octets(b"BODY[]") for row in rows] == [m.replace(b"\0", b"\x80") for m in messages]


async def test_nothing_is_there_before_the_last_has_come(served: Served) -> None:
    _, client = await _signed_in(served)
    watched = _Watched(served)
    tag = client.send(b"APPEND INBOX ", Literal(_random(300_000)), b" {9}")
    # The continuation for the second tells that the first was taken.
    assert (await client.response()).startswith(b"+ ")
    assert watched.commands == []
    client.raw(b"Subject: \r\n")
    assert (await client.response()).startswith(tag + b" OK")
    assert await _count(client) == 2


async def test_a_connection_that_ends_half_way_leaves_nothing(served: Served) -> None:
    _, client = await _signed_in(served)
    watched = _Watched(served)
    client.send(b"APPEND INBOX ", Literal(_random(300_000)), b" {9}")
    assert (await client.response()).startswith(b"+ ")
    client.raw(b"Subj")
    client.close()
    await asyncio.sleep(0.1)
    rows = await served.store.reader.rows("SELECT id FROM blob")
    assert (watched.commands, rows) == ([], [])


async def test_memory_does_not_grow_with_the_number_of_messages(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They stand in one spool, in a file past what one may hold in memory."""
    most = 0
    write = Spool.write

    def watched(self: Spool, octets: bytes) -> None:
        nonlocal most
        write(self, octets)
        most = max(most, sum(map(len, self._parts)))

    monkeypatch.setattr(Spool, "write", watched)
    _, client = await _signed_in(served)
    await _append(client, *[_random(100_000) for _ in range(20)])
    assert 0 < most <= IN_MEMORY
    assert await _count(client) == 20


async def test_quota_counts_what_came_before_in_the_command(served: Served) -> None:
    _, client = await _signed_in(served, quota=10_000)
    tag = client.send(b"APPEND INBOX ", Literal(_random(4_000)), b" {5900}")
    assert (await client.response()).startswith(b"+ ")
    client.raw(b"x" * 5_900 + b" {100}\r\n")
    # Refused before it is sent.
    assert (await client.response()).startswith(tag + b" NO [OVERQUOTA]")
    assert await _count(client) == 0
    await _append(client, _random(4_000), _random(4_000))


async def test_the_bound_of_a_whole_command(place: Place) -> None:
    settings = ImapSettings(starttls=False, append_total=100_000)
    async with served_with(place, settings) as served:
        _, client = await _signed_in(served)
        with pytest.raises(Refused, match="LIMIT"):
            await _append(client, _random(50_000), _random(50_000))
        assert await _count(client) == 0
        # It is for several: one message may be as large as messages may be.
        await _append(client, _random(150_000))


async def test_too_much_to_be_kept_of_them_is_refused_and_leaves_nothing(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appending, "COLUMNS", 3_000)
    _, client = await _signed_in(served)
    watched = _Watched(served)
    with pytest.raises(Refused, match="LIMIT"):
        await _append(client, _random(300_000), *[b"Subject: x\r\n\r\n"] * 50)
    assert watched.commands == []
    assert await _count(client) == 0


async def test_the_store_goes_away_between_content_and_messages(served: Served) -> None:
    _, client = await _signed_in(served)
    watched = _Watched(served)
    watched.fail = AppendAll
    with pytest.raises(Refused, match="UNAVAILABLE"):
        await _append(client, _random(300_000), b"Subject: x\r\n\r\n")
    assert watched.kinds() == [PutContent, AppendAll, DropContent]
    assert await _count(client) == 0
    # Else whoever has it fail in a loop fills the disk with what is nobody's.
    assert await served.store.reader.rows("SELECT id FROM blob") == []
    assert [path for path in served.store.blobs.rglob("*") if path.is_file()] == []
    watched.fail = None
    await _append(client, b"Subject: x\r\n\r\n", b"Subject: y\r\n\r\n")


async def test_a_client_that_does_not_wait_leaves_no_content(served: Served) -> None:
    """It ends the connection while the messages are filed, which may be refused: then it is nobody's."""
    number, client = await _signed_in(served)
    await client.command(b"CREATE work")
    rows = await served.store.reader.rows("SELECT id FROM mailbox WHERE name = 'work'")
    watched = _Watched(served)
    submitted = watched.submit

    async def submit(command: AnyCommand, fd: int | None = None) -> AnyResult:
        if isinstance(command, AppendAll):
            client.close()
            await submitted(DeleteMailbox(actor=number, mailbox=rows[0][0]))
            await asyncio.sleep(0.2)
        return await submitted(command, fd)

    watched.submit = submit  # type: ignore[method-assign]
    client.send(b"APPEND work ", Literal(_random(300_000)), b" ", Literal(b"Subject: x\r\n\r\n"))
    async with asyncio.timeout(20):
        while DropContent not in watched.kinds():
            await asyncio.sleep(0.02)
        while await served.store.reader.rows("SELECT id FROM blob"):
            await asyncio.sleep(0.02)


async def test_the_mailbox_goes_away_meanwhile(served: Served) -> None:
    number, client = await _signed_in(served)
    await client.command(b"CREATE work")
    tag = client.send(b"APPEND work ", Literal(b"Subject: x\r\n\r\n"), b" {3}")
    assert (await client.response()).startswith(b"+ ")
    rows = await served.store.reader.rows("SELECT id FROM mailbox WHERE name = 'work'")
    await served.store.submit(DeleteMailbox(actor=number, mailbox=rows[0][0]))
    client.raw(b"abc\r\n")
    assert (await client.response()).startswith(tag + b" NO [TRYCREATE]")


@pytest.fixture
async def drafts(served: Served) -> tuple[int, ImapClient]:
    """An account with three messages in its INBOX, selected."""
    number, client = await _signed_in(served)
    await _append(client, *[b"Subject: %d\r\n\r\n" % n for n in range(3)])
    await client.command(b"SELECT INBOX")
    return number, client


async def test_replaced_by_a_large_one_that_comes_slowly(drafts: tuple[int, ImapClient]) -> None:
    _, client = drafts
    message = _random(3 * content.FRAME).replace(b"\0", b"\1")
    tag = client.send(b"REPLACE 2 INBOX (\\Draft) {%d+}" % len(message))
    for start in range(0, len(message), 100_000):
        client.raw(message[start : start + 100_000])
        await asyncio.sleep(0)
    client.raw(b"\r\n")
    responses = []
    while not (response := await client.response()).startswith(tag):
        responses.append(response.partition(b"]")[0])
    assert response.startswith(tag + b" OK")
    assert responses[1:] == [b"* 2 EXPUNGE\r\n", b"* 3 EXISTS\r\n"]
    (row,) = (await client.command(b"FETCH 3 (FLAGS BODY.PEEK[])")).fetched()
    assert row.flags == {b"\\Recent", b"\\Draft"}
    assert row.octets(b"BODY[]") == message


async def test_what_was_to_be_replaced_goes_while_the_other_comes(
    served: Served, drafts: tuple[int, ImapClient]
) -> None:
    """Nothing is appended then: the client would have one too many."""
    number, client = drafts
    tag = client.send(b"REPLACE 2 INBOX {10}")
    assert (await client.response()).startswith(b"+ ")
    await served.store.submit(
        Expunge(actor=number, mailbox=inbox(number), uids=((2, 2),), marked=False)
    )
    client.raw(b"Subject: x\r\n")
    assert (await client.response()).startswith(tag + b" NO [EXPUNGEISSUED]")
    assert (await client.command(b"NOOP")).untagged == [b"* 2 EXPUNGE\r\n"]
    assert await _count(client) == 2


async def test_a_full_account_can_save_its_draft_again(served: Served) -> None:
    _, client = await _signed_in(served, quota=10_000)
    await _append(client, _random(9_000))
    await client.command(b"SELECT INBOX")
    with pytest.raises(Refused, match="OVERQUOTA"):
        await _append(client, _random(9_000))
    with pytest.raises(Refused, match="OVERQUOTA"):
        await client.command(b"REPLACE 1 INBOX ", Literal(_random(11_000)))
    await client.command(b"REPLACE 1 INBOX ", Literal(_random(9_500)))
    assert await _count(client) == 1


async def test_the_selected_mailbox_is_gone(served: Served, drafts: tuple[int, ImapClient]) -> None:
    number, client = drafts
    await client.command(b"CREATE work")
    await client.command(b"APPEND work ", Literal(b"Subject: w\r\n\r\n"))
    await client.command(b"SELECT work")
    rows = await served.store.reader.rows("SELECT id FROM mailbox WHERE name = 'work'")
    await served.store.submit(DeleteMailbox(actor=number, mailbox=rows[0][0]))
    client.send(b"REPLACE 1 INBOX {3}")
    assert (await client.response()).startswith(b"* BYE")
