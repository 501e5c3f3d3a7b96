"""What an actor may look up of others' accounts: found in slices, however much there is, and kept up to
date by what changed."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from malleposte.store import alone
from malleposte.store.commands import DeleteMailbox, RenameMailbox, SetRights
from malleposte.store.dialect import Row
from malleposte.store.read import changes, estates, mailboxes, outlines, rights, sharers
from malleposte.store.read.changes import Snapshot
from malleposte.store.read.estates import Estate
from malleposte.store.results import Done
from support.shared import may_look_up
from support.store import House, inbox


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of two and three: their edges fall everywhere."""
    for module, name in ((outlines, "_SLICE"), (rights, "_HELD"), (mailboxes, "_SLICE")):
        text = getattr(module, name).replace("LIMIT 1000", "LIMIT 3")
        monkeypatch.setattr(module, name, text)
    for module in (outlines, rights, mailboxes):
        monkeypatch.setattr(module, "AT_ONCE", 3)
    monkeypatch.setattr(estates, "_ALL", estates._ALL.replace("LIMIT 1000", "LIMIT 2"))
    monkeypatch.setattr(estates, "AT_ONCE", 2)
    monkeypatch.setattr(sharers, "_SHARING", sharers._SHARING.replace("< 500", "< 2"))
    monkeypatch.setattr(sharers, "AT_ONCE", 2)


async def seen(house: House, actor: int) -> dict[int, tuple[str, str]]:
    """What an actor may look up, from the reads that lists are made of: full name and letters by mailbox,
    accounts by address."""
    reader = house.store.reader
    found: dict[int, tuple[str, str]] = {}
    for few in outlines.together(await sharers.sharing(reader, actor)):
        rows: list[Row] = []
        while True:
            more = await outlines.of_others(reader, actor, few, rows[-1][0] if rows else 0)
            rows += more
            if len(few) > 1 or len(more) < rights.AT_ONCE:
                break
        parents = {row[0]: row[1] for row in rows}
        lists = {row[0]: row[3] for row in rows if row[3] is not None}
        whole = await outlines.whole(reader, list(parents))
        for mailbox in parents:
            letters = lists.get(rights.nearest(mailbox, parents, lists), "")
            if "l" in letters:
                found[mailbox] = (whole[mailbox].path, letters)
    return found


async def expected(house: House, actor: int) -> dict[int, tuple[str, str]]:
    """The same, mailbox by mailbox."""
    looked_up = await may_look_up(house, actor)
    return {one: (box.path, letters) for one, (box, letters) in looked_up.items()}


WAYS = (1, 1, 1, 1, 2, 0, 0, 3, 3)


async def fill(house: House, actor: int) -> list[int]:
    """Accounts that share in every way: by name, with anyone, both, inherited, closed below, not at all.
    Those that do by name come first, so that the two are found at a different pace."""
    owners = [await house.account(f"owner{n}") for n in range(len(WAYS))]
    third = await house.account()
    for owner, way in zip(owners, WAYS, strict=True):
        top = await house.mailbox(owner, "top")
        middle = await house.mailbox(owner, "middle", parent=top)
        leaf = await house.mailbox(owner, "leaf", parent=middle)
        match way:
            case 0:
                await house.grant(top, 0, "lr")
                await house.grant(middle, actor, "w")
            case 1:
                await house.grant(middle, actor, "lrs")
                await house.grant(leaf, actor, "")
            case 2:
                await house.grant(inbox(owner), third, "lr")
            case _:
                await house.grant(inbox(owner), 0, "lr")
                await house.grant(top, 0, "r")
                # Above in the tree, and later by its id.
                late = await house.mailbox(owner, "late")
                await house.grant(late, actor, "lr")
                rename = RenameMailbox(actor=owner, mailbox=leaf, parent=late, path=("in",))
                await house.do(rename, Done)
    return owners


@pytest.mark.usefixtures("small")
async def test_all_that_is_shared_is_found_once_whatever_the_slices(house: House) -> None:
    actor = await house.account()
    owners = await fill(house, actor)
    everything = await expected(house, actor)
    assert len(everything) == 4 * 1 + 2 * (3 + 3)
    assert await seen(house, actor) == everything
    sharing = await sharers.sharing(house.store.reader, actor)
    there = [owner for owner, way in zip(owners, WAYS, strict=True) if way != 2]
    assert [one.account for one in sharing] == there, "by address"
    assert await sharers.some(house.store.reader, actor, there) == sharing
    whole = await outlines.whole(house.store.reader, list(everything))
    for mailbox in everything:
        assert whole[mailbox] == await _with_path(house, mailbox)
    for owner in owners:
        held = await rights.held(house.store.reader, actor, owner)
        assert {m: t for m, t in held.items() if "l" in t} == {
            m: t for m, (_, t) in everything.items() if m >> 32 == owner
        }


async def _with_path(house: House, mailbox: int) -> mailboxes.Mailbox:
    owner = mailbox >> 32
    return {box.id: box for box in await mailboxes.mailboxes(house.store.reader, owner)}[mailbox]


