"""growth: does the size of a mailbox change what one message costs?

A delivery into, and a FETCH of one message from, an INBOX of 1,000 and one of 200,000, in turn and
with the same contents for both, so that noise hits both alike; the medians are compared. Where the
server's metrics count SQL statements, the statements of each are counted in a run of their own.
Opening the large one after a restart gives the time to build its view.
"""

import asyncio
import random
import statistics
import time
import urllib.request
from functools import partial

from malleposte.bench.clock import Clocked
from malleposte.bench.imap_client import ImapClient
from malleposte.bench.measure import Bench
from malleposte.bench.smtp_client import Courier, Greeting, letter
from malleposte.bench.subject import Account, Endpoint
from malleposte.bench.trouble import BenchTrouble
from malleposte.bench.work.filling import top_up

# A Prometheus counter over all processes of the server; labels are added up.
STATEMENTS = "malleposte_store_statements_total"
_COUNTED = 50
# Seconds within which every process hands its count in, and how often it may still have moved.
_HANDED_IN = 1.2
_PATIENCE = 10
_MAX_METRICS = 16 * 1024 * 1024
# Chooses which messages are read; the same ones in every run and of every subject.
_SEED = 1_522


def growth(bench: Bench) -> None:
    """Fill both INBOXes, then measure."""
    subject, counts = bench.subject, bench.counts
    lmtp = subject.endpoint("lmtp")
    incoming, imap = lmtp or subject.endpoint("smtp"), subject.endpoint("imap")
    if incoming is None or imap is None:
        raise BenchTrouble(f"{subject.name} offers no way in and out")
    small, huge = subject.accounts.small, subject.accounts.huge
    if small == huge:
        raise BenchTrouble("growth needs two accounts")
    sizes = {small: counts.small, huge: counts.huge}
    for account, size in sizes.items():
        with ImapClient(imap) as client:
            client.login(account)
            bench.say(f"growth: an INBOX of {size:,}")
            top_up(bench, client, b"INBOX", size)
    _record_opening(bench, huge)
    work = _Growth(bench, imap, sizes)
    try:
        times = work.fetches(counts.operations)
        work.record("FETCH of one", times)
        greeting: Greeting = b"LHLO" if lmtp else b"EHLO"
        times = asyncio.run(work.deliveries(incoming, greeting, counts.operations))
        work.record("delivery", times)
        if (metrics := subject.endpoint("metrics")) and metrics.url:
            work.count_statements(metrics.url, incoming, greeting)
    finally:
        work.close()


def _record_opening(bench: Bench, huge: Account) -> None:
    """SELECT of the large INBOX when nothing of it is in the server's memory, and again."""
    note = bench.subject.forget_memory()
    imap = bench.subject.endpoint("imap")
    if imap is None:
        raise BenchTrouble("no IMAP after the restart")
    for state in ("first", "again"):
        with ImapClient(imap) as client:
            client.login(huge)
            cost = bench.cost(partial(_select, client))
        what = f"SELECT of {bench.counts.huge:,}, {state}"
        bench.record_time("growth", what, cost, note if state == "first" else "")


def _select(client: ImapClient) -> Clocked:
    return client.command(b"SELECT INBOX").took


