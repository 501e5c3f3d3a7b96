"""The MTA-STS policies of our own domains: how others are to encrypt mail to them (RFC 8461 §3.2).

Mode and further servers stand with the domain; the policy is served over HTTPS, and its id, which the DNS
announces, is made of its text: another policy has another id.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from malleposte.store.dialect import Reader

DAY: Final = 86_400
LIFE: Final = {"none": DAY, "testing": 7 * DAY, "enforce": 14 * DAY}
"""Seconds for which others keep a policy, by its mode. One that ends all demands is not kept long
(RFC 8461 §8.3); one that makes them should outlive who disturbs its web server."""


@dataclass(frozen=True, slots=True)
class OwnPolicy:
    """``servers``: that the policy names beside this one, in lower case."""

    mode: str
    servers: tuple[str, ...] = ()

    def hosts(self, host: str) -> tuple[str, ...]:
        """All servers that it names; ``host``: this one."""
        return tuple(dict.fromkeys((host, *self.servers)))

    def text(self, host: str) -> str:
        """The policy as it is served."""
        servers = "".join(f"mx: {one}\r\n" for one in self.hosts(host))
        return f"version: STSv1\r\nmode: {self.mode}\r\n{servers}max_age: {LIFE[self.mode]}\r\n"

    def id(self, host: str) -> str:
        """What its record announces."""
        return hashlib.sha256(self.text(host).encode()).hexdigest()[:20]


async def own_policy(reader: Reader, domain: str) -> OwnPolicy | None:
    """Of a domain by its name in A-labels; None: it is not ours."""
    row = await reader.row("SELECT mta_sts, mta_sts_mx FROM domain WHERE name = $1", domain)
    return None if row is None else OwnPolicy(row[0], tuple(row[1].split()))
