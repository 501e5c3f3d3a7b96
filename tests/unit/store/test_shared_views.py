r"""All who look at a mailbox share its arrays: what each sees and is told stays right, whoever looks first,
and what a view of a reader takes are that reader's marks."""

import asyncio
import gc
import tracemalloc
import weakref
from pathlib import Path
from typing import Any

import pytest

from malleposte.services.imapd.select import first_unseen
from malleposte.services.imapd.selected import Selected
from malleposte.store import TemporaryFailure, alone
from malleposte.store.commands import RenewUidValidity, SweepTombstones
from malleposte.store.dialect import Dialect, Reader, Row, Sql
from malleposte.store.flags import FLAGGED, SEEN
from malleposte.store.marks import _HAVE_MARKED, _ON, _WITHIN
from malleposte.store.messages import Messages
from malleposte.store.results import Done
from malleposte.store.sqlite import Sqlite
from malleposte.store.view import View
from malleposte.store.views import READERS, Views
from malleposte.wire.imap.sets import NumberSet
from support.store import House, inbox
from support.views import Watcher, look, shared

EVERYTHING = NumberSet(((1, 99),))


async def agrees(house: House, view: View) -> None:
    """A view that came up to date step by step shows what one made now shows, however it is asked."""
    fresh = View(Messages(house.store.reader, house.store.clock, view.mailbox), view.reader)
    await fresh.refresh()
    everything = range(len(view))
    flags = [fresh.flags_at(at) for at in everything]
    assert (view.uids, view.emails, view.modseqs) == (fresh.uids, fresh.emails, fresh.modseqs)
    assert [view.flags_at(at) for at in everything] == flags
    for start in everything:
        part = range(start, min(start + 2, len(view)))
        for places in (part, list(part)):
            assert [view.flagsets[n] for n in view.sets_of(places)] == [flags[at] for at in part]
            assert list(view.modseqs_of(places)) == [fresh.modseqs[at] for at in part]


# What each is told --------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [0, 1, 2])
async def test_whoever_looks_first_all_are_told_what_is_theirs(house: House, first: int) -> None:
    """One look brings the owner's changes and every reader's marks; each hears of what it sees."""
    box, one, two = await shared(house, 5)
    eyes = [await look(house, box, who) for who in (0, one, two)]
    await house.flag(box, ((1, 2),), actor=one, flags=SEEN)
    await house.flag(box, ((2, 3),), flags=SEEN)
    await house.flag(box, ((3, 3),), "-", actor=two, flags=SEEN)
    await house.flag(box, ((4, 4),), actor=two, flags=FLAGGED | SEEN)
    await house.expunge(box, ((5, 5),))
    await eyes[first].view.refresh()
    assert [e.watcher.told for e in eyes] == [
        [([5], [2, 3, 4], False)],
        [([5], [1, 2, 3, 4], False)],
        [([5], [2, 4], False)],
    ]
    assert [e.seen for e in eyes] == [
        [False, True, True, False],
        [True, True, True, False],
        [False, True, False, True],
    ]
    for one_of_them in eyes:
        await agrees(house, one_of_them.view)
        one_of_them.watcher.told.clear()
        assert await one_of_them.news() == [], "told once"


async def test_a_mark_has_a_modseq_for_its_reader_alone(house: House) -> None:
    """And all views stand at one modseq: what a client was told is complete up to it."""
    box, one, two = await shared(house)
    eyes = [await look(house, box, who) for who in (0, one, two)]
    before = list(eyes[0].view.modseqs)
    marked = (await house.flag(box, ((1, 2),), actor=one, flags=SEEN)).modseq
    await eyes[2].view.refresh()
    assert [list(e.view.modseqs) for e in eyes] == [before, [marked, marked, before[2]], before]
    assert {(e.view.modseq, e.view.highest) for e in eyes} == {(marked, marked)}
    again = (await house.flag(box, ((2, 2),), flags=FLAGGED)).modseq
    await eyes[0].view.refresh()
    assert list(eyes[1].view.modseqs) == [marked, again, before[2]]
    for e in eyes:
        await agrees(house, e.view)


