"""One connection: reads commands, has them done (``scripts``), answers."""

import time
from typing import TYPE_CHECKING, Final

import structlog

from malleposte.directory.book import Account
from malleposte.directory.signin import Refusal
from malleposte.services.connection import Connection, ConnectionLost, Draining, TimedOut
from malleposte.services.output import Output
from malleposte.services.sieved import scripts
from malleposte.sieve import CAPABILITIES, DEFAULT_LIMITS
from malleposte.store import PermanentFailure, TemporaryFailure
from malleposte.store.execute.sieve import MAX_SCRIPT
from malleposte.wire.managesieve import (
    Authenticate,
    CloseCause,
    Code,
    Command,
    ConnectionClosed,
    Limits,
    ManageSieveServer,
    Need,
    Response,
    Settings,
    StartTls,
    Unauthenticate,
    bye,
    no,
    ok,
)

if TYPE_CHECKING:
    from malleposte.services.sieved.service import SieveService

log = structlog.get_logger(__name__)

RESTART: Final = bye("The server is being restarted; come back in a moment", Code.TRY_LATER)
IDLE: Final = bye("You have been silent for too long")
_TOO_MANY: Final = no("The account has too many connections; close some", Code.TRY_LATER)
_LATER: Final = frozenset((Refusal.TOO_MANY, Refusal.AWAY))


class Session(Output):
    """See the module."""

    __slots__ = ("__weakref__", "_since", "_stopping", "account", "dismissed", "engine", "service")

    def __init__(self, service: "SieveService", connection: Connection) -> None:
        super().__init__(connection, service.turns)
        self.service = service
        settings = service.settings
        self.engine = ManageSieveServer(
            Settings(
                settings.hostname,
                extensions=tuple(sorted(CAPABILITIES)),
                redirects=DEFAULT_LIMITS.redirects,
                starttls=settings.starttls and connection.can_start_tls,
            ),
            Limits(script=MAX_SCRIPT),
            tls=connection.tls,
            loopback=connection.loopback,
        )
        self.account: Account | None = None
        self.dismissed: Response | None = None
        """Why the session ends as soon as it can, for the client."""
        self._since = 0.0
        self._stopping = False

    def dismiss(self, words: str) -> None:
        """End the session when its command is over, or at once while it waits."""
        self.dismissed = bye(words)
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
            reason = "timeout"
            engine.close(IDLE)
            self.say()
        except ConnectionLost:
            self._out.clear()
        except Exception:
            reason = "defect"
            observer.defect("sieve")
            engine.close(bye("Something went wrong in the server", Code.TRY_LATER))
            self.say()
            raise
        finally:
            account = self.account
            self._leave()
            self.flush()
            if account is not None:
                log.info(
                    "sieve_ended", account=account.id, peer=self.connection.peer, reason=reason
                )

    async def _serve(self) -> str:
        engine, connection = self.engine, self.connection
        while True:
            if self.dismissed:
                engine.close(self.dismissed)
            event = engine.next_event()
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
        """Seconds for what comes next. Raises ``TimedOut``."""
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
            if isinstance(command, Authenticate):
                await self._authenticate(command)
            elif isinstance(command, Unauthenticate):
                self._leave()
                self._since = time.monotonic()
                engine.reply(ok("Nobody is signed in"))
            else:
                response, data = await scripts.perform(self, command)
                engine.reply(response, data)
        except TemporaryFailure as error:
            log.warning("sieve_store_away", error=str(error))
            engine.reply(no("The store cannot answer now; try again later", Code.TRY_LATER))
        except PermanentFailure:
            observer.defect("sieve store")
            engine.reply(no("This went wrong in the server"))
        self.say()
        if not isinstance(command, Authenticate):
            observer.command(type(command).__name__, time.perf_counter() - started)
        # Commands sent ahead must neither hold the loop nor pile answers up.
        await self.relieve()

    # Who is signed in -----------------------------------------------------------------------------

    async def _authenticate(self, command: Authenticate) -> None:
        service, connection, engine = self.service, self.connection, self.engine
        credentials, door = command.credentials, service.door
        result = await door.sign_in(
            credentials.authcid,
            credentials.password,
            connection.peer,
            acting_as=credentials.authzid,
        )
        account = result.account
        service.observer.signed_in("managesieve", account is not None)
        if account is None:
            refusal = result.refusal or Refusal.WRONG
            door.log.refused("managesieve", connection.peer, refusal.value)
            code = Code.TRY_LATER if refusal in _LATER else Code.NONE
            engine.reply(no(result.text, code))
            return
        sessions = service.sessions.setdefault(account.id, set())
        if len(sessions) >= service.settings.sessions_per_account:
            door.log.refused("managesieve", connection.peer, "connections")
            engine.reply(_TOO_MANY)
            return
        self.account = account
        sessions.add(self)
        if connection.admission is not None:
            connection.admission.signed_in()
        door.log.signed_in("managesieve", account.id, connection.peer, tls=connection.tls)
        engine.reply(ok("Welcome"), owner=account.address)

    def _leave(self) -> None:
        """Nobody is signed in (any more)."""
        account, self.account = self.account, None
        if account is None:
            return
        sessions = self.service.sessions.get(account.id)
        if sessions is not None:
            sessions.discard(self)
            if not sessions:
                del self.service.sessions[account.id]
