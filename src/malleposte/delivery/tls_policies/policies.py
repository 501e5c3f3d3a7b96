"""What a domain wants of TLS when mail goes to it: an operator's exception, DANE, MTA-STS, or anything.

In this order: an exception ends all demands; where DANE applies to a server, it decides alone, and a policy
of MTA-STS can neither save nor fail what it says (RFC 8461 §2). What cannot be found out about DANE is a
reason to wait, never to go on without.
"""

import asyncio
import datetime
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from malleposte.delivery.outbound.resolver import LookupFailed, Resolver
from malleposte.delivery.outbound.route import Exchange
from malleposte.delivery.outbound.tls import OPPORTUNISTIC, TlsPolicy, TlsSession, Told
from malleposte.delivery.outbound.words import Trouble, WayFailed
from malleposte.delivery.tls_reports.ledger import Ledger
from malleposte.delivery.tls_reports.rua import addresses_of
from malleposte.store import Store, StoreError

from .dane import Dane, dane_of
from .exceptions import Exceptions
from .sts import Standing, StsPolicies
from .sts_fetch import StsSettings

MOST_SAID: Final = 5
"""Servers of a policy that are named where another one was found."""
MOST_KNOWN: Final = 5_000
"""Domains of which it is remembered whether they want reports."""


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """What is asked for at all."""

    dane: bool = True
    mta_sts: bool = True
    reports: bool = True
    sts: StsSettings = field(default_factory=StsSettings)


class TlsPolicies:
    """See the module; it is ``outbound.Policies``. One for a worker. ``clock``: seconds of the Unix
    epoch."""

    def __init__(
        self,
        store: Store,
        resolver: Resolver,
        settings: PolicySettings,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._resolver = resolver
        self._settings = settings
        self._exceptions = Exceptions(store, clock=clock)
        self._ledger = Ledger(store, clock=clock)
        self._wanted: OrderedDict[str, bool] = OrderedDict()
        self.sts = StsPolicies(store, resolver, settings.sts, clock=clock)

    async def group(self, domain: str) -> str:
        """The domain itself where it wants anything of TLS, or reports; '' for all others. Raises
        ``WayFailed``."""
        secure, standing, reports = await asyncio.gather(
            self._secure(domain), self._standing(domain), self._reports(domain)
        )
        return domain if secure or standing is not None or reports else ""

    async def of(self, domain: str, exchange: Exchange) -> TlsPolicy:
        """See ``outbound.Policies``."""
        if not domain:
            return OPPORTUNISTIC
        exception = await self._exceptions.of(domain, exchange.name)
        if exception is not None:
            day = datetime.datetime.fromtimestamp(exception.until, datetime.UTC)
            return TlsPolicy(note=f"by an exception until {day:%Y-%m-%d}")
        told = Told(domain, "no-policy-found") if self._wanted.get(domain) else None
        if self._settings.dane:
            try:
                dane = await dane_of(self._resolver, domain, exchange)
            except LookupFailed as error:
                words = f"{error}; without it nobody knows which certificate is right (DANE)"
                told = told and replace(told, kind="tlsa", hosts=(exchange.name,))
                return TlsPolicy(
                    refuse=f"{words}: nothing was sent", failure="dnssec-invalid", told=told
                )
            if dane is not None:
                return _by_dane(dane, exchange, told)
        standing = await self._standing(domain)
        if standing is None:
            return TlsPolicy(told=told)
        return _by_sts(domain, standing, exchange, told)

    def heard(self, policy: TlsPolicy, session: TlsSession) -> None:
        """See ``outbound.Policies``."""
        if policy.told is not None:
            self._ledger.add(policy.told, session)

    async def close(self) -> None:
        """See ``outbound.Policies``."""
        await self._ledger.close()

    async def _secure(self, domain: str) -> bool:
        if not self._settings.dane or not self._resolver.validating:
            return False
        try:
            return (await self._resolver.look_up(domain, "MX")).secure
        except LookupFailed:
            return True  # perhaps: who asks again, and is answered, must not pass DANE by

    async def _standing(self, domain: str) -> Standing | None:
        if not self._settings.mta_sts:
            return None
        try:
            return await self.sts.of(domain)
        except StoreError as error:
            words = f"whether a policy of {domain} is kept could not be found out: {error}"
            raise WayFailed(Trouble("4.3.0", words)) from error

    async def _reports(self, domain: str) -> bool:
        """Whether a domain wants reports. That it cannot be found out is no reason for anything."""
        if not self._settings.reports:
            return False
        try:
            found = await self._resolver.look_up(f"_smtp._tls.{domain}", "TXT")
            wanted = bool(addresses_of([str(one) for one in found.values or ()]))
        except LookupFailed:
            wanted = False
        self._wanted[domain] = wanted
        self._wanted.move_to_end(domain)
        if len(self._wanted) > MOST_KNOWN:
            self._wanted.popitem(last=False)
        return wanted


def _by_dane(dane: Dane, exchange: Exchange, told: Told | None) -> TlsPolicy:
    told = told and replace(told, kind="tlsa", lines=dane.lines, hosts=(exchange.name,))
    if not dane.good:
        # RFC 7672 §2.2: records without one that can be met still say that TLS is to be had.
        return TlsPolicy(
            demanded=True,
            name=dane.base,
            source=f"the TLSA record of {dane.base}",
            note="its TLSA records cannot be held against it",
            told=told,
            failure="tlsa-invalid",
            failed="none of the TLSA records is usable for SMTP (RFC 7672 §3.1.3)",
        )
    return TlsPolicy(demanded=True, check=dane.check, name=dane.base, source="DANE", told=told)


def _by_sts(domain: str, standing: Standing, exchange: Exchange, told: Told | None) -> TlsPolicy:
    policy = standing.policy
    told = told and replace(told, kind="sts", lines=standing.lines)
    if policy is None:
        return TlsPolicy(told=told, failure=standing.failure, failed=standing.why)
    if policy.mode == "none":
        return TlsPolicy(told=told and replace(told, kind="no-policy-found", lines=()))
    told = told and replace(told, hosts=policy.hosts)
    source = f"the MTA-STS policy of {domain}"
    enforced = policy.mode == "enforce"
    if not policy.allows(exchange.name):
        hosts = ", ".join(policy.hosts[:MOST_SAID])
        more = ", …" if len(policy.hosts) > MOST_SAID else ""
        words = f"it is not among the servers that {source} names ({hosts}{more})"
        if enforced:
            return TlsPolicy(
                refuse=f"{words}: nothing was sent", told=told, failure="validation-failure"
            )
        return TlsPolicy(told=told, failure="validation-failure", failed=words)
    return TlsPolicy(
        demanded=enforced,
        verified=True,
        tested=not enforced,
        name=exchange.name,
        source=source,
        told=told,
    )
