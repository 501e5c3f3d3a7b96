"""R1 R8 R32 (SMTP) and L1 L8 (LMTP): mail comes in.

*accepted* ends with the last 250; *delivered* when IMAP STATUS has counted every message (one kept
connection a user, 50 ms between polls), because a server may accept long before it files.
"""

import asyncio
import time

from malleposte.bench.clock import Clock, Clocked
from malleposte.bench.imap_client import ImapClient
from malleposte.bench.measure import Bench, Cost
from malleposte.bench.smtp_client import Greeting, letter, send
from malleposte.bench.trouble import BenchTrouble

POLL_PAUSE = 0.05
# 1,500 messages take seconds; whoever needs longer than this has lost some or is stuck.
DELIVERY_LIMIT = 300.0


def receiving(bench: Bench, work: str) -> None:
    """`R32`: the letter says how mail comes in, the number how many connections at once."""
    lmtp = work.startswith("L")
    connections = int(work[1:])
    greeting: Greeting = b"LHLO" if lmtp else b"EHLO"
    endpoint = bench.subject.endpoint("lmtp" if lmtp else "smtp")
    reading = bench.subject.endpoint("imap")
    if endpoint is None or reading is None:
        raise BenchTrouble(f"{bench.subject.name} offers no {'LMTP' if lmtp else 'SMTP'} here")
    users = bench.subject.accounts.receiving
    count = bench.counts.receive
    start = bench.fresh(count)
    letters = [
        letter(users[number % len(users)].address, message)
        for number, message in enumerate(bench.corpus.messages(count, start))
    ]
    pollers = [ImapClient(reading) for _ in users]
    try:
        for poller, user in zip(pollers, users, strict=True):
            poller.login(user)
        before = sum(poller.messages(b"INBOX") for poller in pollers)
        accepted = 0.0

        def run() -> Clocked:
            nonlocal accepted
            clock = Clock()
            accepted = asyncio.run(send(endpoint, greeting, letters, connections=connections))
            _await_count(pollers, before + count, time.perf_counter() + DELIVERY_LIMIT)
            return clock.read()

        cost = bench.cost(run)
    finally:
        for poller in pollers:
            poller.close()
    bench.record_rate(work, "accepted", count, Cost(accepted, None, 0.0))
    bench.record_rate(work, "delivered", count, cost)


def _await_count(pollers: list[ImapClient], wanted: int, deadline: float) -> None:
    """Poll until the INBOXes together hold `wanted` messages."""
    while (found := sum(poller.messages(b"INBOX") for poller in pollers)) < wanted:
        if time.perf_counter() > deadline:
            raise BenchTrouble(f"{wanted - found} messages were accepted and not delivered in time")
        time.sleep(POLL_PAUSE)
