"""Names to mail servers and addresses, with a deadline for every look-up.

Invariants: an answer comes within ``DnsSettings.seconds``, twice where the resolver drops EDNS; a name
that is not there is an answer (none), whereas SERVFAIL and silence are ``LookupFailed`` and temporary;
nothing is asked twice within its TTL, and the memory for that is bounded. One look-up of a name serves
all who ask meanwhile.

It trusts the system's resolver for caching, CNAME chains and validation; it validates nothing. That an
answer was validated (AD) it believes only where every resolver is on this machine's loopback: on the way
from any other a stranger may set that bit (RFC 7672 §2.2, RFC 4035 §4.9.3).
"""

import asyncio
import ipaddress
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

SHORTEST, LONGEST = 5.0, 3_600.0
"""Seconds an answer is kept, whatever its TTL says."""
MOST_MX = 50
"""Servers of one domain that are looked at; more are a mistake or an attack."""
MOST_ADDRESSES = 8
"""Addresses of one server, of each family."""
MOST_RECORDS = 50
"""Records of any other kind at one name."""
MOST_TEXT = 4_096
"""Characters of a TXT record."""
MOST_TLSA = 8_192
"""Octets of a certificate in a TLSA record; one that is longer cannot be met."""
BEGINS = {"_mta-sts.": "v=STSv1", "_smtp._tls.": "v=TLSRPTv1"}
"""What texts at such names begin with; others there mean nothing (RFC 8461 §3.1, RFC 8460 §3)."""
ENTRY = 500
"""Octets that an answer takes in memory besides what it says."""
PAYLOAD = 1_232
"""Octets of an answer over UDP: what passes unfragmented (DNS flag day 2020)."""
READ_EVERY = 60.0
"""Seconds between two looks at the system's list of resolvers, after look-ups that failed."""
PLAIN_FOR = 600.0
"""Seconds for which a resolver that drops EDNS is asked without."""


class LookupFailed(Exception):
    """No answer, or a broken one: to be tried again. The words name the question."""