async def test_a_message_comes_with_what_was_marked_on_it_before(house: House) -> None:
    """It is read already: nobody is told of a change of flags, whoever looks first."""
    box, one, two = await shared(house)
    other = await house.mailbox(box >> 32, "other")
    for reader in (one, two):
        await house.grant(other, reader, "lrswite")
    await house.flag(box, ((2, 3),), actor=one, flags=SEEN)
    eyes = [await look(house, other, who) for who in (0, one, two)]
    await house.copy(box, other, actor=one)
    await eyes[2].view.refresh()
    assert [e.watcher.told for e in eyes] == [[([], [], True)]] * 3
    assert [e.seen for e in eyes] == [[False] * 3, [False, True, True], [False] * 3]


@pytest.mark.parametrize("slice_", [1, 2, 3])
async def test_in_small_slices(house: House, monkeypatch: pytest.MonkeyPatch, slice_: int) -> None:
    for module in ("messages", "marks"):
        monkeypatch.setattr(f"malleposte.store.{module}.SLICE", slice_)
    box, one, two = await shared(house, 6)
    await house.flag(box, ((1, 4),), actor=one, flags=SEEN)
    eyes = [await look(house, box, who) for who in (0, one, two)]
    for e in eyes:
        await agrees(house, e.view)
    await house.flag(box, ((3, 6),), "-", actor=one, flags=SEEN)
    await house.flag(box, ((1, 5),), actor=two, flags=SEEN)
    await house.flag(box, ((1, 3),), flags=SEEN)
    await house.expunge(box, ((4, 4),))
    await house.fill(box >> 32, 3)
    await eyes[0].view.refresh()
    for e in eyes:
        assert sorted({uid for gone, _, _ in e.watcher.told for uid in gone}) == [4]
        await agrees(house, e.view)


async def test_tombstones_gone_all_compare_everything(house: House) -> None:
    box, one, two = await shared(house, 4)
    await house.flag(box, ((4, 4),), actor=two, flags=SEEN)
    eyes = [await look(house, box, who) for who in (0, one, two)]
    await house.flag(box, ((1, 1),), actor=one, flags=SEEN)
    await house.flag(box, ((3, 4),), flags=SEEN)
    await house.expunge(box, ((2, 2),))
    await house.fill(box >> 32, 1)
    await house.flag(box, ((5, 5),), actor=one, flags=SEEN)
    await house.do(SweepTombstones(account=box >> 32, upto=1 << 40), Done)
    await eyes[0].view.refresh()
    assert [e.watcher.told for e in eyes] == [
        [([2], [3, 4], True)],
        [([2], [1, 3, 4], True)],
        [([2], [3], True)],
    ]
    for e in eyes:
        await agrees(house, e.view)


async def test_tombstones_gone_marks_older_than_the_view_come_along(house: House) -> None:
    """Of mail that moved in meanwhile: to its reader it is read."""
    box, one, two = await shared(house)
    other = await house.mailbox(box >> 32, "other")
    for reader in (one, two):
        await house.grant(other, reader, "lrswite")
    await house.append(other)
    await house.flag(box, ((2, 3),), actor=one, flags=SEEN)
    eyes = [await look(house, other, who) for who in (0, one, two)]
    await house.copy(box, other, actor=one, move=True)
    await house.expunge(other, ((1, 1),))
    await house.do(SweepTombstones(account=box >> 32, upto=1 << 40), Done)
    await eyes[2].view.refresh()
    assert [e.watcher.told for e in eyes] == [[([1], [], True)]] * 3
    assert [e.seen for e in eyes] == [[False] * 3, [False, True, True], [False] * 3]
    for e in eyes:
        await agrees(house, e.view)


async def test_a_session_numbers_through_what_another_readers_look_brought(house: House) -> None:
    """A ghost stays for who was not told of the EXPUNGE, gone for who was; flags stay each reader's."""
    box, one, two = await shared(house, 4)
    await house.flag(box, ((3, 4),), actor=one, flags=SEEN)
    ones = Selected(await house.store.views.open(box, one), read_only=False)
    twos = Selected(await house.store.views.open(box, two), read_only=False)
    await house.expunge(box, ((2, 2),))
    await twos.view.refresh()
    assert list(twos.take_ghosts()[1]) == [2]
    assert list(ones.seqs(ones.view.uids)) == [1, 3, 4]
    assert list(twos.seqs(twos.view.uids)) == [1, 2, 3]
    assert list(ones.unseen(ones.choose_uids(EVERYTHING))) == [1]
    assert list(twos.unseen(twos.choose_uids(EVERYTHING))) == [1, 3, 4]
    assert (first_unseen(ones.view), first_unseen(twos.view)) == (1, 1)
    await house.flag(box, ((1, 1),), actor=one, flags=SEEN)
    await twos.view.refresh()
    assert (first_unseen(ones.view), first_unseen(twos.view)) == (0, 1)
    assert list(ones.take_changed()) == [1]
    assert list(twos.take_changed()) == []


