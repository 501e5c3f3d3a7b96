"""Records of any kind as text, asked anew each time, each with the deadline of the outbound resolver.

``Records`` is what the rest of this package needs of the DNS; ``LiveRecords`` asks the system's resolvers.
"""

from dataclasses import dataclass
from typing import Final, Protocol

import dns.exception
import dns.name
import dns.rdata
import dns.resolver
from dns.rdtypes.ANY.TXT import TXT

from malleposte.delivery.outbound.resolver import LookupFailed, Resolver

MOST: Final = 50
"""Records of one name that are looked at."""
MOST_TEXT: Final = 4_096
"""Octets of one record that are looked at: RSA of 16,384 bits has 2,800."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``values``: as zone files have them, names in lower case without the last dot, the strings of a
    TXT as one; none where there is no such record, or no such name. ``ttl``: seconds."""

    values: tuple[str, ...]
    ttl: float


class Records(Protocol):
    """Looks records up."""

    async def find(self, name: str, kind: str) -> Answer:
        """Records of a name. Raises ``LookupFailed``, in bounded time."""
        ...


class LiveRecords(Resolver):
    """See the module."""

    async def find(self, name: str, kind: str) -> Answer:
        """See ``Records``."""
        words = f"the {kind} record of {name} could not be asked for: "
        try:
            answer = await self._answered(dns.name.from_text(name), kind)
        except dns.resolver.NXDOMAIN:
            return Answer((), 0.0)
        except dns.resolver.LifetimeTimeout:
            raise LookupFailed(words + "the resolver did not answer in time") from None
        except dns.resolver.NoNameservers as error:
            raise LookupFailed(words + _last_words(error)) from None
        except (dns.exception.DNSException, OSError, EOFError, ValueError) as error:
            raise LookupFailed(f"{words}{type(error).__name__}: {error}") from error
        if answer.rrset is None:
            return Answer((), 0.0)
        values = sorted(_text(one) for one in list(answer)[:MOST])
        return Answer(tuple(values), float(answer.ttl))


def _last_words(error: dns.resolver.NoNameservers) -> str:
    errors = error.kwargs.get("errors") or []
    if not errors:
        return "no resolver is configured"
    server, _, _, problem, _ = errors[-1]
    where = str(server).removeprefix("Do53:").partition("@")[0]
    return f"the resolver at {where} answered {problem}"


def _text(record: dns.rdata.Rdata) -> str:
    if isinstance(record, TXT):
        octets = b"".join(record.strings)
        return octets[:MOST_TEXT].decode("ascii", "backslashreplace")
    words = record.to_text().lower().split(" ")
    return " ".join(word if word == "." else word.removesuffix(".") for word in words)