async def test_small_accounts_are_read_together_and_large_ones_in_slices(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Statements grow with the slices, never with mailboxes or accounts."""
    actor = await house.account()
    owners = [await house.account() for _ in range(6)]
    for owner in owners:
        await house.grant(inbox(owner), actor, "lr")
    counted = _Counted(monkeypatch, house)
    await seen(house, actor)
    assert counted.statements == 3, "who shares, all they have in few words, and these whole"
    for n in range(30):
        await house.mailbox(owners[0], f"box {n}")
    for module in (outlines, rights):
        monkeypatch.setattr(module, "AT_ONCE", 20)
    monkeypatch.setattr(outlines, "_SLICE", outlines._SLICE.replace("LIMIT 1000", "LIMIT 20"))
    counted.statements = 0
    assert len(await seen(house, actor)) == 6
    # The large one takes two slices, the five others three statements of at most 20 mailboxes.
    assert counted.statements <= 1 + (2 + 3) + (1 + 3)


async def test_one_sharer_costs_the_same_however_much_others_give(tmp_path: Path) -> None:
    """By the plan of the database: nobody's rights are walked."""
    async with alone(tmp_path) as store:
        for sql, parameters in (
            (sharers._BY_ADDRESS, ("a@example.org", 1)),
            (sharers._SHARING, (0, 1)),
        ):
            rows = await store.reader.rows(f"EXPLAIN QUERY PLAN {sql}", *parameters)
            steps = [str(row[3]) for row in rows if f"{row[3]} ".startswith("SEARCH r ")]
            assert steps, rows
            assert all("(grantee=? AND mailbox>?" in step for step in steps), steps


class _Counted:
    """How many statements a store's reader was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, house: House) -> None:
        self.statements = 0
        reader = type(house.store.reader)
        for name in ("rows", "row"):
            monkeypatch.setattr(reader, name, self._counting(getattr(reader, name)))

    def _counting(self, read: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def counted(*arguments: Any) -> Any:
            self.statements += 1
            return await read(*arguments)

        return counted


# Kept up to date ----------------------------------------------------------------------------------


class Kept:
    """An account's estate, looked at again and again."""

    def __init__(self, house: House, account: int) -> None:
        self.house = house
        self.account = account
        self.snapshot = Snapshot()
        self.estate = Estate()

    async def look(self) -> Estate:
        reader = self.house.store.reader
        self.snapshot = await changes.look(reader, self.account, self.snapshot)
        self.estate = await estates.look(reader, self.account, self.snapshot, self.estate)
        return self.estate

    async def agrees(self, *actors: int) -> None:
        """Compare with what is read mailbox by mailbox."""
        estate = await self.look()
        boxes = await mailboxes.mailboxes(self.house.store.reader, self.account)
        assert estate.paths == {box.id: box.path for box in boxes}
        for box in boxes:
            for actor in actors:
                letters = await rights.letters(self.house.store.reader, actor, box.id)
                assert estate.letters(actor, box.id) == letters, (box.path, actor)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("few", [0, 20])
async def test_an_estate_follows_every_change(
    house: House, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """``few``: lists are read all, or those of the mailboxes that changed."""
    monkeypatch.setattr(estates, "_FEW", few)
    owner, one, two = [await house.account() for _ in range(3)]
    kept = Kept(house, owner)
    await kept.agrees(one, two)
    top = await house.mailbox(owner, "top")
    middle = await house.mailbox(owner, "middle", parent=top)
    await kept.agrees(one, two)
    await house.grant(top, one, "lr")
    await kept.agrees(one, two)
    await house.grant(middle, 0, "l")
    await house.grant(middle, two, "s")
    await kept.agrees(one, two)
    leaf = await house.mailbox(owner, "leaf", parent=middle)
    await kept.agrees(one, two)
    away = RenameMailbox(actor=owner, mailbox=leaf, parent=top, path=("other",))
    await house.do(away, Done)
    await kept.agrees(one, two)
    for grantee in (0, one, two):
        await house.grant(middle, grantee, "")
    await kept.agrees(one, two)
    assert middle in kept.estate.lists, "an empty list is one"
    await house.do(DeleteMailbox(actor=owner, mailbox=middle), Done)
    await kept.agrees(one, two)
    assert middle not in kept.estate.lists


async def test_mail_that_comes_costs_what_it_concerns(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists and names are the same objects, so that whoever built on them keeps what he has; and of the
    mailboxes only the one that changed is another."""
    owner, one = await house.account(), await house.account()
    for n in range(5):
        await house.grant(await house.mailbox(owner, f"box {n}"), one, "lr")
    kept = Kept(house, owner)
    before = await kept.look()
    assert await kept.look() is before
    await house.deliver(owner)
    rows: list[int] = []
    reader = type(house.store.reader)
    read = reader.rows

    async def counted(*arguments: Any) -> Any:
        found = await read(*arguments)
        rows.append(len(found))
        return found

    monkeypatch.setattr(reader, "rows", counted)
    after = await kept.look()
    assert sum(rows) <= 2, "the mailbox, and its list if there is one"
    assert (after.lists, after.paths) == (before.lists, before.paths)
    assert after.lists is before.lists
    assert after.paths is before.paths
    different = {
        m for m, box in after.snapshot.boxes.items() if before.snapshot.boxes[m] is not box
    }
    assert different == {inbox(owner)}
    await house.do(
        SetRights(actor=owner, mailbox=inbox(owner), grantee=one, letters="lr"),
        Done,
    )
    assert (await kept.look()).lists is not before.lists
