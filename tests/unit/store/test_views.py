"""Views: what they show after every kind of change, and what they tell whoever watches."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from malleposte.store import TemporaryFailure
from malleposte.store.commands import DeleteMailbox, Recover, RenewUidValidity, SweepTombstones
from malleposte.store.dialect import Dialect, Reader, Row, Sql
from malleposte.store.flags import ANSWERED, FLAGGED, FORWARDED, SEEN
from malleposte.store.ids import LOW
from malleposte.store.messages import Messages
from malleposte.store.results import Copied, Done
from malleposte.store.view import View
from malleposte.store.views import Views
from support.store import House, inbox

Told = tuple[list[int], list[int], bool]


@dataclass(eq=False)
class Watcher:
    """Writes down what it is told."""

    told: list[Told] = field(default_factory=list)
    gone: int = 0
    emails: list[int] = field(default_factory=list)

    def view_changed(
        self, expunged: list[tuple[int, int]], flagged: list[int], grown: bool
    ) -> None:
        self.told.append(([uid for uid, _ in expunged], sorted(flagged), grown))
        self.emails += [email for _, email in expunged]

    def view_gone(self) -> None:
        self.gone += 1


async def expected(house: House, mailbox: int) -> list[tuple[int, int, int, str | None, int, int]]:
    """What a view of a mailbox must show."""
    rows = await house.rows(
        "SELECT m.uid, e.id, e.flags, e.keywords, m.deleted, e.modseq FROM membership m"
        " JOIN email e ON e.id = m.email WHERE m.mailbox = $1 ORDER BY m.uid",
        mailbox,
    )
    return [(row[0], row[1] & LOW, *row[2:]) for row in rows]


def shown(view: View) -> list[tuple[int, int, int, str | None, int, int]]:
    return [
        (view.uids[at], view.emails[at], *view.flags_at(at), view.modseqs[at])
        for at in range(len(view))
    ]


async def agree(house: House, view: View) -> None:
    """The view shows what the database holds, and its numbers fit."""
    assert shown(view) == await expected(house, view.mailbox)
    info = await house.info(view.mailbox)
    assert (view.uidnext, view.uidvalidity) == (info.uidnext, info.uidvalidity)
    assert view.highest == info.message_modseq
    assert view.modseq == await house.value(
        "SELECT modseq FROM account_head WHERE account = $1", view.account
    )


async def watched(house: House, mailbox: int) -> tuple[View, Watcher]:
    view = await house.store.views.open(mailbox)
    watcher = Watcher()
    view.watchers.add(watcher)
    return view, watcher


# Building -----------------------------------------------------------------------------------------


async def test_an_empty_mailbox(house: House) -> None:
    account = await house.account()
    view = await house.store.views.open(inbox(account))
    assert len(view) == 0
    await agree(house, view)
    assert (view.rank(5), view.position(5)) == (0, None)


@pytest.mark.parametrize("slice_", [1, 2, 5, 6, 5000])
async def test_a_view_is_built_in_slices(
    house: House, monkeypatch: pytest.MonkeyPatch, slice_: int
) -> None:
    monkeypatch.setattr("malleposte.store.messages.SLICE", slice_)
    account = await house.account()
    for n in range(5):
        await house.append(inbox(account), flags=n, keywords=("k",) * (n % 2), deleted=n == 3)
    await house.expunge(inbox(account), ((2, 2),))
    view = await house.store.views.open(inbox(account))
    await agree(house, view)
    assert [view.rank(uid) for uid in (1, 2, 3, 9)] == [0, 1, 1, 4]
    assert [view.position(uid) for uid in (1, 2, 3, 5, 6)] == [0, None, 1, 3, None]


async def test_no_such_mailbox(house: House) -> None:
    account = await house.account()
    view = await house.store.views.open(account << 32 | 99)
    assert view.gone
    assert (await house.store.views.open((account + 9) << 32 | 1)).gone


# Changes ------------------------------------------------------------------------------------------

Change = Callable[[House, int, int], Awaitable[Any]]

CHANGES: dict[str, tuple[Change, list[Told]]] = {
    "deliver": (lambda h, box, _: h.deliver(box >> 32), [([], [], True)]),
    "append": (lambda h, box, _: h.append(box, flags=SEEN, keywords=("new",)), [([], [], True)]),
    "flag": (lambda h, box, _: h.flag(box, ((2, 3),), flags=SEEN), [([], [2, 3], False)]),
    "keyword": (lambda h, box, _: h.flag(box, ((1, 1),), keywords=("K",)), [([], [1], False)]),
    "deleted": (lambda h, box, _: h.flag(box, ((4, 4),), deleted=True), [([], [4], False)]),
    "flag again": (lambda h, box, _: h.flag(box, ((1, 5),), flags=0), []),
    "expunge": (lambda h, box, _: h.expunge(box, ((2, 3), (5, 5))), [([2, 3, 5], [], False)]),
    "copy in": (lambda h, box, other: h.copy(other, box, ((2, 2),)), [([], [], True)]),
    "copy out": (lambda h, box, other: h.copy(box, other, ((2, 2),)), []),
    "move in": (lambda h, box, other: h.copy(other, box, ((2, 2),), move=True), [([], [], True)]),
    "move out": (
        lambda h, box, other: h.copy(box, other, ((1, 2),), move=True),
        [([1, 2], [], False)],
    ),
    "renumber": (lambda h, box, _: h.copy(box, box, ((1, 1),), move=True), [([1], [], True)]),
    "twin": (lambda h, box, _: h.copy(box, box, ((1, 1),)), [([], [], True)]),
    "flag elsewhere": (
        # UID 1 of the other mailbox is UID 3 here.
        lambda h, _, other: h.flag(other, ((1, 1),), flags=FLAGGED),
        [([], [3], False)],
    ),
    "deleted elsewhere": (lambda h, _, other: h.flag(other, ((1, 1),), deleted=True), []),
    "expunge elsewhere": (lambda h, _, other: h.expunge(other, ((1, 1),)), []),
    "another mailbox": (lambda h, _, other: h.append(other), []),
    "another account": (lambda h, _, __: h.account(), []),
    "new mailbox": (lambda h, box, _: h.mailbox(box >> 32, "new"), []),
}


def together(steps: list[Told]) -> list[Told]:
    """What was told in several steps."""
    gone = [uid for expunged, _, _ in steps for uid in expunged]
    flagged = [uid for _, changed, _ in steps for uid in changed]
    return [(gone, flagged, any(grown for *_, grown in steps))] if steps else []


@pytest.mark.parametrize(
    ("name", "slice_"),
    [(name, 5000) for name in CHANGES]
    + [(name, 1) for name in ("deliver", "flag", "expunge", "copy in")],
)
async def test_every_change_shows_and_is_told_exactly(
    house: House, monkeypatch: pytest.MonkeyPatch, name: str, slice_: int
) -> None:
    monkeypatch.setattr("malleposte.store.messages.SLICE", slice_)
    change, told = CHANGES[name]
    account = await house.account()
    box, other = inbox(account), await house.mailbox(account, "other")
    await house.fill(account, 5)
    await house.copy(box, other, ((3, 3),))
    await house.append(other)
    view, watcher = await watched(house, box)
    await change(house, box, other)
    await view.refresh()
    await agree(house, view)
    assert (watcher.told if slice_ > 5 else together(watcher.told)) == told
    steps = len(watcher.told)
    await view.refresh()
    assert len(watcher.told) == steps, "told once"
    assert watcher.gone == 0


async def test_several_changes_are_told_together(house: House) -> None:
    account = await house.account()
    box = inbox(account)
    filed = await house.fill(account, 5)
    view, watcher = await watched(house, box)
    await house.flag(box, ((1, 3),), flags=SEEN)
    await house.expunge(box, ((2, 2), (4, 4)))
    await house.deliver(account)
    await house.deliver(account)
    await house.expunge(box, ((6, 6),))
    await view.refresh()
    await agree(house, view)
    assert watcher.told == [([2, 4], [1, 3], True)]
    assert watcher.emails == [filed[1].email & LOW, filed[3].email & LOW]


async def test_a_message_that_came_and_went_unseen_is_not_told(house: House) -> None:
    account = await house.account()
    await house.fill(account, 1)
    view, watcher = await watched(house, inbox(account))
    await house.deliver(account)
    await house.expunge(inbox(account), ((2, 2),))
    await view.refresh()
    await agree(house, view)
    assert watcher.told == []


async def test_recovered_messages_come_as_new_ones(house: House) -> None:
    account = await house.account()
    filed = await house.fill(account, 2)
    await house.expunge(inbox(account), ((1, 1),))
    view, watcher = await watched(house, inbox(account))
    command = Recover(actor=account, target=inbox(account), emails=(filed[0].email,))
    await house.do(command, Copied)
    await view.refresh()
    await agree(house, view)
    assert watcher.told == [([], [], True)]


async def test_all_watchers_are_told(house: House) -> None:
    account = await house.account()
    view, first = await watched(house, inbox(account))
    again, second = await watched(house, inbox(account))
    assert view is again
    await house.deliver(account)
    await asyncio.gather(view.refresh(), view.refresh(), view.refresh())
    assert first.told == second.told == [([], [], True)]


# Reading little -----------------------------------------------------------------------------------


class Counting:
    """A reader that counts, and can be made to do something before a statement."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.dialect: Dialect = reader.dialect
        self.asked: list[str] = []
        self.before: Callable[[str], Awaitable[None]] | None = None

    async def rows(self, sql: str | Sql, *parameters: Any) -> list[Row]:
        text = sql if isinstance(sql, str) else sql.sqlite
        if self.before is not None:
            await self.before(text)
        self.asked.append(text)
        return await self._reader.rows(sql, *parameters)

    async def row(self, sql: str | Sql, *parameters: Any) -> Row | None:
        text = sql if isinstance(sql, str) else sql.sqlite
        if self.before is not None:
            await self.before(text)
        self.asked.append(text)
        return await self._reader.row(sql, *parameters)


