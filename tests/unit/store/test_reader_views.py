r"""Views of others' mailboxes: each reader's own \Seen, and rights that change under an open view."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from malleposte.store import alone
from malleposte.store.commands import (
    Copy,
    DeleteAccount,
    DeleteMailbox,
    PurgeAccount,
    RenameMailbox,
    SweepTombstones,
)
from malleposte.store.dialect import Dialect, Reader, Row, Sql
from malleposte.store.flags import FLAGGED, SEEN
from malleposte.store.marks import _MARKED_BY
from malleposte.store.messages import Messages
from malleposte.store.read import mailboxes as read
from malleposte.store.read.rights import ALL
from malleposte.store.results import Done
from malleposte.store.sqlite import Sqlite
from malleposte.store.unread import Unread
from malleposte.store.view import View
from support.store import House, inbox
from support.views import look, shared


async def test_a_readers_seen_shows_to_that_reader_alone(house: House) -> None:
    box, one, two = await shared(house)
    eyes = [await look(house, box, who) for who in (0, one, two)]
    answer = await house.flag(box, ((2, 2),), actor=one, flags=SEEN)
    owners, ones, twos = eyes
    assert await ones.news() == [([], [2], False)]
    assert (await owners.news(), await twos.news()) == ([], [])
    assert ones.seen == [False, True, False]
    assert owners.seen == twos.seen == [False] * 3
    assert ones.view.modseqs[1] == answer.modseq
    assert owners.view.modseqs[1] == twos.view.modseqs[1] < answer.modseq
    # A view made now shows the same.
    fresh = View(Messages(house.store.reader, house.store.clock, box), one)
    await fresh.refresh()
    assert (fresh.sets, fresh.modseqs) == (ones.view.sets, ones.view.modseqs)
    assert fresh.highest == ones.view.highest >= answer.modseq


async def test_the_owners_seen_shows_to_a_reader_who_said_nothing(house: House) -> None:
    box, one, two = await shared(house)
    await house.flag(box, ((1, 1),), actor=one, flags=SEEN)
    ones, twos = await look(house, box, one), await look(house, box, two)
    await house.flag(box, ((1, 3),), flags=SEEN)
    assert await twos.news() == [([], [1, 2, 3], False)]
    assert await ones.news() == [([], [2, 3], False)]
    await house.flag(box, ((1, 3),), "-", flags=SEEN)
    assert await ones.news() == [([], [2, 3], False)]
    assert await twos.news() == [([], [1, 2, 3], False)]
    assert (ones.seen, twos.seen) == ([True, False, False], [False] * 3)
    assert ones.view.modseqs[0] == twos.view.modseqs[0], "the email changed, for all"


async def test_a_reader_unsees_what_the_owner_has_seen(house: House) -> None:
    box, one, two = await shared(house)
    await house.flag(box, flags=SEEN)
    ones, twos = await look(house, box, one), await look(house, box, two)
    await house.flag(box, ((3, 3),), "-", actor=one, flags=SEEN)
    assert await ones.news() == [([], [3], False)]
    assert ones.seen == [True, True, False]
    assert await twos.news() == []
    # And sees it again: the row that agrees with the owner still tells of it.
    await house.flag(box, ((3, 3),), "+", actor=one, flags=SEEN)
    assert await ones.news() == [([], [3], False)]


async def test_other_flags_are_everybodys(house: House) -> None:
    box, one, _ = await shared(house)
    owners, ones = await look(house, box), await look(house, box, one)
    await house.flag(box, ((1, 1),), actor=one, flags=SEEN | FLAGGED, keywords=("k",))
    assert await owners.news() == [([], [1], False)]
    assert await ones.news() == [([], [1], False)]
    assert owners.view.flags_at(0) == (FLAGGED, "k", 0)
    assert ones.view.flags_at(0) == (FLAGGED | SEEN, "k", 0)
    assert ones.view.modseqs[0] == owners.view.modseqs[0]


async def test_a_mark_is_the_emails_wherever_it_is(house: House) -> None:
    owner, reader = await house.account(), await house.account()
    box, other = inbox(owner), await house.mailbox(owner, "other")
    late_box = await house.mailbox(owner, "late")
    await house.fill(owner, 2)
    # One list of rights: else a copy is an email of its own.
    for mailbox in (box, other, late_box):
        await house.grant(mailbox, reader, "lrs")
    await house.copy(box, other, ((2, 2),))
    eyes = await look(house, other, reader)
    await house.flag(box, actor=reader, flags=SEEN)
    assert await eyes.news() == [([], [1], False)]
    late = await look(house, late_box, reader)
    await house.copy(box, late.view.mailbox)
    assert await late.news() == [([], [], True)]
    assert late.seen == [True, True]


@pytest.mark.parametrize("slice_", [1, 2, 3])
async def test_in_slices(house: House, monkeypatch: pytest.MonkeyPatch, slice_: int) -> None:
    monkeypatch.setattr("malleposte.store.messages.SLICE", slice_)
    box, one, two = await shared(house, 5)
    ones = await look(house, box, one)
    await house.flag(box, ((1, 3),), actor=one, flags=SEEN)
    await house.flag(box, ((2, 4),), flags=FLAGGED)
    await house.flag(box, ((4, 5),), actor=one, flags=SEEN)
    await house.flag(box, ((5, 5),), "-", actor=one, flags=SEEN)
    await house.flag(box, ((1, 2),), actor=two, flags=SEEN)
    await house.fill(box >> 32, 3)
    await ones.news()
    fresh = View(Messages(house.store.reader, house.store.clock, box), one)
    await fresh.refresh()
    for view in (ones.view, fresh):
        assert [view.flags_at(at)[0] for at in range(8)] == [1, 5, 5, 5, 0, 0, 0, 0]
    assert ones.view.modseqs == fresh.modseqs


async def test_a_view_too_old_to_be_advanced_is_made_anew(house: House) -> None:
    box, one, _ = await shared(house)
    ones = await look(house, box, one)
    await house.flag(box, ((1, 1),), actor=one, flags=SEEN)
    await house.expunge(box, ((2, 2),))
    await house.do(SweepTombstones(account=box >> 32, upto=1 << 40), Done)
    assert await ones.news() == [([2], [1], False)]
    assert ones.seen == [True, False]


async def test_what_is_gone_is_shown_as_the_reader_saw_it(house: House) -> None:
    """Until a session is told of an EXPUNGE it may fetch the flags of what is gone."""
    box, one, two = await shared(house)
    await house.flag(box, ((1, 1),), actor=one, flags=SEEN, keywords=("k",))
    await house.flag(box, ((2, 2),), flags=SEEN)
    eyes = [await look(house, box, who) for who in (0, one, two)]
    numbers = list(eyes[0].view.emails)
    await house.expunge(box)
    rows = [{row[0]: row[1:] for row in await e.view.flags_of(numbers)} for e in eyes]
    assert [[found[n][0] for n in numbers] for found in rows] == [[0, 1, 0], [1, 1, 0], [0, 1, 0]]
    assert [found[numbers[0]][1] for found in rows] == ["k"] * 3
    assert rows[0] == rows[2], "modseqs too"
    assert await eyes[1].view.flags_of([4711]) == []


async def test_one_view_for_all_sessions_of_a_reader(house: House) -> None:
    box, one, two = await shared(house)
    views = house.store.views
    assert await views.open(box, one) is await views.open(box, one)
    assert await views.open(box, one) is not await views.open(box, two)
    assert await views.open(box, box >> 32) is await views.open(box)


async def test_a_readers_marks_are_found_at_once(tmp_path: Path) -> None:
    """By reader, account and modseq, whatever else that reader has marked."""
    async with alone(tmp_path):
        db = Sqlite(tmp_path / "store.db", writable=False)
        try:
            plan = db.connection.execute(f"EXPLAIN QUERY PLAN {_MARKED_BY}", (1,) * 6).fetchall()
        finally:
            db.close()
    steps = [str(row[3]) for row in plan]
    found = "reader_seen_changed (reader=? AND <expr>=? AND (modseq,email)>"
    assert any(found in step for step in steps), steps


# Rights -------------------------------------------------------------------------------------------

Change = Callable[[House, int, int], Awaitable[Any]]


async def test_the_owners_view_holds_all(house: House) -> None:
    box, one, _ = await shared(house)
    assert (await house.store.views.open(box)).letters == ALL
    assert (await house.store.views.open(box, one)).letters == "lrswite"


TAKEN: dict[str, tuple[Change, str]] = {
    "some": (lambda h, box, who: h.grant(box, who, "lr"), "lr"),
    "all": (lambda h, box, who: h.grant(box, who, ""), ""),
    "more": (lambda h, box, who: h.grant(box, who, "lrswitea"), "lrswitea"),
    "the account": (lambda h, box, _: h.do(DeleteAccount(account=box >> 32), Done), ""),
}


@pytest.mark.parametrize("name", TAKEN)
async def test_a_right_that_is_taken_away_is_noticed(house: House, name: str) -> None:
    change, letters = TAKEN[name]
    box, one, two = await shared(house)
    ones, twos = await look(house, box, one), await look(house, box, two)
    await change(house, box, one)
    assert (await ones.news(), await twos.news()) == ([], [])
    assert ones.view.letters == letters
    if name != "the account":
        assert twos.view.letters == "lrswite"


async def test_rights_change_with_what_stands_above(house: House) -> None:
    owner, reader = await house.account(), await house.account()
    top = await house.mailbox(owner, "top")
    box = await house.mailbox(owner, "box", parent=top)
    await house.grant(top, reader, "lr")
    eyes = await look(house, box, reader)
    assert eyes.view.letters == "lr"
    await house.grant(top, reader, "l")
    await eyes.news()
    assert eyes.view.letters == "l"
    await house.do(RenameMailbox(actor=0, mailbox=box, parent=0, path=("box",)), Done)
    await eyes.news()
    assert eyes.view.letters == ""


async def test_nobody_has_rights_in_what_is_gone(house: House) -> None:
    owner, reader = await house.account(), await house.account()
    box = await house.mailbox(owner, "x")
    await house.grant(box, reader, "lr")
    view = await house.store.views.open(box, reader)
    await house.do(DeleteMailbox(actor=0, mailbox=box, recoverable_until=0), Done)
    await view.refresh()
    assert view.gone
    assert view.letters == ""
    await house.do(DeleteAccount(account=owner), Done)
    await house.do(PurgeAccount(account=owner), Done)
    assert (await house.store.views.open(inbox(owner), reader)).gone


# Counts -------------------------------------------------------------------------------------------


async def unseen(house: House, actor: int, box: int) -> int:
    """How many messages of a mailbox somebody (0: its owner) has not read."""
    count = (await house.info(box)).unseen
    if actor:
        found = await read.unseen_differences(house.store.reader, actor, {box >> 32})
        count += found.get(box, 0)
    return count


@pytest.mark.parametrize("slice_", [1, 2, 4_000])
async def test_each_reader_has_a_count(
    house: House, monkeypatch: pytest.MonkeyPatch, slice_: int
) -> None:
    monkeypatch.setattr("malleposte.store.read.mailboxes.MARKS", slice_)
    box, one, two = await shared(house, 4)
    other = await house.mailbox(box >> 32, "other")
    for reader in (one, two):
        await house.grant(other, reader, "lrswite")
    await house.flag(box, ((1, 3),), actor=one, flags=SEEN)
    await house.flag(box, ((3, 4),), flags=SEEN)
    await house.flag(box, ((4, 4),), "-", actor=two, flags=SEEN)
    await house.copy(box, other, ((1, 4),))
    await house.expunge(box, ((2, 2),))
    for mailbox, counts in ((box, (1, 0, 2)), (other, (2, 0, 3))):
        assert tuple([await unseen(house, who, mailbox) for who in (0, one, two)]) == counts
        for who in (0, one, two):
            eyes = await look(house, mailbox, who)
            assert eyes.seen.count(False) == await unseen(house, who, mailbox)


async def test_nothing_is_counted_where_nothing_was_said(house: House) -> None:
    box, one, _ = await shared(house)
    reader = house.store.reader
    assert await read.unseen_differences(reader, one, {box >> 32}) == {}
    await house.flag(box, ((1, 1),), actor=one, flags=SEEN)
    assert await read.unseen_differences(reader, one, {4711}) == {}
    await house.flag(box, ((1, 1),), flags=SEEN)
    assert await read.unseen_differences(reader, one, {box >> 32}) == {}, "they agree"


@pytest.mark.parametrize("slice_", [1, 2, 3, 4_000])
async def test_marks_in_many_accounts_are_counted_together(
    house: House, monkeypatch: pytest.MonkeyPatch, slice_: int
) -> None:
    monkeypatch.setattr("malleposte.store.read.mailboxes.MARKS", slice_)
    owners = [await house.account() for _ in range(3)]
    reader = await house.account()
    for n, owner in enumerate(owners, 1):
        await house.fill(owner, n + 1)
        await house.grant(inbox(owner), reader, "lrs")
        await house.flag(inbox(owner), ((1, n),), actor=reader, flags=SEEN)
    found = await read.unseen_differences(house.store.reader, reader, set(owners[1:]))
    assert found == {inbox(owner): -n for n, owner in enumerate(owners, 1) if n > 1}
    assert [await unseen(house, reader, inbox(owner)) for owner in owners] == [1, 1, 1]


class Counting:
    """A reader that counts its statements."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.dialect: Dialect = reader.dialect
        self.asked = 0

    async def rows(self, sql: str | Sql, *parameters: Any) -> list[Row]:
        self.asked += 1
        return await self._reader.rows(sql, *parameters)

    async def row(self, sql: str | Sql, *parameters: Any) -> Row | None:
        self.asked += 1
        return await self._reader.row(sql, *parameters)


