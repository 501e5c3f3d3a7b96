"""One connection: reads commands, has them done (``signin``, ``transaction``, ``update``), answers.

A session that ends in any other way than by QUIT deletes nothing (RFC 1939 §3, §6): marks are in its
memory alone.
"""

import time
from typing import TYPE_CHECKING

import structlog

from malleposte.directory.book import Account
from malleposte.services.connection import Connection, ConnectionLost, Draining, TimedOut
from malleposte.services.output import Output
from malleposte.services.pop3d import signin, transaction, update
from malleposte.services.pop3d.maildrop import Maildrop
from malleposte.services.pop3d.reading import Reading
from malleposte.store import PermanentFailure, StoreError, TemporaryFailure
from malleposte.wire.pop3 import (
    Authenticate,
    CloseCause,
    Code,
    Command,
    ConnectionClosed,
    Err,
    Event,
    Need,
    Pop3Server,
    Settings,
    StartTls,
)

if TYPE_CHECKING:
    from malleposte.services.pop3d.service import Pop3Service

log = structlog.get_logger(__name__)

RESTART = Err("The server is being restarted; come back in a moment", Code.TEMPORARY)
HANDLERS = signin.HANDLERS | transaction.HANDLERS | update.HANDLERS


class Session(Output):
    """See the module."""

    __slots__ = (
        "__weakref__",
        "_locked",
        "_since",
        "_stopping",
        "account",
        "deleted",
        "dismissed",
        "drop",
        "engine",
        "reading",
        "service",
    )

    def __init__(self, service: "Pop3Service", connection: Connection) -> None:
        super().__init__(connection, service.turns)
        self.service = service
        settings = service.settings
        self.engine = Pop3Server(
            Settings(settings.hostname, stls=settings.stls and connection.can_start_tls),
            tls=connection.tls,
            loopback=connection.loopback,
        )
        self.account: Account | None = None
        self.drop = Maildrop(0, 0, 0)
        self.reading = Reading()
        self.deleted = 0
        """Messages that went at the end."""
        self.dismissed: Err | None = None
        """Why the session ends as soon as it can, for the client."""
        self._locked = False
        self._since = 0.0
        self._stopping = False

    # Who has the maildrop -------------------------------------------------------------------------

    async def enter(self, account: Account) -> bool:
        """Lock the account's maildrop; False: somebody else has it. Store failures come through."""
        if not await self.service.exclusive.take(account.id):
            return False
        self.account, self._locked = account, True
        self.service.sessions[account.id] = self
        return True

    async def leave(self) -> None:
        """Unlock it, for whoever comes next. Store failures are no matter: a lease runs out."""
        if self.account is None or not self._locked:
            return
        self._locked = False
        del self.service.sessions[self.account.id]
        try:
            await self.service.exclusive.release(self.account.id)
        except StoreError as error:
            log.warning("pop3_store_away", error=str(error))

    def dismiss(self, words: str, code: Code = Code.TEMPORARY) -> None:
        """End the session when its command is over, or at once while it waits or sends a message."""
        self.dismissed = Err(words, code)
        self.connection.poke()

    # The connection -------------------------------------------------------------------------------

    async def run(self) -> None:
        """From greeting to end."""
        engine, observer = self.engine, self.service.observer
        self._since = time.monotonic()
        reason = "lost"
        try:
            engine.greet()
            reason = await self._serve()
        except TimedOut:
            # RFC 1939 §3: without a word.
            reason = "timeout"
        except ConnectionLost:
            self._out.clear()
            if self.dismissed:
                reason = "dismissed"
        except Exception:
            reason = "defect"
            observer.defect("pop3")
            engine.close(Err("Something went wrong in the server", Code.TEMPORARY))
            self.say()
            raise
        finally:
            await self.leave()
            self.flush()
            self._log_end(reason)

    async def _serve(self) -> str:
        engine, connection = self.engine, self.connection
        while True:
            if self.dismissed:
                engine.close(self.dismissed)
            event: Event | Need = engine.next_event()
            self.say()
            if isinstance(event, Need):
                await self._read()
            elif isinstance(event, ConnectionClosed):
                ended_here = event.cause is CloseCause.SERVICE
                return "dismissed" if self.dismissed and ended_here else event.cause.value.lower()
            elif isinstance(event, StartTls):
                self.flush()
                await connection.start_tls()
                engine.tls_started()
            else:
                await self._perform(event)

    def say(self) -> None:
        """Gather what the engine has to say."""
        octets = self.engine.data_to_send()
        if octets:
            self.send(octets)

    async def _read(self) -> None:
        """Hand what comes to the engine. Raises ``TimedOut`` and ``ConnectionLost``."""
        engine, connection = self.engine, self.connection
        self.flush()
        await connection.drain()
        try:
            data = await connection.read(self._patience())
        except Draining:
            if self.account is None:
                engine.close(RESTART)
            self._stopping = True
            return
        except TimedOut:
            if not self._stopping:
                raise
            engine.close(RESTART)
            return
        finally:
            self._breath = time.perf_counter()
        if data:
            engine.receive_data(data)
        elif connection.lost:
            raise ConnectionLost
        elif connection.at_end:
            engine.receive_eof()

    def _patience(self) -> float:
        """Seconds for what comes next. Raises ``TimedOut``: with a stranger's next command there already,
        nothing would ever be waited for."""
        settings = self.service.settings
        if self.account is None:
            left = self._since + settings.sign_in_timeout - time.monotonic()
            if left <= 0:
                raise TimedOut
            return left
        return settings.stopping_timeout if self._stopping else settings.idle_timeout

    async def _perform(self, command: Command) -> None:
        """Have a command done and answered."""
        engine, observer = self.engine, self.service.observer
        started = time.perf_counter()
        try:
            await HANDLERS[type(command)](self, command)
        except TemporaryFailure as error:
            log.warning("pop3_store_away", error=str(error))
            engine.reply(Err("The store cannot answer now; try again later", Code.TEMPORARY))
        except PermanentFailure:
            observer.defect("pop3 store")
            engine.reply(Err("This went wrong in the server", Code.PERMANENT))
        self.say()
        if not isinstance(command, Authenticate):
            observer.command(type(command).__name__, time.perf_counter() - started)
        # Commands sent ahead must neither hold the loop nor pile answers up.
        await self.relieve()

    def _log_end(self, reason: str) -> None:
        if self.account is not None:
            log.info(
                "pop3_ended",
                account=self.account.id,
                peer=self.connection.peer,
                reason=reason,
                messages=len(self.drop),
                retrieved=self.reading.messages,
                octets=self.reading.octets,
                deleted=self.deleted,
            )
