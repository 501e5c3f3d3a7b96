"""The policy of a domain as its web server gives it (RFC 8461 §3.3)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from malleposte.delivery.outbound.resolver import LookupFailed, NoSuchName, Resolver
from malleposte.delivery.outbound.settings import IpNetwork
from malleposte.egress.fetch import fetch
from malleposte.egress.settings import EgressError, EgressPolicy

from .sts_policy import BadPolicy

LARGEST: Final = 65_536
"""Octets of a policy (RFC 8461 §3.3 names 64 kilobytes)."""
SECONDS: Final = 20.0
"""For a policy to come. RFC 8461 §3.3 has a minute; a message waits for it."""


@dataclass(frozen=True, slots=True)
class StsSettings:
    """``port``: of policies' web servers, 443 everywhere but in tests; ``authorities``: a PEM file in
    place of the system's; ``allowed``: networks they may be in though those are special."""

    port: int = 443
    authorities: Path | None = None
    allowed: tuple[IpNetwork, ...] = ()


async def fetched(
    domain: str, settings: StsSettings, resolver: Resolver, seconds: float = 0.0
) -> bytes:
    """A policy's text, within ``seconds`` (0: ``SECONDS``). Raises ``EgressError`` and ``BadPolicy``."""

    async def addresses(host: str, port: int) -> list[str]:
        try:
            return [str(one) for one in await resolver.addresses(host)]
        except (LookupFailed, NoSuchName) as error:
            raise OSError(str(error)) from error

    port = "" if settings.port == 443 else f":{settings.port}"
    response = await fetch(
        f"https://mta-sts.{domain}{port}/.well-known/mta-sts.txt",
        EgressPolicy(
            allowed=settings.allowed,
            ports=frozenset({settings.port}),
            plain_http=False,
            max_redirects=0,  # RFC 8461 §3.3: they must not be followed
            max_body=LARGEST,
            total_timeout=seconds or SECONDS,
            authorities=settings.authorities,
        ),
        resolver=addresses,
    )
    if response.status != 200:
        raise EgressError("protocol", f"its web server answered {response.status}")
    kind = (response.header(b"content-type") or b"").partition(b";")[0].strip().lower()
    if kind != b"text/plain":
        # RFC 8461 §3.2: pages that anybody may write must not pass for policies.
        raise BadPolicy(f"it is «{kind[:60].decode('ascii', 'replace')}» and not text/plain")
    return response.body
