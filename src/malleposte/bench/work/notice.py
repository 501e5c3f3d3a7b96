"""E8: how soon does a delivery show to those who wait for it?

One session a user sits in IDLE in its INBOX, while eight SMTP connections deliver to all users in turn
(R8's load). For each delivery the time is taken from its 250 to the EXISTS that counts it: as many new
messages as were accepted for that user until then. One that showed before its 250 took no time.
"""

import asyncio
import re
import time
from bisect import bisect_left

from malleposte.bench.clock import Clock, Clocked
from malleposte.bench.imap_client import ImapClient
from malleposte.bench.measure import Bench
from malleposte.bench.smtp_client import Letter, letter, send
from malleposte.bench.subject import Account, Endpoint
from malleposte.bench.trouble import BenchTrouble

CONNECTIONS = 8
# Nobody who waits takes longer for new mail; what comes later is counted as lost.
LAST_LIMIT = 120.0
_READ = 64 * 1024
_EXISTS = re.compile(rb"^\* (\d+) EXISTS\r$", re.MULTILINE)


class Told:
    """When each number of messages was first told; ``before``: how many there were."""

    def __init__(self, before: int) -> None:
        self.before = before
        self._counts: list[int] = []
        self._times: list[float] = []

    def note(self, count: int, now: float) -> None:
        """EXISTS came."""
        if not self._counts or count > self._counts[-1]:
            self._counts.append(count)
            self._times.append(now)

    def seen(self, new: int) -> float | None:
        """When so many new messages had been told; None: not yet."""
        at = bisect_left(self._counts, self.before + new)
        return self._times[at] if at < len(self._times) else None


class Watcher:
    """A session in IDLE."""

    def __init__(self, endpoint: Endpoint, account: Account) -> None:
        self._client = ImapClient(endpoint)
        try:
            self._client.login(account)
            self.told = Told(self._client.command(b"SELECT INBOX").number(rb"\* (\d+) EXISTS"))
            self._client.idle()
        except (BenchTrouble, OSError):
            self._client.close()
            raise
        self._socket, self._rest = self._client.hand_over()
        self._socket.setblocking(False)
        self.lost = False

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch from now on."""
        loop.add_reader(self._socket, self._read, loop)

    def close(self) -> None:
        """Close; to be called when the loop has ended."""
        self._client.close()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            data = self._socket.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        now = time.perf_counter()
        if not data:
            self.lost = True
            loop.remove_reader(self._socket)
            return
        lines, end, self._rest = (self._rest + data).rpartition(b"\r\n")
        for found in _EXISTS.finditer(lines + end):
            self.told.note(int(found[1]), now)


def notice(bench: Bench) -> None:
    """Do E8."""
    subject = bench.subject
    incoming, imap = subject.endpoint("smtp"), subject.endpoint("imap")
    if incoming is None or imap is None:
        raise BenchTrouble(f"{subject.name} offers no SMTP and IMAP here")
    users = subject.accounts.receiving
    count = bench.counts.receive
    letters = [
        letter(users[number % len(users)].address, message)
        for number, message in enumerate(bench.corpus.messages(count, bench.fresh(count)))
    ]
    watchers: dict[bytes, Watcher] = {}
    delays: list[float] = []
    try:
        for user in users:
            watchers[user.address.encode()] = Watcher(imap, user)

        def run() -> Clocked:
            clock = Clock()
            delays.extend(asyncio.run(_deliver(incoming, letters, watchers)))
            return clock.read()

        cost = bench.cost(run)
    finally:
        for watcher in watchers.values():
            watcher.close()
    delays.sort()
    for what, delay in (
        ("median", delays[len(delays) // 2]),
        ("p99", delays[min(len(delays) - 1, len(delays) * 99 // 100)]),
        ("longest", delays[-1]),
    ):
        bench.record("E8", f"250 to EXISTS, {what}", "ms", "less", delay * 1000)
    bench.record_rate("E8", "delivered and seen", count, cost)


async def _deliver(
    endpoint: Endpoint, letters: list[Letter], watchers: dict[bytes, Watcher]
) -> list[float]:
    """Deliver everything; for each delivery the seconds until it was seen."""
    loop = asyncio.get_running_loop()
    for watcher in watchers.values():
        watcher.begin(loop)
    accepted: dict[bytes, list[float]] = {user: [] for user in watchers}

    def on_accepted(message: Letter) -> None:
        accepted[message.recipient].append(time.perf_counter())

    await send(endpoint, b"EHLO", letters, connections=CONNECTIONS, on_accepted=on_accepted)
    deadline = loop.time() + LAST_LIMIT
    told = {user: watcher.told for user, watcher in watchers.items()}
    while missing := [
        user for user, times in accepted.items() if times and told[user].seen(len(times)) is None
    ]:
        if loop.time() > deadline or any(watchers[user].lost for user in missing):
            raise BenchTrouble(f"not all mail showed in IDLE to {missing[0].decode()}")
        await asyncio.sleep(0.01)
    return [delay for user, times in accepted.items() for delay in delays_of(times, told[user])]


def delays_of(accepted: list[float], told: Told) -> list[float]:
    """The n-th letter accepted is seen when so many new messages were told."""
    delays = []
    for number, at in enumerate(accepted, start=1):
        seen = told.seen(number)
        if seen is not None:
            delays.append(max(0.0, seen - at))
    return delays
