r"""What there is to tell of mailboxes that are not selected: the difference of two scenes (RFC 5465 §5).

No part of it waits for the store, and what is found is plain data. Between scenes much may have happened;
what is told is what came of it: a mailbox that was made and deleted again is not mentioned.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from malleposte.directory.sharing import under_root
from malleposte.services.imapd import names
from malleposte.services.imapd.special_use import ATTRIBUTES
from malleposte.store.read.changes import Snapshot
from malleposte.store.read.mailboxes import Mailbox
from malleposte.wire.imap.commands.notify import (
    MESSAGE_EVENTS,
    EventGroup,
    MailboxFilter,
    NotifyEvent,
)
from malleposte.wire.imap.mailbox_attributes import (
    HAS_CHILDREN,
    HAS_NO_CHILDREN,
    NO_ACCESS,
    NONEXISTENT,
    SUBSCRIBED,
)

Events = frozenset[NotifyEvent]
Note = tuple[int, str, bool]
"""An entry of METADATA: its mailbox, or 0 for the server; its name; whether it is private."""
Pause = Callable[[], Awaitable[None]]

METADATA_EVENTS: Final[Events] = frozenset(
    {NotifyEvent.MAILBOX_METADATA_CHANGE, NotifyEvent.SERVER_METADATA_CHANGE}
)
_NONE: Final[Events] = frozenset()


class Rules:
    """The event groups that are not about the selected mailbox. Of a mailbox that several match, all
    their events are told (RFC 5465 §6)."""

    __slots__ = ("_groups", "about_messages", "about_metadata", "beyond", "server")

    def __init__(self, groups: tuple[EventGroup, ...], kept: Callable[[str], str]) -> None:
        self._groups = [
            (group.mailboxes, frozenset(map(kept, group.names)), group.events)
            for group in groups
            if group.events and not group.selected
        ]
        self.about_messages = any(events & MESSAGE_EVENTS for _, _, events in self._groups)
        """Whether any of them asks for events of messages."""
        self.about_metadata = any(events & METADATA_EVENTS for _, _, events in self._groups)
        self.server = any(
            NotifyEvent.SERVER_METADATA_CHANGE in events for _, _, events in self._groups
        )
        """Whether they ask for metadata of the server (§5.7), whatever the mailboxes."""
        self.beyond = any(
            mailboxes is MailboxFilter.SUBSCRIBED or any(map(under_root, named))
            for mailboxes, named, _ in self._groups
        )
        """Whether mailboxes of others can be meant."""

    def __bool__(self) -> bool:
        return bool(self._groups)

    def of(
        self, name: str, box: Mailbox | None, *, subscribed: bool, foreign: bool = False
    ) -> Events:
        """The events to be told of a name; ``box`` is the mailbox that has it, or had it last, ``foreign``
        where it is somebody else's."""
        found = _NONE
        for mailboxes, named, events in self._groups:
            if _matches(mailboxes, named, name, box, subscribed, foreign):
                found |= events
        return found


def _matches(
    mailboxes: MailboxFilter,
    named: frozenset[str],
    name: str,
    box: Mailbox | None,
    subscribed: bool,
    foreign: bool,
) -> bool:
    """RFC 5465 §6."""
    match mailboxes:
        case MailboxFilter.PERSONAL:
            return not foreign
        case MailboxFilter.INBOXES:
            # Where mail is delivered to: nothing files it elsewhere.
            return not foreign and box is not None and box.role == "inbox"
        case MailboxFilter.SUBSCRIBED:
            return subscribed
        case MailboxFilter.MAILBOXES:
            return name in named
        case MailboxFilter.SUBTREE:
            while name not in named:
                name, more, _ = name.rpartition(names.SEPARATOR)
                if not more:
                    return False
            return True
    return False


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody else's mailbox that the session may look up, and perhaps read, under its name here."""

    name: str
    box: Mailbox
    readable: bool = True


