"""NOTIFY: which events of which mailboxes a client wants to hear of (RFC 5465 §3.1, §8).

What is lawful in itself but not supported, an event of another extension, is parsed and left to the
service, which answers NO [BADEVENT]; what breaks the rules of §5 and §6 is BAD.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Final, Self

from malleposte.wire.imap import codes
from malleposte.wire.imap.commands.base import SIGNED_IN, Command
from malleposte.wire.imap.commands.fetch import FetchItem, fetch_items
from malleposte.wire.imap.errors import NO, CommandError, TooBig
from malleposte.wire.imap.lexer import Reader, Tag
from malleposte.wire.imap.mailbox_names import MailboxName


class NotifyEvent(Enum):
    """What can happen (§5); the value is its name on the wire, in any case."""

    MESSAGE_NEW = b"MessageNew"
    MESSAGE_EXPUNGE = b"MessageExpunge"
    FLAG_CHANGE = b"FlagChange"
    ANNOTATION_CHANGE = b"AnnotationChange"
    MAILBOX_NAME = b"MailboxName"
    SUBSCRIPTION_CHANGE = b"SubscriptionChange"
    MAILBOX_METADATA_CHANGE = b"MailboxMetadataChange"
    SERVER_METADATA_CHANGE = b"ServerMetadataChange"


class MailboxFilter(Enum):
    """Of which mailboxes (§6)."""

    SELECTED = b"SELECTED"
    SELECTED_DELAYED = b"SELECTED-DELAYED"
    INBOXES = b"INBOXES"
    PERSONAL = b"PERSONAL"
    SUBSCRIBED = b"SUBSCRIBED"
    SUBTREE = b"SUBTREE"
    MAILBOXES = b"MAILBOXES"


MESSAGE_EVENTS: Final = frozenset(
    {
        NotifyEvent.MESSAGE_NEW,
        NotifyEvent.MESSAGE_EXPUNGE,
        NotifyEvent.FLAG_CHANGE,
        NotifyEvent.ANNOTATION_CHANGE,
    }
)
"""Events of messages; all that can be asked of the selected mailbox (§6.1)."""

_EVENTS: Final = {event.value.upper(): event for event in NotifyEvent}
_FILTERS: Final = {chosen.value: chosen for chosen in MailboxFilter}
_SELECTED: Final = frozenset({MailboxFilter.SELECTED, MailboxFilter.SELECTED_DELAYED})
_NAMED: Final = frozenset({MailboxFilter.SUBTREE, MailboxFilter.MAILBOXES})


@dataclass(frozen=True, slots=True)
class EventGroup:
    """Some mailboxes and what shall be told of them; no events for NONE. `names` are those of SUBTREE
    and MAILBOXES, `items` what is to be fetched of new messages in the selected mailbox."""

    mailboxes: MailboxFilter
    names: tuple[MailboxName, ...] = ()
    events: frozenset[NotifyEvent] = frozenset()
    items: tuple[FetchItem, ...] = ()

    @property
    def selected(self) -> bool:
        """Whether it is about the selected mailbox, whichever that is."""
        return self.mailboxes in _SELECTED


@dataclass(frozen=True, slots=True)
class Notify(Command):
    """RFC 5465 §3.1. `groups` is empty for NOTIFY NONE; `status`: of each mailbox a STATUS first.
    `foreign`: an event was named that this RFC does not know."""

    NAMES: ClassVar = (b"NOTIFY",)
    STATES: ClassVar = SIGNED_IN

    groups: tuple[EventGroup, ...] = ()
    status: bool = False
    foreign: bool = False

    @classmethod
    def parse(cls, tag: Tag, args: Reader) -> Self:
        args.space()
        form = args.keyword("SET or NONE")
        if form == b"NONE":
            return cls(tag)
        if form != b"SET":
            raise CommandError("Expected SET or NONE")
        args.space()
        status = False
        if not args.at(b"("):
            if args.keyword("STATUS or event groups in parentheses") != b"STATUS":
                raise CommandError("Expected STATUS or event groups in parentheses")
            status = True
            args.space()
        parser = _Groups(args)
        parser.run()
        return cls(tag, tuple(parser.groups), status, parser.foreign)


class _Groups:
    """The event groups of one command, counted as they are read."""

    def __init__(self, args: Reader) -> None:
        self._args = args
        self._names = 0
        self.groups: list[EventGroup] = []
        self.foreign = False

    def run(self) -> None:
        """Read them all, up to the end of the command."""
        args = self._args
        while True:
            if len(self.groups) >= args.limits.notify_groups:
                raise _overflow("Too many event groups")
            group = self._group()
            if group.selected and any(other.selected for other in self.groups):
                raise CommandError("Only one group can be about the selected mailbox")  # §6.1
            self.groups.append(group)
            if not args.text[args.position :].strip(b" "):
                return
            args.space()

    def _group(self) -> EventGroup:
        args = self._args
        args.need(b"(", "an event group in parentheses")
        mailboxes = _FILTERS.get(args.keyword("which mailboxes, such as SELECTED or PERSONAL"))
        if mailboxes is None:
            raise CommandError("Expected which mailboxes, such as SELECTED or PERSONAL")
        args.space()
        names: tuple[MailboxName, ...] = ()
        if mailboxes in _NAMED:
            names = self._mailboxes()
            args.space()
        if args.take(b"("):
            events, items = self._events()
        else:
            if args.keyword("events in parentheses or NONE") != b"NONE":
                raise CommandError("Expected events in parentheses or NONE")
            events, items = frozenset(), ()
        args.need(b")", "the end of the event group")
        group = EventGroup(mailboxes, names, events, items)
        _check(group)
        return group

    def _mailboxes(self) -> tuple[MailboxName, ...]:
        args = self._args
        if not args.take(b"("):
            self._count_name()
            return (args.mailbox(),)
        names: list[MailboxName] = []
        while True:
            self._count_name()
            names.append(args.mailbox())
            if args.take(b")"):
                return tuple(names)
            args.space()

    def _count_name(self) -> None:
        self._names += 1
        if self._names > self._args.limits.notify_mailboxes:
            raise _overflow("Too many mailboxes are named: SUBTREE or PERSONAL names them together")

    def _events(self) -> tuple[frozenset[NotifyEvent], tuple[FetchItem, ...]]:
        args = self._args
        events: set[NotifyEvent] = set()
        items: tuple[FetchItem, ...] = ()
        for _ in range(args.limits.notify_events):
            event = _EVENTS.get(args.atom("an event such as MessageNew").upper())
            if event is None:
                self.foreign = True
            else:
                events.add(event)
            if event is NotifyEvent.MESSAGE_NEW and args.at(b" ("):
                args.space()
                items = fetch_items(args)
            if args.take(b")"):
                return frozenset(events), items
            args.space()
        raise _overflow("Too many events in one group")


def _check(group: EventGroup) -> None:
    """The rules of §5, §6.1 and §8 on what goes together."""
    events = group.events
    both = {NotifyEvent.MESSAGE_NEW, NotifyEvent.MESSAGE_EXPUNGE}
    if events & MESSAGE_EVENTS and not both <= events:
        raise CommandError("MessageNew and MessageExpunge go together, and with other changes")
    if group.selected:
        if events - MESSAGE_EVENTS:
            raise CommandError("Of the selected mailbox only changes of its messages can be told")
    elif group.items:
        raise CommandError("Only of the selected mailbox messages can be fetched")


def _overflow(words: str) -> TooBig:
    return TooBig(words, NO, codes.NOTIFICATIONOVERFLOW)


COMMANDS = (Notify,)