async def test_a_reader_is_not_told_a_keyword_that_was_gone_before(house: House) -> None:
    """The owner's view, which is older, knows it."""
    box, one, two = await shared(house)
    await house.flag(box, ((1, 1),), keywords=("Divorce",))
    owners, ones = await look(house, box), await look(house, box, one)
    await house.flag(box, ((1, 1),), "-", keywords=("Divorce",))
    await house.flag(box, ((2, 2),), keywords=("Work",))
    twos = await look(house, box, two)
    assert (ones.view.shown, twos.view.shown) == (
        {"divorce": "Divorce", "work": "Work"},
        {"work": "Work"},
    )
    await house.flag(box, ((3, 3),), keywords=("Late",))
    await owners.news()
    assert twos.view.shown == {"work": "Work", "late": "Late"}
    assert twos.view.wire_flags(twos.view.sets[2]) == b"Late"


# What it takes ------------------------------------------------------------------------------------


async def test_readers_take_what_they_marked_and_nothing_for_each_message(house: House) -> None:
    """One set of arrays, however many look; the octets of a reader do not grow with the mailbox."""
    box, one, two = await shared(house, 400)
    readers = [await house.account() for _ in range(8)]
    for reader in readers:
        await house.grant(box, reader, "lrs")
    opened = [await house.store.views.open(box, who) for who in (0, one, two)]
    await house.flag(box, ((1, 7),), actor=readers[0], flags=SEEN)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        opened += [await house.store.views.open(box, reader) for reader in readers]
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    arrays = {
        id(a) for v in opened for a in (v.uids, v.emails, v.messages.sets, v.messages.modseqs)
    }
    assert len(arrays) == 4
    assert [len(view.marks or ()) for view in opened] == [0, 0, 0, 7, *[0] * 7]
    # A view with arrays of its own takes 8,000 octets of 400 messages.
    assert taken < len(readers) * 4_000


