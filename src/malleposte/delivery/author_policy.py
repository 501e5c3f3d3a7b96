"""What the domain of an author asks of servers that get mail in its name without its signature (DMARC).

Looked for at the domain, then upwards name by name, as DMARC does since it needs no list of public suffixes
any more: the nearest record counts, by its policy for domains below it where it has one. Known for a
while; a domain whose DNS does not answer in time counts as strict, for a rewritten From harms nobody.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from malleposte.delivery.outbound.resolver import LookupFailed
from malleposte.delivery.signing.lookup import Records

SECONDS: Final = 8.0
"""For all look-ups of one domain together."""
LOOKUPS: Final = 8
"""Names asked for one domain."""
SHORTEST: Final = 300.0
LONGEST: Final = 3_600.0
FAILED_FOR: Final = 60.0
MOST: Final = 5_000
"""Domains remembered."""


class AuthorPolicies:
    """See the module. Belongs to one event loop; ``clock``: seconds that never go back."""

    def __init__(
        self,
        records: Records,
        *,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._records = records
        self._seconds = seconds
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, bool]] = OrderedDict()

    async def strict(self, domain: str) -> bool:
        """Whether mail in the name of a domain (A-labels) is refused, or taken for junk, without its
        signature."""
        domain = domain.lower().rstrip(".")
        known = self._kept.get(domain)
        if known is not None and known[0] > self._clock():
            self._kept.move_to_end(domain)
            return known[1]
        try:
            async with asyncio.timeout(self._seconds):
                answer, life = await self._looked_up(domain)
        except (TimeoutError, LookupFailed):
            answer, life = True, FAILED_FOR
        self._kept[domain] = (self._clock() + life, answer)
        self._kept.move_to_end(domain)
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return answer

    async def _looked_up(self, domain: str) -> tuple[bool, float]:
        life = LONGEST
        for name in _names(domain):
            answer = await self._records.find(f"_dmarc.{name}", "TXT")
            if answer.ttl:
                life = min(life, max(answer.ttl, SHORTEST))
            found = [tags for tags in map(_tags, answer.values) if tags]
            if len(found) == 1:  # several records are none (RFC 7489 §6.6.3)
                tags = found[0]
                policy = tags.get("p", "none")
                if name != domain:
                    policy = tags.get("sp", policy)
                return policy.lower() in ("quarantine", "reject"), life
        return False, life


def _names(domain: str) -> list[str]:
    """The domain and those above it, a top-level domain left out."""
    labels = domain.split(".")
    names = [".".join(labels[at:]) for at in range(max(1, len(labels) - 1))]
    # Of a very long name the domain itself and the last ones.
    return names if len(names) <= LOOKUPS else [names[0], *names[1 - LOOKUPS :]]


def _tags(record: str) -> dict[str, str]:
    """The tags of a DMARC record, none of anything else."""
    parts = [part.partition("=") for part in record.split(";")]
    tags = {name.strip().lower(): value.strip() for name, equals, value in parts if equals}
    first = parts[0]
    return tags if (first[0].strip().lower(), first[2].strip()) == ("v", "DMARC1") else {}
