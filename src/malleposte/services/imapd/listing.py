r"""LIST, LSUB, NAMESPACE (RFC 9051 §6.3.9, §6.3.10; RFC 5258, RFC 5819, RFC 6154; RFC 3501 §6.3.9).

All mailboxes of an account are read at once with their counters: one statement, also for LIST-STATUS.
Names that are subscribed to and that no mailbox has are shown as ``\NonExistent``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from malleposte.services.imapd import metadata, names, others, status
from malleposte.services.imapd.patterns import matcher
from malleposte.services.imapd.replies import done
from malleposte.services.imapd.special_use import ATTRIBUTES
from malleposte.store.read import mailboxes
from malleposte.store.read.mailboxes import Mailbox
from malleposte.store.read.rights import ALL
from malleposte.wire.imap import account_responses, responses
from malleposte.wire.imap.commands.listing import (
    List,
    ListReturn,
    ListSelection,
    Lsub,
    Namespace,
    StatusItem,
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
    """A name to list: a mailbox, or a subscription to none (``box`` is None).

    ``letters``: the session's rights on it. ``level``: it only stands above mailboxes of others.
    """

    name: str
    box: Mailbox | None
    subscribed: bool
    special_use: bytes | None
    children: bool
    letters: str = ALL
    level: bool = False


async def entries(session: "Session", *, gone: bool = True, unseen: bool = False) -> list[Entry]:
    """All names of the account, those of others' mailboxes behind its own, those without a mailbox (only
    if ``gone``) at the end. ``unseen`` as in ``others.listed``."""
    reader = session.service.store.reader
    found = await session.reading(mailboxes.mailboxes(reader, session.actor))
    subscribed: list[str] = []
    if gone:
        subscribed = await session.reading(mailboxes.subscriptions(reader, session.actor))
    parents = {box.parent for box in found}
    known = {box.path for box in found}
    listed = [
        Entry(box.path, box, box.subscribed, ATTRIBUTES.get(box.role or ""), box.id in parents)
        for box in found
    ]
    below = await others.listed(session, known, unseen=unseen)
    if below:
        if not gone:
            subscribed = await session.reading(mailboxes.subscriptions(reader, session.actor))
        above: set[str] = set()
        wanted = set(subscribed)
        theirs: list[Entry] = []
        for row in below:
            await session.pause()
            theirs.append(_of_others(row, row.name in wanted))
            above.update(names.ancestors((row.name,), above))
            known.add(row.name)
        listed = [replace(e, children=e.children or e.name in above) for e in listed] + theirs
    if gone:
        listed += [Entry(name, None, True, None, False) for name in subscribed if name not in known]
    return listed


def _of_others(row: others.Name, subscribed: bool) -> Entry:
    """Without a special use: a program would take another's Sent for its own."""
    return Entry(
        row.name,
        row.box,
        subscribed,
        None,
        row.children,
        row.letters,
        level=row.box is None,
    )


async def list_(session: "Session", command: List) -> bytes:
    """RFC 9051 §6.3.9."""
    utf8 = session.engine.utf8
    if command.patterns == ("",) and not command.extended:
        # Asks for the separator, and for the root of the reference.
        session.send(responses.list_mailbox([NOSELECT], names.SEPARATOR, "", utf8))
        return done(command.tag)
    # Without a mailbox only what is subscribed to can be asked for.
    unseen = StatusItem.UNSEEN in command.status
    found = await entries(session, gone=_by_subscription(command), unseen=unseen)
    matchers = [
        matcher(command.reference, pattern)
        for pattern in command.patterns
        if pattern or not command.extended
    ]
    selects = _selector(command.selection)
    recursive = ListSelection.RECURSIVEMATCH in command.selection
    above = await _above(session, found, matchers, selects) if recursive else _NOBODY
    shown: list[tuple[Entry, bool]] = []
    for entry in found + above.nameless:
        # Also where nothing matches: many patterns and long names take their time.
        await session.relieve()
        selected = selects(entry)
        if not (selected or entry.name in above.shown):
            continue
        if any(match(entry.name) for match in matchers):
            shown.append((entry, selected))
    boxes = [entry.box for entry, selected in shown if selected and entry.box is not None]
    recent = await status.recents(session, boxes, command.status)
    marked = await status.marked_octets(session, boxes, command.status)
    notes = await metadata.of_listed(session, boxes, command.metadata)
    for entry, selected in shown:
        await session.relieve()
        session.send(
            responses.list_mailbox(
                _attributes(entry, command),
                names.SEPARATOR,
                entry.name,
                utf8,
                child_info=_child_info(command) if entry.name in above.all else (),
            )
        )
        if entry.box is not None and ListReturn.MYRIGHTS in command.returns:
            session.send(responses.my_rights(entry.name, utf8, entry.letters))  # RFC 8440 §3
        if not selected or entry.box is None:
            # Nothing more of what is shown only for what is below it (RFC 5819 §2).
            continue
        if command.status and "r" in entry.letters:
            values = status.values(session, entry.box, command.status, recent, marked)
            session.send(responses.status(entry.name, utf8, values))
        if command.metadata and metadata.noted(entry.letters):
            values_of = metadata.listed(session, entry.box, command.metadata, notes)
            session.send(account_responses.metadata(entry.name, utf8, values_of))
    return done(command.tag)