async def test_marks_on_what_is_gone_are_forgotten(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.store.view.STALE", 1)
    box, one, _ = await shared(house, 6)
    await house.flag(box, actor=one, flags=SEEN)
    view = await house.store.views.open(box, one)
    await house.expunge(box, ((1, 4),))
    await view.refresh()
    assert view.marks is not None
    assert len(view.marks) == len(view) == 2
    await agrees(house, view)


async def test_the_arrays_go_with_the_last_view(house: House) -> None:
    box, one, two = await shared(house)
    views = Views(house.store.reader, house.store.clock, spare=0)
    opened = await views.open(box, one)
    opened.watchers.add(Watcher())
    assert (await views.open(box, two)).messages is opened.messages
    arrays = weakref.ref(opened.messages)
    await views.open(inbox(one))  # now the most recent
    assert (await views.open(box)).messages is opened.messages, "somebody watches"
    opened.watchers.clear()
    del opened
    await views.open(inbox(one))
    gc.collect()
    assert arrays() is None


async def test_few_views_of_readers_are_kept_unused(house: House) -> None:
    """Each is told of every change."""
    box, one, _ = await shared(house)
    views = Views(house.store.reader, house.store.clock)
    first = await views.open(box, one)
    for reader in range(1_000, 1_000 + READERS - 1):
        await views.open(box, reader)
    assert await views.open(box, one) is first
    for reader in range(2_000, 2_000 + 2 * READERS):
        await views.open(box, reader)
        assert len(list(first.messages.views)) < READERS * 5 // 4
    assert await views.open(box, one) is not first


async def test_a_new_uidvalidity_is_a_new_view_for_all(house: House) -> None:
    box, one, two = await shared(house)
    views = house.store.views
    before = [await views.open(box, who) for who in (0, one, two)]
    await house.do(RenewUidValidity(account=box >> 32), Done)
    after = [await views.open(box, who) for who in (two, 0, one)]
    assert [view.gone for view in before + after] == [True] * 3 + [False] * 3
    assert len({id(view.messages) for view in after}) == 1
    for view in before[1:]:
        await view.refresh()
        assert view.letters == ""


# Changes while a reader's view is made ------------------------------------------------------------


class Between:
    """A reader of the database that does something before each statement with a text in it."""

    def __init__(self, reader: Reader, text: str) -> None:
        self._reader = reader
        self.dialect: Dialect = reader.dialect
        self._text = text
        self.steps: list[Any] = []

    async def rows(self, sql: str | Sql, *parameters: Any) -> list[Row]:
        text = sql if isinstance(sql, str) else sql.sqlite
        if self._text in text and self.steps:
            await self.steps.pop(0)()
        return await self._reader.rows(sql, *parameters)

    async def row(self, sql: str | Sql, *parameters: Any) -> Row | None:
        return await self._reader.row(sql, *parameters)


@pytest.mark.parametrize(("slice_", "before"), [(1, 0), (1, 1), (1, 4), (2, 2), (5_000, 0)])
async def test_what_is_marked_while_a_view_is_made_is_not_lost(
    house: House, monkeypatch: pytest.MonkeyPatch, slice_: int, before: int
) -> None:
    """The owner's session goes on meanwhile, and brings the arrays up to date."""
    monkeypatch.setattr("malleposte.store.marks.SLICE", slice_)
    box, one, _ = await shared(house, 5)
    await house.flag(box, ((2, 4),), actor=one, flags=SEEN)
    reader = Between(house.store.reader, "reader_seen")
    messages = Messages(reader, house.store.clock, box)
    owners, ones = View(messages), View(messages, one)
    await owners.refresh()

    async def nothing() -> None:
        pass

    async def other() -> None:
        await house.flag(box, ((1, 1),), actor=one, flags=SEEN)
        await house.flag(box, ((4, 4),), "-", actor=one, flags=SEEN)
        await house.expunge(box, ((3, 3),))
        await house.fill(box >> 32, 2)
        await house.flag(box, ((6, 6),), actor=one, flags=SEEN)
        await owners.refresh()

    reader.steps = [*[nothing] * before, other]
    await ones.refresh()
    assert reader.steps == []
    read = [bool(ones.flags_at(at)[0] & SEEN) for at in range(len(ones))]
    assert read == [True, True, False, False, True, False]
    await agrees(house, ones)


async def test_a_view_that_could_not_be_made_is_made_the_next_time(house: House) -> None:
    box, one, _ = await shared(house)
    await house.flag(box, ((2, 2),), actor=one, flags=SEEN)
    reader = Between(house.store.reader, "reader_seen")
    view = View(Messages(reader, house.store.clock, box), one)

    async def fail() -> None:
        raise TemporaryFailure("away")

    reader.steps = [fail]
    with pytest.raises(TemporaryFailure):
        await view.refresh()
    assert view.letters == "", "nothing may be done with it"
    await asyncio.gather(view.refresh(), view.refresh())
    await agrees(house, view)


async def test_marks_are_found_by_index(tmp_path: Path) -> None:
    """By message and reader, by reader and modseq: never all that a reader or a message has."""
    expected = {
        _WITHIN: (
            "m USING PRIMARY KEY (mailbox=? AND uid>?",
            "s USING PRIMARY KEY (email=? AND reader=?)",
        ),
        _HAVE_MARKED.sqlite: ("reader_seen_changed (reader=? AND <expr>=? AND modseq>?)",),
        _ON.sqlite: ("s USING PRIMARY KEY (email=?)",),
    }
    async with alone(tmp_path):
        db = Sqlite(tmp_path / "store.db", writable=False)
        try:
            for text, parts in expected.items():
                count = 4 if text is _WITHIN else 3 if "$3" in text else 2
                plan = db.connection.execute(f"EXPLAIN QUERY PLAN {text}", (1,) * count).fetchall()
                steps = [str(row[3]) for row in plan]
                assert all(any(part in step for step in steps) for part in parts), steps
        finally:
            db.close()
