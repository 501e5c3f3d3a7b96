"""Relays by recipient and sender as they are kept, and how they become routing and settings.

A process has one ``Relays``: its ``routing`` and ``by_route`` are given to whoever needs them and stay the
same objects; ``refresh`` brings their content up to date. What was queued by a route that is no more is
given another one when its turn comes (``Dispatcher``), so that nobody need be up to the second.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import structlog

from malleposte.secrets.redaction import Secret
from malleposte.store.commands.relays import RelayRow, secret_name
from malleposte.store.dialect import Reader
from malleposte.store.errors import StoreError
from malleposte.store.read.relays import relays

from .settings import RelaySettings, Routing, relay_route

if TYPE_CHECKING:
    from malleposte.secrets.sealing import KeyRing

log = structlog.get_logger(__name__)

TO: Final = "to"
FROM: Final = "from"
EVERY: Final = 2.0
"""Seconds after which a rule that was changed is known to everybody."""


def route_of_rule(rule: RelayRow) -> str:
    """The name of a rule in the queue: rules to one server are told apart, each has its own sign-in. ''
    where it leads to the servers of the recipients' domains."""
    if not rule.host:
        return ""
    return rule_route(rule.host, rule.port, rule.kind, rule.name)


def rule_route(host: str, port: int, kind: str, name: str) -> str:
    """As ``route_of_rule``, of a rule that leads to a server."""
    return f"{relay_route(host, port)}/{kind}:{name}"


def routing_of(smart_host: str, rules: Sequence[RelayRow]) -> Routing:
    """Which way mail goes by these rules; ``smart_host``: the route of all the rest."""
    return Routing(
        domains={rule.name: route_of_rule(rule) for rule in rules if rule.kind == TO},
        senders={rule.name: route_of_rule(rule) for rule in rules if rule.kind == FROM},
        smart_host=smart_host,
    )


def relay_of_rule(rule: RelayRow, ring: "Callable[[], KeyRing]") -> RelaySettings:
    """How its server is spoken to. Raises ``NodeKeyError`` and ``SealError`` where the password cannot be
    opened."""
    password = Secret("")
    if rule.sealed:
        opened = ring().unseal(secret_name(rule.kind, rule.name), rule.sealed)
        password = Secret(opened.reveal().decode())
    return RelaySettings(
        host=rule.host,
        port=rule.port,
        implicit=rule.tls == "implicit",
        tls=rule.tls != "none",
        verify=rule.verify,
        user=rule.login,
        password=password,
        named=route_of_rule(rule),
        changed_at=rule.changed_at,
    )


def mark_of(routing: Routing) -> str:
    """Tells routings apart."""
    parts = [routing.smart_host]
    for rules in (routing.domains, routing.senders):
        parts += ["", *(f"{name} {route}" for name, route in sorted(rules.items()))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


class Relays:
    """See the module. ``smart_host``: for all that no rule is for; ``ring``: gives the node's keys."""

    def __init__(self, smart_host: RelaySettings | None, ring: "Callable[[], KeyRing]") -> None:
        self._smart_host = smart_host
        self._ring = ring
        self._rules: list[RelayRow] | None = None
        self._domains: dict[str, str] = {}
        self._senders: dict[str, str] = {}
        self._by_route: dict[str, RelaySettings] = {}
        self.routing: Final = Routing(
            domains=MappingProxyType(self._domains),
            senders=MappingProxyType(self._senders),
            smart_host=smart_host.route if smart_host is not None else "",
        )
        self.by_route: Final[Mapping[str, RelaySettings]] = MappingProxyType(self._by_route)
        self._set([])

    async def refresh(self, reader: Reader) -> None:
        """Take over what is kept now. Raises what the store raises."""
        rules = await relays(reader)
        if rules != self._rules:
            self._set(rules)
            self._rules = rules

    async def watch(self, reader: Reader, every: float = EVERY) -> None:
        """Stay up to date, until cancelled."""
        while True:
            try:
                await self.refresh(reader)
            except StoreError as error:
                log.warning("relays cannot be read", reason=str(error))
            await asyncio.sleep(every)

    def _set(self, rules: Sequence[RelayRow]) -> None:
        wanted = routing_of("", rules)
        found = {} if self._smart_host is None else {self._smart_host.route: self._smart_host}
        for rule in rules:
            if rule.host:
                try:
                    found[route_of_rule(rule)] = relay_of_rule(rule, self._ring)
                except Exception as error:  # noqa: BLE001 - the rest of the relays work on
                    log.error(
                        "a relay's password cannot be opened", relay=rule.name, reason=str(error)
                    )
        for kept, new in (
            (self._domains, wanted.domains),
            (self._senders, wanted.senders),
        ):
            kept.clear()
            kept.update(new)
        self._by_route.clear()
        self._by_route.update(found)
