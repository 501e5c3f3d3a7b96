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

_SAID_AT_MOST: Final = 64
"""Characters of each thing a client says of itself: names of programs and systems are shorter."""
_ENABLES: Final = frozenset({b"IMAP4REV2", b"CONDSTORE", b"QRESYNC", b"UTF8=ACCEPT"})
_SHOWN: Final = {b"IMAP4REV2": b"IMAP4rev2"}


async def capability(session: "Session", command: Capability) -> bytes:
    """RFC 9051 §6.1.1."""
    session.send(responses.capability(session.capabilities()))
    return done(command.tag)


async def noop(session: "Session", command: Noop | Check) -> bytes:
    """RFC 9051 §6.1.2: the client wants to hear the news."""
    if session.watch is not None:
        await session.watch.tell_others()
    return done(command.tag)


async def identify(session: "Session", command: Id) -> bytes:
    """RFC 2971: what a client says of itself is logged, never trusted; once, and only of who signs in."""
    wanted = {"name", "version", "os", "vendor"}
    said = {
        name: value[:_SAID_AT_MOST] for name, value in command.fields if name in wanted and value
    }
    if said and session.client is None:
        session.client = said
        if session.account is not None:
            log_client(session)
    session.send(responses.server_id({"name": "Malleposte"}))
    return done(command.tag)


def log_client(session: "Session") -> None:
    """Write down with what program an account is used, if it has said so."""
    if session.client is not None and session.account is not None:
        said = {f"client_{name}": value for name, value in session.client.items()}
        log.info("imap_client", account=session.account.id, **said)


async def enable(session: "Session", command: Enable) -> bytes:
    """RFC 9051 §6.3.1, RFC 5161, UTF8=ACCEPT RFC 9755 §3. QRESYNC brings CONDSTORE with it (RFC 7162
    §3.2.3)."""
    names = [name for name in command.names if name in _ENABLES]
    new = [name for name in names if name not in session.engine.enabled]
    session.engine.enable(frozenset(names))
    if session.engine.rev2 and session.selected is not None:
        session.selected.recent = None  # which rev2 does not know
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
