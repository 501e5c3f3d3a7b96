"""Opens the listeners of a worker: each service over the store, with its limits and figures."""

from collections.abc import Callable, Coroutine
from mmap import mmap
from typing import Any

import structlog

from malleposte.delivery.leaving import Sending
from malleposte.delivery.outbound import Dispatcher
from malleposte.delivery.receive import Reception
from malleposte.delivery.sieving.checking import Checker
from malleposte.directory.book import Book
from malleposte.directory.signin import Door
from malleposte.node import metrics, sieving, web, wiring
from malleposte.node.config import Configuration
from malleposte.node.inherited import Inherited
from malleposte.node.observers import (
    ImapFigures,
    Pop3Figures,
    SieveFigures,
    SmtpFigures,
    WebFigures,
)
from malleposte.node.sockets import Bound
from malleposte.policy.account_counts import AccountCounts
from malleposte.policy.connections import ConnectionLimit
from malleposte.runtime.passwords import Passwords
from malleposte.runtime.push import PushHub
from malleposte.runtime.tls import Certificates
from malleposte.services.connection import Connection
from malleposte.services.imapd.service import ImapService
from malleposte.services.imapd.session import Session
from malleposte.services.imapd.watched import AllWatched
from malleposte.services.listener import Listener
from malleposte.services.pop3d.exclusive import Exclusive
from malleposte.services.pop3d.service import Pop3Service
from malleposte.services.pop3d.session import Session as Pop3Session
from malleposte.services.sieved.service import SieveService
from malleposte.services.sieved.session import Session as SieveSession
from malleposte.services.smtpd import SmtpService
from malleposte.services.turns import Turns
from malleposte.store import Store

log = structlog.get_logger("worker")


