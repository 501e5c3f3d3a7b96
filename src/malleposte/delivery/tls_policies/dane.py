"""Which certificate a server must have by DANE: its TLSA records, where DNSSEC vouches for all of the way.

That is: the domain's MX records, the server's addresses, the TLSA records themselves (RFC 7672 §2.2).
Where one of them is not signed, there is no DANE; where one cannot be had, there is no answer, and whoever
asks must not go on as if there were none.
"""

import asyncio
import datetime
import ssl
from dataclasses import dataclass

from malleposte.delivery.outbound.resolver import Found, LookupFailed, Resolver, Tlsa
from malleposte.delivery.outbound.route import Exchange

from .tlsa import chain_of, usable, why_wrong


@dataclass(frozen=True, slots=True)
class Dane:
    """``base``: whose records they are, and the name that the server is to know itself by; ``names``: that
    and others which a certificate of a DANE-TA authority may have; ``records``: all; ``good``: usable."""

    base: str
    names: tuple[str, ...]
    records: tuple[Tlsa, ...]
    good: tuple[Tlsa, ...]

    async def check(self, session: ssl.SSLObject) -> str:
        """What is wrong with the certificate of a finished handshake, '' nothing."""
        now = datetime.datetime.now(datetime.UTC)
        # Certificates that sign each other in all directions take some 300 ms until they are given up.
        chain = chain_of(session)
        return await asyncio.to_thread(why_wrong, chain, self.good, self.names, now)

    @property
    def lines(self) -> tuple[str, ...]:
        """The records as zones have them."""
        return tuple(
            f"{one.usage} {one.selector} {one.matching} {one.data.hex()}" for one in self.records
        )


async def dane_of(resolver: Resolver, domain: str, exchange: Exchange) -> Dane | None:
    """What DANE wants of a server of a domain, None for nothing. Raises ``LookupFailed``."""
    if not resolver.validating or exchange.addresses:
        return None
    mx = await resolver.look_up(domain, "MX")
    if not mx.secure:
        return None
    names = [domain]
    if mx.values and mx.name:
        names.append(mx.name)
    for base in await _bases(resolver, exchange.name):
        found = await resolver.look_up(f"_{exchange.port}._tcp.{base}", "TLSA")
        records = tuple(one for one in found.values or () if isinstance(one, Tlsa))
        if records and found.secure:
            good = tuple(one for one in records if usable(one))
            return Dane(base, tuple(dict.fromkeys([base, *names])), records, good)
    return None


async def _bases(resolver: Resolver, name: str) -> list[str]:
    """Names at which TLSA records of a server may stand, the one to be looked at first first
    (RFC 7672 §2.2.2); none where its addresses are not signed."""
    answers = await asyncio.gather(
        resolver.look_up(name, "A"), resolver.look_up(name, "AAAA"), return_exceptions=True
    )
    found: list[Found] = []
    for answer in answers:
        if isinstance(answer, Found):
            found.append(answer)
        elif not isinstance(answer, LookupFailed):
            raise answer
    if not found:
        raise next(one for one in answers if isinstance(one, LookupFailed))
    led_to = next((one.name for one in found if one.values and one.name), name)
    if all(one.secure for one in found):
        return list(dict.fromkeys([led_to, name]))
    if led_to != name and (await resolver.look_up(name, "CNAME")).secure:
        return [name]
    return []
