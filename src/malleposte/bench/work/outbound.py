"""S20: a queue of 5,000 messages leaves over 20 connections; Q1M: mail leaves beside a million messages
that wait. The other side is Postfix's `smtp-sink` (`bench.sink`)."""

import smtplib
import time

from malleposte.bench.clock import Clock
from malleposte.bench.measure import Bench, Cost
from malleposte.bench.our_queue import message
from malleposte.bench.sink import Sink
from malleposte.bench.trouble import BenchTrouble
from malleposte.delivery.signing.dkim import sign
from malleposte.delivery.signing.keys import make

OCTETS = 4_000
SIGNED = 1_000
LIMIT = 300.0
POLL_PAUSE = 0.05


def outbound(bench: Bench, work: str) -> None:
    """Fill the queue while the server stands still, start it, wait until all is gone."""
    subject, count = bench.subject, bench.counts.queue
    waiting = subject.queued()
    with Sink() as sink:
        _preload(bench, sink, count, 0)
        before, clock = bench.cpu(), Clock()
        sink.wait(count, LIMIT)
        # An outcome that is not kept is no outcome: the queue must have heard of all of them.
        until = time.monotonic() + LIMIT
        while (left := subject.queued() - waiting) > 0:
            if time.monotonic() > until:
                raise BenchTrouble(f"{left} messages are in the queue still")
            time.sleep(POLL_PAUSE)
        client, after = clock.read().client_cpu, bench.cpu()
    # From the first hundred on: how long a server takes to start is another question.
    early = min(100, count // 10)
    counted = count - early
    seconds = sink.reached(count) - sink.reached(early)
    cpu = None if before is None or after is None else (after - before) * counted / count
    bench.record_rate(work, "left for the sink", counted, Cost(seconds, cpu, client))
    if subject.ours:
        _signing(bench, work)


def _signing(bench: Bench, work: str) -> None:
    """What signing would cost beside: two signatures for each, which mail here has before it is queued."""
    now = int(time.time())
    keys = make("bench.test", "bench", now).keys
    messages = [message(n, OCTETS).partition(b"\r\n\r\n") for n in range(SIGNED)]
    clock = Clock()
    for header, _, body in messages:
        sign(header + b"\r\n", (body,), keys, now)
    took = clock.read()
    cost = Cost(took.seconds, took.client_cpu, 0.0)
    bench.record_rate(work, "signed by RSA and Ed25519, one core", SIGNED, cost)


def deferred(bench: Bench, work: str) -> None:
    """How long a start takes beside a long queue, and one new message after it."""
    with Sink() as sink:
        started = _preload(bench, sink, 1, bench.counts.deferred)
        bench.record(work, "start, until it greets", "ms", "less", _since(started))
        sink.wait(1, LIMIT)
        arrived = (sink.reached(1) - started) * 1000
        bench.record(work, "start, until what is due left", "ms", "less", arrived)
        sent = _submit(bench)
        sink.wait(2, LIMIT)
        took = (sink.reached(2) - sent) * 1000
        bench.record(work, "a new message, from its 250 on", "ms", "less", took)


def _preload(bench: Bench, sink: Sink, count: int, waiting: int) -> float:
    """Stop, fill, start; when the start began."""
    subject = bench.subject
    subject.stop()
    try:
        bench.say(f"{count:,} messages are queued" + (f", {waiting:,} wait" if waiting else ""))
        reason = subject.preload(sink.endpoint, count, OCTETS, waiting)
    finally:
        started = time.perf_counter()
        subject.start()
    if reason:
        raise BenchTrouble(reason)
    return started


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _submit(bench: Bench) -> float:
    """Submit one message; when it was answered."""
    endpoint, account = bench.subject.endpoint("submission"), bench.subject.accounts.reading
    if endpoint is None:
        raise BenchTrouble(f"{bench.subject.name} offers no submission here")
    with smtplib.SMTP(endpoint.host, endpoint.port, timeout=30) as client:
        if bench.subject.ours:
            client.login(account.address, account.password)
        client.sendmail(account.address, ["new@elsewhere.test"], message(0, OCTETS))
        return time.perf_counter()
