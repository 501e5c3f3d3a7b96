"""Policies of MTA-STS: announced in the DNS, fetched over HTTPS, kept until they end (RFC 8461).

A kept policy holds until it ends, whatever becomes of its record or its web server: that is what makes it
worth something against who can disturb both. It is fetched again when another id is announced, and
(``refresh``) before it ends. One that cannot be fetched the first time is none; why, stands in reports.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from malleposte.delivery.outbound.resolver import LookupFailed, Resolver
from malleposte.egress.settings import EgressError
from malleposte.store import Store, StoreError
from malleposte.store.commands import MarkStsPolicy, PutStsPolicy
from malleposte.store.read import tls as kept

from .sts_fetch import StsSettings, fetched
from .sts_policy import BadPolicy, StsPolicy, announced, lines_of, read_policy

log = structlog.get_logger("mta-sts")

DAY: Final = 86_400
AGAIN: Final = 300.0
"""Seconds until what could not be fetched is asked for again (RFC 8461 §3.3)."""
READ_EVERY: Final = 300.0
"""Seconds for which what the store has of a domain is believed."""
MOST_KNOWN: Final = 5_000
"""Domains in memory."""
ENDING: Final = 2 * DAY
"""A policy is fetched again when so much of its time is left, at most every ``TRIED`` seconds."""
TRIED: Final = 6 * 3_600
UNUSED: Final = 30 * DAY
"""A policy by which no mail went for so long is not fetched again."""
REFRESHED, AT_ONCE = 200, 16
"""Policies fetched again at a time, and how many of them side by side: other upkeep waits for them."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for a domain. ``policy`` None: one was announced, and could not be had; ``failure``, as
    RFC 8460 §4.3 calls it, and ``why`` say how. ``lines``: the policy's text."""

    policy: StsPolicy | None
    lines: tuple[str, ...] = ()
    failure: str = ""
    why: str = ""


@dataclass(slots=True)
class _Known:
    """``row``: what the store has, None for nothing; ``policy``: the same, read."""

    read_at: float
    row: kept.KeptPolicy | None = None
    policy: StsPolicy | None = None
    failed_id: str = ""
    failed_until: float = 0.0
    standing: Standing | None = None


class StsPolicies:
    """See the module. ``clock``: seconds of the Unix epoch."""

    def __init__(
        self,
        store: Store,
        resolver: Resolver,
        settings: StsSettings,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._resolver = resolver
        self._settings = settings
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._fetching: dict[str, asyncio.Task[Standing]] = {}

    async def of(self, domain: str) -> Standing | None:
        """What holds for a domain now, None for nothing; within ``SECONDS`` beside the look-up. Raises
        what the store raises where it cannot be read."""
        identity, known = await asyncio.gather(self._announced(domain), self._of(domain))
        standing = self._standing(known)
        if standing is not None:
            await self._used(known)
            if not identity or (known.row is not None and known.row.id == identity):
                return standing
        if not identity:
            return None
        if known.failed_id == identity and known.failed_until > time.monotonic():
            return standing or known.standing
        found = await self._together(domain, identity)
        return found if found.policy is not None or standing is None else standing

    async def refresh(self) -> int:
        """Fetch again what is about to end; of how many policies that was tried."""
        now = int(self._clock())
        ending = await kept.sts_ending(
            self._store.reader,
            before=now + ENDING,
            used_after=now - UNUSED,
            tried_before=now - TRIED,
            limit=REFRESHED,
        )
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(row: kept.KeptPolicy) -> None:
            async with turns:
                identity = await self._announced(row.domain)
                if not identity:
                    await self._failed(row.domain, "no policy is announced any more")
                    return
                found = await self._together(row.domain, identity)
                if found.policy is None:
                    await self._failed(row.domain, found.why)

        await asyncio.gather(*(one(row) for row in ending))
        return len(ending)

    # What is known --------------------------------------------------------------------------------

    async def _announced(self, domain: str) -> str:
        try:
            found = await self._resolver.look_up(f"_mta-sts.{domain}", "TXT")
        except LookupFailed:
            return ""  # a kept policy holds; without one there is none (RFC 8461 §10.2)
        return announced([str(one) for one in found.values or ()])

    async def _of(self, domain: str) -> _Known:
        known = self._known.get(domain)
        now = time.monotonic()
        if known is None:
            known = self._known[domain] = _Known(now - READ_EVERY)
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        self._known.move_to_end(domain)
        if now - known.read_at >= READ_EVERY:
            self._take(known, await kept.sts_policy(self._store.reader, domain))
            known.read_at = now
        return known

    def _take(self, known: _Known, row: kept.KeptPolicy | None) -> None:
        known.row, known.policy = row, None
        if row is not None:
            try:
                known.policy = read_policy(row.policy.encode())
            except BadPolicy as error:
                log.error("a kept policy cannot be read", domain=row.domain, reason=str(error))

    def _standing(self, known: _Known) -> Standing | None:
        row = known.row
        if row is None or known.policy is None or row.expires_at <= self._clock():
            return None
        return Standing(known.policy, lines_of(row.policy))

    async def _used(self, known: _Known) -> None:
        row = known.row
        if row is None or self._clock() - row.used_at < DAY:
            return
        try:
            await self._store.submit(MarkStsPolicy(domain=row.domain, used=True))
            self._take(known, await kept.sts_policy(self._store.reader, row.domain))
        except StoreError as error:
            log.warning("that a policy was used is not noted", reason=str(error))

    async def _failed(self, domain: str, why: str) -> None:
        log.warning("a policy cannot be fetched again", domain=domain, reason=why)
        await self._store.submit(MarkStsPolicy(domain=domain, failed=why))

    # Fetching -------------------------------------------------------------------------------------

    async def _together(self, domain: str, identity: str) -> Standing:
        """Fetch, or wait for who fetches the same already."""
        task = self._fetching.get(domain)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._fetch(domain, identity))
            self._fetching[domain] = task
            task.add_done_callback(lambda _: self._fetching.pop(domain, None))
        return await asyncio.shield(task)

    async def _fetch(self, domain: str, identity: str) -> Standing:
        try:
            octets = await fetched(domain, self._settings, self._resolver)
            policy = read_policy(octets)
        except EgressError as error:
            failure = "sts-webpki-invalid" if error.kind == "tls" else "sts-policy-fetch-error"
            return await self._not_had(domain, identity, failure, str(error))
        except BadPolicy as error:
            return await self._not_had(domain, identity, "sts-policy-invalid", str(error))
        text = octets.decode()
        known = await self._of(domain)
        try:
            await self._store.submit(
                PutStsPolicy(domain=domain, id=identity, policy=text, seconds=policy.max_age)
            )
            self._take(known, await kept.sts_policy(self._store.reader, domain))
            known.read_at = time.monotonic()
        except StoreError as error:
            log.warning("a policy could not be kept", domain=domain, reason=str(error))
        return Standing(policy, lines_of(text))

    async def _not_had(self, domain: str, identity: str, failure: str, why: str) -> Standing:
        words = f"the MTA-STS policy of {domain} could not be had: {why}"
        log.info("a policy could not be fetched", domain=domain, reason=why)
        known = await self._of(domain)
        known.failed_id, known.failed_until = identity, time.monotonic() + AGAIN
        known.standing = Standing(None, failure=failure, why=words)
        return known.standing
