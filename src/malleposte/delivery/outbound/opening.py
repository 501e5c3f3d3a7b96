"""From a way to a connection that takes mail: addresses in turn, TLS as asked, sign-in at a relay.

An address that does not work is followed by the next; what each of them did stands in the words of the
failure. Opportunistic TLS that fails is tried again without on the same address at once, and that is
remembered for a while. How TLS went is told to ``Policies``, for who wants reports of it.
"""

import asyncio
import random
from collections.abc import Callable, Sequence

from malleposte.wire.smtp.progress import Closed, Event, Handshake, Ready, Refused, Step
from malleposte.wire.smtp.sending import SmtpClient

from .addresses import Addresses
from .channel import Channel
from .connection import Connection
from .resolver import IpAddress, Resolver
from .route import Exchange, Way
from .settings import OutboundSettings, RelaySettings
from .tls import (
    OPPORTUNISTIC,
    Broken,
    Contexts,
    Policies,
    TlsPolicy,
    TlsSession,
    described,
    handshake_failure,
    handshake_trouble,
    policy_of,
)
from .words import Trouble, WayFailed, plain_reason

MOST_TRIED = 10
"""Addresses tried for one connection."""
MOST_SAID = 3
"""Addresses whose troubles are told."""


class _Unusable(Exception):
    """An address that takes no mail now. ``tls``: as RFC 8460 §4.3 calls it where it was its TLS."""

    def __init__(self, trouble: Trouble, *, tls: str = "") -> None:
        super().__init__(trouble.words)
        self.trouble = trouble
        self.tls = tls
        self.local = ""