@dataclass(frozen=True, slots=True)
class _Above:
    """What stands above the selected names (RECURSIVEMATCH, RFC 5258 §3.5)."""

    all: frozenset[str] = frozenset()
    """Names with a selected name below them, whatever the patterns: these have CHILDINFO."""
    shown: frozenset[str] = frozenset()
    """Those of them that must be shown for its sake: one that no pattern matches."""
    nameless: list[Entry] = field(default_factory=list)
    """Those that are no name themselves."""


_NOBODY: Final = _Above()


async def _above(
    session: "Session",
    found: list[Entry],
    matchers: list[Callable[[str], bool]],
    selects: Callable[[Entry], bool],
) -> _Above:
    chosen: list[str] = []
    unmatched: list[str] = []
    for entry in found:
        await session.relieve()
        if selects(entry):
            chosen.append(entry.name)
            if not any(match(entry.name) for match in matchers):
                unmatched.append(entry.name)
    above = names.ancestors(chosen)
    known = {entry.name for entry in found}
    nameless = [Entry(name, None, False, None, False) for name in sorted(above - known)]
    return _Above(frozenset(above), frozenset(names.ancestors(unmatched)), nameless)


def _child_info(command: List) -> list[bytes]:
    """The options by which names below are selected (RFC 5258 §6, RFC 6154 §6)."""
    options = (ListSelection.SUBSCRIBED, ListSelection.SPECIAL_USE)
    return [option.value for option in options if option in command.selection]


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
        return subscribed or entry.box is not None or entry.level

    return selects


def _attributes(entry: Entry, command: List) -> list[bytes]:
    found: list[bytes] = []
    if entry.level:
        found.append(NOSELECT)
    elif entry.box is None:
        found.append(NONEXISTENT)  # implies \Noselect (RFC 5258 §3)
    wants_subscribed = (
        ListReturn.SUBSCRIBED in command.returns or ListSelection.SUBSCRIBED in command.selection
    )
    if entry.subscribed and wants_subscribed:
        found.append(SUBSCRIBED)
    if entry.box is not None or entry.level or ListReturn.CHILDREN in command.returns:
        # RFC 3348 and RFC 9051 §7.3.1: of mailboxes always shown, it costs nothing.
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
        for name in sorted(names.ancestors(shown) - shown):
            await session.relieve()
            if match(name):
                session.send(responses.lsub([NOSELECT], names.SEPARATOR, name, utf8))
    return done(command.tag)


async def namespace(session: "Session", command: Namespace) -> bytes:
    """RFC 9051 §6.3.10."""
    others_ = ((names.OTHERS + names.SEPARATOR, names.SEPARATOR),)
    shared = ((names.SHARED + names.SEPARATOR, names.SEPARATOR),)
    session.send(responses.namespace(names.PERSONAL, others_, shared, session.engine.utf8))
    return done(command.tag)


HANDLERS: Final = {List: list_, Lsub: lsub, Namespace: namespace}
