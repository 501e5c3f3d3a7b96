"""Commands for any state: CAPABILITY, NOOP, CHECK, ID, ENABLE, LOGOUT (RFC 9051 §6.1, §6.3.1)."""

from typing import TYPE_CHECKING, Final

import structlog

from malleposte.services.imapd.replies import done
from malleposte.wire.imap import responses
from malleposte.wire.imap.commands.message import Check
from malleposte.wire.imap.commands.session import Capability, Enable, Id, Logout, Noop

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

log = structlog.get_logger(__name__)

_ENABLES: Final = frozenset({b"IMAP4REV2", b"CONDSTORE", b"QRESYNC", b"UTF8=ACCEPT"})
_SHOWN: Final = {b"IMAP4REV2": b"IMAP4rev2"}


async def capability(session: "Session", command: Capability) -> bytes:
    """RFC 9051 §6.1.1."""
    session.send(responses.capability(session.capabilities()))
    return done(command.tag)


async def noop(session: "Session", command: Noop | Check) -> bytes:
    """RFC 9051 §6.1.2: the client wants to hear the news."""
    return done(command.tag)


async def identify(session: "Session", command: Id) -> bytes:
    """RFC 2971: what a client says of itself is logged, never trusted."""
    wanted = {"name", "version", "os", "vendor"}
    said = {name: value for name, value in command.fields if name in wanted and value}
    if said:
        account = session.account.id if session.account else 0
        log.info("imap_client", account=account, **{f"client_{k}": v for k, v in said.items()})
    session.send(responses.server_id({"name": "Malleposte"}))
    return done(command.tag)


async def enable(session: "Session", command: Enable) -> bytes:
    """RFC 9051 §6.3.1, RFC 5161, UTF8=ACCEPT RFC 9755 §3. QRESYNC brings CONDSTORE with it (RFC 7162
    §3.2.3)."""
    names = [name for name in command.names if name in _ENABLES]
    new = [name for name in names if name not in session.engine.enabled]
    session.engine.enable(frozenset(names))
    if b"QRESYNC" in names:
        session.qresync = True
    if session.qresync or b"CONDSTORE" in names:
        session.enable_condstore()
    session.send(responses.enabled([_SHOWN.get(name, name) for name in new]))
    return responses.ok(command.tag, "Enabled")


async def logout(session: "Session", command: Logout) -> None:
    """RFC 9051 §6.1.3."""
    session.deselect()
    session.send(responses.bye("Goodbye"))
    session.send(responses.ok(command.tag, "Signed out"))
    session.engine.close("logout")


HANDLERS: Final = {
    Capability: capability,
    Noop: noop,
    Check: noop,
    Id: identify,
    Enable: enable,
    Logout: logout,
}
