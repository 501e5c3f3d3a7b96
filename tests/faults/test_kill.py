"""`kill -9` of any process, at random moments, under load: nothing acknowledged is lost.

Each message has an identity of its own and is sent once; a sender notes it when the 250 came. After
the kills every noted identity is in the store, once, with the octets that were sent, and every invariant
holds.
"""

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest

from malleposte.store.fsck import check
from malleposte.store.read import emails as read_emails
from support import processes
from support.server import Server
from support.smtp_load import Sender

ACCOUNTS = 4
SENDERS = 8


async def storm(server: Server, kills: int, seed: int) -> list[Sender]:
    """Load the server, kill `kills` processes, let it come back, end the load."""
    chance = random.Random(seed)
    recipients = tuple(f"u{n}@example.test" for n in range(ACCOUNTS))
    senders = [Sender(server.ports["smtp"], recipients, f"s{seed}n{n}") for n in range(SENDERS)]
    tasks = [asyncio.create_task(sender.run()) for sender in senders]
    killed: Counter[str] = Counter()
    try:
        async with asyncio.timeout(20 + 6 * kills):
            while killed.total() < kills:
                await asyncio.sleep(chance.uniform(0.05, 0.6))
                victim = chance.choice(("writer", "worker", "worker", "supervisor"))
                if victim == "supervisor":
                    await asyncio.to_thread(server.kill)
                    await asyncio.to_thread(server.start)
                    killed[victim] += 1
                    continue
                kind: processes.Kind = "writer" if victim == "writer" else "worker"
                found = await asyncio.to_thread(processes.of_kind, server, kind)
                # One that is being replaced is no kill: it is made up for.
                killed[kind] += bool(found) and processes.kill(chance.choice(found))
        await asyncio.sleep(0.5)
        await asyncio.to_thread(server.wait)
        assert {name for name in killed if killed[name]} == {"writer", "worker", "supervisor"}, (
            f"not everything was killed: {killed}"
        )
    finally:
        for sender in senders:
            sender.stopped = True
        await asyncio.wait_for(asyncio.gather(*tasks), 90)
    return senders


async def _stored(server: Server, senders: list[Sender]) -> Counter[str]:
    """Identities in the store; each message must have the octets that were sent."""
    sent = {
        sender.identity(number): (sender, number)
        for sender in senders
        for number in range(1, sender.tried + 1)
    }
    async with server.open_store() as store:
        rows = await store.reader.rows(
            "SELECT w.message_id, w.id FROM email_wide w JOIN membership m ON m.email = w.id"
        )
        for identity, email in rows:
            stored = await read_emails.stored_by_id(store.reader, email)
            assert stored is not None
            pieces = read_emails.read(
                store.reader, store.blobs, stored, len(stored.prefix), stored.size
            )
            sender, number = sent[identity]
            assert b"".join([piece async for piece in pieces]) == sender.content(number), identity
        wrong = [finding async for finding in check(store.reader, store.blobs, deep=True)]
        assert not wrong, wrong[:5]
    return Counter(row[0] for row in rows)


async def _survives(server: Server, kills: int, seed: int) -> None:
    await server.prepare(ACCOUNTS)
    server.start()
    try:
        senders = await storm(server, kills, seed)
        server.stop()
    finally:
        server.end()
    acknowledged = [identity for sender in senders for identity in sender.acknowledged]
    stored = await _stored(server, senders)
    lost = [identity for identity in acknowledged if stored[identity] == 0]
    doubled = [identity for identity, count in stored.items() if count > 1]
    assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged messages are gone"
    assert not doubled, f"{len(doubled)} messages were filed twice"
    assert len(acknowledged) > kills, "the load hardly ran: this shows nothing"


@pytest.mark.timeout(240)
async def test_kills_lose_nothing(tmp_path: Path) -> None:
    await _survives(Server(tmp_path), kills=15, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_many_kills_lose_nothing(tmp_path: Path) -> None:
    await _survives(Server(tmp_path), kills=200, seed=2)
