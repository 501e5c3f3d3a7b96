"""How TLS sessions went, counted until reports tell of it: half a minute in memory, then in the store.

Only domains that want reports are counted. Other servers choose how they fail, so what is told apart is
bounded here and in the store; what is lost where a worker dies is half a minute's count.
"""

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import msgspec
import structlog

from malleposte.delivery.outbound.tls import TlsSession, Told
from malleposte.store import Store, StoreError
from malleposte.store.commands import AddTlsResults, TlsCount

log = structlog.get_logger("tls")

FLUSH_EVERY: Final = 30.0
MOST: Final = 10_000
"""Different results in memory; more are not counted."""
AT_ONCE: Final = 500
"""Results in one command."""
MOST_LINES: Final = 4_000
"""Characters of a policy's text that are kept."""
MOST_WORDS: Final = 200
DAY: Final = 86_400

_encode = msgspec.json.Encoder(order="sorted").encode


class Ledger:
    """See the module. ``clock``: seconds of the Unix epoch."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._counts: Counter[tuple[int, str, str, str, str]] = Counter()
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task[None] | None = None

    def add(self, told: Told, session: TlsSession) -> None:
        """Count a session."""
        day = int(self._clock()) // DAY
        policy = _encode(policy_of(told)).decode()
        failure = rest = ""
        if session.failure:
            failure = _encode(failure_of(session)).decode()
            rest = _encode({"result-type": session.failure}).decode()
        key = (day, told.domain, policy, failure, rest)
        if key not in self._counts and len(self._counts) >= MOST:
            return
        self._counts[key] += 1
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(FLUSH_EVERY, self._begin)

    def _begin(self) -> None:
        self._timer = None
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.get_running_loop().create_task(self.flush())

    async def flush(self) -> None:
        """Have the store keep what was counted; what it does not take is lost."""
        counts, self._counts = self._counts, Counter()
        days: dict[int, list[TlsCount]] = {}
        for (day, domain, policy, failure, rest), sessions in counts.items():
            days.setdefault(day, []).append(
                TlsCount(
                    domain=domain,
                    key=_key(policy, failure),
                    policy=policy,
                    failure=failure,
                    sessions=sessions,
                    rest_key=_key(policy, rest) if rest else "",
                    rest=rest,
                )
            )
        for day, rows in days.items():
            for at in range(0, len(rows), AT_ONCE):
                part = tuple(rows[at : at + AT_ONCE])
                try:
                    await self._store.submit(AddTlsResults(day=day, counts=part))
                except StoreError as error:
                    log.warning("how TLS went is not counted", reason=str(error), of=len(part))

    async def close(self) -> None:
        """Have the rest kept."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._flushing is not None:
            await self._flushing
        if self._counts:
            await self.flush()


def policy_of(told: Told) -> dict[str, Any]:
    """A policy as reports have it (RFC 8460 §4.4)."""
    found: dict[str, Any] = {"policy-type": told.kind, "policy-domain": told.domain}
    if told.lines:
        found["policy-string"] = _within(told.lines)
    if told.hosts and told.kind != "no-policy-found":
        found["mx-host"] = _within(told.hosts)
    return found


def _within(lines: tuple[str, ...]) -> list[str]:
    left, kept = MOST_LINES, []
    for line in lines:
        left -= len(line)
        if left < 0:
            break
        kept.append(line)
    return kept


def failure_of(session: TlsSession) -> dict[str, str]:
    """A failure as reports have it, without its count."""
    found = {
        "result-type": session.failure,
        "receiving-mx-hostname": session.host,
        "receiving-ip": session.address,
        "sending-mta-ip": session.local,
        "failure-reason-code": session.words[:MOST_WORDS],
    }
    return {name: value for name, value in found.items() if value}


def _key(policy: str, failure: str) -> str:
    return hashlib.sha256(f"{policy}\n{failure}".encode()).hexdigest()[:32]
