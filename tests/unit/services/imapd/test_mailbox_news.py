"""What is told of mailboxes leads a client that believes it to what is there."""

from __future__ import annotations

import random
from dataclasses import fields, replace
from typing import Any

import pytest

from malleposte.services.imapd.mailbox_news import (
    Listed,
    Other,
    Rules,
    Scene,
    all_counted,
    closed,
    counted,
    listed,
)
from malleposte.store.read.changes import Snapshot
from malleposte.store.read.mailboxes import Mailbox
from malleposte.wire.imap.commands.notify import EventGroup, MailboxFilter, NotifyEvent
from malleposte.wire.imap.mailbox_attributes import NONEXISTENT, SUBSCRIBED
from malleposte.wire.imap.mailbox_names import MailboxName

NAMES = frozenset({NotifyEvent.MAILBOX_NAME, NotifyEvent.SUBSCRIPTION_CHANGE})
MESSAGES = frozenset({NotifyEvent.MESSAGE_NEW, NotifyEvent.MESSAGE_EXPUNGE})


def _scene(snapshot: Snapshot, *others: Other) -> Scene:
    return Scene(snapshot, {other.box.id: other for other in others})


async def _pause() -> None:
    """Nothing else runs here."""


def _rules(*groups: EventGroup) -> Rules:
    return Rules(groups, str)


EVERYTHING = _rules(EventGroup(MailboxFilter.PERSONAL, events=NAMES | MESSAGES))


def _box(number: int, name: str, parent: int = 0, *, subscribed: bool = False) -> Mailbox:
    zeros: dict[str, Any] = {column.name: 0 for column in fields(Mailbox)}
    known = {"id": number, "parent": parent, "name": name, "role": None, "path": ""}
    known |= {"uidvalidity": number, "uidnext": 1, "subscribed": subscribed}
    return Mailbox(**(zeros | known))


def _snapshot(*boxes: Mailbox, names: frozenset[str] = frozenset()) -> Snapshot:
    return Snapshot(1, {box.id: box for box in boxes}, names)


def _truth(snapshot: Snapshot) -> dict[str, bool]:
    """Names of mailboxes, and whether each is subscribed to; of other names those that are."""
    found = dict.fromkeys(snapshot.names, True)
    for box in snapshot.boxes.values():
        name = snapshot.path(box.id)
        found[name] = box.subscribed or name in snapshot.names
    return found