@dataclass(frozen=True, slots=True)
class Scene:
    """The mailboxes there are for a session: its account's own, and others' by id. ``notes``: their
    metadata, and the server's, to the modseq of the last change."""

    own: Snapshot = field(default_factory=Snapshot)
    others: Mapping[int, Other] = field(default_factory=dict)
    notes: Mapping[Note, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listed:
    """A LIST response to send. ``old_name``: the name a mailbox had before."""

    name: str
    attributes: tuple[bytes, ...]
    old_name: str | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """A STATUS response to send; ``modseq``: with HIGHESTMODSEQ, as flags are watched too. ``foreign``:
    what is unseen there is not what the session has not seen."""

    name: str
    box: Mailbox
    modseq: bool
    foreign: bool = False


class _Names:
    """The names of a scene. The session's own mailboxes come first where two have the same."""

    def __init__(self, scene: Scene) -> None:
        self.boxes: dict[str, Mailbox] = {}
        self.by_id: dict[int, str] = {}
        self._foreign: set[str] = set()
        self._subscribed = scene.own.names

    @classmethod
    async def of(cls, scene: Scene, pause: Pause) -> "_Names":
        """All of them."""
        found = cls(scene)
        for mailbox, box in scene.own.boxes.items():
            await pause()
            name = scene.own.path(mailbox)
            found.boxes[name] = box
            found.by_id[mailbox] = name
        for mailbox, other in scene.others.items():
            await pause()
            if other.name not in found.boxes:
                found.boxes[other.name] = other.box
                found.by_id[mailbox] = other.name
                found._foreign.add(other.name)
        return found

    def subscribed(self, name: str) -> bool:
        """Whether a name is subscribed to, with a mailbox or without. What another has subscribed to of
        his own does not count."""
        if name in self._subscribed:
            return True
        box = self.boxes.get(name)
        return box is not None and box.subscribed and name not in self._foreign

    def foreign(self, name: str) -> bool:
        """Whether a name is somebody else's mailbox, or that of none."""
        return name in self._foreign or (name not in self.boxes and under_root(name))


async def listed(before: Scene, after: Scene, rules: Rules, pause: Pause) -> list[Listed]:
    """Names that came, went or changed, and subscriptions (§5.4, §5.5); one response a name."""
    if not _renamed(before, after):
        return []
    was, now = await _Names.of(before, pause), await _Names.of(after, pause)
    above, closed_now = names.ancestors(now.boxes), await closed(after, rules, pause)
    found: list[Listed] = []
    for name in sorted(was.boxes.keys() | now.boxes.keys() | (before.own.names ^ after.own.names)):
        await pause()
        box, earlier = now.boxes.get(name), was.boxes.get(name)
        subscribed, was_subscribed = now.subscribed(name), was.subscribed(name)
        foreign = now.foreign(name) if box is not None else was.foreign(name)
        events = rules.of(
            name, box or earlier, subscribed=subscribed or was_subscribed, foreign=foreign
        )
        old_name = _old_name(was, now, name)
        if old_name is not None and box is not None:
            events |= rules.of(
                old_name, box, subscribed=was.subscribed(old_name), foreign=was.foreign(old_name)
            )
        if box is not None:
            named = was.by_id.get(box.id) != name
        else:
            named = earlier is not None and not _moved(was, now, name)
        if (named and NotifyEvent.MAILBOX_NAME in events) or (
            subscribed != was_subscribed and NotifyEvent.SUBSCRIPTION_CHANGE in events
        ):
            attributes = _attributes(box, subscribed, name in above, foreign)
            if name in closed_now:
                attributes += (NO_ACCESS,)
            found.append(Listed(name, attributes, old_name))
    # What is gone comes first, in case that its name is another's now.
    found.sort(key=lambda one: NONEXISTENT not in one.attributes)
    return found


def _moved(was: _Names, now: _Names, name: str) -> bool:
    """Whether the mailbox that had a name is told of as renamed. Not where its new name was another's, or
    its old one is another's now: who takes one response after the other would be misled."""
    earlier = was.boxes.get(name)
    new_name = now.by_id.get(earlier.id) if earlier is not None else None
    return new_name is not None and new_name not in was.boxes and name not in now.boxes


def _old_name(was: _Names, now: _Names, name: str) -> str | None:
    """The name a mailbox had before, where that is to be told."""
    box = now.boxes.get(name)
    old_name = was.by_id.get(box.id) if box is not None else None
    return old_name if old_name is not None and _moved(was, now, old_name) else None


def _renamed(before: Scene, after: Scene) -> bool:
    """Whether anything about names and subscriptions can have changed."""
    was, now = before.own, after.own
    if was.names is not now.names or was.boxes.keys() != now.boxes.keys():
        return True
    if before.others.keys() != after.others.keys() or any(
        before.others[key].name != one.name for key, one in _news_of_others(before, after)
    ):
        return True
    for mailbox, box in now.boxes.items():
        earlier = was.boxes[mailbox]
        if earlier is not box and (earlier.parent, earlier.name, earlier.subscribed) != (
            box.parent,
            box.name,
            box.subscribed,
        ):
            return True
    return False


def _attributes(
    box: Mailbox | None, subscribed: bool, children: bool, foreign: bool
) -> tuple[bytes, ...]:
    """As LIST has them; all must be right (§5.5)."""
    found: list[bytes] = []
    if box is None:
        found.append(NONEXISTENT)
    if subscribed:
        found.append(SUBSCRIBED)
    if box is not None:
        found.append(HAS_CHILDREN if children else HAS_NO_CHILDREN)
        if box.role in ATTRIBUTES and not foreign:
            found.append(ATTRIBUTES[box.role])
    return tuple(found)


async def counted(
    before: Scene, after: Scene, rules: Rules, selected: int, pause: Pause
) -> list[Counted]:
    """Mailboxes in which messages came, went or changed (§5.1 to §5.3), but the one that is selected."""
    if not rules.about_messages:
        return []
    found: list[Counted] = []
    for mailbox, box in after.own.boxes.items():
        event = _happened(before.own.boxes.get(mailbox), box)
        if event is None or mailbox == selected:
            continue
        await pause()
        one, events = _own(after, rules, box)
        if event in events:
            found.append(one)
    for mailbox, other in _news_of_others(before, after):
        known = before.others.get(mailbox)
        event = _happened(known.box if known is not None and known.readable else None, other.box)
        if event is None or mailbox == selected or not other.readable:
            continue
        await pause()
        one, events = _others(after, rules, other)
        if event in events:
            found.append(one)
    return sorted(found, key=_name)


def _news_of_others(before: Scene, after: Scene) -> list[tuple[int, Other]]:
    """Others' mailboxes of which there may be anything to tell; of thousands, few."""
    if before.others is after.others:
        return []
    known = before.others
    return [item for item in after.others.items() if known.get(item[0]) is not item[1]]


def _name(one: Counted) -> str:
    return one.name


def _happened(earlier: Mailbox | None, box: Mailbox) -> NotifyEvent | None:
    """The event that stands for what happened to a mailbox's messages; those that come and those that
    go are asked for together."""
    if earlier is box:
        return None
    if earlier is None:
        return NotifyEvent.MESSAGE_NEW if box.uidnext > 1 else None
    if (earlier.uidvalidity, earlier.uidnext, earlier.messages) != (
        box.uidvalidity,
        box.uidnext,
        box.messages,
    ):
        return NotifyEvent.MESSAGE_NEW
    return NotifyEvent.FLAG_CHANGE if earlier.message_modseq != box.message_modseq else None


def _own(scene: Scene, rules: Rules, box: Mailbox) -> tuple[Counted, Events]:
    name = scene.own.path(box.id)
    events = rules.of(name, box, subscribed=box.subscribed or name in scene.own.names)
    return Counted(name, box, NotifyEvent.FLAG_CHANGE in events), events


def _others(scene: Scene, rules: Rules, other: Other) -> tuple[Counted, Events]:
    events = rules.of(other.name, other.box, subscribed=other.name in scene.own.names, foreign=True)
    modseq = NotifyEvent.FLAG_CHANGE in events
    return Counted(other.name, other.box, modseq, foreign=True), events


async def all_counted(scene: Scene, rules: Rules, selected: int, pause: Pause) -> list[Counted]:
    """Each mailbox of whose messages anything shall be told, for NOTIFY SET STATUS (§3.1)."""
    found: list[Counted] = []
    for mailbox, box in scene.own.boxes.items():
        await pause()
        one, events = _own(scene, rules, box)
        if events & MESSAGE_EVENTS and mailbox != selected:
            found.append(one)
    for mailbox, other in scene.others.items():
        await pause()
        one, events = _others(scene, rules, other)
        if events & MESSAGE_EVENTS and mailbox != selected and other.readable:
            found.append(one)
    return sorted(found, key=_name)


async def closed(scene: Scene, rules: Rules, pause: Pause) -> frozenset[str]:
    """Names of others' mailboxes whose messages shall be told of, and may not be read (§3.1, §5.9)."""
    found: list[str] = []
    for other in [one for one in scene.others.values() if not one.readable]:
        await pause()
        if _others(scene, rules, other)[1] & MESSAGE_EVENTS:
            found.append(other.name)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Noted:
    """Entries of metadata that changed, of a mailbox or of the server (an empty name)."""

    name: str
    entries: tuple[tuple[str, bool], ...]
    """Name and whether it is private, as ``services.imapd.metadata`` has them."""


def noted(before: Scene, after: Scene, rules: Rules) -> list[Noted]:
    """Metadata that was set or removed (§5.6, §5.7)."""
    if before.notes is after.notes:
        return []
    changed: dict[int, list[tuple[str, bool]]] = {}
    for key in sorted(before.notes.keys() | after.notes.keys()):
        if before.notes.get(key) != after.notes.get(key):
            changed.setdefault(key[0], []).append(key[1:])
    found: list[Noted] = []
    for mailbox, entries in changed.items():
        if not mailbox:
            if rules.server:
                found.append(Noted("", tuple(entries)))
            continue
        box, other = after.own.boxes.get(mailbox), after.others.get(mailbox)
        if box is not None:
            one, events = _own(after, rules, box)
        elif other is not None and other.readable:
            one, events = _others(after, rules, other)
        else:
            continue
        if NotifyEvent.MAILBOX_METADATA_CHANGE in events:
            found.append(Noted(one.name, tuple(entries)))
    return found
