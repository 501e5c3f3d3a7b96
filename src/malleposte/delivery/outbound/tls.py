"""What TLS is asked of a server, and what became of it.

Opportunistic TLS (RFC 7435) is better than none: no certificate is checked, and where it fails, it is
tried without. A demand is kept: without TLS, or with a certificate that is not the right one, nothing is
sent. Demands come from a relay's settings; those of DANE (RFC 7672) and MTA-STS (RFC 8461) as a
``TlsPolicy`` through ``Policies`` (``delivery.tls_policies``).
"""

import ssl
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from .route import OPENLY, Exchange, Way
from .settings import OutboundSettings

Check = Callable[[ssl.SSLObject], Awaitable[str]]
"""Looks at a finished handshake; what is wrong with it in words, '' nothing."""

MOST_BROKEN: Final = 1_000
"""Servers remembered whose TLS does not work."""
_EXPIRED: Final = frozenset({10})
_ANOTHER_NAME: Final = frozenset({62, 64})
_NOT_TRUSTED: Final = frozenset({2, 18, 19, 20, 21, 27, 28})
"""OpenSSL's X509_V_ERR_…"""


@dataclass(frozen=True, slots=True)
class Told:
    """A policy as reports tell of it (RFC 8460 §4.4). ``lines``: its text; ``hosts``: its servers."""

    domain: str
    kind: Literal["tlsa", "sts", "no-policy-found"]
    lines: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TlsPolicy:
    """``demanded``: nothing goes without TLS; ``verified``: nor without a certificate of ``name`` by an
    authority we know; ``check`` looks besides, or instead of that. ``source``: who wants it, in words.
    ``tested``: what is wanted is only looked at, mail goes all the same. ``implicit``: TLS from the first
    octet. ``refuse``: why this server must not be used at all. ``note``: to be said of whatever goes.

    ``told``: what reports say of it, None where nobody wants any. ``failure``: with ``refuse``, or with
    what went in spite of it (``failed``: why), as RFC 8460 §4.3 calls it."""

    demanded: bool = False
    verified: bool = False
    name: str = ""
    check: Check | None = None
    source: str = ""
    tested: bool = False
    implicit: bool = False
    never: bool = False
    refuse: str = ""
    note: str = ""
    told: Told | None = None
    failure: str = ""
    failed: str = ""


OPPORTUNISTIC: Final = TlsPolicy()


@dataclass(frozen=True, slots=True)
class TlsSession:
    """How TLS went with a server. ``failure``: as RFC 8460 §4.3 calls it, '' for success; ``words``: how
    it failed. ``local``: our address, '' where it did not come to a connection."""

    host: str
    address: str
    local: str = ""
    failure: str = ""
    words: str = ""


class Policies(Protocol):
    """Where demands of other domains come from."""

    async def group(self, domain: str) -> str:
        """What tells policies apart: domains of equal servers and equal group share connections. Raises
        ``WayFailed``."""
        ...

    async def of(self, domain: str, exchange: Exchange) -> TlsPolicy:
        """The policy for one server of a domain (or of its group). Raises ``WayFailed``."""
        ...

    def heard(self, policy: TlsPolicy, session: TlsSession) -> None:
        """How it went, by a policy that reports are wanted of."""
        ...

    async def close(self) -> None:
        """Nothing more will be heard."""
        ...


class NoPolicies:
    """Everything is opportunistic."""

    async def group(self, domain: str) -> str:
        """One for all."""
        return ""

    async def of(self, domain: str, exchange: Exchange) -> TlsPolicy:
        """Opportunistic."""
        return OPPORTUNISTIC

    def heard(self, policy: TlsPolicy, session: TlsSession) -> None:
        """Nobody wants to know."""

    async def close(self) -> None:
        """Nothing is open."""


async def policy_of(way: Way, exchange: Exchange, policies: Policies) -> TlsPolicy:
    """What is asked of a server on a way."""
    relay = way.relay
    if relay is None:
        if way.policy == OPENLY:
            return OPPORTUNISTIC
        return await policies.of(way.policy, exchange)
    if not relay.tls:
        return TlsPolicy(never=True)
    return TlsPolicy(
        demanded=True,
        verified=relay.verify,
        name=relay.host,
        source="the configuration of this relay",
        implicit=relay.implicit,
    )


class Broken:
    """Servers whose TLS failed of late, and how: as RFC 8460 §4.3 calls it, and in words."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._known: OrderedDict[str, tuple[float, str, str]] = OrderedDict()

    def remember(self, host: str, failure: str, words: str) -> None:
        """It failed just now."""
        self._known[host] = (time.monotonic() + self._seconds, failure, words)
        self._known.move_to_end(host)
        if len(self._known) > MOST_BROKEN:
            self._known.popitem(last=False)

    def of(self, host: str) -> tuple[str, str] | None:
        """How that of a server failed, None where nothing is known against it."""
        known = self._known.get(host)
        return known[1:] if known is not None and known[0] > time.monotonic() else None


class Contexts:
    """OpenSSL's contexts, made once: reading the authorities takes some 20 ms."""

    def __init__(self, settings: OutboundSettings) -> None:
        self._authorities = settings.authorities
        self._made: dict[bool, ssl.SSLContext] = {}

    def of(self, policy: TlsPolicy) -> ssl.SSLContext:
        """The context for a policy."""
        context = self._made.get(policy.verified)
        if context is None:
            context = self._verifying() if policy.verified else _anybody()
            self._made[policy.verified] = context
        return context

    def _verifying(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._authorities or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def _anybody() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Old certificates with short keys are better than none at all.
    context.set_ciphers("DEFAULT:@SECLEVEL=1")
    return context


def described(session: ssl.SSLObject, policy: TlsPolicy) -> str:
    """What a handshake came to, for the queue and the trace."""
    cipher = session.cipher()
    if policy.verified:
        how = "certificate verified"
    elif policy.check is not None:
        how = f"certificate as {policy.source} has it"
    else:
        how = "certificate not checked"
    note = f", {policy.note}" if policy.note else ""
    return f"{session.version() or 'TLS'} {cipher[0] if cipher else ''}, {how}{note}"


def handshake_trouble(error: BaseException) -> str:
    """Why a handshake failed, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not good: {error.verify_message.rstrip('.')}"
    if isinstance(error, TimeoutError):
        return "the TLS handshake took too long"
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "").replace("_", " ").lower()
        return f"the TLS handshake failed ({reason or 'broken'})"
    if isinstance(error, ConnectionError):
        return "the connection was cut in the TLS handshake"
    return f"the TLS handshake failed ({error})"


def handshake_failure(error: BaseException) -> str:
    """The same as RFC 8460 §4.3 calls it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        code = error.verify_code
        if code in _EXPIRED:
            return "certificate-expired"
        if code in _ANOTHER_NAME:
            return "certificate-host-mismatch"
        if code in _NOT_TRUSTED:
            return "certificate-not-trusted"
    return "validation-failure"
