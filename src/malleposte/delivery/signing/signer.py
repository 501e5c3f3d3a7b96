"""The keys of each domain, and which of them sign now.

Of each algorithm one key signs: the newest whose record stands in the DNS (``published``). So a rotation
is: make new keys, publish their records; from then on they sign, and the old ones can be retired.

A domain that has keys is a *signing domain*. Where its mail leaves unsigned, receivers with DMARC may
refuse it, so that is an alarm: a line in the log, at most one a minute for a domain, and a hook for
figures.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from malleposte.delivery.signing.arc import seal_hashed
from malleposte.delivery.signing.arc_chain import validated
from malleposte.delivery.signing.dkim import sign_hashed
from malleposte.delivery.signing.fields import Unfit
from malleposte.delivery.signing.kept import Kept, Ring, pairs_of
from malleposte.delivery.signing.keys import SigningKey
from malleposte.delivery.signing.lookup import Records
from malleposte.delivery.signing.published import Published
from malleposte.store.dialect import Reader

log = structlog.get_logger("signing")

KNOWN_FOR: Final = 30.0
"""Seconds for which a domain's keys are kept in memory: so long until new ones are seen."""
MOST_DOMAINS: Final = 1_000
"""Domains whose keys are kept in memory."""
LINE_EVERY: Final = 60.0
"""Seconds between two lines of the log about one domain."""

Unsigned = Callable[[str, str], None]
"""Told of each message of a signing domain that leaves unsigned: the domain, and why."""


@dataclass(frozen=True, slots=True)
class Choice:
    """``keys`` that sign now, RSA first. ``signing``: the domain has keys at all. ``why`` none signs."""

    keys: tuple[SigningKey, ...]
    signing: bool
    why: str = ""


NOT_SIGNING: Final = Choice((), False)


class Signer:
    """See the module. Belongs to one event loop. ``records``: where others' keys are looked up."""

    def __init__(
        self,
        reader: Reader,
        ring: Ring,
        published: Published,
        records: Records,
        *,
        unsigned: Unsigned | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._ring = ring
        self._published = published
        self._records = records
        self._unsigned = unsigned
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Kept]] = OrderedDict()
        self._said: OrderedDict[str, tuple[float, int]] = OrderedDict()

    async def sign(self, domain: str, header: bytes, body_digest: bytes, now: int) -> bytes:
        """The DKIM-Signature fields of a message whose From is in ``domain`` (A-labels); '' where it
        leaves unsigned, which is an alarm for a signing domain. Raises what the store raises."""
        choice = await self.chosen(domain)
        if not choice.keys:
            if choice.signing:
                self._alarm(domain, choice.why)
            return b""
        try:
            return sign_hashed(header, body_digest, choice.keys, now)
        except Unfit as error:
            self._alarm(domain, str(error))
            return b""

    async def seal(
        self, server: str, domain: str, header: bytes, body_digest: bytes, now: int
    ) -> bytes:
        """The next ARC set of a message that is sent on in the name of ``domain``; '' where no RSA key of
        it signs, or where it cannot be told now whether the sets that it came with are good. That is what
        it says; nothing else was found out about the message yet. Raises what the store raises."""
        choice = await self.chosen(domain)
        key = next((one for one in choice.keys if one.algorithm == "rsa-sha256"), None)
        if key is None:
            return b""
        chain = await validated(header, body_digest, self._records)
        if chain is None:
            return b""
        try:
            results = f"{server}; arc={chain}"  # RFC 8617 §5.2
            return seal_hashed(header, body_digest, key, now, results=results, chain=chain)
        except Unfit:
            return b""

    async def concerns(self, domain: str) -> bool:
        """Whether a domain has keys at all: else nothing of its mail need be hashed. Raises what the store
        raises."""
        kept = await self._kept(domain)
        return bool(kept.pairs or kept.troubles)

    async def chosen(self, domain: str) -> Choice:
        """The keys that sign for a domain now. Raises what the store raises."""
        kept = await self._kept(domain)
        if not kept.pairs and not kept.troubles:
            return NOT_SIGNING
        found: dict[str, SigningKey] = {}
        wrong = list(kept.troubles)
        keys = [key for pair in kept.pairs for key in pair.keys]
        # Side by side: where the DNS is slow, mail waits for one deadline and not for twenty.
        for key, seen in zip(
            keys, await asyncio.gather(*map(self._published.seen, keys)), strict=True
        ):
            if seen.state == "right":
                found.setdefault(key.algorithm, key)
            else:
                wrong.append(seen.words)
        signing = tuple(found[one] for one in ("rsa-sha256", "ed25519-sha256") if one in found)
        return Choice(signing, True, "; ".join(wrong[:2]))

    async def _kept(self, domain: str) -> Kept:
        known = self._known.get(domain)
        if known is not None and known[0] > self._clock():
            return known[1]
        kept = await pairs_of(self._reader, self._ring, domain)
        self._known[domain] = (self._clock() + KNOWN_FOR, kept)
        self._known.move_to_end(domain)
        if len(self._known) > MOST_DOMAINS:
            self._known.popitem(last=False)
        return kept

    def _alarm(self, domain: str, why: str) -> None:
        if self._unsigned is not None:
            self._unsigned(domain, why)
        now = self._clock()
        last, unwritten = self._said.get(domain, (now - LINE_EVERY, 0))
        if now - last < LINE_EVERY:
            self._said[domain] = (last, unwritten + 1)
            return
        more = {"unwritten": unwritten} if unwritten else {}
        log.error(
            "mail of a signing domain leaves unsigned",
            domain=domain,
            reason=why,
            remedy=f"malleposte dns {domain} --check",
            **more,
        )
        self._said[domain] = (now, 0)
        self._said.move_to_end(domain)
        if len(self._said) > MOST_DOMAINS:
            self._said.popitem(last=False)