class Openings:
    """``number``: which worker this is. ``spawn`` runs beside the listeners what never ends."""

    def __init__(
        self,
        configuration: Configuration,
        inherited: Inherited,
        figures: metrics.Figures,
        number: int,
        *,
        store: Store,
        book: Book,
        door: Door,
        certificates: Certificates,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._configuration = configuration
        self._inherited = inherited
        self._figures = figures
        self._number = number
        self._store = store
        self._book = book
        self._door = door
        self._certificates = certificates
        self._spawn = spawn
        self._turns = Turns()
        self.listeners: list[tuple[str, Listener]] = []
        """Those that are open, each with the name of its service."""

    async def smtp(self, sending: Sending | None, dispatcher: Dispatcher | None) -> Reception:
        """SMTP, submission and LMTP; what takes mail, for others who submit."""
        store, book, door = self._store, self._book, self._door
        reception = Reception(
            store,
            book,
            wiring.delivery_settings(self._configuration),
            sending,
            sieving.sieving(store, book, self._configuration, sending),
        )
        if dispatcher is not None:
            dispatcher.local = wiring.releasing(store, reception, book, self._configuration).file
        # One for each protocol: whoever floods one does not take the connections of another.
        connections = wiring.smtp_connections(self._configuration)
        admitted = {mode: ConnectionLimit(connections) for mode in wiring.MODES.values()}
        limits = wiring.smtp_limits(self._configuration)
        observer = SmtpFigures(self._figures)
        for bound in self._bound(*wiring.MODES):
            settings = wiring.smtp_settings(self._configuration, bound.listener)
            service = SmtpService(settings, limits, reception, book, door, observer)
            await self._open(
                bound,
                service.serve,
                admitted[settings.mode],
                b"421 4.7.0 Too many connections from your network; try again later\r\n",
            )
        return reception

    async def imap(self, push: PushHub) -> None:
        """IMAP."""
        store, book, door = self._store, self._book, self._door
        limit = ConnectionLimit(wiring.imap_connections(self._configuration))
        observer = ImapFigures(self._figures)
        sessions: dict[int, set[Session]] = {}
        counts = self._counts(self._inherited.imap_sessions)
        watched = AllWatched(store.reader)
        for number, bound in enumerate(self._bound("imap", "imaps")):
            settings = wiring.imap_settings(self._configuration, bound.listener)
            service = ImapService(
                settings, store, book, door, push, observer, sessions, counts, turns=self._turns
            )
            service.watched = watched
            if number == 0:
                # The sessions of all listeners are in one dictionary: one look sees them all.
                self._spawn(service.watch())
            await self._open(
                bound,
                service.serve,
                limit,
                b"* BYE [UNAVAILABLE] Too many connections from your network; try again later\r\n",
            )

    async def pop3(self) -> None:
        """POP3."""
        store, book, door = self._store, self._book, self._door
        limit = ConnectionLimit(wiring.pop3_connections(self._configuration))
        observer = Pop3Figures(self._figures)
        exclusive = Exclusive(store, self._counts(self._inherited.pop3_sessions))
        sessions: dict[int, Pop3Session] = {}
        for number, bound in enumerate(self._bound("pop3", "pop3s")):
            settings = wiring.pop3_settings(self._configuration, bound.listener)
            service = Pop3Service(
                settings, store, book, door, exclusive, observer, sessions, self._turns
            )
            if number == 0:
                self._spawn(service.watch())  # as with IMAP
            await self._open(
                bound,
                service.serve,
                limit,
                b"-ERR [SYS/TEMP] Too many connections from your network; try again later\r\n",
            )

    async def managesieve(self) -> None:
        """ManageSieve."""
        store, book, door = self._store, self._book, self._door
        limit = ConnectionLimit(wiring.managesieve_connections(self._configuration))
        observer = SieveFigures(self._figures)
        checker = Checker(store.reader)
        sessions: dict[int, set[SieveSession]] = {}
        for number, bound in enumerate(self._bound("managesieve")):
            settings = wiring.sieve_settings(self._configuration, bound.listener)
            service = SieveService(
                settings, store, book, door, checker, observer, sessions, self._turns
            )
            if number == 0:
                self._spawn(service.watch())  # as with IMAP
            await self._open(
                bound,
                service.serve,
                limit,
                b'BYE (TRYLATER) "Too many connections from your network; try again later"\r\n',
            )

    async def web(
        self,
        passwords: Passwords,
        reception: Reception,
        push: PushHub,
        stopping: Callable[[], bool],
    ) -> None:
        """HTTP."""
        bounds = self._bound("http", "https")
        if not bounds:
            return
        limit = ConnectionLimit(web.web_connections(self._configuration))
        service = web.web_service(
            self._configuration,
            self._store,
            self._book,
            self._door,
            passwords,
            reception,
            WebFigures(self._figures),
            ready=lambda: self._certificates.ready,
            stopping=stopping,
            push=push,
            spawn=self._spawn,
        )
        for bound in bounds:
            await self._open(bound, service.serve, limit, web.TOO_MANY)

    def _counts(self, memory: mmap) -> AccountCounts:
        return AccountCounts(memory, wiring.workers(self._configuration), self._number)

    def _bound(self, *services: str) -> list[Bound]:
        return [one for one in self._inherited.listeners if one.listener.service in services]

    async def _open(
        self,
        bound: Bound,
        serve: Callable[[Connection], Coroutine[Any, Any, None]],
        limit: ConnectionLimit,
        refuse: bytes,
    ) -> None:
        certificates = self._certificates

        def failed(_: Connection) -> None:
            self._figures.defects.labels(bound.listener.service).inc()
            log.exception("a connection ended by a defect", service=bound.listener.service)

        for sock in bound.sockets:
            listener = Listener(
                serve,
                tls=lambda: certificates.context if certificates.ready else None,
                implicit=bound.listener.tls_mode == "implicit",
                limit=limit,
                refuse=refuse,
                on_failure=failed,
                proxies=wiring.proxies(bound.listener),
            )
            listener.listen(sock)
            self.listeners.append((bound.listener.service, listener))
