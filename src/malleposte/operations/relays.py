"""Relays: servers that mail goes by, for a recipient's domain, for a sender's address or domain, or (in the
configuration) for all the rest. Listed, set, tried out, removed; passwords are sealed and never shown."""

import ipaddress
from typing import TYPE_CHECKING, Literal

import msgspec

from malleposte.directory.addresses import normalise, normalise_domain
from malleposte.operations.context import Context
from malleposte.operations.errors import accepted, invalid, refusal
from malleposte.operations.exchange import Progress
from malleposte.operations.registry import Request, Response, Subject, operation
from malleposte.policy.audit import Detail
from malleposte.secrets.redaction import Secret
from malleposte.store.commands.relays import DropRelay, PutRelay, RelayRow, secret_name
from malleposte.store.read.relays import relays

if TYPE_CHECKING:
    from malleposte.delivery.outbound.settings import RelaySettings

Kind = Literal["to", "from"]
Tls = Literal["starttls", "implicit", "none"]
PORTS = {"starttls": 587, "implicit": 465, "none": 25}
MOST_LOGIN = 255
MOST_PASSWORD = 1_000


class RelayShown(msgspec.Struct, frozen=True, kw_only=True):
    """``kind``: ``to`` a domain, ``from`` an address or a domain, '' for the smart host of the
    configuration. ``host`` '': the servers of the recipients' domains. ``password``: there is one."""

    kind: str
    name: str
    host: str
    port: int
    tls: str
    verify: bool
    user: str
    password: bool


class ListRelays(Request, frozen=True, kw_only=True):
    """All of them."""


class Relays(Response, frozen=True, kw_only=True):
    """In the order in which they count. ``sends``: whether this server sends to others at all."""

    relays: tuple[RelayShown, ...]
    sends: bool


@operation("relay.list", ListRelays, Relays, audit="refused")
async def list_(context: Context, request: ListRelays, progress: Progress) -> Relays:
    """List relays."""
    found = [_shown(row) for row in await relays(context.store.reader)]
    smart = context.settings.smart_host()
    if smart is not None:
        tls = "implicit" if smart.implicit else "starttls" if smart.tls else "none"
        found.append(
            RelayShown(
                kind="",
                name="",
                host=smart.host,
                port=smart.port,
                tls=tls,
                verify=smart.verify,
                user=smart.user,
                password=bool(smart.password.reveal()),
            )
        )
    order = ("to", "from", "")
    found.sort(key=lambda one: (order.index(one.kind), "@" not in one.name, one.name))
    return Relays(relays=tuple(found), sends=context.settings.sends)


def _shown(row: RelayRow) -> RelayShown:
    return RelayShown(
        kind=row.kind,
        name=row.name,
        host=row.host,
        port=row.port if row.host else 0,
        tls=row.tls if row.host else "",
        verify=row.verify,
        user=row.login,
        password=bool(row.sealed),
    )


class OfRelay(Request, frozen=True, kw_only=True):
    """``to``: the recipient's domain; ``sender``: an address or a domain. One of them."""

    to: str = ""
    sender: str = ""

    def subject(self) -> Subject:
        """See ``Request``."""
        return Subject("server", self.to or self.sender)

    def details(self) -> dict[str, Detail]:
        """See ``Request``."""
        return {"kind": "to" if self.to else "from"}


class SetRelay(OfRelay, frozen=True, kw_only=True):
    """``host`` '': the servers that the recipients' domains name, whatever the smart host. ``port`` 0: the
    usual one. ``password`` None: as it was."""

    host: str = ""
    port: int = 0
    tls: Tls = "starttls"
    verify: bool = True
    user: str = ""
    password: str | None = None

    def details(self) -> dict[str, Detail]:
        """See ``Request``. The password is nobody's to read."""
        kind = "to" if self.to else "from"
        return {
            "kind": kind,
            "host": self.host,
            "port": self.port,
            "tls": self.tls,
            "verify": self.verify,
            "user": self.user,
            "sign_in": "changed" if self.password else None,
        }


@operation("relay.set", SetRelay, Relays)
async def set_(context: Context, request: SetRelay, progress: Progress) -> Relays:
    """Have mail go by a server. Again: the same one. What is queued follows within seconds."""
    kind, name = _which(request)
    host = _host(request.host)
    if not 0 <= request.port <= 65535:
        raise invalid("a port is a number up to 65535")
    user, password = request.user.strip(), request.password
    if len(user) > MOST_LOGIN or not user.isprintable():
        raise invalid(f"the name to sign in with has at most {MOST_LOGIN} characters, in one line")
    if password is not None and (len(password) > MOST_PASSWORD or "\0" in password):
        raise invalid(f"the password has at most {MOST_PASSWORD} characters")
    if password and not user:
        raise invalid("a password needs the name to sign in with")
    if (user or password) and not host:
        raise invalid("name the server to sign in to")
    if user and not password and not await _has_password(context, kind, name):
        raise invalid("say the password to that name, too")
    sealed: bytes | None = b""
    key_id = ""
    if user and password:
        sealed, key_id = _sealed(context, kind, name, password)
    elif user:
        sealed = None
    command = PutRelay(
        kind=kind,
        name=name,
        host=host,
        port=request.port or PORTS[request.tls],
        tls=request.tls,
        verify=request.verify,
        login=user,
        sealed=sealed,
        key_id=key_id,
    )
    accepted(await context.carry_out(command))
    shown = tuple(
        _shown(row)
        for row in await relays(context.store.reader)
        if (row.kind, row.name) == (kind, name)
    )
    return Relays(relays=shown, sends=context.settings.sends)