class _Growth:
    """Two signed-in sessions with INBOX selected."""

    def __init__(self, bench: Bench, imap: Endpoint, sizes: dict[Account, int]) -> None:
        self._bench = bench
        self._sizes = sizes
        self._random = random.Random(_SEED)
        self._clients: dict[Account, ImapClient] = {}
        for account in sizes:
            client = self._clients[account] = ImapClient(imap)
            client.login(account)
            client.command(b"SELECT INBOX")

    def close(self) -> None:
        """Remove what was delivered, so that the next repetition finds the same sizes."""
        try:
            for account, client in self._clients.items():
                client.command(b"NOOP")
                held = client.command(b"SEARCH RETURN (COUNT) ALL").number(rb"COUNT (\d+)")
                if held > self._sizes[account]:
                    surplus = b"%d:*" % (self._sizes[account] + 1)
                    client.command(b"STORE " + surplus + rb" +FLAGS.SILENT (\Deleted)")
                    client.command(b"EXPUNGE")
        finally:
            for client in self._clients.values():
                client.close()

    def fetches(self, count: int) -> dict[Account, list[float]]:
        """Fetch the same content from both in turn; from the larger one any of its copies."""
        times: dict[Account, list[float]] = {account: [] for account in self._sizes}
        for _ in range(count):
            index = self._index()
            for account in self._order():
                answer = self._clients[account].command(self._fetch(account, index))
                times[account].append(answer.took.seconds)
        return times

    async def deliveries(
        self, endpoint: Endpoint, greeting: Greeting, count: int
    ) -> dict[Account, list[float]]:
        """Deliver the same contents to both over one kept connection."""
        times: dict[Account, list[float]] = {account: [] for account in self._sizes}
        start = self._bench.fresh(count)
        courier = await Courier.connect(endpoint, greeting)
        try:
            for message in self._bench.corpus.messages(count, start):
                for account in self._order():
                    one = letter(account.address, message)
                    started = time.perf_counter()
                    await courier.deliver(one)
                    times[account].append(time.perf_counter() - started)
        finally:
            courier.close()
        return times

    def record(self, what: str, times: dict[Account, list[float]]) -> None:
        """The medians in ms and how many times longer the large one takes."""
        medians = {account: statistics.median(values) for account, values in times.items()}
        for account, median in medians.items():
            name = f"{what}, {self._sizes[account]:,}"
            self._bench.record("growth", name, "ms", "less", median * 1000)
        small, huge = medians.values()
        self._bench.record("growth", f"{what}, large / small", "×", "less", huge / small)

    def count_statements(self, url: str, incoming: Endpoint, greeting: Greeting) -> None:
        """SQL statements an operation, from the server's own metrics."""
        if read_counter(url, STATEMENTS) is None:
            return
        for account, size in self._sizes.items():
            before = settled_counter(url, STATEMENTS)
            for _ in range(_COUNTED):
                self._clients[account].command(self._fetch(account, self._index()))
            after = settled_counter(url, STATEMENTS)
            each = (after - before) / _COUNTED
            name = f"FETCH of one, {size:,}: statements"
            self._bench.record("growth", name, "SQL", "neither", each)
            asyncio.run(self._deliver_to(account, incoming, greeting))
            delivered = settled_counter(url, STATEMENTS)
            each = (delivered - after) / _COUNTED
            name = f"delivery, {size:,}: statements"
            self._bench.record("growth", name, "SQL", "neither", each)

    async def _deliver_to(self, account: Account, endpoint: Endpoint, greeting: Greeting) -> None:
        start = self._bench.fresh(_COUNTED)
        courier = await Courier.connect(endpoint, greeting)
        try:
            for message in self._bench.corpus.messages(_COUNTED, start):
                await courier.deliver(letter(account.address, message))
        finally:
            courier.close()

    def _order(self) -> list[Account]:
        order = list(self._sizes)
        self._random.shuffle(order)
        return order

    def _index(self) -> int:
        """Which content to read; the smaller INBOX has it too."""
        return self._random.randrange(min(*self._sizes.values(), len(self._bench.corpus)))

    def _fetch(self, account: Account, index: int) -> bytes:
        """Fetch a copy of that content; each round of the corpus holds one."""
        round_ = len(self._bench.corpus)
        copies = (self._sizes[account] - index - 1) // round_ + 1
        number = index + round_ * self._random.randrange(copies) + 1
        return b"FETCH %d (UID FLAGS ENVELOPE BODY.PEEK[])" % number


def read_counter(url: str, name: str) -> float | None:
    """Sum of a counter over its labels in a Prometheus text; None when it is not there."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        text = answer.read(_MAX_METRICS).decode()
    return sum_counter(text, name)


def settled_counter(url: str, name: str) -> float:
    """A counter once it stands still: processes hand in what they counted only now and then."""
    value = read_counter(url, name) or 0.0
    for _ in range(_PATIENCE):
        time.sleep(_HANDED_IN)
        now = read_counter(url, name) or 0.0
        if now == value:
            break
        value = now
    return value


def sum_counter(text: str, name: str) -> float | None:
    """As `read_counter`, of a text at hand."""
    values = [
        float(line.rsplit(" ", 1)[1])
        for line in text.splitlines()
        if line.startswith((name + " ", name + "{"))
    ]
    return sum(values) if values else None