class Opener:
    """See the module. One for a worker."""

    def __init__(self, settings: OutboundSettings, resolver: Resolver, policies: Policies) -> None:
        self._settings = settings
        self._addresses = Addresses(settings, resolver)
        self._policies = policies
        self._contexts = Contexts(settings)
        self._broken = Broken(settings.plain_after_failure)
        self._loop = asyncio.get_running_loop()

    async def open(self, way: Way, shunned: Callable[[IpAddress], bool]) -> Connection:
        """A connection that is ready for a message; addresses in ``shunned`` come last.

        Raises ``WayFailed``."""
        until = self._loop.time() + self._settings.timeouts.opening
        troubles: list[Trouble] = []
        later: list[tuple[Exchange, IpAddress]] = []
        tried = 0
        for exchange in _in_order(way.exchanges):
            try:
                addresses = await self._addresses.of(exchange, relay=way.relay is not None)
            except WayFailed as error:
                troubles.append(error.trouble)
                continue
            for address in addresses:
                if shunned(address):
                    later.append((exchange, address))
                    continue
                if tried == MOST_TRIED or self._loop.time() > until:
                    break
                tried += 1
                try:
                    return await self._at(way, exchange, address, until)
                except _Unusable as error:
                    troubles.append(error.trouble)
        for exchange, address in later[: MOST_TRIED - tried]:
            if self._loop.time() > until:
                break
            try:
                return await self._at(way, exchange, address, until)
            except _Unusable as error:
                troubles.append(error.trouble)
        raise WayFailed(_together(way, troubles))

    # One address ----------------------------------------------------------------------------------

    async def _at(
        self, way: Way, exchange: Exchange, address: IpAddress, until: float
    ) -> Connection:
        host = _host(exchange, address)
        if way.relay is None and (why := self._addresses.forbidden(address)):
            raise _Unusable(Trouble("4.4.4", f"{host} is {why}: nothing is sent there", host=host))
        policy = await policy_of(way, exchange, self._policies)
        if policy.refuse:
            self._note(policy, exchange, address, failure=policy.failure, words=policy.refuse)
            raise _Unusable(Trouble("4.7.5", f"{host}: {policy.refuse}", host=host))
        known = self._broken.of(host)
        if policy.never or (known is not None and not policy.demanded):
            found = await self._one(way, exchange, address, policy, plain=True, until=until)
            if known is not None:
                self._note(policy, exchange, address, found, failure=known[0], words=known[1])
            return found
        try:
            found = await self._one(way, exchange, address, policy, plain=False, until=until)
        except _Unusable as error:
            if not error.tls:
                raise
            words = error.trouble.words
            self._note(policy, exchange, address, failure=error.tls, words=words, local=error.local)
            if policy.demanded:
                raise
            return await self._in_spite(way, exchange, address, policy, until, error)
        secured = found.channel.tls is not None
        failure = policy.failure or ("" if secured else "starttls-not-supported")
        self._note(policy, exchange, address, found, failure=failure, words=policy.failed)
        return found

    async def _in_spite(
        self,
        way: Way,
        exchange: Exchange,
        address: IpAddress,
        policy: TlsPolicy,
        until: float,
        error: _Unusable,
    ) -> Connection:
        """A connection to a server whose TLS is not as it should be, where nothing demands that."""
        host, why = _host(exchange, address), error.trouble.words
        if policy.tested and error.tls.startswith("certificate"):
            try:
                found = await self._one(
                    way, exchange, address, OPPORTUNISTIC, plain=False, until=until
                )
            except _Unusable as again:
                if not again.tls:
                    raise
            else:
                found.secured += f"; {policy.source}, still in testing, would not have it: {why}"
                return found
        self._broken.remember(host, error.tls, why)
        found = await self._one(way, exchange, address, policy, plain=True, until=until)
        found.secured = f"without TLS since {why}"
        return found

    def _note(
        self,
        policy: TlsPolicy,
        exchange: Exchange,
        address: IpAddress,
        found: Connection | None = None,
        *,
        failure: str,
        words: str,
        local: str = "",
    ) -> None:
        """Have a report tell of it, where one is wanted."""
        if policy.told is not None:
            local = found.channel.local if found is not None else local
            session = TlsSession(exchange.name, str(address), local, failure, words)
            self._policies.heard(policy, session)

    async def _one(
        self,
        way: Way,
        exchange: Exchange,
        address: IpAddress,
        policy: TlsPolicy,
        *,
        plain: bool,
        until: float,
    ) -> Connection:
        settings, host = self._settings, _host(exchange, address)
        source = settings.source_ipv4 if address.version == 4 else settings.source_ipv6
        try:
            channel = await Channel.open(
                address,
                exchange.port,
                source=source,
                seconds=max(0.1, min(settings.timeouts.connect, until - self._loop.time())),
            )
        except OSError as error:
            words = f"{host}: {plain_reason(error)}"
            raise _Unusable(Trouble("4.4.1", words, host=host)) from None
        client = SmtpClient(settings.hello)
        connection = Connection(
            channel, client, exchange.name, address, exchange.port, settings.timeouts
        )
        try:
            if policy.implicit:
                await self._shake(connection, policy, exchange)
            _ready(await connection.event(until), connection)
            if not plain and not policy.implicit:
                await self._secure(connection, policy, exchange, until)
            if way.relay is not None and way.relay.user:
                await _sign_in(connection, way.relay, address, until)
        except BaseException as error:
            if isinstance(error, _Unusable):
                error.local = channel.local
            connection.close()
            raise
        if policy.note and channel.tls is None:
            connection.secured += f", {policy.note}"
        return connection

    async def _secure(
        self, connection: Connection, policy: TlsPolicy, exchange: Exchange, until: float
    ) -> None:
        host = connection.host
        if not connection.can.starttls:
            if policy.demanded:
                words = f"{host} offers no TLS, which {policy.source} demands: nothing was sent"
                raise _Unusable(Trouble("4.7.4", words, host=host), tls="starttls-not-supported")
            return
        connection.client.start_tls()
        match await connection.event(until):
            case Handshake():
                await self._shake(connection, policy, exchange)
                connection.client.tls_started()
                event = await connection.event(until)
                if isinstance(event, Closed):
                    words = f"{host}: {event.why} right after the TLS handshake"
                    raise _Unusable(Trouble("4.4.2", words, host=host), tls="validation-failure")
                _ready(event, connection)
            case Refused(answer):
                if policy.demanded:
                    words = (
                        f"{host} refused TLS, which {policy.source} demands («{answer.reply}»):"
                        " nothing was sent"
                    )
                    trouble = Trouble("4.7.4", words, reply=str(answer.reply), host=host)
                    raise _Unusable(trouble, tls="starttls-not-supported")
                connection.secured = f"without TLS since STARTTLS was refused («{answer.reply}»)"
                if not connection.usable:
                    trouble = Trouble("4.4.2", f"{host}: {answer.reply}", host=host)
                    raise _Unusable(trouble, tls="starttls-not-supported")
            case Closed(why):
                trouble = Trouble("4.4.2", f"{host}: {why} at STARTTLS", host=host)
                raise _Unusable(trouble, tls="validation-failure")
            case event:
                raise AssertionError(event)

    async def _shake(self, connection: Connection, policy: TlsPolicy, exchange: Exchange) -> None:
        name = policy.name or exchange.name
        try:
            await connection.channel.start_tls(
                self._contexts.of(policy),
                name if len(name) < 254 else "",
                self._settings.timeouts.handshake,
            )
        except (OSError, ValueError) as error:  # ValueError: a name that cannot stand in TLS
            words = f"{connection.host}: {handshake_trouble(error)}"
            if policy.demanded:
                words += f"; {policy.source} demands it: nothing was sent"
            trouble = Trouble("4.7.5", words, host=connection.host)
            raise _Unusable(trouble, tls=handshake_failure(error)) from None
        session = connection.channel.tls
        if session is None:
            raise _Unusable(
                Trouble("4.4.2", f"{connection.host}: the connection was cut", host=connection.host)
            )
        if policy.check is not None and (wrong := await policy.check(session)):
            words = f"{connection.host}: {wrong}; {policy.source} demands it: nothing was sent"
            raise _Unusable(Trouble("4.7.5", words, host=connection.host), tls="validation-failure")
        connection.secured = described(session, policy)


