"""A connection whose client signs in and has commands done one after another: POP3 and ManageSieve.

What comes goes to the protocol's engine, what the engine tells is done by ``_do``, and answers go out
together. Whoever has not signed in gets ``sign_in_timeout`` for all of it; whoever has may be silent for
``idle_timeout``, and for ``stopping_timeout`` once the server stops.
"""

import time
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeVar

import structlog

from malleposte.directory.book import Account
from malleposte.services.connection import Connection, ConnectionLost, Draining, TimedOut
from malleposte.services.output import Output
from malleposte.services.turns import Turns
from malleposte.store import PermanentFailure, TemporaryFailure
from malleposte.wire.dialogue import Authenticate, CloseCause, ConnectionClosed, Need, StartTls

log = structlog.get_logger(__name__)

Command = TypeVar("Command")
Answer = TypeVar("Answer")
Says = TypeVar("Says", contravariant=True)
Tells = TypeVar("Tells", covariant=True)


class Engine(Protocol[Tells, Says]):
    """The server's side of a protocol (``wire.dialogue``)."""

    def greet(self) -> None:
        """Send the greeting."""

    def receive_data(self, octets: bytes) -> None:
        """Take octets from the client."""

    def receive_eof(self) -> None:
        """The client will send no more."""

    def data_to_send(self) -> bytes:
        """What is to be sent now."""
        ...

    def next_event(self) -> Tells | Authenticate | StartTls | ConnectionClosed | Need:
        """The next thing that happened, or why there is none."""
        ...

    def tls_started(self) -> None:
        """The handshake is done."""

    def reply(self, response: Says, /) -> None:
        """Answer the command that waits."""

    def close(self, response: Says | None = None, /) -> None:
        """End the conversation, with words or without."""


class Times(Protocol):
    """Seconds; see the module."""

    @property
    def sign_in_timeout(self) -> float:
        """From the greeting to a sign-in."""
        ...

    @property
    def idle_timeout(self) -> float:
        """Silence after sign-in."""
        ...

    @property
    def stopping_timeout(self) -> float:
        """The same once the server stops."""
        ...


class Observer(Protocol):
    """Told of what happens."""

    def command(self, name: str, seconds: float) -> None:
        """A command was answered."""

    def defect(self, where: str) -> None:
        """An exception of ours was met (called in its handler)."""


@dataclass(frozen=True, slots=True)
class Answers(Generic[Answer]):
    """What a protocol says when a session or a command ends otherwise than it should."""

    restart: Answer
    silent: Answer | None
    """The client said nothing for too long; None: nothing is said."""
    defect: Answer
    store_away: Answer
    store_defect: Answer


class CommandSession(Output, Generic[Command, Answer]):
    """See the module. ``NAME`` is what logs call the service."""

    __slots__ = (
        "_answers",
        "_observer",
        "_since",
        "_stopping",
        "_times",
        "account",
        "dismissed",
        "engine",
    )

    NAME: ClassVar[str]

    def __init__(
        self,
        connection: Connection,
        turns: Turns,
        engine: Engine[Command, Answer],
        answers: Answers[Answer],
        times: Times,
        observer: Observer,
    ) -> None:
        super().__init__(connection, turns)
        self.engine = engine
        self._answers = answers
        self._times = times
        self._observer = observer
        self.account: Account | None = None
        self.dismissed: Answer | None = None
        """Why the session ends as soon as it can, for the client."""
        self._since = 0.0
        self._stopping = False

    async def run(self) -> None:
        """From greeting to end."""
        engine = self.engine
        self._since = time.monotonic()
        reason = "lost"
        try:
            engine.greet()
            reason = await self._serve()
        except TimedOut:
            reason = "timeout"
            if self._answers.silent is not None:
                engine.close(self._answers.silent)
                self.say()
        except ConnectionLost:
            self._out.clear()
            if self.dismissed:
                reason = "dismissed"
        except Exception:
            reason = "defect"
            self._observer.defect(self.NAME)
            engine.close(self._answers.defect)
            self.say()
            raise
        finally:
            account = self.account
            await self.leave()
            self.flush()
            if account is not None:
                log.info(
                    f"{self.NAME}_ended",
                    account=account.id,
                    peer=self.connection.peer,
                    reason=reason,
                    **self._figures(),
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
                engine.close(self._answers.restart)
            self._stopping = True
            return
        except TimedOut:
            if not self._stopping:
                raise
            engine.close(self._answers.restart)
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
        times = self._times
        if self.account is None:
            left = self._since + times.sign_in_timeout - time.monotonic()
            if left <= 0:
                raise TimedOut
            return left
        return times.stopping_timeout if self._stopping else times.idle_timeout

    async def _perform(self, command: Command | Authenticate) -> None:
        """Have a command done and answered."""
        engine, observer = self.engine, self._observer
        started = time.perf_counter()
        try:
            await self._do(command)
        except TemporaryFailure as error:
            log.warning(f"{self.NAME}_store_away", error=str(error))
            engine.reply(self._answers.store_away)
        except PermanentFailure:
            observer.defect(f"{self.NAME} store")
            engine.reply(self._answers.store_defect)
        self.say()
        if not isinstance(command, Authenticate):
            observer.command(type(command).__name__, time.perf_counter() - started)
        # Commands sent ahead must neither hold the loop nor pile answers up.
        await self.relieve()

    async def _do(self, command: Command | Authenticate) -> None:
        """Do a command and answer it. Store failures come through."""
        raise NotImplementedError

    async def leave(self) -> None:
        """Nobody is signed in any more."""
        raise NotImplementedError

    def _figures(self) -> dict[str, int]:
        """What the session did, for the log."""
        return {}
