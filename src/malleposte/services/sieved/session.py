"""One connection: reads commands, has them done (``scripts``), answers."""

import time
from typing import TYPE_CHECKING, Final

from malleposte.directory.signin import Refusal
from malleposte.services.command_session import Answers, CommandSession
from malleposte.services.connection import Connection
from malleposte.services.sieved import scripts
from malleposte.services.signing_in import NotSignedIn, sign_in
from malleposte.sieve import CAPABILITIES, DEFAULT_LIMITS
from malleposte.store.execute.sieve import MAX_SCRIPT
from malleposte.wire.managesieve import (
    Authenticate,
    Code,
    Command,
    Limits,
    ManageSieveServer,
    Response,
    Settings,
    Unauthenticate,
    bye,
    no,
    ok,
)

if TYPE_CHECKING:
    from malleposte.services.sieved.service import SieveService

_ANSWERS: Final = Answers(
    restart=bye("The server is being restarted; come back in a moment", Code.TRY_LATER),
    silent=bye("You have been silent for too long"),
    defect=bye("Something went wrong in the server", Code.TRY_LATER),
    store_away=no("The store cannot answer now; try again later", Code.TRY_LATER),
    store_defect=no("This went wrong in the server"),
)
_TOO_MANY: Final = no("The account has too many connections; close some", Code.TRY_LATER)
_LATER: Final = frozenset((Refusal.TOO_MANY, Refusal.AWAY))


class Session(CommandSession[Command, Response]):
    """See the module."""

    __slots__ = ("__weakref__", "service")

    NAME = "sieve"
    engine: ManageSieveServer

    def __init__(self, service: "SieveService", connection: Connection) -> None:
        settings = service.settings
        engine = ManageSieveServer(
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
        super().__init__(connection, service.turns, engine, _ANSWERS, settings, service.observer)
        self.service = service

    def dismiss(self, words: str) -> None:
        """End the session when its command is over, or at once while it waits."""
        self.dismissed = bye(words)
        self.connection.poke()

    async def _do(self, command: Command) -> None:
        if isinstance(command, Authenticate):
            await self._authenticate(command)
        elif isinstance(command, Unauthenticate):
            await self.leave()
            self._since = time.monotonic()
            self.engine.reply(ok("Nobody is signed in"))
        else:
            response, data = await scripts.perform(self, command)
            self.engine.reply(response, data)

    # Who is signed in -----------------------------------------------------------------------------

    async def _authenticate(self, command: Authenticate) -> None:
        service, connection, engine = self.service, self.connection, self.engine
        door = service.door
        account = await sign_in(
            door, service.observer, "managesieve", connection.peer, command.credentials
        )
        if isinstance(account, NotSignedIn):
            code = Code.TRY_LATER if account.refusal in _LATER else Code.NONE
            engine.reply(no(account.text, code))
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

    async def leave(self) -> None:
        """Nobody is signed in (any more)."""
        account, self.account = self.account, None
        if account is None:
            return
        sessions = self.service.sessions.get(account.id)
        if sessions is not None:
            sessions.discard(self)
            if not sessions:
                del self.service.sessions[account.id]