class NoSuchName(Exception):
    """NXDOMAIN: the name is not there at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsSettings:
    """``servers``: addresses of resolvers, none: those of /etc/resolv.conf. ``seconds``: for a look-up;
    ``each``: for one resolver to answer. ``most``: answers kept, of ``octets`` together."""

    servers: tuple[str, ...] = ()
    port: int = 53
    seconds: float = 6.0
    each: float = 2.0
    most: int = 10_000
    octets: int = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Mx:
    """One mail server of a domain."""

    preference: int
    name: str


@dataclass(frozen=True, slots=True)
class Tlsa:
    """What a certificate is to be like (RFC 6698 §2.1)."""

    usage: int
    selector: int
    matching: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """An answer. ``values`` are ``Mx``, ``Tlsa``, addresses or texts; None: there is no such name.
    ``secure``: DNSSEC vouches for it, or for its absence, all CNAME records on the way included.
    ``name``: where those led."""

    values: tuple[object, ...] | None
    secure: bool = False
    name: str = ""


@dataclass(slots=True)
class _Kept:
    until: float
    found: Found
    octets: int


@dataclass(slots=True)
class _Asked:
    task: "asyncio.Task[Found]"
    waiting: int = field(default=0)


class Resolver:
    """See the module. Belongs to one event loop."""

    def __init__(
        self,
        settings: DnsSettings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings or DnsSettings()
        self._clock = clock
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._octets = 0
        self._asked: dict[tuple[str, str], _Asked] = {}
        self._plain_until = 0.0
        self._read_at = clock()
        self._full = self._made(edns=True)
        self._plain = self._made(edns=False)

    def _made(self, *, edns: bool) -> dns.asyncresolver.Resolver:
        settings = self._settings
        try:
            made = dns.asyncresolver.Resolver(configure=not settings.servers)
        except dns.resolver.NoResolverConfiguration:
            made = dns.asyncresolver.Resolver(configure=False)
        if settings.servers:
            made.nameservers = list(settings.servers)
            made.port = settings.port
        made.timeout, made.lifetime = settings.each, settings.seconds
        # AD in a question asks for it in the answer, without the signatures (RFC 6840 §5.7).
        made.set_flags(dns.flags.RD | dns.flags.AD)
        if edns:
            made.use_edns(0, 0, PAYLOAD)
        else:
            made.use_edns(False)
        return made

    def _read_again(self) -> None:
        """The system's resolvers may be others by now."""
        if not self._settings.servers and self._clock() - self._read_at >= READ_EVERY:
            self._read_at = self._clock()
            self._full, self._plain = self._made(edns=True), self._made(edns=False)

    @property
    def validating(self) -> bool:
        """Whether what resolvers say of DNSSEC is believed: all of them are on loopback."""
        servers = [_address(str(one)) for one in self._full.nameservers]
        return bool(servers) and all(one is not None and one.is_loopback for one in servers)

    async def look_up(self, name: str, kind: str) -> Found:
        """Records of a kind (MX, A, AAAA, CNAME, PTR, TLSA, TXT), and what is known of them besides.

        Raises ``LookupFailed``."""
        key = (name.lower().rstrip("."), kind)
        kept = self._kept.get(key)
        if kept is None or kept.until <= self._clock():
            return await self._together(key)
        self._kept.move_to_end(key)
        return kept.found

    async def mx(self, domain: str) -> Sequence[Mx]:
        """The MX records of a domain, best first; none where it has none.

        Raises ``LookupFailed`` and ``NoSuchName``."""
        found = await self._lookup(domain, "MX")
        return [one for one in found if isinstance(one, Mx)]

    async def addresses(
        self, name: str, *, ipv4: bool = True, ipv6: bool = True
    ) -> Sequence[IpAddress]:
        """Addresses of a server, the families in turn, IPv6 first; none where it has none.

        One family's failure is none where the other has an answer. Raises ``LookupFailed`` and
        ``NoSuchName``."""
        families = [kind for kind, wanted in (("AAAA", ipv6), ("A", ipv4)) if wanted]
        answers = await asyncio.gather(
            *(self._lookup(name, kind) for kind in families), return_exceptions=True
        )
        lists: list[list[IpAddress]] = []
        failures: list[BaseException] = []
        for answer in answers:
            if isinstance(answer, BaseException):
                failures.append(answer)
            else:
                lists.append([a for a in answer if isinstance(a, IpAddress)])
        ordered = [
            one[at]
            for at in range(max(map(len, lists), default=0))
            for one in lists
            if at < len(one)
        ]
        if not ordered and failures:
            unknown = (one for one in failures if not isinstance(one, NoSuchName))
            raise next(unknown, failures[0])
        return ordered

    # One question ---------------------------------------------------------------------------------

    async def _lookup(self, name: str, kind: str) -> tuple[object, ...]:
        values = (await self.look_up(name, kind)).values
        if values is None:
            raise NoSuchName(f"there is no domain {name.lower().rstrip('.')}")
        return values

    async def _together(self, key: tuple[str, str]) -> Found:
        """Ask, or wait for who asks the same already."""
        asked = self._asked.get(key)
        if asked is None:
            task = asyncio.get_running_loop().create_task(self._ask(key))
            asked = self._asked[key] = _Asked(task)
            task.add_done_callback(lambda _: self._asked.pop(key, None))
        asked.waiting += 1
        try:
            return await asyncio.shield(asked.task)
        finally:
            asked.waiting -= 1
            if not asked.waiting and not asked.task.done():
                asked.task.cancel()

    async def _ask(self, key: tuple[str, str]) -> Found:
        name, kind = key
        try:
            question = dns.name.from_text(name)
        except (dns.exception.DNSException, UnicodeError):
            return Found(None)  # what cannot be a name is not there
        life = 60.0
        try:
            answer = await self._answered(question, kind)
            found = self._found(name, answer)
            if found.values:
                life = min(max(float(answer.ttl), SHORTEST), LONGEST)
        except dns.resolver.NXDOMAIN as error:
            found = self._not_there(error)
        except dns.resolver.LifetimeTimeout:
            self._read_again()
            raise LookupFailed(
                f"the {kind} record of {name} was not found: the resolver did not answer within"
                f" {self._settings.seconds:g} seconds"
            ) from None
        except dns.resolver.NoNameservers as error:
            self._read_again()
            raise LookupFailed(
                f"the {kind} record of {name} was not found: {_complaint(error)}"
            ) from None
        except (dns.exception.DNSException, OSError, EOFError, ValueError) as error:
            raise LookupFailed(
                f"the {kind} record of {name} was not found: {type(error).__name__}: {error}"
            ) from error
        self._keep(key, _Kept(self._clock() + life, found, ENTRY + len(name) + _octets(found)))
        return found

    def _keep(self, key: tuple[str, str], kept: _Kept) -> None:
        """Strangers choose what their names answer: what is kept is bounded by what it takes, too."""
        known = self._kept.pop(key, None)
        self._octets += kept.octets - (known.octets if known is not None else 0)
        self._kept[key] = kept
        while len(self._kept) > self._settings.most or self._octets > self._settings.octets:
            _, oldest = self._kept.popitem(last=False)
            self._octets -= oldest.octets

    def _found(self, name: str, answer: dns.resolver.Answer) -> Found:
        secure = bool(answer.response.flags & dns.flags.AD) and self.validating
        return Found(tuple(_values(name, answer)), secure, _name(answer.canonical_name))

    def _not_there(self, error: dns.resolver.NXDOMAIN) -> Found:
        responses = list((error.kwargs.get("responses") or {}).values())
        secure = bool(responses) and all(one.flags & dns.flags.AD for one in responses)
        return Found(None, secure and self.validating)

    async def _answered(self, question: dns.name.Name, kind: str) -> dns.resolver.Answer:
        """With EDNS, and where that gets no answer, without (RFC 6891 §6.2.2)."""
        if self._plain_until <= self._clock():
            try:
                return await self._full.resolve(
                    question, kind, raise_on_no_answer=False, search=False
                )
            except (dns.resolver.LifetimeTimeout, dns.resolver.NoNameservers):
                answer = await self._plain.resolve(
                    question, kind, raise_on_no_answer=False, search=False
                )
                self._plain_until = self._clock() + PLAIN_FOR
                return answer
        return await self._plain.resolve(question, kind, raise_on_no_answer=False, search=False)


