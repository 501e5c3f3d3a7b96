"""Commands of who has signed in: STAT, LIST, UIDL, RETR, TOP, DELE, RSET (RFC 1939 §5, §7)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from malleposte.services.pop3d import reading
from malleposte.wire.pop3 import Delete, Err, List, Ok, Reset, Retrieve, Stat, Top, Uidl

if TYPE_CHECKING:
    from malleposte.services.pop3d.session import Session

_NONE: Final = Err("There is no such message")
_LINES: Final = 500
"""Lines of a listing between two breaths."""


async def stat(session: "Session", command: Stat) -> None:
    """How many messages, and their octets."""
    drop = session.drop
    session.engine.reply(Ok(f"{drop.count} {drop.octets}"))


async def list_(session: "Session", command: List) -> None:
    """Sizes."""
    sizes = session.drop.sizes
    await _listed(session, command.message, lambda at: str(sizes[at]))


async def uidl(session: "Session", command: Uidl) -> None:
    """Unique ids."""
    await _listed(session, command.message, session.drop.unique_id)


async def _listed(session: "Session", message: int | None, of: Callable[[int], str]) -> None:
    """What there is to say of one message, or of each that is not marked."""
    drop, engine = session.drop, session.engine
    if message is not None:
        at = drop.position(message)
        engine.reply(_NONE if at is None else Ok(f"{message} {of(at)}"))
        return
    engine.begin(Ok(f"{drop.count} messages"))
    for start in range(0, len(drop), _LINES):
        lines = [f"{at + 1} {of(at)}\r\n" for at in drop.numbers(start, start + _LINES)]
        engine.piece("".join(lines).encode("ascii"))
        session.say()
        await session.relieve()
    engine.end()


async def retrieve(session: "Session", command: Retrieve) -> None:
    """A message."""
    at = session.drop.position(command.message)
    if at is None:
        session.engine.reply(_NONE)
    else:
        await reading.send(session, at, Ok(f"{session.drop.sizes[at]} octets"))


async def top(session: "Session", command: Top) -> None:
    """The beginning of a message."""
    at = session.drop.position(command.message)
    if at is None:
        session.engine.reply(_NONE)
    else:
        await reading.send(session, at, Ok(), whole=False)


async def delete(session: "Session", command: Delete) -> None:
    """Marked here, deleted by QUIT."""
    at = session.drop.position(command.message)
    if at is None:
        session.engine.reply(_NONE)
    else:
        session.drop.mark(at)
        session.engine.reply(Ok("Marked"))


async def reset(session: "Session", command: Reset) -> None:
    """No marks."""
    session.drop.unmark_all()
    session.engine.reply(Ok(f"{session.drop.count} messages"))


HANDLERS: Final[dict[type, Any]] = {
    Stat: stat,
    List: list_,
    Uidl: uidl,
    Retrieve: retrieve,
    Top: top,
    Delete: delete,
    Reset: reset,
}
