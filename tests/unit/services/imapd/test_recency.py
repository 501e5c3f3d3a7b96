r"""``\Recent`` among several sessions and workers, what it costs, and what becomes of it in trouble."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from malleposte.services.imapd import recency
from malleposte.services.imapd.recency import RecentUids
from malleposte.store import TemporaryFailure, Writer
from malleposte.store.commands import AnyCommand, ClaimRecent, SetRights
from malleposte.store.results import AnyResult, Done
from support.imap_client import Answer, ImapClient
from support.store import Place, append, inbox
from unit.services.imapd.harness import Served
from unit.services.imapd.two_workers import Workers, two_workers


@pytest.fixture
async def workers(place: Place) -> AsyncIterator[Workers]:
    async with two_workers(place) as both:
        yield both


class Counting:
    """A writer that counts, and that may do something else with claims."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.commands: list[AnyCommand] = []
        self.instead: Callable[[], Awaitable[None]] | None = None

    async def submit(self, command: AnyCommand, fd: int | None = None) -> AnyResult:
        self.commands.append(command)
        if self.instead is not None and isinstance(command, ClaimRecent):
            await self.instead()
        return await self._writer.submit(command, fd)

    def claims(self) -> int:
        """Claims since the last call, and nothing but claims."""
        commands, self.commands = self.commands, []
        assert all(isinstance(command, ClaimRecent) for command in commands), commands
        return len(commands)


def counted(served: Served) -> Counting:
    counting = Counting(served.store.writer)
    served.store.writer = counting
    return counting


def number(answer: Answer, word: bytes) -> int | None:
    """The number of the last ``* n WORD``."""
    found = [line.split()[1] for line in answer.untagged if line.split()[2:3] == [word]]
    return int(found[-1]) if found else None


async def recent(client: ImapClient) -> set[int]:
    """UIDs with the flag."""
    answer = await client.command(b"UID FETCH 1:* (FLAGS)")
    rows = [row.items for row in answer.fetched()]
    found = {row[b"UID"] for row in rows if b"\\Recent" in row[b"FLAGS"]}  # type: ignore[operator]
    assert found == {int(n) for n in (await _search(client)).split()[2:]}
    return {uid for uid in found if isinstance(uid, int)}


async def _search(client: ImapClient) -> bytes:
    return (await client.command(b"UID SEARCH RECENT")).untagged[-1]


async def test_of_sessions_on_two_workers_one_has_each(workers: Workers) -> None:
    account, address = await workers.first.account()
    clients = [await workers.of(n).signed_in(address) for n in range(6)]
    box = inbox(account)
    store = workers.first.store
    for _ in range(3):
        await store.submit(append(box))
    opened = await asyncio.gather(*[client.command(b"SELECT INBOX") for client in clients])
    assert sorted(number(answer, b"RECENT") or 0 for answer in opened) == [0, 0, 0, 0, 0, 3]
    for _ in range(8):
        await store.submit(append(box))
        await asyncio.gather(*[client.command(b"NOOP") for client in clients])
    found = [await recent(client) for client in clients]
    assert sorted(uid for uids in found for uid in uids) == list(range(1, 12))


async def test_mail_that_comes_while_many_idle(workers: Workers) -> None:
    account, address = await workers.first.account()
    clients = [await workers.of(n).signed_in(address) for n in range(6)]
    for client in clients:
        await client.command(b"SELECT INBOX")
    tags = [client.send(b"IDLE") for client in clients]
    for client in clients:
        assert (await client.response()).startswith(b"+")
    for n in range(1, 6):
        await workers.first.store.submit(append(inbox(account)))
        for served in (workers.first, workers.second):
            served.hub.hint(account)
        for client in clients:
            while await client.response() != b"* %d EXISTS\r\n" % n:
                pass
    for client, tag in zip(clients, tags, strict=True):
        client.raw(b"DONE\r\n")
        while not (await client.response()).startswith(tag):
            pass
    found = [await recent(client) for client in clients]
    assert sorted(uid for uids in found for uid in uids) == [1, 2, 3, 4, 5]


async def test_what_is_not_new_costs_no_write(served: Served) -> None:
    account, address = await served.account()
    await served.store.submit(append(inbox(account)))
    counting = counted(served)
    clients = [await served.signed_in(address) for _ in range(4)]
    await clients[0].command(b"EXAMINE INBOX")
    assert counting.claims() == 0
    await clients[0].command(b"SELECT INBOX")
    assert counting.claims() == 1
    for client in clients:
        await client.command(b"SELECT INBOX")
        await client.command(b"NOOP")
    assert counting.claims() == 0
    # Sessions of one worker that hear together: one asks for all.
    await served.store.submit(append(inbox(account)))
    counting.commands.clear()
    await asyncio.gather(*[client.command(b"NOOP") for client in clients])
    assert counting.claims() == 1
    rev2 = await served.signed_in(address)
    await served.store.submit(append(inbox(account)))
    counting.commands.clear()
    await rev2.command(b"ENABLE IMAP4rev2")
    await rev2.command(b"SELECT INBOX")
    assert counting.claims() == 0


