"""A record beside what the DNS says: right, missing, different, or could not be asked.

Records are compared by what they do for us, not letter by letter: who has a second MX, further servers in
SPF or a stricter DMARC policy has done nothing wrong.
"""

import ipaddress
from collections.abc import Callable, Collection, Sequence

import msgspec

from malleposte.delivery.outbound.resolver import LookupFailed
from malleposte.delivery.signing.keys import SigningKey
from malleposte.delivery.signing.lookup import Records
from malleposte.delivery.signing.published import Seen, compared
from malleposte.operations.zone.certificate import why_wrong
from malleposte.operations.zone.wanted import NOWHERE, Wanted

RIGHT = Seen("right")
SHOWN = 200
"""Characters of what stands in the DNS that are shown."""


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """This server by its name. ``unasked``: why its addresses are not known; ``chain``: its certificate
    and those above (DER)."""

    host: str
    addresses: tuple[str, ...] = ()
    chain: tuple[bytes, ...] = ()
    unasked: str = ""


async def compare(
    records: Records, record: Wanted, server: Server, keys: Collection[SigningKey]
) -> Seen:
    """What the DNS says of one record. ``keys``: those of the domain."""
    try:
        values = (await records.find(record.name, record.kind)).values
        if record.kind == "CNAME" and not values:
            return await _same_addresses(records, record, server)
    except LookupFailed as error:
        return Seen("unasked", str(error))
    match record.purpose:
        case "mx":
            return _mx(values, server)
        case "dkim":
            return compared(next(key for key in keys if key.name == record.name), values)
        case "dkim-retired":
            return _retired(values, record)
        case "spf":
            return _text(values, "v=spf1", lambda text: _spf_wrong(text, server))
        case "dmarc":
            return _text(values, "v=DMARC1", _dmarc_wrong)
        case "mta-sts" if record.kind == "TXT":
            return _text(values, "v=STSv1", lambda text: _id_wrong(text, record.value))
        case "tls-report":
            return _text(
                values, "v=TLSRPTv1", lambda text: "" if "rua" in tags(text) else "no rua="
            )
        case "tlsa":
            return _tlsa(values, server)
        case "service":
            return _service(values, record)
        case _:
            return _same(values, (record.value,))


def _same(values: Sequence[str], good: Collection[str]) -> Seen:
    if not values:
        return Seen("missing")
    return RIGHT if set(values) <= set(good) else _different(values)


def _different(values: Sequence[str], why: str = "") -> Seen:
    stands = shown(", ".join(values))
    return Seen("different", f"{stands} ({why})" if why else stands)


def shown(text: str) -> str:
    """As much of a foreign text as is shown."""
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def _retired(values: Sequence[str], record: Wanted) -> Seen:
    if not values:
        return Seen("missing")
    keys = {"".join(tags(value).get("p", "").split()) for value in values}
    return RIGHT if keys == {tags(record.value).get("p")} else _different(values)


def _mx(values: Sequence[str], server: Server) -> Seen:
    if not values:
        return Seen("missing")
    if any(value.partition(" ")[2] == server.host for value in values):
        return RIGHT
    return _different(values, f"{server.host} is not among them")


def _text(values: Sequence[str], version: str, wrong: Callable[[str], str]) -> Seen:
    """A text with a version in front, one of perhaps many at its name. ``wrong``: says what is wrong."""
    # The version is all there is, or a space or semicolon follows.
    ours = [v for v in values if v.replace(";", " ").split(" ", 1)[0].lower() == version.lower()]
    if not ours:
        return Seen("missing")
    if len(ours) > 1:
        return _different(ours, "several of them are as good as none: leave one")
    why = wrong(ours[0])
    return _different(ours, why) if why else RIGHT


def tags(text: str) -> dict[str, str]:
    """``name=value`` parts of a record; of several of one name the first."""
    found: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            found.setdefault(name.strip().lower(), value.strip())
    return found


def _spf_wrong(text: str, server: Server) -> str:
    """Whether SPF names this server, by its MX, its name or its addresses."""
    words = [word.lower().removeprefix("+") for word in text.split()[1:]]
    # "a" is the name that the record stands at: this server's, where the record is its own.
    if {"mx", "a", f"a:{server.host}"} & set(words):
        return ""
    networks = []
    for word in words:
        kind, _, network = word.partition(":")
        if kind in ("ip4", "ip6"):
            try:
                networks.append(ipaddress.ip_network(network, strict=False))
            except ValueError:
                return f"{word} is no network"
    addresses = [ipaddress.ip_address(one) for one in server.addresses]
    if addresses and all(
        any(address.version == one.version and address in one for one in networks)
        for address in addresses
    ):
        return ""
    return f"it names neither mx nor a:{server.host}"


def _dmarc_wrong(text: str) -> str:
    policy = tags(text).get("p", "")
    if policy.lower() in ("none", "quarantine", "reject"):
        return ""
    return f"p={policy} is no policy" if policy else "p= is missing"


def _id_wrong(text: str, value: str) -> str:
    return (
        ""
        if tags(text).get("id") == tags(value)["id"]
        else "another id than the policy's now: publish this one"
    )


def _tlsa(values: Sequence[str], server: Server) -> Seen:
    if not values:
        return Seen("missing")
    why = why_wrong(values, server.chain, server.host)
    return _different(values, f"{why}: who checks it will not deliver") if why else RIGHT


def _service(values: Sequence[str], record: Wanted) -> Seen:
    if not values:
        return Seen("missing")
    # Priority and weight are the operator's own.
    ends = {tuple(value.split(" ")[2:]) for value in values}
    if record.value == NOWHERE:
        return (
            RIGHT if {end[-1:] for end in ends} == {(".",)} else _different(values, "not offered")
        )
    return RIGHT if tuple(record.value.split(" ")[2:]) in ends else _different(values)


async def _same_addresses(records: Records, record: Wanted, server: Server) -> Seen:
    """In place of a CNAME the addresses themselves are as good. Raises ``LookupFailed``."""
    found = await _addresses(records, record.name)
    if record.value == server.host:
        return _same(found, server.addresses)
    return _same(found, await _addresses(records, record.value))


async def _addresses(records: Records, name: str) -> list[str]:
    found: list[str] = []
    for kind in ("A", "AAAA"):
        found += (await records.find(name, kind)).values
    return found
