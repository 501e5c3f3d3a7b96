r"""LIST, LSUB, NAMESPACE (RFC 9051 §6.3.9, §6.3.10; RFC 5258, RFC 5819, RFC 6154; RFC 3501 §6.3.9).

Names come in slices (``listed``), each with all that is said of its mailboxes, and are sent as the client
reads: what a session holds does not grow with the mailboxes there are.
"""

from collections.abc import Callable, Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from malleposte.services.imapd import metadata, names, status
from malleposte.services.imapd.listed import Entry, Names
from malleposte.services.imapd.outline import Choice
from malleposte.services.imapd.patterns import matcher
from malleposte.services.imapd.replies import done
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


async def list_(session: "Session", command: List) -> bytes:
    """RFC 9051 §6.3.9."""
    utf8 = session.engine.utf8
    if command.patterns == ("",) and not command.extended:
        # Asks for the separator, and for the root of the reference.
        session.send(responses.list_mailbox([NOSELECT], names.SEPARATOR, "", utf8))
        return done(command.tag)
    matchers = [
        matcher(command.reference, pattern)
        for pattern in command.patterns
        if pattern or not command.extended
    ]

    def matches(name: str) -> bool:
        return any(match(name) for match in matchers)

    chooses = _chooser(command.selection)
    recursive = ListSelection.RECURSIVEMATCH in command.selection
    wanted = Names(
        session,
        matches,
        # Without a mailbox only what is subscribed to can be asked for.
        gone=ListSelection.SUBSCRIBED in command.selection,
        unseen=StatusItem.UNSEEN in command.status,
        choice=Choice(chooses, matches) if recursive else None,
    )
    async with aclosing(wanted.slices()) as slices:
        async for entries in slices:
            await _send(session, command, entries, chooses)
    return done(command.tag)


async def _send(
    session: "Session",
    command: List,
    entries: Iterable[Entry],
    chooses: Callable[[bool, bytes | None], bool],
) -> None:
    """What of a slice is shown, with all that was asked for."""
    utf8 = session.engine.utf8
    by_subscription = ListSelection.SUBSCRIBED in command.selection
    shown: list[tuple[Entry, bool]] = []
    for entry in entries:
        there = by_subscription or entry.box is not None or entry.level
        selected = there and chooses(entry.subscribed, entry.special_use)
        if selected or entry.stands:
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
                child_info=_child_info(command) if entry.above else (),
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
            values_of = await metadata.listed(session, entry.box, command.metadata, notes)
            session.send(account_responses.metadata(entry.name, utf8, values_of))
    await session.relieve()


def _child_info(command: List) -> list[bytes]:
    """The options by which names below are selected (RFC 5258 §6, RFC 6154 §6)."""
    options = (ListSelection.SUBSCRIBED, ListSelection.SPECIAL_USE)
    return [option.value for option in options if option in command.selection]


def _chooser(selection: frozenset[ListSelection]) -> Callable[[bool, bytes | None], bool]:
    """Which names the selection options choose, by subscription and special use; REMOTE adds nothing
    here."""
    subscribed = ListSelection.SUBSCRIBED in selection
    special = ListSelection.SPECIAL_USE in selection

    def chooses(is_subscribed: bool, special_use: bytes | None) -> bool:
        return (is_subscribed or not subscribed) and (special_use is not None or not special)

    return chooses


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
    choice = None
    if "%" in command.pattern:
        choice = Choice(_chooser(frozenset({ListSelection.SUBSCRIBED})), match)
    async with aclosing(Names(session, match, gone=True, choice=choice).slices()) as slices:
        async for entries in slices:
            for entry in entries:
                if entry.subscribed or entry.above:
                    there = entry.subscribed and entry.box is not None
                    attributes = [] if there else [NOSELECT]
                    session.send(responses.lsub(attributes, names.SEPARATOR, entry.name, utf8))
            await session.relieve()
    return done(command.tag)


async def namespace(session: "Session", command: Namespace) -> bytes:
    """RFC 9051 §6.3.10."""
    others_ = ((names.OTHERS + names.SEPARATOR, names.SEPARATOR),)
    shared = ((names.SHARED + names.SEPARATOR, names.SEPARATOR),)
    session.send(responses.namespace(names.PERSONAL, others_, shared, session.engine.utf8))
    return done(command.tag)


HANDLERS: Final = {List: list_, Lsub: lsub, Namespace: namespace}
