"""What TLS is asked of a server, and what became of it.

Opportunistic TLS (RFC 7435) is better than none: no certificate is checked, and where it fails, it is
tried without. A demand is kept: without TLS, or with a certificate that is not the right one, nothing is
sent. Demands come from a relay's settings now; DANE (RFC 7672) and MTA-STS (RFC 8461) give theirs as a
``TlsPolicy`` through ``Policies``.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from .route import Exchange, Way
from .settings import OutboundSettings

Check = Callable[[ssl.SSLObject], str]
"""Looks at a finished handshake; what is wrong with it in words, '' nothing."""


@dataclass(frozen=True, slots=True)
class TlsPolicy:
    """``demanded``: nothing goes without TLS; ``verified``: nor without a certificate of ``name`` by an
    authority we know; ``check`` looks besides, or instead of that. ``source``: who wants it, in words.
    ``implicit``: TLS from the first octet. ``refuse``: why this server must not be used at all."""

    demanded: bool = False
    verified: bool = False
    name: str = ""
    check: Check | None = None
    source: str = ""
    implicit: bool = False
    never: bool = False
    refuse: str = ""


OPPORTUNISTIC: Final = TlsPolicy()


class Policies(Protocol):
    """Where demands of other domains come from."""

    async def group(self, domain: str) -> str:
        """What tells policies apart: domains of equal servers and equal group share connections."""
        ...

    async def of(self, domain: str, exchange: Exchange) -> TlsPolicy:
        """The policy for one server of a domain (or of its group). Raises ``WayFailed``."""
        ...


class NoPolicies:
    """Everything is opportunistic."""

    async def group(self, domain: str) -> str:
        """One for all."""
        return ""

    async def of(self, domain: str, exchange: Exchange) -> TlsPolicy:
        """Opportunistic."""
        return OPPORTUNISTIC


async def policy_of(way: Way, exchange: Exchange, policies: Policies) -> TlsPolicy:
    """What is asked of a server on a way."""
    relay = way.relay
    if relay is None:
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
    return f"{session.version() or 'TLS'} {cipher[0] if cipher else ''}, {how}"


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
