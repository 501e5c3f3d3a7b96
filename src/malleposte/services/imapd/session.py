"""One connection: reads commands, has them done, tells the client what else happened, answers.

A command is done by its handler (``registry``), which returns the tagged response; what changed in the
selected mailbox goes out before it (``updates``). Responses are gathered (``output``). Memory of an
idle session is the engine, the connection and this object: no task of its own, nothing remembered.
"""

import asyncio
import time
from collections.abc import Awaitable
from typing import TYPE_CHECKING, TypeVar

import structlog

from malleposte.directory.book import Account
from malleposte.services.compression import Garbled
from malleposte.services.connection import Connection, ConnectionLost, Draining, TimedOut
from malleposte.services.imapd import registry, rights, updates
from malleposte.services.imapd.replies import Refuse, failed, refuse
from malleposte.services.imapd.selected import Selected
from malleposte.services.imapd.watching import Watch
from malleposte.services.output import Output
from malleposte.store import PermanentFailure, TemporaryFailure
from malleposte.store.commands import AnyCommand
from malleposte.store.results import AnyResult, Refused
from malleposte.wire.imap import Connection as Engine
from malleposte.wire.imap import codes, responses
from malleposte.wire.imap.capability import Offer, capabilities
from malleposte.wire.imap.commands.base import Command
from malleposte.wire.imap.commands.session import Idle
from malleposte.wire.imap.events import (
    BUSY,
    NEED_DATA,
    AppendStart,
    Closed,
    Event,
    Rejected,
)
from malleposte.wire.sasl import mechanism_names

if TYPE_CHECKING:
    from malleposte.services.imapd.service import ImapService

log = structlog.get_logger(__name__)
T = TypeVar("T")


