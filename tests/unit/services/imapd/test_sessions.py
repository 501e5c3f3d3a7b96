"""Several sessions on one mailbox: whatever they do, each agrees with a fresh SELECT afterwards.

Two workers, each with its own views, serve the same store; sessions of both change the mailbox at
random. A client that left before with QRESYNC comes back and must arrive at the same state.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.imap_answers import Fetched
from support.imap_client import Literal
from support.store import Place
from unit.services.imapd.harness import Served
from unit.services.imapd.mirror import Mirror, numbers, truth
from unit.services.imapd.two_workers import Workers, two_workers

FLAGS = (b"\\Seen", b"\\Deleted", b"\\Flagged", b"\\Answered", b"one", b"two")


@pytest.fixture
async def workers(place: Place) -> AsyncIterator[Workers]:
    async with two_workers(place) as both:
        yield both


@dataclass(frozen=True, slots=True)
class Step:
    """What session ``who`` does; ``at`` chooses messages, ``flags`` flags."""

    who: int
    what: str
    at: tuple[int, ...] = ()
    mode: bytes = b"+"
    flags: tuple[bytes, ...] = ()
    uid: bool = False


_WHATS = ["append", "store", "silent", "noop", "idle", "fetch", "search", "select"] + [
    "expunge",
    "uid expunge",
    "copy",
    "move",
    "renumber",
]


def _steps(who: int) -> st.SearchStrategy[Step]:
    return st.builds(
        Step,
        who=st.just(who),
        what=st.sampled_from(_WHATS),
        at=st.lists(st.integers(0, 12), min_size=1, max_size=4).map(tuple),
        mode=st.sampled_from((b"+", b"-", b"")),
        flags=st.lists(st.sampled_from(FLAGS), min_size=1, max_size=2, unique=True).map(tuple),
        uid=st.sampled_from((False, False, True)),
    )


Turns = list[tuple[Step, ...]]

TURNS = st.lists(
    st.sets(st.integers(0, 3), min_size=1, max_size=3).flatmap(
        lambda who: st.tuples(*[_steps(n) for n in sorted(who)])
    ),
    min_size=12,
    max_size=30,
)
"""In each turn some of the sessions do something, all at once."""


def _chosen(mirror: Mirror, step: Step) -> list[int]:
    """Positions from 0, of messages whose UID is known where UIDs are used."""
    count = len(mirror.entries)
    if not count:
        return []
    found = sorted({at % count for at in step.at})
    return [at for at in found if not step.uid or mirror.entries[at].uid]


async def _do(mirror: Mirror, step: Step) -> None:
    what = step.what
    if what == "append":
        flags = b" ".join(flag for flag in step.flags if flag != b"\\Deleted")
        await mirror.run(b"APPEND INBOX (%b) " % flags, Literal(b"Subject: x\r\n\r\ny\r\n"))
        return
    if what in ("noop", "expunge"):
        line = await mirror.run(what.upper().encode())
        assert line.startswith(b"OK"), line
        return
    if what == "idle":
        await mirror.idle()
        return
    if what == "select":
        await mirror.select()
        return
    chosen = _chosen(mirror, step)
    if not chosen:
        return
    uid = step.uid or what == "uid expunge"
    if uid:
        chosen = [at for at in chosen if mirror.entries[at].uid]
        if not chosen:
            return
    named = [mirror.entries[at].uid if uid else at + 1 for at in chosen]
    sets = b",".join(b"%d" % n for n in named)
    prefix = b"UID " if uid else b""
    if what == "store":
        flags = b" ".join(step.flags)
        line = await mirror.run(b"%bSTORE %b %bFLAGS (%b)" % (prefix, sets, step.mode, flags))
    elif what == "silent":
        for at in chosen:
            mirror.foresee(at, step.mode, step.flags)
        await mirror.store(sets, step.mode, step.flags, uid=uid)
        return
    elif what == "fetch":
        line = await mirror.run(b"%bFETCH %b (UID FLAGS)" % (prefix, sets))
    elif what == "search":
        line = await mirror.run(b"%bSEARCH OR SEEN %b" % (prefix, b"UID " + sets if uid else sets))
    elif what == "remove":
        await mirror.run(b"%bSTORE %b +FLAGS (\\Deleted)" % (prefix, sets))
        line = await mirror.run(b"EXPUNGE")
    elif what == "uid expunge":
        line = await mirror.run(b"UID EXPUNGE %b" % sets)
    else:
        target = b"Archive" if what in ("copy", "move") else b"INBOX"
        word = b"MOVE" if what == "move" else b"COPY"
        line = await mirror.run(b"%b%b %b %b" % (prefix, word, sets, target))
    assert line.startswith((b"OK", b"NO [EXPUNGEISSUED]")), line


@dataclass(slots=True)
class Cache:
    """What a client keeps while it is away."""

    uidvalidity: int
    modseq: int
    flags: dict[int, frozenset[bytes]]


async def _leave(served: Served, address: str) -> Cache:
    client = await served.signed_in(address)
    answer = await client.command(b"SELECT INBOX")
    cache = Cache(
        int(answer.code(b"UIDVALIDITY")[0]),
        int(answer.code(b"HIGHESTMODSEQ")[0]),
        await truth(served, address),
    )
    client.close()
    return cache


def _row(row: Fetched) -> tuple[int, frozenset[bytes]]:
    uid, flags = row.items[b"UID"], row.items[b"FLAGS"]
    assert isinstance(uid, int)
    assert isinstance(flags, tuple)
    return uid, frozenset(flags) - {b"\\Recent"}


async def _come_back(served: Served, address: str, cache: Cache, *, named: bool) -> None:
    """QRESYNC makes of the cache what is there now; ``named``: the client lists its UIDs."""
    client = await served.signed_in(address)
    await client.command(b"ENABLE QRESYNC")
    known = b""
    if named and cache.flags:
        known = b" " + b",".join(b"%d" % uid for uid in sorted(cache.flags))
    answer = await client.command(
        b"SELECT INBOX (QRESYNC (%d %d%b))" % (cache.uidvalidity, cache.modseq, known)
    )
    flags = dict(cache.flags)
    for line in answer.untagged:
        if found := re.fullmatch(rb"\* VANISHED \(EARLIER\) ([\d:,]+)\r\n", line):
            for uid in numbers(found[1]):
                flags.pop(uid, None)
    for row in answer.fetched():
        uid, new = _row(row)
        assert b"MODSEQ" in row.items
        if not named or uid in flags:
            flags[uid] = new
    if named:
        least = max(cache.flags, default=0) + 1
        for row in (await client.command(b"UID FETCH %d:* (FLAGS)" % least)).fetched():
            uid, new = _row(row)
            flags[uid] = new
    assert flags == await truth(served, address)
    client.close()


async def _play(workers: Workers, turns: Turns, away: int, named: bool) -> None:
    _, address = await workers.first.account()
    mirrors = [await Mirror.open(workers.of(n), address, qresync=n == 2) for n in range(4)]
    for _ in range(8):
        await _do(mirrors[0], Step(0, "append", flags=(b"\\Seen",)))
    cache: Cache | None = None
    for n, turn in enumerate(turns):
        if n == away:
            cache = await _leave(workers.of(n), address)
        await asyncio.gather(*[_do(mirrors[step.who], step) for step in turn])
    there = await truth(workers.second, address)
    for mirror in mirrors:
        await mirror.run(b"NOOP")
        await mirror.ask()
        assert {e.uid: e.flags for e in mirror.entries} == there
        assert [e.uid for e in mirror.entries] == sorted(there)
        mirror.client.close()
    # RFC 3501 §2.3.2: each message was recent to one session at the most, whichever worker has it.
    recent = sorted(uid for mirror in mirrors for uid in mirror.had_recent)
    assert len(recent) == len(set(recent))
    if cache is not None:
        await _come_back(workers.first, address, cache, named=named)


_AS_IT_IS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
@settings(max_examples=20, deadline=None, suppress_health_check=_AS_IT_IS)
@given(turns=TURNS, away=st.integers(0, 11), named=st.booleans())
async def test_all_agree(workers: Workers, turns: Turns, away: int, named: bool) -> None:
    await _play(workers, turns, away, named)


@pytest.mark.postgres
@pytest.mark.parametrize("place", ["postgres"], indirect=True)
@settings(max_examples=6, deadline=None, suppress_health_check=_AS_IT_IS)
@given(turns=TURNS, away=st.integers(0, 11), named=st.booleans())
async def test_all_agree_on_postgres(
    workers: Workers, turns: Turns, away: int, named: bool
) -> None:
    await _play(workers, turns, away, named)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
@settings(max_examples=500, deadline=None, suppress_health_check=_AS_IT_IS)
@given(turns=TURNS, away=st.integers(0, 11), named=st.booleans())
async def test_all_agree_for_long(workers: Workers, turns: Turns, away: int, named: bool) -> None:
    await _play(workers, turns, away, named)