async def test_counts_are_remembered_while_nothing_changes(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs ask for many mailboxes one by one: each time one look at the head is enough."""
    box, one, two = await shared(house)
    other, _, _ = await shared(house)
    await house.grant(other, one, "lrs")
    await house.flag(box, ((1, 2),), actor=one, flags=SEEN)
    await house.flag(other, ((3, 3),), actor=one, flags=SEEN)
    reader = Counting(house.store.reader)
    unread = Unread(reader)
    accounts = (box >> 32, other >> 32)

    async def ask(who: int, *which: int) -> tuple[dict[int, int], int]:
        before = reader.asked
        return await unread.differences(who, which), reader.asked - before

    assert await ask(one, *accounts) == ({box: -2, other: -1}, 2)
    assert await ask(one, *accounts) == ({box: -2, other: -1}, 1)
    assert await ask(one, accounts[1]) == ({other: -1}, 1)
    assert await ask(two, accounts[0]) == ({}, 2)
    await house.flag(box, ((1, 1),), flags=SEEN)
    assert await ask(one, *accounts) == ({box: -1, other: -1}, 2)
    await house.flag(box, ((2, 2),), "-", actor=one, flags=SEEN)
    assert await ask(one, *accounts) == ({other: -1}, 2)
    assert await ask(one, 4711) == ({}, 1), "no such account"
    monkeypatch.setattr("malleposte.store.unread.KEPT", 1)
    assert await ask(one, *accounts) == ({other: -1}, 1)
    assert await ask(one, *accounts) == ({other: -1}, 2), "one was forgotten"


# Messages a reader puts there or takes along ------------------------------------------------------


async def test_what_a_reader_brings_only_the_reader_has_read(house: House) -> None:
    box, one, two = await shared(house, 0)
    await house.append(box, actor=one, flags=SEEN | FLAGGED)
    await house.append(inbox(one), flags=SEEN)
    await house.copy(inbox(one), box, actor=one)
    seen = [(await look(house, box, who)).seen for who in (0, one, two)]
    assert seen == [[False] * 2, [True] * 2, [False] * 2]
    assert (await house.info(box)).unseen == 2


async def test_a_copy_to_ones_own_mailbox_is_seen_as_one_saw_it(house: House) -> None:
    r"""The owner's \Seen is not the reader's: RFC 9051 §6.4.7 keeps the flags the client sees."""
    box, one, _ = await shared(house)
    await house.flag(box, ((1, 2),), flags=SEEN)
    await house.flag(box, ((2, 2),), "-", actor=one, flags=SEEN)
    await house.flag(box, ((3, 3),), actor=one, flags=SEEN)
    await house.copy(box, inbox(one), actor=one)
    assert (await look(house, inbox(one))).seen == [True, False, True]
    assert await house.value("SELECT count(*) FROM reader_seen WHERE email >> 32 = $1", one) == 0


@pytest.mark.parametrize("letters", ["lri", "lris", "lriw", "lrisw"])
async def test_a_second_copy_beside_the_first(house: House, letters: str) -> None:
    """In the same account: its owner's flags as far as the actor may set them, and each one's Seen."""
    box, one, two = await shared(house, 2)
    await house.flag(box, ((1, 1),), flags=SEEN | FLAGGED, keywords=("k",))
    await house.flag(box, ((2, 2),), actor=one, flags=SEEN)
    await house.grant(box, one, letters)
    await house.copy(box, box, actor=one)
    assert (await look(house, box)).seen == [True, False, True, False]
    assert (await look(house, box, two)).seen == [True, False, True, False]
    assert (await look(house, box, one)).seen == [True, True, True, "s" in letters]
    twin = await house.email(box, 3)
    assert (twin["flags"], twin["keywords"]) == ((5, "k") if "w" in letters else (1, None))


async def test_a_move_between_accounts_is_copy_then_expunge(house: House) -> None:
    """Design §3: a crash between may double, never lose."""
    box, one, _ = await shared(house, 2)
    await house.append(inbox(one), data=b"going", keywords=("mine",))
    await house.copy(inbox(one), box, actor=one)
    used = "SELECT used_bytes, used_emails FROM account_head WHERE account = $1"
    assert (await house.rows(used, one))[0] == (5, 1), "both have it"
    await house.expunge(inbox(one))
    assert await house.uids(inbox(one)) == []
    assert (await house.rows(used, one))[0] == (0, 0)
    email = await house.email(box, 3)
    assert await house.bytes_of(email["id"]) == b"going"
    assert email["keywords"] == "mine"
    words = await house.rows("SELECT name FROM keyword WHERE account = $1", box >> 32)
    assert words == [("mine",)], "keywords are the owner's"


async def test_what_is_put_into_anothers_mailbox_counts_there(house: House) -> None:
    owner, reader = await house.account(quota=100), await house.account()
    await house.grant(inbox(owner), reader, "lri")
    await house.append(inbox(owner), actor=reader, data=b"x" * 60)
    await house.append(inbox(reader), data=b"y" * 60)
    assert await house.rows("SELECT used_bytes FROM account_head ORDER BY account") == [
        (60,),
        (60,),
    ]
    command = Copy(actor=reader, mailbox=inbox(reader), uids=((1, 1),), target=inbox(owner))
    assert await house.refused(command) == "over-quota"
