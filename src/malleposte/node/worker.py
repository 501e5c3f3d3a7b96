"""A worker: one event loop that serves every listener, over the store.

Everything it needs is made here and handed down; nothing below reads files or the environment. On
SIGTERM it drains: no new connections, goodbyes to the idle, time for those in the middle of something.
It does the same, and is replaced, when one of the tasks that run beside the listeners ends: without its
sweep there are no deadlines, without its push no news.
"""

import asyncio
import contextlib
import gc
import os
import signal
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import structlog

from malleposte.delivery.outbound import Dispatcher
from malleposte.delivery.unsigned_notice import UnsignedAlert
from malleposte.directory.app_passwords import AppUses
from malleposte.directory.book import Book
from malleposte.directory.signin import Door
from malleposte.node import duties, metrics, outbound, wiring
from malleposte.node.config import Configuration
from malleposte.node.confinement import confine
from malleposte.node.health_page import Page
from malleposte.node.inherited import Inherited
from malleposte.node.observers import (
    TimedWriter,
    shortage_told,
)
from malleposte.node.openings import Openings
from malleposte.node.queue_figures import QueueFigures
from malleposte.node.settings import hostname, operation_settings, password_settings
from malleposte.operations.context import Context
from malleposte.policy.permissions import Actor
from malleposte.policy.throttle import Throttle
from malleposte.runtime.jobs import JobRunner, Upkeep
from malleposte.runtime.passwords import Passwords, TooBusyError
from malleposte.runtime.passwords_memory import VerifiedMemory
from malleposte.runtime.push import PushHub
from malleposte.runtime.shortage import Shortage
from malleposte.runtime.tls import Certificates
from malleposte.services.admin_socket import serve_admin
from malleposte.services.listener import Listener, Sweep
from malleposte.store import Store, StoreError, cluster, embedded
from malleposte.store.dialect import TALLY
from malleposte.store.hints import Hints
from malleposte.store.reserve import Reserve

log = structlog.get_logger("worker")

DEFECT = 70
"""Exit code of a worker that cannot go on (EX_SOFTWARE)."""
GOODBYE = 30.0
"""Seconds that a message on its way to another server has when this one stops; past them it is tried
again when its lease is over."""
HURRY = 5.0
"""Seconds to drain at most where a task of the worker has ended: it may be the only worker."""


def run_worker(configuration: Configuration, inherited: Inherited, number: int) -> int:
    """A worker's life; the exit code."""
    import uvloop

    # Young objects die by reference counts; full collections of a large heap would hold the loop.
    gc.set_threshold(50_000, 20, 100)
    return uvloop.run(_Worker(configuration, inherited, number, own=True).run())


class _Stopped(Exception):
    """Told to stop before there was a store to open."""