async def test_nothing_new_costs_nothing(house: House) -> None:
    """SQLite: not one statement; PostgreSQL: the head alone. Another account's mail: the head alone."""
    account, other = await house.account(), await house.account()
    reader = Counting(house.store.reader)
    view = View(Messages(reader, house.store.clock, inbox(account)))
    await view.refresh()
    reader.asked.clear()
    await view.refresh()
    assert len(reader.asked) == (1 if house.place.dsn else 0)
    await house.deliver(other)
    reader.asked.clear()
    await view.refresh()
    assert len(reader.asked) == 1


async def test_another_mailboxs_changes_are_not_read(house: House) -> None:
    account = await house.account()
    reader = Counting(house.store.reader)
    view = View(Messages(reader, house.store.clock, inbox(account)))
    await view.refresh()
    await house.append(await house.standard(account, "sent"))
    reader.asked.clear()
    await view.refresh()
    assert len(reader.asked) == 2  # head and mailbox


# Changes while it reads ---------------------------------------------------------------------------


async def test_a_change_between_two_slices_of_building(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.store.messages.SLICE", 2)
    account = await house.account()
    box = inbox(account)
    await house.fill(account, 5)
    reader = Counting(house.store.reader)
    view = View(Messages(reader, house.store.clock, box))
    watcher = Watcher()
    view.watchers.add(watcher)
    slices = 0

    async def between(text: str) -> None:
        nonlocal slices
        if "m.uid > $2" in text:
            slices += 1
            if slices == 2:
                await house.flag(box, ((1, 1), (4, 4)), flags=SEEN)
                await house.expunge(box, ((2, 2), (5, 5)))
                await house.deliver(account)

    reader.before = between
    await view.refresh()
    assert view.uids[-1] < view.uidnext
    reader.before = None
    await view.refresh()
    await agree(house, view)
    assert watcher.told[-1][0] == [2]


async def test_a_change_between_two_slices_of_an_advance(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new message that changes again meanwhile comes twice, and must not be there twice."""
    monkeypatch.setattr("malleposte.store.messages.SLICE", 2)
    account = await house.account()
    box = inbox(account)
    await house.fill(account, 1)
    reader = Counting(house.store.reader)
    view = View(Messages(reader, house.store.clock, box))
    await view.refresh()
    await house.fill(account, 3)
    slices = 0

    async def between(text: str) -> None:
        nonlocal slices
        if "(e.modseq, e.id) >" in text:
            slices += 1
            if slices == 2:
                await house.flag(box, ((2, 2),), flags=SEEN)
        if "tombstone" in text and "container" in text:
            await house.expunge(box, ((3, 3),))

    reader.before = between
    await view.refresh()
    assert list(view.uids) == [1, 2, 4]
    reader.before = None
    await view.refresh()
    await agree(house, view)


@dataclass(eq=False)
class Follower(Watcher):
    """Knows the view only by what it is told."""

    view: View | None = None
    uids: list[int] = field(default_factory=list)

    def view_changed(
        self, expunged: list[tuple[int, int]], flagged: list[int], grown: bool
    ) -> None:
        super().view_changed(expunged, flagged, grown)
        assert self.view is not None
        gone = {uid for uid, _ in expunged}
        self.uids = [uid for uid in self.uids if uid not in gone]
        if grown:
            last = self.uids[-1] if self.uids else 0
            self.uids += [uid for uid in self.view.uids if uid > last]
        assert self.uids == list(self.view.uids)
        assert all(self.view.position(uid) is not None for uid in flagged)


async def test_many_changes_come_in_steps_that_each_fit(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await house.account()
    box = inbox(account)
    await house.fill(account, 12)
    view, _ = await watched(house, box)
    follower = Follower(view=view, uids=list(view.uids))
    view.watchers.add(follower)
    monkeypatch.setattr("malleposte.store.messages.SLICE", 3)
    await house.expunge(box, ((2, 3), (7, 7)))
    await house.flag(box, flags=SEEN)
    await house.fill(account, 8)
    await house.expunge(box, ((14, 15),))
    await house.flag(box, ((4, 9), (16, 20)), flags=FLAGGED)
    await view.refresh()
    await agree(house, view)
    assert len(follower.told) > 2
    assert sorted({uid for gone, _, _ in follower.told for uid in gone}) == [2, 3, 7]


async def test_a_failure_while_building_leaves_nothing_behind(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.store.messages.SLICE", 2)
    account = await house.account()
    await house.fill(account, 5)
    reader = Counting(house.store.reader)
    view = View(Messages(reader, house.store.clock, inbox(account)))
    slices = 0

    async def fail(text: str) -> None:
        nonlocal slices
        slices += "m.uid > $2" in text
        if slices == 2:
            raise TemporaryFailure("away")

    reader.before = fail
    with pytest.raises(TemporaryFailure):
        await view.refresh()
    reader.before = None
    await view.refresh()
    await agree(house, view)


# Tombstones gone, mailbox gone --------------------------------------------------------------------


async def test_without_tombstones_a_view_compares_everything(house: House) -> None:
    account = await house.account()
    box = inbox(account)
    await house.fill(account, 5)
    view, watcher = await watched(house, box)
    await house.expunge(box, ((2, 2), (4, 4)))
    await house.flag(box, ((3, 3),), flags=SEEN)
    await house.deliver(account)
    await house.do(SweepTombstones(account=account, upto=1 << 40), Done)
    await view.refresh()
    await agree(house, view)
    assert watcher.told == [([2, 4], [3], True)]
    await house.flag(box, ((1, 1),), flags=SEEN)
    await view.refresh()
    assert watcher.told[1:] == [([], [1], False)]


async def test_a_deleted_mailbox_is_told_once(house: House) -> None:
    account = await house.account()
    box = await house.mailbox(account, "x")
    view, watcher = await watched(house, box)
    await house.do(DeleteMailbox(actor=account, mailbox=box), Done)
    for _ in range(2):
        await view.refresh()
    assert (view.gone, watcher.gone, watcher.told) == (True, 1, [])
    assert (await house.store.views.open(box)).gone


async def test_a_new_uidvalidity_is_a_new_view(house: House) -> None:
    account = await house.account()
    await house.fill(account, 2)
    view, watcher = await watched(house, inbox(account))
    await house.do(RenewUidValidity(account=account), Done)
    again = await house.store.views.open(inbox(account))
    assert (view.gone, watcher.gone) == (True, 1)
    assert again is not view
    assert not again.gone
    await agree(house, again)
    assert await house.store.views.open(inbox(account)) is again


# Flags on the wire --------------------------------------------------------------------------------


async def test_flags_as_imap_writes_them(house: House) -> None:
    account = await house.account()
    box = inbox(account)
    await house.append(box)
    await house.append(box, flags=SEEN | ANSWERED | FORWARDED, deleted=True)
    await house.append(box, keywords=("Work", "$Label1"), flags=FLAGGED)
    view = await house.store.views.open(box)
    assert [view.wire_flags(index) for index in view.sets] == [
        b"",
        b"\\Answered \\Seen $Forwarded \\Deleted",
        b"\\Flagged $Label1 Work",
    ]


async def test_a_keyword_that_comes_later_is_shown_as_first_written(house: House) -> None:
    account = await house.account()
    await house.fill(account, 1)
    view = await house.store.views.open(inbox(account))
    await house.flag(inbox(account), keywords=("NewOne",))
    await view.refresh()
    assert view.wire_flags(view.sets[0]) == b"NewOne"
    assert view.shown == {"newone": "NewOne"}


async def test_flag_sets_nobody_has_are_forgotten(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.store.messages.MAX_SETS", 4)
    account = await house.account()
    await house.fill(account, 2)
    view = await house.store.views.open(inbox(account))
    for flags in range(1, 30):
        await house.flag(inbox(account), ((1, 1),), "=", flags=flags)
        await view.refresh()
        await agree(house, view)
        assert len(view.flagsets) <= 4 + 2 * 2
        assert view.wire_flags(view.sets[1]) == b""


# Many views ---------------------------------------------------------------------------------------


async def test_views_nobody_watches_are_dropped_oldest_first(house: House) -> None:
    account = await house.account()
    boxes = [await house.mailbox(account, f"m{n}") for n in range(4)]
    views = Views(house.store.reader, house.store.clock, spare=120)
    opened = [await views.open(box) for box in boxes]
    assert await views.open(boxes[3]) is opened[3]
    assert await views.open(boxes[2]) is opened[2]
    assert await views.open(boxes[0]) is not opened[0]


async def test_a_watched_view_is_never_dropped_nor_the_newest(house: House) -> None:
    account = await house.account()
    boxes = [await house.mailbox(account, f"m{n}") for n in range(3)]
    views = Views(house.store.reader, house.store.clock, spare=0)
    first = await views.open(boxes[0])
    assert await views.open(boxes[0]) is first
    watcher = Watcher()
    first.watchers.add(watcher)
    for box in boxes[1:]:
        await views.open(box)
    assert await views.open(boxes[0]) is first
    assert views.watched() == {account: [first]}
    first.watchers.discard(watcher)
    assert views.watched() == {}
