"""`kill -9` of any process, at random moments, while a queue leaves for another server: every message gets
there. One gets there twice only where a kill fell between that server's 250 and our commit.

The server runs as it always does, but for its leases: what a dead worker had in hand is tried again after
seconds, where it would be a quarter of an hour.
"""

import asyncio
import itertools
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from pathlib import Path

import msgspec
import pytest

from malleposte.store import Store
from malleposte.store.commands import Handing, Relay
from malleposte.store.content import FRAME, in_file
from malleposte.store.fsck import check
from malleposte.store.results import Delivered
from support import processes
from support.scripted_smtp import Manner, ScriptedServer
from support.server import Server
from support.store import deliver, small
from support.zone import Zone

DOMAIN = "far.example"
WORKERS = 2
CONNECTIONS = 4
"""Of one worker."""
A_KILL_TAKES = 25
"""Messages are queued for each kill: more than leave before the next."""
SHORT_LEASES = """
from malleposte.delivery.outbound import destination, dispatcher, lane
dispatcher.LEASE, lane.MARGIN = 4, 0.5
destination.TRANSACTION = lane.TRANSACTION = 2
"""


@dataclass(frozen=True, slots=True)
class Kill:
    """A process that was killed, and when."""

    victim: str
    at: float


@dataclass
class Leaving:
    """A server of ours with a queue, and the one that all of it goes to."""

    server: Server
    far: ScriptedServer
    messages: int
    kills: list[Kill] = field(default_factory=list)

    async def preload(self) -> None:
        """Queue the messages, each to two recipients; some are too large for a row."""
        async with self.server.open_store() as store:
            ((organisation, account),) = await store.reader.rows(
                "SELECT organisation, id FROM account"
            )
            for first in range(0, self.messages, 50):
                numbers = range(first, min(first + 50, self.messages))
                await asyncio.gather(
                    *(self._queue(store, organisation, account, number) for number in numbers)
                )

    async def _queue(self, store: Store, organisation: int, account: int, number: int) -> None:
        head = f"From: u0@example.test\r\nMessage-ID: <{number}@example.test>\r\n\r\n"
        lines = 3_000 if number % 50 == 49 else 20
        data = head.encode() + b"%060d\r\n" % number * lines
        handing = Handing(
            organisation=organisation,
            account=account,
            sender="u0@example.test",
            relays=tuple(Relay(address=to, route=DOMAIN) for to in addressees(number)),
            expires_at=int(time.time()) + 432_000,
            prefix=b"Received: here\r\n",
        )
        descriptor = None
        if len(data) > FRAME:
            content, descriptor = in_file(memoryview(data), store.blobs)
        else:
            content = small(data)
        command = deliver(trace_id=number + 1, what=content)
        command = msgspec.structs.replace(command, handings=(handing,))
        answer = await store.submit(command, descriptor)
        assert isinstance(answer, Delivered), answer
        if descriptor is not None:
            os.close(descriptor)

    async def storm(self, kills: int, chance: random.Random) -> None:
        """Kill so many processes while mail leaves."""
        kinds = ["worker", "worker", "supervisor", "worker" if self.server.dsn else "writer"]
        victims = [kinds[n % len(kinds)] for n in range(kills)]
        chance.shuffle(victims)
        while len(self.kills) < kills:
            before = len(self.far.accepted)
            async with asyncio.timeout(60):
                while len(self.far.accepted) < before + chance.randint(1, 20):
                    await asyncio.sleep(chance.uniform(0.0, 0.05))
            assert len(self.far.accepted) < self.messages, "the queue was empty too early"
            await self._kill(victims[len(self.kills)], chance)

    async def _kill(self, victim: str, chance: random.Random) -> None:
        if victim == "supervisor":
            await asyncio.to_thread(self.server.kill)
            self.kills.append(Kill(victim, time.monotonic()))
            await asyncio.to_thread(self.server.start)
            return
        kind: processes.Kind = "writer" if victim == "writer" else "worker"
        found = await asyncio.to_thread(processes.of_kind, self.server, kind)
        # One that is being replaced is no kill: it is made up for.
        if found and processes.kill(chance.choice(found)):
            self.kills.append(Kill(victim, time.monotonic()))

    async def empty(self, seconds: float) -> None:
        """Wait until nothing is in the queue."""
        async with asyncio.timeout(seconds):
            while await asyncio.to_thread(self._queued):
                await asyncio.sleep(0.5)

    def _queued(self) -> int:
        program = [sys.executable, "-m", "malleposte", "--config", str(self.server.config)]
        listed = subprocess.run(
            [*program, "queue", "list", "--json"], capture_output=True, check=True, text=True
        )
        return len(json.loads(listed.stdout)["messages"])

    def copies(self) -> dict[tuple[str, str], list[float]]:
        """When the far side had each message whole, for each recipient."""
        found: dict[tuple[str, str], list[float]] = defaultdict(list)
        for taken in self.far.taken:
            identity = BytesHeaderParser().parsebytes(taken.content)["Message-ID"]
            assert taken.content.startswith(b"Received: here\r\n")
            for recipient in taken.recipients:
                found[identity, recipient].append(taken.at)
        return found


