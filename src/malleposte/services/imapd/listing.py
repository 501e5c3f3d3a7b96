r"""LIST, LSUB, NAMESPACE (RFC 9051 §6.3.9, §6.3.10; RFC 5258, RFC 5819, RFC 6154; RFC 3501 §6.3.9).

All mailboxes of an account are read at once with their counters: one statement, also for LIST-STATUS.
Names that are subscribed to and that no mailbox has are shown as ``\NonExistent``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from malleposte.services.imapd import names, status
from malleposte.services.imapd.patterns import matcher
from malleposte.services.imapd.replies import done
from malleposte.services.imapd.special_use import ATTRIBUTES
from malleposte.store.read import mailboxes
from malleposte.store.read.mailboxes import Mailbox
from malleposte.wire.imap import responses
from malleposte.wire.imap.commands.listing import (
    List,
    ListReturn,
    ListSelection,
    Lsub,
    Namespace,
)
from malleposte.wire.imap.mailbox_attributes import (
    HAS_CHILDREN,
    HAS_NO_CHILDREN,
    NONEXISTENT,
    NOSELECT,
    SUBSCRIBED,
)

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session


@dataclass(frozen=True, slots=True)
class Entry:
    """A name to list: a mailbox, or a subscription to none (``box`` is None)."""

    name: str
    box: Mailbox | None
    subscribed: bool
    special_use: bytes | None
    children: bool


async def entries(session: "Session") -> list[Entry]:
    """All names of the account, those without a mailbox at the end."""
    reader = session.service.store.reader
    found = await session.reading(mailboxes.mailboxes(reader, session.actor))
    gone = await session.reading(mailboxes.subscriptions(reader, session.actor))
    parents = {box.parent for box in found}
    known = {box.path for box in found}
    listed = [
        Entry(box.path, box, box.subscribed, ATTRIBUTES.get(box.role or ""), box.id in parents)
        for box in found
    ]
    listed += [Entry(name, None, True, None, False) for name in gone if name not in known]
    return listed


async def list_(session: "Session", command: List) -> bytes:
    """RFC 9051 §6.3.9."""
    utf8 = session.engine.utf8
    if command.patterns == ("",) and not command.extended:
        # Asks for the separator, and for the root of the reference.
        session.send(responses.list_mailbox([NOSELECT], names.SEPARATOR, "", utf8))
        return done(command.tag)
    found = await entries(session)
    matchers = [
        matcher(command.reference, pattern)
        for pattern in command.patterns
        if pattern or not command.extended
    ]
    selects = _selector(command.selection)
    recursive = ListSelection.RECURSIVEMATCH in command.selection
    below = _ancestors(entry.name for entry in found if selects(entry)) if recursive else set()
    shown = {entry.name for entry in found}
    # An ancestor of a selected name that is no name itself matches as well (RFC 5258 §3.5).
    found += [Entry(name, None, False, None, True) for name in sorted(below - shown)]
    for entry in found:
        # Also where nothing matches: many patterns and long names take their time.
        await session.relieve()
        selected = selects(entry)
        has_child = entry.name in below
        if not (selected or has_child) or not any(match(entry.name) for match in matchers):
            continue
        info = [b"SUBSCRIBED"] if has_child and _by_subscription(command) else []
        session.send(
            responses.list_mailbox(
                _attributes(entry, command), names.SEPARATOR, entry.name, utf8, child_info=info
            )
        )
        if command.status and entry.box is not None:
            values = status.values(session, entry.box, command.status)
            session.send(responses.status(entry.name, utf8, values))
    return done(command.tag)


def _by_subscription(command: List) -> bool:
    return ListSelection.SUBSCRIBED in command.selection


def _selector(selection: frozenset[ListSelection]) -> Callable[[Entry], bool]:
    """Which names the selection options choose; REMOTE adds nothing here."""
    subscribed = ListSelection.SUBSCRIBED in selection
    special = ListSelection.SPECIAL_USE in selection

    def selects(entry: Entry) -> bool:
        if subscribed and not entry.subscribed:
            return False
        if special and entry.special_use is None:
            return False
        return subscribed or entry.box is not None

    return selects


def _ancestors(chosen: Iterable[str]) -> set[str]:
    """All names above the chosen ones."""
    above: set[str] = set()
    for name in chosen:
        while names.SEPARATOR in name:
            name = name.rpartition(names.SEPARATOR)[0]
            if name in above:
                break
            above.add(name)
    return above


def _attributes(entry: Entry, command: List) -> list[bytes]:
    found: list[bytes] = []
    if entry.box is None:
        found.append(NONEXISTENT)  # implies \Noselect (RFC 5258 §3)
    wants_subscribed = (
        ListReturn.SUBSCRIBED in command.returns or ListSelection.SUBSCRIBED in command.selection
    )
    if entry.subscribed and wants_subscribed:
        found.append(SUBSCRIBED)
    if entry.box is not None:
        # RFC 3348 and RFC 9051 §7.3.1: always shown, it costs nothing.
        found.append(HAS_CHILDREN if entry.children else HAS_NO_CHILDREN)
    if entry.special_use is not None:
        found.append(entry.special_use)
    return found


async def lsub(session: "Session", command: Lsub) -> bytes:
    r"""RFC 3501 §6.3.9. With ``%``, a name is shown as ``\Noselect`` if only names below it are
    subscribed to."""
    utf8 = session.engine.utf8
    if not command.pattern:
        session.send(responses.lsub([NOSELECT], names.SEPARATOR, "", utf8))
        return done(command.tag)
    match = matcher(command.reference, command.pattern)
    subscribed = [entry for entry in await entries(session) if entry.subscribed]
    shown = {entry.name for entry in subscribed}
    for entry in subscribed:
        await session.relieve()
        if match(entry.name):
            attributes = [NOSELECT] if entry.box is None else []
            session.send(responses.lsub(attributes, names.SEPARATOR, entry.name, utf8))
    if "%" in command.pattern:
        for name in sorted(_ancestors(shown) - shown):
            await session.relieve()
            if match(name):
                session.send(responses.lsub([NOSELECT], names.SEPARATOR, name, utf8))
    return done(command.tag)


async def namespace(session: "Session", command: Namespace) -> bytes:
    """RFC 9051 §6.3.10."""
    session.send(responses.namespace(names.PERSONAL, (), (), session.engine.utf8))
    return done(command.tag)


HANDLERS: Final = {List: list_, Lsub: lsub, Namespace: namespace}
