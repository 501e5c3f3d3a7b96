"""What the domain of an author asks of servers that get mail in its name without its signature (DMARC).

Looked for at the domain, then upwards name by name (RFC 9989 §4.10), so that no list of public suffixes
is needed. Known for a while; a domain whose DNS does not answer in time counts as strict, for a From that
names the group harms nobody.
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
        above: list[dict[str, str]] = []
        for name in _names(domain):
            answer = await self._records.find(f"_dmarc.{name}", "TXT")
            if answer.ttl:
                life = min(life, max(answer.ttl, SHORTEST))
            found = [tags for tags in map(_tags, answer.values) if tags]
            if len(found) != 1:
                continue  # several records are none
            if name == domain:
                return _strict(found[0], found[0].get("p", "")), life
            above.append(found[0])
            if found[0].get("psd") in ("y", "n"):
                break
        if not above:
            return False, life
        # The organisation's own domain: the uppermost with a record, below a public suffix that says so.
        tags = above[-2] if above[-1].get("psd") == "y" and len(above) > 1 else above[-1]
        return _strict(tags, tags.get("sp", tags.get("p", ""))), life


def _strict(tags: dict[str, str], policy: str) -> bool:
    """Whether a policy, one step milder while it is tried out, is more than to watch."""
    milder = tags.get("t", "").lower() == "y"
    return policy.lower() in (("reject",) if milder else ("quarantine", "reject"))


def _names(domain: str) -> list[str]:
    """The domain and those above it; of a very long name the domain itself and the last ones."""
    labels = domain.split(".")
    names = [".".join(labels[at:]) for at in range(len(labels))]
    return names if len(names) <= LOOKUPS else [names[0], *names[1 - LOOKUPS :]]


def _tags(record: str) -> dict[str, str]:
    """The tags of a DMARC record, none of anything else."""
    parts = [part.partition("=") for part in record.split(";")]
    tags = {name.strip().lower(): value.strip() for name, equals, value in parts if equals}
    first = parts[0]
    return tags if (first[0].strip().lower(), first[2].strip()) == ("v", "DMARC1") else {}