def addressees(number: int) -> tuple[str, str]:
    return (f"a{number}@{DOMAIN}", f"b{number}@{DOMAIN}")


async def _survives(folder: Path, kills: int, seed: int, dsn: str = "") -> None:
    chance = random.Random(seed)
    zone, far = Zone(), ScriptedServer(Manner(slow=0.01))
    zone.add(DOMAIN, mx=f"10 mx.{DOMAIN}.")
    zone.add(f"mx.{DOMAIN}", a="127.0.0.1")
    names, port = await zone.start(), await far.start("127.0.0.1")
    sending = {
        "enabled": "true",
        "resolvers": '"127.0.0.1"',
        "resolver_port": str(names),
        "port": str(port),
        "networks": '"127.0.0.0/8"',
        "ipv6": "false",
        "connections_each": str(CONNECTIONS),
    }
    server = Server(
        folder, dsn=dsn, workers=WORKERS, settings={"sending": sending}, prelude=SHORT_LEASES
    )
    leaving = Leaving(server, far, kills * A_KILL_TAKES)
    try:
        await server.prepare(1)
        await leaving.preload()
        await asyncio.to_thread(server.start)
        await leaving.storm(kills, chance)
        await leaving.empty(120)
        assert await asyncio.to_thread(server.stop) == 0
    finally:
        print("killed:", *Counter(kill.victim for kill in leaving.kills).items())
        await asyncio.to_thread(server.end)
        await far.close()
        zone.close()
    _nothing_is_lost(leaving)
    await _the_store_says_so(leaving)


def _nothing_is_lost(leaving: Leaving) -> None:
    copies = leaving.copies()
    wanted = {
        (f"<{number}@example.test>", to)
        for number in range(leaving.messages)
        for to in addressees(number)
    }
    assert copies.keys() == wanted, f"{len(wanted - copies.keys())} recipients got nothing"
    twice = set()
    for (identity, _), times in copies.items():
        for earlier, later in itertools.pairwise(times):
            assert any(earlier < kill.at < later for kill in leaving.kills), (
                f"{identity} came twice, and nothing had been killed"
            )
            twice.add((identity, later))
    assert len(twice) <= CONNECTIONS * WORKERS * len(leaving.kills)


async def _the_store_says_so(leaving: Leaving) -> None:
    """The queue is empty, and each recipient has one outcome: delivered."""
    async with leaving.server.open_store() as store:
        for table in ("queue_message", "queue_recipient"):
            assert await store.reader.rows(f"SELECT * FROM {table}") == []
        rows = await store.reader.rows("SELECT trace, address, outcome FROM trace_attempt")
        assert sorted(rows) == sorted(
            (number + 1, to, "delivered")
            for number in range(leaving.messages)
            for to in addressees(number)
        )
        assert await store.reader.rows("SELECT kind FROM job WHERE kind = 'delivery-report'") == []
        assert [finding async for finding in check(store.reader, store.blobs, deep=True)] == []


@pytest.mark.timeout(240)
async def test_kills_while_mail_leaves_lose_nothing(tmp_path: Path) -> None:
    await _survives(tmp_path, kills=12, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
async def test_a_hundred_kills_while_mail_leaves_lose_nothing(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    dsn = ""
    if database == "postgres":
        dsn = await request.getfixturevalue("postgres_server").cleaned()
    await _survives(tmp_path, kills=100, seed=2, dsn=dsn)