def _in_order(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """By preference, equal ones at random (RFC 5321 §5.1)."""
    return sorted(exchanges, key=lambda one: (one.preference, random.random()))  # noqa: S311


def _host(exchange: Exchange, address: IpAddress) -> str:
    return f"{exchange.name} [{address}]:{exchange.port}"


def _ready(event: Event, connection: Connection) -> None:
    """The server is to be ready now. Raises ``_Unusable``."""
    host = connection.host
    match event:
        case Ready():
            return
        case Refused(answer):
            reply = answer.reply
            assert reply is not None
            what = "does not take us" if answer.step is Step.GREETING else "refused EHLO"
            # RFC 7504: 521 is for good. Any other 5yz here is mostly a guard against our address, for a
            # while or at this one server: others may take it.
            raise _Unusable(
                Trouble(
                    "5.3.2" if reply.code == 521 else "4.3.2",
                    f"{host} {what}: «{reply}»",
                    permanent=reply.code == 521,
                    reply=str(reply),
                    host=host,
                )
            )
        case Closed(why):
            where = "greeting" if connection.step is Step.GREETING else "EHLO"
            raise _Unusable(Trouble("4.4.2", f"{host}: {why} (at the {where})", host=host))
    raise AssertionError(event)


async def _sign_in(
    connection: Connection, relay: RelaySettings, address: IpAddress, until: float
) -> None:
    host = connection.host
    if connection.channel.tls is None and not address.is_loopback:
        words = f"{host}: the password is not sent without TLS; turn on TLS for this relay"
        raise _Unusable(Trouble("4.7.11", words, host=host))
    try:
        connection.client.authenticate(relay.user, relay.password.reveal())
    except ValueError:
        words = f"{host} offers neither AUTH PLAIN nor AUTH LOGIN: we cannot sign in there"
        raise _Unusable(Trouble("4.7.0", words, host=host)) from None
    match await connection.event(until):
        case Ready():
            return
        case Refused(answer):
            words = (
                f"{host} refuses our sign-in as {relay.user}: «{answer.reply}»; check user and"
                " password of this relay"
            )
            raise _Unusable(Trouble("4.7.8", words, reply=str(answer.reply), host=host))
        case Closed(why):
            raise _Unusable(Trouble("4.4.2", f"{host}: {why} at AUTH", host=host))
        case event:
            raise AssertionError(event)


def _together(way: Way, troubles: Sequence[Trouble]) -> Trouble:
    """What all that was tried came to."""
    if not troubles:
        return Trouble("4.4.1", f"no server of {way.name} was reached in time")
    last = troubles[-1]
    words = "; ".join(dict.fromkeys(one.words for one in troubles[-MOST_SAID:]))
    if len(troubles) > MOST_SAID:
        words += f"; and {len(troubles) - MOST_SAID} more before"
    permanent = all(one.permanent for one in troubles)
    status = last.status if permanent or last.status[0] == "4" else "4" + last.status[1:]
    return Trouble(status, words, permanent=permanent, reply=last.reply, host=last.host)