async def test_in_a_shared_mailbox_whoever_opens_it_first_has_them(served: Served) -> None:
    """Owner or reader: RFC 3501 §2.3.2 knows sessions, not people; who only examines has none."""
    owner, owners = await served.account()
    reader, readers = await served.account()
    box = inbox(owner)
    rights = SetRights(actor=owner, mailbox=box, grantee=reader, letters="lrw")
    assert isinstance(await served.store.submit(rights), Done)
    mine, other = await served.signed_in(owners), await served.signed_in(readers)
    name = b'"Other Users/%b"' % owners.encode()
    await served.store.submit(append(box))
    assert number(await other.command(b"EXAMINE " + name), b"RECENT") == 1
    assert number(await other.command(b"SELECT " + name), b"RECENT") == 1
    assert number(await mine.command(b"SELECT INBOX"), b"RECENT") == 0
    await served.store.submit(append(box))
    assert number(await mine.command(b"NOOP"), b"RECENT") == 1
    assert number(await other.command(b"NOOP"), b"RECENT") is None
    assert (await recent(mine), await recent(other)) == ({2}, {1})


async def test_who_may_only_read_takes_none_from_the_owner(served: Served) -> None:
    """SELECT answered with [READ-ONLY] changes nothing that others see (RFC 3501 §6.3.1)."""
    owner, owners = await served.account()
    reader, readers = await served.account()
    box = inbox(owner)
    rights = SetRights(actor=owner, mailbox=box, grantee=reader, letters="lrs")
    assert isinstance(await served.store.submit(rights), Done)
    mine, other = await served.signed_in(owners), await served.signed_in(readers)
    await served.store.submit(append(box))
    shown = await other.command(b'SELECT "Other Users/%b"' % owners.encode())
    assert b"[READ-ONLY]" in shown.line
    assert number(shown, b"RECENT") == 1
    assert number(await mine.command(b"SELECT INBOX"), b"RECENT") == 1
    await served.store.submit(append(box))
    assert number(await other.command(b"NOOP"), b"RECENT") == 2
    assert number(await mine.command(b"NOOP"), b"RECENT") == 2
    assert (await recent(mine), await recent(other)) == ({1, 2}, {1, 2})


async def _fail() -> None:
    raise TemporaryFailure("the store is away")


async def _hang() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("instead", [_fail, _hang], ids=["refuses", "does not answer"])
async def test_while_the_store_cannot_tell_it_is_taken_for_recent(
    served: Served, monkeypatch: pytest.MonkeyPatch, instead: Callable[[], Awaitable[None]]
) -> None:
    """RFC 3501 §2.3.2: what cannot be determined SHOULD be considered recent; and nothing fails."""
    monkeypatch.setattr(recency, "PATIENCE", 0.05)
    account, address = await served.account()
    box = inbox(account)
    counting = counted(served)
    await served.store.submit(append(box))
    client, other = await served.signed_in(address), await served.signed_in(address)
    counting.instead = instead
    answer = await client.command(b"SELECT INBOX")
    assert (number(answer, b"EXISTS"), number(answer, b"RECENT")) == (1, 1)
    await served.store.submit(append(box))
    answer = await client.command(b"NOOP")
    assert (number(answer, b"EXISTS"), number(answer, b"RECENT")) == (2, 2)
    assert await recent(client) == {1, 2}
    counting.instead = None
    # Once the store is back, so is the order of things.
    await served.store.submit(append(box))
    answer = await client.command(b"NOOP")
    assert (number(answer, b"EXISTS"), number(answer, b"RECENT")) == (3, 3)
    assert number(await other.command(b"SELECT INBOX"), b"RECENT") == 0
    assert b"RECENT 0" in (await other.command(b"STATUS INBOX (RECENT)")).untagged[-1]


def test_ranges_of_uids() -> None:
    uids = RecentUids()
    assert list(uids.slices([1, 2])) == []
    uids.add(3, 5)
    uids.add(6, 6)
    uids.add(9, 12)
    uids.add(11, 14)
    known = [1, 3, 4, 6, 7, 9, 14, 15]
    assert [known[start:stop] for start, stop in uids.slices(known)] == [[3, 4, 6], [9, 14]]
    assert uids.count(known) == 5
    assert uids.count([]) == uids.count([7, 8, 15]) == 0
    assert uids.marked([6, 7], [b"", b""]) == [b"\\Recent", b""]
    assert uids.marked([8, 9], [b"\\Seen", b"\\Seen"]) == [b"\\Seen", b"\\Recent \\Seen"]


def test_the_oldest_ranges_go_where_there_are_too_many() -> None:
    uids = RecentUids()
    for n in range(recency.MOST_RANGES + 5):
        uids.add(2 * n + 1, 2 * n + 1)
    assert uids.count(range(1, 4 * recency.MOST_RANGES)) == recency.MOST_RANGES
    assert not uids.count([1, 9])
    assert uids.count([11]) == 1