class _Worker:
    def __init__(
        self, configuration: Configuration, inherited: Inherited, number: int, *, own: bool = False
    ) -> None:
        self._configuration = configuration
        self._inherited = inherited
        self._number = number
        self._own_process = own
        self._figures = metrics.figures()
        self._stop = asyncio.Event()
        self._draining = False
        self._failed = False
        self._hints: Hints | None = None
        self._dispatcher: Dispatcher | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._listeners: list[tuple[str, Listener]] = []

    async def run(self) -> int:
        """Serve until SIGTERM; the exit code."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop.set)
        # Ctrl-C reaches the whole group; the supervisor hears it and stops its children in order.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with contextlib.suppress(_Stopped):
            async with self._store() as store:
                store.writer = TimedWriter(store.writer, self._figures)
                await self._await_store(store)
                if not self._stop.is_set():
                    await self._serve(store)
        return DEFECT if self._failed else 0

    @contextlib.asynccontextmanager
    async def _store(self) -> AsyncIterator[Store]:
        chosen = self._configuration.store
        if chosen.backend == "postgres" and chosen.dsn is not None:
            spool = self._configuration.node.data_dir / "spool"
            spool.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._confine(spool)
            self._hints = Hints(chosen.dsn.reveal())
            async with cluster(
                chosen.dsn.reveal(),
                spool,
                reserve=chosen.disk_reserve,
                percent=chosen.disk_reserve_percent,
                committed=self._hints.changed,
                waited=self._figures.writer_queue.observe,
                recoverable=chosen.recoverable_size,
            ) as store:
                yield store
            return
        async with contextlib.AsyncExitStack() as stack:
            yield await self._embedded(stack)

    async def _embedded(self, stack: contextlib.AsyncExitStack) -> Store:
        folder = self._configuration.node.data_dir
        looks = 0
        while not self._inherited.gate.is_open:
            await self._pause()
            looks += 1
            if looks % 200 == 0:
                log.warning("waiting for the writer to open the store")
        # The index of the log is the readers' too; the database and its log are the writer's alone.
        self._confine(folder / "blobs", folder / "store.db-shm")
        for _ in range(600):
            with contextlib.suppress(StoreError):
                return await stack.enter_async_context(embedded(folder, self._writer_path))
            await self._pause()
        raise RuntimeError("the writer did not open the store")

    def _confine(self, folder: Path, *files: Path) -> None:
        """Before the store is opened, and before there are threads, which would stay as they are."""
        if not self._own_process:
            return
        folders = (folder, self._configuration.node.run_dir / metrics.FOLDER)
        files = (*files, Path(os.devnull))
        allowed = [[path for path in paths if path.exists()] for paths in (folders, files)]
        if not confine(*allowed) and self._number == 0:
            log.warning("this kernel cannot bound what workers may write (Landlock)")

    async def _pause(self) -> None:
        """A moment before the next look. Raises ``_Stopped``."""
        await asyncio.sleep(0.05)
        if self._stop.is_set():
            raise _Stopped

    @property
    def _writer_path(self) -> Any:
        return self._configuration.node.run_dir / "writer.sock"

    async def _await_store(self, store: Store) -> None:
        """Wait until the schema is there."""
        for attempt in range(1200):
            try:
                await store.reader.row("SELECT version FROM directory_head WHERE id = 1")
                return
            except StoreError as error:
                if attempt % 100 == 99:
                    log.warning("waiting for the store", reason=str(error))
            if self._stop.is_set():
                return
            await asyncio.sleep(0.05)
        raise RuntimeError("the store does not answer")

    async def _serve(self, store: Store) -> None:
        configuration = self._configuration
        reserve = Reserve(
            store.blobs, configuration.store.disk_reserve, configuration.store.disk_reserve_percent
        )
        store.incoming.keep(wiring.incoming_settings(configuration), reserve)
        certificates = Certificates(wiring.tls_settings(configuration), later=True)
        book = Book(store, hostname=hostname(configuration))
        passwords = Passwords(password_settings(configuration))
        door = Door(
            book,
            Throttle(wiring.throttle_settings(configuration)),
            passwords,
            VerifiedMemory(configuration.signin.remembered),
            busy=TooBusyError,
            network_at_once=wiring.network_at_once(configuration),
            uses=AppUses(store),
        )
        push = PushHub(store)
        queue_figures = QueueFigures(self._figures)
        relays = outbound.relays(configuration)
        await relays.refresh(store.reader)
        self._dispatcher = outbound.dispatcher(store, configuration, relays)
        wake = self._dispatcher.wake if self._dispatcher is not None else None
        alert = UnsignedAlert(store)

        def unsigned(domain: str, why: str) -> None:
            self._figures.unsigned.labels(domain).inc()
            alert.told(domain, why)

        sending = outbound.sending(store, configuration, wake, unsigned, relays)
        openings = Openings(
            configuration,
            self._inherited,
            self._figures,
            self._number,
            store=store,
            book=book,
            door=door,
            certificates=certificates,
            spawn=self._spawn,
        )
        self._listeners = openings.listeners
        reception = await openings.smtp(sending, self._dispatcher)
        await openings.imap(push)
        await openings.pop3()
        await openings.managesieve()
        await openings.web(passwords, reception, push, lambda: self._draining)
        await self._open_health(store)
        self._open_admin(store, book, passwords)
        holder = f"{hostname(configuration)}:{os.getpid()}"
        self._spawn(push.run())
        self._spawn(relays.watch(store.reader))
        if self._hints is not None:
            self._spawn(self._hints.run(push.hint))
        if self._dispatcher is not None:
            self._dispatcher.told = queue_figures.told
            self._spawn(self._dispatcher.run())
        if self._number == 0:
            self._spawn(queue_figures.watch(store))
        purged = self._figures.early.labels("past its bound").inc
        kinds = duties.jobs(store, book, configuration, sending, purged)
        self._spawn(JobRunner(store, holder, kinds).run())
        if self._number == 0 and configuration.store.backend == "sqlite" and reserve.octets:
            self._spawn(Shortage(store, reserve, shortage_told(self._figures)).run())
        self._spawn(Upkeep(store, holder, duties.upkeep_tasks(store, book, configuration)).run())
        self._spawn(Sweep([listener for _, listener in self._listeners]).run())
        figures = self._figures
        self._spawn(metrics.measure_loop(figures.loop_delay.observe, figures.loop_held.observe))
        self._spawn(self._count())
        self._spawn(certificates.watch())
        log.info("serving", worker=self._number, pid=os.getpid())
        try:
            await self._stop.wait()
        finally:
            await self._drain()
            passwords.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run beside the listeners what is never to end; if it does, the worker does."""
        name = getattr(work, "__qualname__", "")
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.append(task)

        def ended(done: asyncio.Task[None]) -> None:
            error = None if done.cancelled() else done.exception()
            if self._draining and error is None:
                return
            self._figures.defects.labels("task").inc()
            log.error(
                "a task of the worker ended, and the worker with it",
                task=task.get_name(),
                exc_info=error,
            )
            self._failed = True
            self._stop.set()

        task.add_done_callback(ended)

    def _open_admin(self, store: Store, book: Book, passwords: Passwords) -> None:
        if self._inherited.admin is None:
            return
        settings = operation_settings(self._configuration)

        def context(actor: Actor) -> Context:
            return Context.of(store, book, passwords, settings, actor)

        self._spawn(serve_admin(self._inherited.admin, context))

    async def _open_health(self, store: Store) -> None:
        if self._inherited.metrics is None:
            return

        async def healthy() -> tuple[bool, str]:
            try:
                async with asyncio.timeout(5):
                    row = await store.reader.row("SELECT version FROM directory_head WHERE id = 1")
                good = row is not None
            except (StoreError, TimeoutError):
                good = False
            facts = {"status": "ok" if good else "store away", "worker": self._number}
            return good, msgspec.json.encode(facts).decode()

        loop = asyncio.get_running_loop()
        names = (hostname(self._configuration), *self._configuration.metrics.hosts.split())
        page = Page(healthy, metrics.exposition, names)
        await loop.create_server(page.connection, sock=self._inherited.metrics)

    async def _count(self) -> None:
        """Keep the gauges that are cheaper to look at than to count."""
        counted = 0
        while True:
            await asyncio.sleep(0.5)
            self._figures.statements.inc(TALLY.statements - counted)
            counted = TALLY.statements
            totals: dict[str, int] = {}
            for service, listener in self._listeners:
                totals[service] = totals.get(service, 0) + len(listener.connections)
            for service, total in totals.items():
                self._figures.connections.labels(service).set(total)

    async def _drain(self) -> None:
        self._draining = True
        seconds = float(self._configuration.node.drain)
        if self._failed:
            seconds = min(seconds, HURRY)
        closing = [listener.drain(seconds) for _, listener in self._listeners]
        if self._dispatcher is not None:
            closing.append(self._dispatcher.stop(min(seconds, GOODBYE)))
        await asyncio.gather(*closing)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