def _which(request: OfRelay) -> tuple[str, str]:
    """Kind and name of a rule. Raises ``OperationError`` and ``BadAddressError``."""
    if bool(request.to) == bool(request.sender):
        raise invalid("say for whom: a recipient's domain, or a sender's address or domain")
    if request.to:
        return "to", normalise_domain(request.to)
    if "@" in request.sender:
        return "from", normalise(request.sender)
    return "from", normalise_domain(request.sender)


def _host(text: str) -> str:
    text = text.strip()
    if not text:
        return ""
    try:
        return str(ipaddress.ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        pass
    if ":" in text:
        raise invalid(f"{text}: the port is given apart from the name of the server")
    return normalise_domain(text)


async def _has_password(context: Context, kind: str, name: str) -> bool:
    row = await context.store.reader.row(
        "SELECT 1 FROM secret WHERE name = $1", secret_name(kind, name)
    )
    return row is not None


def _sealed(context: Context, kind: str, name: str, password: str) -> tuple[bytes, str]:
    from malleposte.secrets.node_key import NodeKeyError

    try:
        ring = context.settings.ring()
    except NodeKeyError as error:
        raise refusal("node-key", str(error)) from None
    return ring.seal(secret_name(kind, name), Secret(password.encode())), ring.current.id.hex()


class RemoveRelay(OfRelay, frozen=True, kw_only=True):
    """Not by it any more."""


class RelayRemoved(Response, frozen=True, kw_only=True):
    """It is gone."""

    name: str


@operation("relay.remove", RemoveRelay, RelayRemoved)
async def remove(context: Context, request: RemoveRelay, progress: Progress) -> RelayRemoved:
    """Remove a relay; what is queued for it goes another way. Again: refused, there is none."""
    row = await _rule(context, request)
    accepted(await context.carry_out(DropRelay(kind=row.kind, name=row.name)))
    return RelayRemoved(name=row.name)


async def _rule(context: Context, request: OfRelay) -> RelayRow:
    kind, name = _which(request)
    for row in await relays(context.store.reader):
        if (row.kind, row.name) == (kind, name):
            return row
    raise refusal("no-such-relay", f"there is no relay {kind} {name}: see `malleposte relay list`")


class TestRelay(OfRelay, frozen=True, kw_only=True):
    """Neither ``to`` nor ``sender``: the smart host."""

    __test__ = False


class RelayTested(Response, frozen=True, kw_only=True):
    """``works``: it takes our mail; ``words``: how we are connected, or why not."""

    works: bool
    words: str


@operation("relay.test", TestRelay, RelayTested, audit="refused")
async def try_(context: Context, request: TestRelay, progress: Progress) -> RelayTested:
    """Connect and sign in as if a message were to leave; nothing is sent."""
    from malleposte.delivery.outbound.opening import Opener
    from malleposte.delivery.outbound.resolver import Resolver
    from malleposte.delivery.outbound.route import Ways
    from malleposte.delivery.outbound.settings import OutboundSettings
    from malleposte.delivery.outbound.tls import NoPolicies
    from malleposte.delivery.outbound.words import WayFailed
    from malleposte.operations.zone.asking import dns_settings

    relay = await _relay(context, request)
    settings = context.settings
    outbound = OutboundSettings(
        hello=settings.hostname,
        ipv4=settings.outward.ipv4,
        ipv6=settings.outward.ipv6,
        source_ipv4=settings.outward.source_ipv4,
        source_ipv6=settings.outward.source_ipv6,
        relays={relay.route: relay},
    )
    resolver = Resolver(dns_settings(settings))
    try:
        way = await Ways(outbound, resolver).of(relay.route)
        connection = await Opener(outbound, resolver, NoPolicies()).open(way, lambda _: False)
    except WayFailed as failure:
        return RelayTested(works=False, words=failure.trouble.words)
    secured = connection.secured
    connection.goodbye()
    connection.close()
    signed = f", signed in as {relay.user}" if relay.user else ""
    return RelayTested(works=True, words=f"{connection.host}, {secured}{signed}")


async def _relay(context: Context, request: OfRelay) -> "RelaySettings":
    if not request.to and not request.sender:
        smart = context.settings.smart_host()
        if smart is None:
            raise refusal(
                "no-such-relay", "there is no smart host: sending.smart_host of the configuration"
            )
        return smart
    row = await _rule(context, request)
    if not row.host:
        raise refusal(
            "no-such-relay", "it has no server of its own: the recipients' domains name theirs"
        )
    from malleposte.delivery.outbound.relays import relay_of_rule
    from malleposte.secrets.node_key import NodeKeyError
    from malleposte.secrets.sealing import SealError

    try:
        return relay_of_rule(row, context.settings.ring)
    except (NodeKeyError, SealError) as error:
        raise refusal("node-key", str(error)) from None