class Session(Output):
    """See the module."""

    __slots__ = (
        "__weakref__",
        "_instant",
        "_since",
        "account",
        "client",
        "condstore",
        "dismissed",
        "engine",
        "hinted",
        "qresync",
        "refused_sign_ins",
        "selected",
        "service",
        "watch",
    )

    def __init__(self, service: "ImapService", connection: Connection) -> None:
        super().__init__(connection, service.turns)
        self.service = service
        self.engine = Engine(service.settings.limits)
        self.account: Account | None = None
        self.client: dict[str, str] | None = None
        """What the client says it is, the first time it does (RFC 2971)."""
        self.refused_sign_ins = 0
        self.selected: Selected | None = None
        self.condstore = False
        """MODSEQ goes with every FETCH the server sends by itself (RFC 7162 §3.1)."""
        self.qresync = False
        """VANISHED takes the place of EXPUNGE (RFC 7162 §3.2.10)."""
        self._instant = service.store.reader.dialect == "sqlite"
        self.hinted = False
        """Something may have changed since the session last looked; only while it idles or watches."""
        self.watch: Watch | None = None
        """What the client asked to hear of (NOTIFY); None: it never did."""
        self._since = 0.0
        self.dismissed = ""
        """Why the session ends as soon as it can; words for the client."""

    # Who and what ---------------------------------------------------------------------------------

    @property
    def actor(self) -> int:
        """The account that is signed in."""
        assert self.account is not None
        return self.account.id

    @property
    def mailbox(self) -> Selected:
        """The selected mailbox; the engine lets no command come here without one."""
        assert self.selected is not None
        return self.selected

    def enable_condstore(self) -> None:
        """After a CONDSTORE enabling command (RFC 7162 §3.1).

        The first one with a mailbox selected is answered with HIGHESTMODSEQ: up to there the client
        knows everything.
        """
        if self.condstore:
            return
        self.condstore = True
        selected = self.selected
        if selected is not None:
            view = selected.view
            known = min(selected.told, view.highest) if selected.news else view.highest
            code = codes.highest_modseq(known)
            self.send(responses.ok(responses.UNTAGGED, "The highest", code))

    @property
    def secure(self) -> bool:
        """Whether a password may be sent: under TLS, or where nobody listens."""
        return self.connection.tls or self.connection.loopback

    def capabilities(self) -> tuple[bytes, ...]:
        """What is offered at this moment (RFC 9051 §7.2.2)."""
        names = mechanism_names(plaintext_allowed=self.secure)
        return capabilities(
            Offer(
                signed_in=self.account is not None,
                starttls=self.service.settings.starttls and self.connection.can_start_tls,
                secure=self.secure,
                mechanisms=tuple(name.encode("ascii") for name in names),
                append_limit=self.service.settings.limits.append_bytes,
                compress=not self.connection.compressed,
            )
        )

    # The store ------------------------------------------------------------------------------------

    async def patiently(self, work: Awaitable[T]) -> T:
        """Wait for the store; the client hears that the server lives (clients give up after 20 s).

        Only between responses, never inside one.
        """
        call_later = asyncio.get_running_loop().call_later
        notice = self.service.settings.waiting_notice
        timer: asyncio.TimerHandle

        def still_waiting() -> None:
            nonlocal timer
            self.send(responses.ok(responses.UNTAGGED, "Still waiting for the store"))
            self.flush()
            timer = call_later(notice, still_waiting)

        timer = call_later(notice, still_waiting)
        try:
            return await work
        finally:
            timer.cancel()

    async def reading(self, work: Awaitable[T]) -> T:
        """``patiently``, for reads: those of SQLite never wait (``store.dialect``)."""
        if self._instant:
            return await work
        return await self.patiently(work)

    async def submit(
        self, command: AnyCommand, fd: int | None = None, *, target: bool = False
    ) -> AnyResult:
        """Have a command executed durably. Raises ``Refuse`` where the store refuses it; ``target``
        as in ``replies.refuse``."""
        result = await self.patiently(self.service.store.submit(command, fd))
        if isinstance(result, Refused):
            raise refuse(result, target=target)
        if self.watch is not None:
            self.watch.note(command, result)
        return result

    # The connection -------------------------------------------------------------------------------

    async def run(self) -> None:
        """From greeting to end."""
        observer = self.service.observer
        observer.connected()
        self._since = time.monotonic()
        reason = "lost"
        try:
            self.send(
                responses.ok(
                    responses.UNTAGGED, "Malleposte ready", codes.capability(self.capabilities())
                )
            )
            reason = await self._serve()
        except TimedOut:
            reason = "idle"
            signed_in = self.account is not None
            self._bye("Nothing was heard for too long" if signed_in else "Signing in took too long")
        except Draining:
            reason = "shutdown"
            self._bye("The server is being restarted; come back in a moment")
        except Garbled:
            reason = "garbled"
            self._bye("What came cannot be decompressed")
        except ConnectionLost:
            self._out.clear()
        except Exception:
            reason = "defect"
            observer.defect("session")
            self._bye("Something went wrong in the server", codes.SERVERBUG)
            raise
        finally:
            self.deselect()
            if self.watch is not None:
                self.watch.close()
            self.service.leave(self)
            self.flush()
            observer.ended(reason)

    async def _serve(self) -> str:
        while True:
            event = await self.next_event()
            if isinstance(event, Command):
                await self._perform(event)
            elif isinstance(event, AppendStart):
                await self._receive(event)
            elif isinstance(event, Rejected):
                self.service.observer.rejected(event.cause.value)
            if self.dismissed:
                self._bye(self.dismissed)
                return "dismissed"
            if isinstance(event, Closed):
                return event.reason

    async def next_event(self, seconds: float | None = None) -> Event:
        """What the client does next. Raises ``TimedOut``, ``Draining``, ``ConnectionLost``."""
        engine = self.engine
        begun = 0.0
        while True:
            event = engine.next_event()
            said = engine.data_to_send()
            if said:
                self.send(said)
            if event is not NEED_DATA:
                assert event is not BUSY
                return event
            self.flush()
            if self.dismissed:
                return Closed(self.dismissed)
            waits = self._patience() if seconds is None else seconds
            if self.watch is not None:
                if await self.watch.tell():
                    continue
                # A hint is no word of the client's: the time runs on.
                begun = begun or time.monotonic()
                await self.watch.wait(max(0.0, waits + begun - time.monotonic()))
            else:
                await self.read(waits)

    def _patience(self) -> float:
        """Seconds for what comes next. Raises ``TimedOut``: with a stranger's next command there already,
        nothing would ever be waited for."""
        settings = self.service.settings
        if self.account is not None:
            return settings.idle_timeout
        left = self._since + settings.sign_in_timeout - time.monotonic()
        if left <= 0:
            raise TimedOut
        return left

    async def read(self, seconds: float) -> None:
        """Hand what comes to the engine."""
        connection = self.connection
        await connection.drain()
        # A message under way is taken to its end, and answered, before the server stops.
        data = await connection.read(seconds, stoppable=not self.engine.in_message)
        self._breath = time.perf_counter()
        if data:
            self.engine.receive_data(data)
        elif connection.lost:
            raise ConnectionLost
        elif connection.at_end:
            self.engine.receive_eof()

    def hint(self) -> None:
        """Have an idling session look at its mailbox."""
        self.hinted = True
        self.connection.poke()

    def dismiss(self, words: str) -> None:
        """End the session when its command is over, or at once while it idles."""
        self.dismissed = words
        self.connection.poke()

    def _bye(self, words: str, code: bytes | None = None) -> None:
        self.send(responses.bye(words, code))
        self.engine.close(words)

    # Commands -------------------------------------------------------------------------------------

    async def _perform(self, command: Command) -> None:
        """Have a command done and answered."""
        handler = registry.HANDLERS.get(type(command))
        selected = self.selected
        started = time.perf_counter()
        reply: bytes | None
        try:
            if selected is not None and type(command) not in registry.BLIND:
                if self._instant:
                    await selected.view.refresh()
                else:
                    await self.patiently(selected.view.refresh())
            if selected is not None and selected.gone:
                self.leave_gone()
                return
            if selected is not None and not rights.still_readable(self, selected):
                return
            if handler is None:
                raise Refuse("This command is not supported", codes.CANNOT)
            reply = await handler(self, command)
            if (selected := self.selected) is not None and selected.news and reply is not None:
                await updates.tell(self, expunge=registry.may_expunge(command))
        except Refuse as refusal:
            reply = refusal.reply(command.tag)
            if self.selected is not None:
                await updates.tell(self, expunge=registry.may_expunge(command))
        except TemporaryFailure as error:
            log.warning("imap_store_away", error=str(error))
            reply = failed(command.tag, error)
        except PermanentFailure as error:
            self.service.observer.defect("store")
            reply = failed(command.tag, error)
        if reply is not None:
            if self.qresync and self.selected is not None:
                updates.hold_back(self)
            self.send(reply)
            self.engine.command_done()
            # Commands sent ahead must neither hold the loop nor pile answers up.
            await self.relieve()
        if type(command) is not Idle:
            name, seconds = type(command).__name__, time.perf_counter() - started
            self.service.observer.command(name, seconds, reply is None or b" OK " in reply[:80])

    async def _receive(self, start: AppendStart) -> None:
        """A command whose messages stream in."""
        handler = registry.STREAMING[type(start.command)]
        await handler(self, start)

    def deselect(self) -> None:
        """Leave the selected mailbox, if any."""
        if self.selected is not None:
            self.selected.close()
            self.selected = None

    def leave_gone(self) -> None:
        """The mailbox was deleted, or is another one under the same name (RFC 2180 §3)."""
        self.dismissed = "The selected mailbox is gone, or no longer shared with you"
