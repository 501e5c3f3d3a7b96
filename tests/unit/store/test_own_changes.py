"""What a worker's own STORE and EXPUNGE did is taken over without being read back: the arrays then hold
what reading would have brought, and where anything else came between, it is read."""

from array import array
from random import Random
from typing import Any

import pytest

from malleposte.store.flag_sets import changer
from malleposte.store.flags import ANSWERED, FLAGGED, SEEN
from malleposte.store.view import View
from support.store import House, inbox
from support.views import Eyes, look
from unit.store.test_shared_views import agrees


class Counted:
    """A reader that counts the statements it is asked."""

    def __init__(self, db: Any) -> None:
        self._db = db
        self.count = 0

    def __getattr__(self, name: str) -> Any:
        if name in {"row", "rows"}:
            self.count += 1
        return getattr(self._db, name)


@pytest.fixture
async def eyes(house: House) -> Eyes:
    """The owner's view of twelve messages."""
    account = await house.account()
    await house.fill(account, 12)
    return await look(house, inbox(account))


def reads(view: View) -> Counted:
    """Count what the view reads from now on."""
    counted = Counted(view.messages.db)
    view.messages.db = view.messages.rows._db = counted
    return counted


async def store(
    house: House,
    view: View,
    uids: list[int],
    mode: str = "+",
    bits: int = 0,
    words: tuple[str, ...] = (),
    *,
    deleted: bool = False,
    between: Any = None,
) -> None:
    """What a session does; ``between``: done by another before the view hears of it."""
    done = await house.flag(
        view.mailbox,
        tuple((uid, uid) for uid in uids),
        mode,
        actor=view.account,
        flags=bits,
        keywords=words,
        deleted=deleted,
    )
    if between is not None:
        await between
    change = changer(mode, bits, frozenset(word.lower() for word in words), deleted=deleted)
    await view.stored(done.modseq, array("I", uids), {word.lower() for word in words}, change)


async def test_nothing_is_read_where_nothing_lies_between(house: House, eyes: Eyes) -> None:
    counted = reads(eyes.view)
    await store(house, eyes.view, [2, 3, 4], bits=FLAGGED)
    await store(house, eyes.view, [4, 9], "-", bits=FLAGGED, deleted=True)
    gone = await house.expunge(eyes.view.mailbox, ((5, 6), (9, 9)))
    await eyes.view.expunged(gone.modseq, [(5, 6), (9, 9)])
    assert counted.count == 0
    assert eyes.watcher.told == [
        ([], [2, 3, 4], False),
        ([], [4], False),
        ([5, 6, 9], [], False),
    ]
    eyes.watcher.told.clear()
    assert await eyes.news() == [], "told once"
    await agrees(house, eyes.view)


async def test_what_changes_nothing_has_no_modseq(house: House, eyes: Eyes) -> None:
    await store(house, eyes.view, [2], bits=SEEN)
    eyes.watcher.told.clear()
    await store(house, eyes.view, [2], bits=SEEN)
    assert eyes.watcher.told == []
    await agrees(house, eyes.view)


@pytest.mark.parametrize("who", ["flag", "expunge", "deliver", "elsewhere"])
@pytest.mark.parametrize("looked", [False, True])
async def test_another_came_between(house: House, eyes: Eyes, who: str, *, looked: bool) -> None:
    """Before or after the STORE, and whether or not another session has looked meanwhile."""
    box, account = eyes.view.mailbox, eyes.view.account
    other = await house.mailbox(account, "other")

    async def act() -> None:
        if who == "flag":
            await house.flag(box, ((3, 3),), "-", flags=FLAGGED)
        elif who == "expunge":
            await house.expunge(box, ((4, 4),))
        elif who == "deliver":
            await house.deliver(account)
        else:
            await house.deliver(account, mailbox=other)
        if looked:
            await eyes.view.refresh()

    await store(house, eyes.view, [2, 3, 4], bits=FLAGGED, between=act())
    await agrees(house, eyes.view)
    await act()
    await store(house, eyes.view, [2, 3], "=", bits=ANSWERED)
    await agrees(house, eyes.view)


async def test_a_new_keyword_is_shown_as_it_was_written(house: House, eyes: Eyes) -> None:
    await store(house, eyes.view, [1, 2], words=("Later",))
    assert eyes.view.shown["later"] == "Later"
    await store(house, eyes.view, [3], words=("LATER",))
    assert eyes.view.wire_flags(eyes.view.sets_of([2])[0]) == b"Later"
    await agrees(house, eyes.view)


@pytest.mark.parametrize("seed", range(6))
async def test_any_order(house: House, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Commands of a session, of others, and looks, in any order and in slices."""
    monkeypatch.setattr("malleposte.store.messages.SLICE", 1 + seed % 4)
    monkeypatch.setattr("malleposte.store.messages.MAX_SETS", 3)
    chance = Random(seed)
    account, reader = await house.account(), await house.account()
    await house.fill(account, 12)
    box = inbox(account)
    await house.grant(box, reader, "lrswite")
    eyes, guest = await look(house, box), await look(house, box, reader)
    for _ in range(60):
        uids = sorted(chance.sample(list(eyes.view.uids), min(4, len(eyes.view))))
        what = chance.choice(["store"] * 6 + ["expunge", "deliver", "other", "look", "mark"])
        if what == "store":
            await store(
                house,
                eyes.view,
                uids,
                chance.choice("+-="),
                chance.choice([0, SEEN, FLAGGED, ANSWERED | SEEN]),
                tuple(chance.sample(["one", "Two", "three"], chance.randrange(3))),
                deleted=chance.random() < 0.2,
            )
        elif what == "expunge":
            gone = await house.expunge(box, tuple((uid, uid) for uid in uids[:1]))
            await eyes.view.expunged(gone.modseq, [(uid, uid) for uid in gone.uids])
        elif what == "deliver":
            await house.deliver(account)
        elif what == "other":
            await house.flag(box, tuple((uid, uid) for uid in uids), "-", flags=SEEN)
        elif what == "mark":
            await house.flag(box, tuple((uid, uid) for uid in uids), actor=reader, flags=SEEN)
        else:
            await guest.view.refresh()
    for one in (eyes, guest):
        await one.view.refresh()
        await agrees(house, one.view)
