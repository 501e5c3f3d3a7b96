"""Bounds of what is fetched, and the errors that come of them."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

Kind = Literal["refused", "unreachable", "tls", "protocol", "too large", "too slow"]


class EgressError(Exception):
    """Nothing was fetched. `kind` says whose doing it is; `temporary` whether trying again later may
    help; the text is for people and names no address of the inside."""

    def __init__(self, kind: Kind, text: str) -> None:
        super().__init__(text)
        self.kind = kind

    @property
    def temporary(self) -> bool:
        return self.kind in ("unreachable", "too slow")


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """What may be fetched from where, and how much. Sizes in bytes, times in seconds.

    The size of a body is what the largest legitimate thing fetched here has (a picture in a
    message, an MTA-STS policy of 64 kB, a calendar), the header's what large sites send with
    cookies."""

    allowed: tuple[IpNetwork, ...] = ()
    """Networks that may be reached although they are private or special."""
    ports: frozenset[int] = frozenset({80, 443})
    plain_http: bool = True
    """Whether http: is fetched as well as https:."""
    max_redirects: int = 3
    max_header: int = 32_768
    max_body: int = 5_000_000
    connect_timeout: float = 5.0
    """For one address, TLS included."""
    total_timeout: float = 20.0
    """For everything: names, redirects, all of the body."""
    user_agent: str = "Malleposte"
    authorities: Path | None = None
    """PEM file of certificate authorities trusted in place of the system's."""
