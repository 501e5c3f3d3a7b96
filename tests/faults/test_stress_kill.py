"""Many clients on shared mailboxes while processes are killed: all come back by QRESYNC to the same state.

Clients that keep a model of each mailbox (``support.imap_mirror``) work as fast as they can; workers, the
writer and the supervisor are killed at random. At points of quiet every client's model must be what a new
client fetches, message by message, and all that was answered OK must be there (``support.imap_ledger``).
"""

import asyncio
import random
import re
from collections import Counter
from pathlib import Path

import pytest

from malleposte.store.fsck import check
from support import postgres, processes
from support.imap_client import signed_in
from support.imap_ledger import Found, Ledger
from support.imap_mirror import Known
from support.imap_roamer import Roamer
from support.server import PASSWORD, Server
from support.store import Place as StorePlace

ACCOUNTS = 4
CLIENTS = 12
MAILBOXES = ("one", "two")
WORK = 40
"""Changes answered between two kills: what is busy with coming back shows nothing."""
PATIENCE = 30.0
"""Seconds for that."""

Truth = dict[str, dict[int, Known]]


def address(account: int) -> str:
    return f"u{account}@example.test"


async def fetched_anew(port: int, account: int) -> tuple[Truth, Found]:
    """What a client that knows nothing finds."""
    truth: Truth = {}
    found: Found = {}
    items = b"(FLAGS MODSEQ BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"
    async with signed_in(port, address(account), PASSWORD) as client:
        for name in MAILBOXES:
            await client.command(b"EXAMINE %b (CONDSTORE)" % name.encode())
            here = truth[name] = {}
            for one in (await client.command(b"UID FETCH 1:* " + items)).fetched():
                uid, flags = one.number(b"UID"), one.flags - {rb"\Recent"}
                here[uid] = flags, one.number(b"MODSEQ")
                header = one.octets(b"BODY[HEADER.FIELDS (MESSAGE-ID)]")
                identity = re.search(rb"<[^>]+>", header)
                assert identity is not None, header
                found[name, uid] = flags, identity[0]
    return truth, found


async def hold(roamers: list[Roamer]) -> None:
    """Wait until every client is between two commands."""
    for roamer in roamers:
        roamer.held.clear()
        roamer.go_on.clear()
        roamer.hold = True
    await asyncio.wait_for(asyncio.gather(*(roamer.held.wait() for roamer in roamers)), 120)


def go_on(roamers: list[Roamer]) -> None:
    for roamer in roamers:
        roamer.hold = False
        roamer.go_on.set()


async def compare(server: Server, roamers: list[Roamer]) -> None:
    """At a point of quiet."""
    for account in range(ACCOUNTS):
        here = [roamer for roamer in roamers if roamer.address == address(account)]
        truth, found = await fetched_anew(server.ports["imap"], account)
        here[0].ledger.check(found)
        for roamer in here:
            await roamer.agree(truth)


async def storm(
    server: Server, roamers: list[Roamer], chance: random.Random, victims: tuple[str, ...]
) -> Counter[str]:
    """Some kills, work between them; the server is whole again at the end."""
    killed: Counter[str] = Counter()
    for victim in chance.sample(victims, len(victims)):
        await work(roamers, WORK)
        await asyncio.sleep(chance.uniform(0.0, 0.3))
        if victim == "supervisor":
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
            killed[victim] += 1
            continue
        kind: processes.Kind = "writer" if victim == "writer" else "worker"
        found = await asyncio.to_thread(processes.wait_for, server, kind)
        killed[victim] += processes.kill(chance.choice(found))
    await work(roamers, WORK)
    await asyncio.to_thread(server.wait)
    return killed


async def work(roamers: list[Roamer], count: int) -> None:
    """Wait until so many more changes were answered, or for long."""
    ledgers = {id(roamer.ledger): roamer.ledger for roamer in roamers}.values()
    before = sum(ledger.acknowledged.total() for ledger in ledgers)
    until = asyncio.get_running_loop().time() + PATIENCE
    while sum(ledger.acknowledged.total() for ledger in ledgers) < before + count:
        if asyncio.get_running_loop().time() > until:
            break
        await asyncio.sleep(0.02)


async def survives(server: Server, rounds: int, seed: int, victims: tuple[str, ...]) -> None:
    """The whole of a test."""
    chance = random.Random(seed)
    await server.prepare(ACCOUNTS)
    await asyncio.to_thread(server.start)
    try:
        port = server.ports["imap"]
        ledgers = [Ledger() for _ in range(ACCOUNTS)]
        for account in range(ACCOUNTS):
            async with signed_in(port, address(account), PASSWORD) as client:
                for name in MAILBOXES:
                    await client.command(b"CREATE " + name.encode())
        roamers = [
            Roamer(
                port,
                address(number % ACCOUNTS),
                PASSWORD,
                f"c{number}",
                MAILBOXES,
                ledgers[number % ACCOUNTS],
                random.Random(seed * 1_000 + number),
            )
            for number in range(CLIENTS)
        ]
        killed: Counter[str] = Counter()
        async with asyncio.TaskGroup() as group:
            for roamer in roamers:
                group.create_task(roamer.run())
            for _ in range(rounds):
                killed += await storm(server, roamers, chance, victims)
                await hold(roamers)
                await compare(server, roamers)
                go_on(roamers)
            for roamer in roamers:
                roamer.stopped = True
        assert set(killed) == set(victims), f"not everything was killed: {killed}"
        done = sum((ledger.acknowledged for ledger in ledgers), Counter[str]())
        assert all(done[what] > 5 for what in ("APPEND", "STORE", "COPY", "EXPUNGE")), done
        assert all(roamer.lost and roamer.resumed for roamer in roamers), "not all were thrown out"
        await asyncio.to_thread(server.stop)
        async with StorePlace(server.data, server.dsn).open() as store:
            wrong = [finding async for finding in check(store.reader, store.blobs, deep=True)]
        assert wrong == []
    finally:
        await asyncio.to_thread(server.end)


SQLITE = ("worker", "worker", "worker", "writer", "writer", "supervisor")
POSTGRES = ("worker", "worker", "worker", "supervisor")
"""Who is killed between two points of quiet."""


@pytest.mark.timeout(240)
async def test_clients_come_back_to_the_same_state(tmp_path: Path) -> None:
    await survives(Server(tmp_path), 2, 1, SQLITE)


@pytest.mark.postgres
@pytest.mark.timeout(240)
async def test_clients_come_back_on_postgres(
    tmp_path: Path, postgres_server: postgres.Server
) -> None:
    server = Server(tmp_path, await postgres_server.database())
    await survives(server, 2, 2, POSTGRES)


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_ten_minutes(tmp_path: Path) -> None:
    await survives(Server(tmp_path), 90, 3, SQLITE)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.timeout(3600)
async def test_ten_minutes_on_postgres(tmp_path: Path, postgres_server: postgres.Server) -> None:
    server = Server(tmp_path, await postgres_server.database())
    await survives(server, 90, 4, POSTGRES)