class Client:
    """A client that takes LIST responses one after the other for what they say."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.there = {snapshot.path(mailbox) for mailbox in snapshot.boxes}
        self.subscribed = {name for name, on in _truth(snapshot).items() if on}

    def hear(self, told: Listed) -> None:
        if told.old_name is not None:
            self.there.discard(told.old_name)
        if NONEXISTENT in told.attributes:
            self.there.discard(told.name)
        else:
            self.there.add(told.name)
        if SUBSCRIBED in told.attributes:
            self.subscribed.add(told.name)
        else:
            self.subscribed.discard(told.name)


def _changed(chance: random.Random, snapshot: Snapshot, numbers: list[int]) -> Snapshot:
    """What some commands make of a snapshot."""
    boxes, names = dict(snapshot.boxes), set(snapshot.names)
    for _ in range(chance.randint(1, 6)):
        here = Snapshot(1, boxes, frozenset(names))
        taken = {(box.parent, box.name) for box in boxes.values()}
        place = (chance.choice([0, *boxes]), chance.choice("abc"))
        box = boxes[chance.choice(list(boxes))] if boxes else None
        act = chance.randint(0, 4)
        if act == 0 and place not in taken:
            numbers[0] += 1
            boxes[numbers[0]] = _box(numbers[0], place[1], place[0])
        elif box is None:
            continue
        elif act == 1 and all(other.parent != box.id for other in boxes.values()):
            if box.subscribed:
                names.add(here.path(box.id))
            del boxes[box.id]
        elif act == 2 and place not in taken and not _within(boxes, place[0], box.id):
            boxes[box.id] = replace(box, parent=place[0], name=place[1])
        elif act == 3:
            boxes[box.id] = replace(box, subscribed=not box.subscribed)
        elif act == 4:
            names ^= {chance.choice(["a", "b", "a/b", "lost"])}
    return Snapshot(snapshot.modseq + 1, boxes, frozenset(names))


def _within(boxes: dict[int, Mailbox], mailbox: int, above: int) -> bool:
    while mailbox:
        if mailbox == above:
            return True
        mailbox = boxes[mailbox].parent
    return False


@pytest.mark.parametrize("seed", range(60))
async def test_a_client_that_believes_what_it_is_told_is_right(seed: int) -> None:
    """Random commands between two looks, also names that change hands: model against truth."""
    chance = random.Random(seed)
    snapshot, numbers = Snapshot(1), [0]
    client = Client(snapshot)
    for _ in range(30):
        changed = _changed(chance, snapshot, numbers)
        for told in await listed(_scene(snapshot), _scene(changed), EVERYTHING, _pause):
            client.hear(told)
        truth = _truth(changed)
        assert client.there == {changed.path(mailbox) for mailbox in changed.boxes}
        assert client.subscribed == {name for name, on in truth.items() if on}
        snapshot = changed


async def test_a_rename_is_one_only_where_both_names_are_free() -> None:
    before = _snapshot(_box(1, "a"), _box(2, "b"))
    moved = _snapshot(_box(1, "c"), _box(2, "b"))
    assert await listed(_scene(before), _scene(moved), EVERYTHING, _pause) == [
        Listed("c", (b"\\HasNoChildren",), "a")
    ]
    chain = _snapshot(_box(1, "b"), _box(2, "c"))
    assert [
        (one.name, one.old_name)
        for one in await listed(_scene(before), _scene(chain), EVERYTHING, _pause)
    ] == [
        ("a", None),
        ("b", None),
        ("c", None),
    ]


async def test_a_rename_out_of_or_into_what_is_watched_is_told() -> None:
    rules = _rules(EventGroup(MailboxFilter.SUBTREE, (MailboxName("in"),), NAMES))
    inside = _snapshot(_box(1, "in"), _box(2, "x", 1))
    outside = _snapshot(_box(1, "in"), _box(2, "x"))
    assert [one.name for one in await listed(_scene(inside), _scene(outside), rules, _pause)] == [
        "x"
    ]
    assert [one.name for one in await listed(_scene(outside), _scene(inside), rules, _pause)] == [
        "in/x"
    ]
    other = _snapshot(_box(1, "in"), _box(2, "y"))
    assert await listed(_scene(outside), _scene(other), rules, _pause) == []


async def test_a_mailbox_that_takes_the_name_of_another_is_counted_anew() -> None:
    """Other messages under the same name: STATUS tells the UIDVALIDITY."""
    before = _snapshot(replace(_box(1, "a"), uidnext=5, messages=4))
    after = _snapshot(replace(_box(2, "a"), uidnext=5, messages=4))
    (told,) = await counted(_scene(before), _scene(after), EVERYTHING, 0, _pause)
    assert told.box.uidvalidity == 2


async def test_what_is_counted() -> None:
    """The selected mailbox never; flags only where they are watched."""
    before = _snapshot(*(_box(n, f"m{n}") for n in range(1, 5)))
    boxes = dict(before.boxes)
    boxes[1] = replace(boxes[1], messages=1, uidnext=2)
    boxes[2] = replace(boxes[2], message_modseq=2)
    boxes[3] = replace(boxes[3], messages=1, uidnext=2)
    after = Snapshot(2, boxes, before.names)
    told = await counted(_scene(before), _scene(after), EVERYTHING, 3, _pause)
    assert [one.name for one in told] == ["m1"]
    flags = MESSAGES | {NotifyEvent.FLAG_CHANGE}
    rules = _rules(
        EventGroup(MailboxFilter.PERSONAL, events=MESSAGES),
        EventGroup(MailboxFilter.MAILBOXES, (MailboxName("m2"),), flags),
    )
    told = await counted(_scene(before), _scene(after), rules, 3, _pause)
    assert [(one.name, one.modseq) for one in told] == [("m1", False), ("m2", True)]


async def test_others_mailboxes_are_told_of_where_they_are_meant() -> None:
    """By name or by subscription, never as personal; rights given and taken are as made and gone."""
    own = _snapshot(names=frozenset({"Other Users/ada@example.org"}))
    inbox = replace(_box(1 << 32, "INBOX", subscribed=True), role="inbox")
    other = Other("Other Users/ada@example.org", inbox)
    work = Other("Other Users/ada@example.org/work", _box(1 << 32 | 2, "work"))
    subscribed = _rules(EventGroup(MailboxFilter.SUBSCRIBED, events=NAMES | MESSAGES))
    subtree = _rules(
        EventGroup(MailboxFilter.SUBTREE, (MailboxName(other.name),), NAMES | MESSAGES)
    )
    personal = _rules(
        EventGroup(MailboxFilter.PERSONAL, events=NAMES | MESSAGES),
        EventGroup(MailboxFilter.INBOXES, events=NAMES | MESSAGES),
    )
    assert subscribed.beyond
    assert subtree.beyond
    assert not personal.beyond
    before, after = _scene(own), _scene(own, other, work)
    told = await listed(before, after, subtree, _pause)
    assert told == [
        Listed(other.name, (SUBSCRIBED, b"\\HasChildren")),
        Listed(work.name, (b"\\HasNoChildren",)),
    ]
    assert await listed(before, after, subscribed, _pause) == told[:1]
    assert await listed(before, after, personal, _pause) == []
    gone = await listed(after, before, subtree, _pause)
    assert [one.attributes for one in gone] == [(NONEXISTENT, SUBSCRIBED), (NONEXISTENT,)]
    filled = replace(work, box=replace(work.box, uidnext=2, messages=1))
    (count,) = await counted(after, _scene(own, other, filled), subtree, 0, _pause)
    assert (count.name, count.foreign) == (work.name, True)
    hidden = replace(filled, readable=False)
    assert await counted(after, _scene(own, other, hidden), subtree, 0, _pause) == []


async def test_others_run_between_mailboxes_of_others_too() -> None:
    """Somebody may share 10,000 of them, and 32 groups be asked of each: seconds."""
    rules = _rules(
        EventGroup(MailboxFilter.SUBTREE, (MailboxName("Other Users"),), NAMES | MESSAGES)
    )
    boxes = [replace(_box(number, str(number)), uidnext=2) for number in range(1, 9)]
    pauses = 0

    async def pause() -> None:
        nonlocal pauses
        pauses += 1

    def scene(*, readable: bool) -> Scene:
        others = (Other(f"Other Users/a@example.org/{box.name}", box, readable) for box in boxes)
        return _scene(_snapshot(), *others)

    nothing = _scene(_snapshot())
    for made, found in (
        (closed(scene(readable=False), rules, pause), 8),
        (all_counted(scene(readable=True), rules, 0, pause), 8),
        (counted(nothing, scene(readable=True), rules, 0, pause), 8),
        (listed(nothing, scene(readable=True), rules, pause), 8),
    ):
        pauses = 0
        assert len(await made) == found
        assert pauses >= len(boxes)
