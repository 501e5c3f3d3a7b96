"""One connection: reads commands, has them done (``signin``, ``transaction``, ``update``), answers.

A session that ends in any other way than by QUIT deletes nothing (RFC 1939 §3, §6): marks are in its
memory alone.
"""

from typing import TYPE_CHECKING, Any, Final

import structlog

from malleposte.directory.book import Account
from malleposte.services.command_session import Answers, CommandSession
from malleposte.services.connection import Connection
from malleposte.services.pop3d import signin, transaction, update
from malleposte.services.pop3d.maildrop import Maildrop
from malleposte.services.pop3d.reading import Reading
from malleposte.store import StoreError
from malleposte.wire.pop3 import Code, Command, Err, Pop3Server, Settings

if TYPE_CHECKING:
    from malleposte.services.pop3d.service import Pop3Service

log = structlog.get_logger(__name__)

_ANSWERS: Final = Answers(
    restart=Err("The server is being restarted; come back in a moment", Code.TEMPORARY),
    silent=None,  # RFC 1939 §3
    defect=Err("Something went wrong in the server", Code.TEMPORARY),
    store_away=Err("The store cannot answer now; try again later", Code.TEMPORARY),
    store_defect=Err("This went wrong in the server", Code.PERMANENT),
)
HANDLERS: Final[dict[type, Any]] = signin.HANDLERS | transaction.HANDLERS | update.HANDLERS


class Session(CommandSession[Command, Err]):
    """See the module."""

    __slots__ = ("__weakref__", "_locked", "deleted", "drop", "reading", "service")

    NAME = "pop3"
    engine: Pop3Server

    def __init__(self, service: "Pop3Service", connection: Connection) -> None:
        settings = service.settings
        engine = Pop3Server(
            Settings(settings.hostname, stls=settings.stls and connection.can_start_tls),
            tls=connection.tls,
            loopback=connection.loopback,
        )
        super().__init__(connection, service.turns, engine, _ANSWERS, settings, service.observer)
        self.service = service
        self.drop = Maildrop(0, 0, 0)
        self.reading = Reading()
        self.deleted = 0
        """Messages that went at the end."""
        self._locked = False

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

    async def _do(self, command: object) -> None:
        await HANDLERS[type(command)](self, command)

    def _figures(self) -> dict[str, int]:
        return {
            "messages": len(self.drop),
            "retrieved": self.reading.messages,
            "octets": self.reading.octets,
            "deleted": self.deleted,
        }
