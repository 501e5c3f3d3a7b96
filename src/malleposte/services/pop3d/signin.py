"""Signing in: USER and PASS, AUTH (RFC 1939 §7, RFC 5034); then the maildrop is locked and read."""

from typing import TYPE_CHECKING, Any, Final

from malleposte.directory.signin import Refusal
from malleposte.services.pop3d.maildrop import Maildrop
from malleposte.services.signing_in import NotSignedIn, sign_in
from malleposte.store import StoreError
from malleposte.wire.pop3 import Authenticate, Code, Err, Ok

if TYPE_CHECKING:
    from malleposte.services.pop3d.session import Session

_CODES: Final = {
    Refusal.WRONG: Code.AUTH,
    # Another password does not help (RFC 3206 §5): programs must not ask for one.
    Refusal.SUSPENDED: Code.PERMANENT,
    Refusal.TOO_MANY: Code.TEMPORARY,
    Refusal.AWAY: Code.TEMPORARY,
    # Another password is just what helps.
    Refusal.SECOND_STEP: Code.AUTH,
    Refusal.SCOPE: Code.AUTH,
}


async def authenticate(session: "Session", command: Authenticate) -> None:
    """See the module."""
    service, connection, engine = session.service, session.connection, session.engine
    door = service.door
    account = await sign_in(door, service.observer, "pop3", connection.peer, command.credentials)
    if isinstance(account, NotSignedIn):
        engine.reply(Err(account.text, _CODES[account.refusal]))
        return
    if not await session.enter(account):
        door.log.refused("pop3", connection.peer, "in use")
        text = "Another POP3 session has this mailbox; try again when it has ended"
        engine.reply(Err(text, Code.IN_USE))
        return
    try:
        session.drop = await Maildrop.load(service.store.reader, account.id)
    except StoreError:
        await session.leave()
        session.account = None
        raise
    if connection.admission is not None:
        connection.admission.signed_in()
    door.log.signed_in("pop3", account.id, connection.peer, tls=connection.tls)
    engine.reply(Ok(f"{session.drop.count} messages ({session.drop.octets} octets)"))


HANDLERS: Final[dict[type, Any]] = {Authenticate: authenticate}