def _complaint(error: dns.resolver.NoNameservers) -> str:
    """What the last resolver did."""
    errors = error.kwargs.get("errors") or []
    if not errors:
        return "no resolver is configured"
    server, _, _, problem, response = errors[-1]
    if isinstance(problem, dns.message.ChainTooLong):
        return "its CNAME records go on for ever"
    where = str(server).removeprefix("Do53:").partition("@")[0]
    if response is not None:
        return f"the resolver at {where} answered {dns.rcode.to_text(response.rcode())}"
    return f"the resolver at {where} gave no usable answer ({problem})"


def _octets(found: Found) -> int:
    """What the values of an answer take in memory, about."""
    said = [getattr(one, "data", getattr(one, "name", one)) for one in found.values or ()]
    return sum(ENTRY // 5 + sys.getsizeof(one) for one in said)


def _values(name: str, answer: dns.resolver.Answer) -> Sequence[object]:
    if answer.rrset is None:
        return []
    if answer.rdtype == dns.rdatatype.MX:
        found = sorted(
            (Mx(one.preference, _name(one.exchange)) for one in answer),
            key=lambda mx: (mx.preference, mx.name),
        )
        return found[:MOST_MX]
    records = list(answer)[:MOST_RECORDS]
    match answer.rdtype:
        case dns.rdatatype.A | dns.rdatatype.AAAA:
            return [ipaddress.ip_address(one.address) for one in records][:MOST_ADDRESSES]
        case dns.rdatatype.TLSA:
            return [Tlsa(one.usage, one.selector, one.mtype, _bounded(one.cert)) for one in records]
        case dns.rdatatype.TXT:
            # The strings of one record are one text (RFC 8461 §3.1, RFC 8460 §3).
            texts = (b"".join(one.strings)[:MOST_TEXT] for one in records)
            decoded = (text.decode("ascii", "backslashreplace")[:MOST_TEXT] for text in texts)
            begin = next((text for start, text in BEGINS.items() if name.startswith(start)), "")
            return [text for text in decoded if text.startswith(begin)]
        case _:
            return [one.to_text().lower().rstrip(".") for one in records]


def _bounded(octets: bytes) -> bytes:
    """The data of a TLSA record; b'' of one that is too long: it is there, and cannot be met."""
    return bytes(octets) if len(octets) <= MOST_TLSA else b""


def _address(text: str) -> IpAddress | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _name(name: dns.name.Name) -> str:
    """In lower case, '' for the root."""
    return name.to_text(omit_final_dot=True).lower() if name != dns.name.root else ""
