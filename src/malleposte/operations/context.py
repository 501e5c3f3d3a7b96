"""What an operation works with; made by whoever calls it, for one actor."""

import dataclasses
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from malleposte.directory.book import Book
from malleposte.operations.audit import StoreAudit, line_of
from malleposte.policy.audit import AuditEvent, AuditSink, Detail, Outcome
from malleposte.policy.permissions import Actor
from malleposte.policy.sending import SendLimits
from malleposte.store import Store
from malleposte.store.commands import Act, Audited
from malleposte.store.results import AnyResult, Refused

if TYPE_CHECKING:
    from malleposte.delivery.outbound.settings import RelaySettings
    from malleposte.delivery.tls_policies import StsSettings
    from malleposte.secrets.sealing import KeyRing


class Hasher(Protocol):
    """Makes stored forms of passwords (``runtime.passwords``)."""

    async def hash(self, password: str) -> str:
        """Raises ``UnfitPasswordError`` and ``TooBusyError``."""
        ...


def _no_ring() -> "KeyRing":
    from malleposte.secrets.node_key import NodeKeyError

    raise NodeKeyError("this process has no node key: secrets can be neither sealed nor opened")


def _no_relay() -> "RelaySettings | None":
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outward:
    """How mail leaves. ``direct``: to the servers of other domains, by port 25; ``allowed``: networks that
    it may go to though they are special. ``probes``: domains whose servers show whether that port is open;
    ``block_lists``: those asked for this server's addresses."""

    direct: bool = False
    port: int = 25
    ipv4: bool = True
    ipv6: bool = True
    source_ipv4: str = ""
    source_ipv6: str = ""
    allowed: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    probes: tuple[str, ...] = ()
    block_lists: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OperationSettings:
    """``quota``: octets of an account that has no value of its own (0: no limit). ``recoverable``:
    seconds that deleted mail can be brought back. ``alone``: no server runs beside this process.

    ``ring``: gives the node's keys, read anew (``NodeKeyError``). ``offered``: ports of the services that
    others can reach, by name. ``client_host``: the name that mail programs connect to, '': ``hostname``.
    ``resolvers``: addresses of name servers, none: the system's. ``dane``,
    ``mta_sts``: whether mail that leaves keeps to them. ``certificate``: the file with that of this
    server. ``send_limits``: of accounts and domains that have none of their own. ``policies``: how policies
    of MTA-STS are fetched, None: as usual. ``under_way``: seconds that signed mail can be under way.
    ``smart_host``: gives the server that all mail goes to, None for none (``ValueError``); ``sends``:
    whether mail to other servers is sent at all."""

    hostname: str
    quota: int = 0
    recoverable: int = 14 * 86_400
    alone: bool = False
    ring: Callable[[], "KeyRing"] = _no_ring
    offered: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    client_host: str = ""
    resolvers: tuple[str, ...] = ()
    resolver_port: int = 53
    dane: bool = True
    mta_sts: bool = True
    certificate: Path | None = None
    send_limits: SendLimits = field(default_factory=SendLimits)
    policies: "StsSettings | None" = None
    under_way: int = 7 * 86_400
    outward: Outward = field(default_factory=Outward)
    smart_host: "Callable[[], RelaySettings | None]" = _no_relay
    sends: bool = True


@dataclass(slots=True)
class Line:
    """The audit's line of the operation that runs: written with what it does, once. ``begun``: it said
    that it takes many steps."""

    event: AuditEvent
    written: bool = False
    begun: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """See the module. ``line``: of the operation that runs; ``perform`` gives it."""

    store: Store
    book: Book
    passwords: Hasher
    settings: OperationSettings
    actor: Actor
    audit: AuditSink
    line: Line | None = None

    async def begin(self) -> None:
        """Have the audit say that the operation is begun, before the first of many steps, or before it
        shows anybody's mail. Raises what ``Store.submit`` raises: then it must not go on."""
        line = self._line
        await self.audit.append(dataclasses.replace(line.event, outcome=Outcome.BEGUN))
        line.begun = True

    @property
    def _line(self) -> Line:
        line = self.line
        if line is None or line.written or line.begun:
            raise RuntimeError("an operation has one act and one line, or is begun once")
        return line

    async def carry_out(self, act: Act, **details: Detail) -> AnyResult:
        """Have an operation's one act executed together with its line; ``details``: what the line says
        beside the request's. Its answer, as of ``Store.submit``; raises the same."""
        line = self._line
        event = dataclasses.replace(line.event, details={**line.event.details, **details})
        result = await self.store.submit(Audited(act=act, line=line_of(event)))
        line.written = not isinstance(result, Refused)
        return result

    @classmethod
    def of(
        cls,
        store: Store,
        book: Book,
        passwords: Hasher,
        settings: OperationSettings,
        actor: Actor,
    ) -> "Context":
        """A context whose audit is the store's."""
        return cls(store, book, passwords, settings, actor, StoreAudit(store))
