"""Rights: letters, who holds them by nature, lists and what they inherit, how lists are changed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from malleposte.store.commands import (
    SYSTEM,
    AnyCommand,
    AppendAll,
    Copy,
    CreateMailbox,
    DeleteAccount,
    DeleteMailbox,
    Expunge,
    PurgeAccount,
    RenameMailbox,
    SetAccount,
    SetRights,
    StoreFlags,
    Subscribe,
)
from malleposte.store.flags import FLAGGED, SEEN
from malleposte.store.read import rights as read
from malleposte.store.read.mailboxes import subscriptions
from malleposte.store.read.rights import ALL, Grant, Grants, letters, may
from malleposte.store.read.sharers import Sharer, sharer, sharing
from malleposte.store.results import Copied, Created, Done, Refused, Stored
from support.store import ALL as ALL_UIDS
from support.store import House, append, inbox


async def held(house: House, actor: int, mailbox: int) -> str:
    return await letters(house.store.reader, actor, mailbox)


async def listed(house: House, mailbox: int) -> dict[int, str]:
    """The list that counts for a mailbox."""
    return {g.grantee: g.letters for g in (await read.grants(house.store.reader, mailbox)).entries}


async def source(house: House, mailbox: int) -> int:
    return (await read.grants(house.store.reader, mailbox)).mailbox


async def tree(house: House, account: int) -> tuple[int, int, int]:
    """Three mailboxes, one below the other."""
    top = await house.mailbox(account, "top")
    middle = await house.mailbox(account, "middle", parent=top)
    return top, middle, await house.mailbox(account, "leaf", parent=middle)


async def elsewhere(house: House, account: int) -> None:
    """Put an account into another organisation; nothing does that, so fsck may not like it."""
    await house.damage("INSERT INTO organisation (id, name, created_at) VALUES (77, 'them', 1)")
    await house.damage("UPDATE account SET organisation = 77 WHERE id = $1", account)


# Who holds what -----------------------------------------------------------------------------------


async def test_the_owner_and_the_system_hold_every_right(house: House) -> None:
    account, other = await house.account(), await house.account()
    assert await held(house, account, inbox(account)) == ALL
    assert await held(house, SYSTEM, inbox(account)) == ALL
    assert await held(house, other, inbox(account)) == ""
    assert not await may(house.store.reader, other, inbox(account), "l")


async def test_the_owner_keeps_every_right_whatever_is_set(house: House) -> None:
    account, other = await house.account(), await house.account()
    await house.grant(inbox(account), other, "lra")
    command = SetRights(actor=other, mailbox=inbox(account), grantee=account, letters="l")
    assert (await house.do(command, Done)).modseq == 0
    assert await held(house, account, inbox(account)) == ALL
    assert await listed(house, inbox(account)) == {other: "lra"}, "the owner is in no list"


async def test_letters_are_kept_in_order_and_without_what_is_none(house: House) -> None:
    account, other = await house.account(), await house.account()
    await house.grant(inbox(account), other, "rzlr?s")
    assert await held(house, other, inbox(account)) == "lrs"
    await house.grant(inbox(account), other, "")
    assert await held(house, other, inbox(account)) == ""
    assert await listed(house, inbox(account)) == {}


async def test_anyones_rights_add_up_with_ones_own(house: House) -> None:
    account, other, third = [await house.account() for _ in range(3)]
    await house.grant(inbox(account), 0, "lr")
    await house.grant(inbox(account), other, "sw")
    assert await held(house, other, inbox(account)) == "lrsw"
    assert await held(house, third, inbox(account)) == "lr"


@pytest.mark.parametrize("who", ["owner", "reader"])
async def test_nothing_is_shared_between_organisations(house: House, who: str) -> None:
    """Anyone is anyone of the owner's organisation."""
    account, other = await house.account(), await house.account()
    await house.grant(inbox(account), 0, "lr")
    await house.grant(inbox(account), other, "lrs")
    await elsewhere(house, account if who == "owner" else other)
    reader = house.store.reader
    assert await held(house, other, inbox(account)) == ""
    assert await read.held(reader, other, account) == {}
    assert await sharing(reader, other) == []
    address = await house.value("SELECT address FROM account WHERE id = $1", account)
    assert await sharer(reader, other, address) is None


# Inheritance --------------------------------------------------------------------------------------


async def test_rights_are_inherited_from_the_nearest_above(house: House) -> None:
    account, other = await house.account(), await house.account()
    top, middle, leaf = await tree(house, account)
    await house.grant(top, other, "lr")
    assert await held(house, other, leaf) == "lr"
    await house.grant(middle, other, "l")
    assert await held(house, other, leaf) == "l"
    assert await held(house, other, top) == "lr"
    assert await held(house, other, inbox(account)) == ""
    assert [await source(house, m) for m in (top, middle, leaf, inbox(account))] == [
        top,
        middle,
        middle,
        0,
    ]


async def test_a_mailbox_that_departs_begins_with_what_it_inherited(house: House) -> None:
    """Decision 0012: nobody gains or loses anything but the one who is named."""
    account, one, two, three = [await house.account() for _ in range(4)]
    top, middle, leaf = await tree(house, account)
    await house.grant(top, one, "lrs")
    await house.grant(top, 0, "l")
    await house.grant(middle, two, "lr")
    assert await listed(house, leaf) == {0: "l", one: "lrs", two: "lr"}
    assert await held(house, three, middle) == "l"
    # From now on the upper one's list is another matter.
    await house.grant(top, three, "lr")
    await house.grant(top, one, "")
    assert await listed(house, middle) == {0: "l", one: "lrs", two: "lr"}
    assert await listed(house, top) == {0: "l", three: "lr"}


async def test_the_last_one_taken_from_a_list_leaves_an_empty_list(house: House) -> None:
    """Else taking a right away would give others what stands above."""
    account, one, two = [await house.account() for _ in range(3)]
    top, middle, leaf = await tree(house, account)
    await house.grant(top, one, "lr")
    await house.grant(middle, one, "")
    assert await source(house, leaf) == middle
    assert await held(house, one, leaf) == ""
    await house.grant(middle, two, "lr")
    await house.grant(middle, two, "")
    await house.grant(top, two, "lr")
    assert await read.grants(house.store.reader, leaf) == Grants(middle, ())
    assert await held(house, two, leaf) == ""


async def test_a_list_outlives_its_last_grantee(house: House) -> None:
    account, one, two = [await house.account() for _ in range(3)]
    top, middle, _ = await tree(house, account)
    await house.grant(middle, one, "lr")
    await house.grant(top, two, "lr")
    await house.do(DeleteAccount(account=one), Done)
    assert await held(house, two, middle) == ""


async def test_a_mailbox_without_a_list_follows_its_place(house: House) -> None:
    account, other = await house.account(), await house.account()
    top, _, leaf = await tree(house, account)
    await house.grant(top, other, "lr")
    away = RenameMailbox(actor=account, mailbox=leaf, parent=0, path=("leaf",))
    await house.do(away, Done)
    assert await held(house, other, leaf) == ""
    back = RenameMailbox(actor=account, mailbox=leaf, parent=top, path=("leaf",))
    await house.do(back, Done)
    assert await held(house, other, leaf) == "lr"
    command = CreateMailbox(actor=account, account=account, parent=top, path=("new", "er"))
    assert await held(house, other, (await house.do(command, Created)).id) == "lr"


async def test_all_readings_agree(house: House) -> None:
    """``held`` of an account is ``letters`` of each of its mailboxes."""
    account, one, two = [await house.account() for _ in range(3)]
    top, middle, leaf = await tree(house, account)
    await house.grant(top, one, "lrs")
    await house.grant(middle, 0, "l")
    await house.grant(middle, one, "")
    await house.grant(inbox(account), two, "lrw")
    await house.grant(leaf, two, "p")
    reader = house.store.reader
    mailboxes = [
        row[0] for row in await house.rows("SELECT id FROM mailbox WHERE account = $1", account)
    ]
    for actor in (one, two, account):
        expected = {m: await held(house, actor, m) for m in mailboxes}
        assert await read.held(reader, actor, account) == {m: t for m, t in expected.items() if t}
    assert set(await read.held(reader, one, account)) == {top, middle, leaf}


# Who shares ---------------------------------------------------------------------------------------


async def test_who_shares_with_whom(house: House) -> None:
    boss, team, me, other = [await house.account(n) for n in ("boss", "a-team", "me", "other")]
    assert await sharing(house.store.reader, me) == []
    await house.damage("UPDATE account SET kind = 'shared' WHERE id = $1", team)
    house.damaged = False
    await house.grant(inbox(boss), me, "lr")
    await house.grant(await house.mailbox(boss, "x"), me, "lr")
    await house.grant(inbox(team), 0, "l")
    await house.grant(inbox(me), other, "l")
    teams = Sharer(team, "a-team@example.org", "shared")
    bosss = Sharer(boss, "boss@example.org", "person")
    assert await sharing(house.store.reader, me) == [teams, bosss]
    assert await sharing(house.store.reader, boss) == [teams]
    for who, address, found in (
        (me, "boss@example.org", bosss),
        (boss, "a-team@example.org", teams),
        (me, "other@example.org", None),
        (me, "me@example.org", None),
        (me, "nobody@example.org", None),
        (team, "boss@example.org", None),
    ):
        assert await sharer(house.store.reader, who, address) == found
    assert await sharing(house.store.reader, team) == []


async def test_a_suspended_owners_mailboxes_stay_open_a_deleted_ones_do_not(house: House) -> None:
    owner, me = await house.account("owner", role="helpdesk"), await house.account()
    await house.grant(inbox(owner), me, "lr")
    await house.do(SetAccount(account=owner, status="suspended"), Done)
    assert await held(house, me, inbox(owner)) == "lr"
    assert [s.account for s in await sharing(house.store.reader, me)] == [owner]
    await house.do(DeleteAccount(account=owner), Done)
    assert await held(house, me, inbox(owner)) == ""
    assert await read.held(house.store.reader, me, owner) == {}
    assert await sharing(house.store.reader, me) == []
    assert await sharer(house.store.reader, me, "owner@example.org") is None


async def test_a_list_names_its_grantees(house: House) -> None:
    owner, me = await house.account(), await house.account("me")
    await house.grant(inbox(owner), me, "lr")
    await house.grant(inbox(owner), 0, "l")
    assert await read.grants(house.store.reader, inbox(owner)) == Grants(
        inbox(owner), (Grant(0, "", "l"), Grant(me, "me@example.org", "lr"))
    )
    assert await read.grants(house.store.reader, owner << 32 | 99) == Grants(0, ())


# Changing them ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "letters_", "after"),
    [
        ("=", "lk", "lk"),
        ("=", "", ""),
        ("+", "kr", "lrsk"),
        ("+", "", "lrs"),
        ("-", "rk", "ls"),
        ("-", "lrs", ""),
        ("-", "", "lrs"),
    ],
)
async def test_modes(house: House, mode: str, letters_: str, after: str) -> None:
    """RFC 4314 §3.1: in place, besides, without."""
    account, other = await house.account(), await house.account()
    await house.grant(inbox(account), other, "lrs")
    command = SetRights(
        actor=account, mailbox=inbox(account), grantee=other, letters=letters_, mode=mode
    )
    await house.do(command, Done)
    assert await held(house, other, inbox(account)) == after


async def test_adding_adds_to_what_is_inherited(house: House) -> None:
    account, other = await house.account(), await house.account()
    top, middle, _ = await tree(house, account)
    await house.grant(top, other, "lr")
    command = SetRights(actor=account, mailbox=middle, grantee=other, letters="w", mode="+")
    await house.do(command, Done)
    assert await held(house, other, middle) == "lrw"
    assert await held(house, other, top) == "lr"


async def test_what_changes_nothing_costs_no_modseq_and_no_list(house: House) -> None:
    account, other = await house.account(), await house.account()
    top, middle, _ = await tree(house, account)
    await house.grant(top, other, "lr")
    before = await house.snapshot()
    for mode, text in (("=", "lr"), ("+", "l"), ("-", "s")):
        command = SetRights(actor=account, mailbox=middle, grantee=other, letters=text, mode=mode)
        assert (await house.do(command, Done)).modseq == 0
    assert await house.snapshot() == before
    assert await source(house, middle) == top


async def test_only_who_administers_may_set_rights(house: House) -> None:
    account, other, third = [await house.account() for _ in range(3)]
    command = SetRights(actor=other, mailbox=inbox(account), grantee=third, letters="lr")
    await house.grant(inbox(account), other, "lrswipkxte")
    assert await house.refused(command) == "no-rights"
    await house.grant(inbox(account), other, "a")
    assert await house.refused(command) == "no-such-mailbox", "RFC 4314 §6: it is not there"
    await house.grant(inbox(account), other, "la")
    await house.do(command, Done)
    assert await held(house, third, inbox(account)) == "lr"


async def test_a_refusal_says_what_is_missing(house: House) -> None:
    account, other = await house.account(), await house.account()
    await house.grant(inbox(account), other, "lr")
    command = SetRights(actor=other, mailbox=inbox(account), grantee=other, letters="lrs")
    answer = await house.do(command, Refused)
    assert answer.text == "you may not see or change who may use this mailbox (right a)"


@pytest.mark.parametrize("who", ["nobody", "deleted", "of another organisation"])
async def test_one_shares_with_accounts_of_ones_organisation(house: House, who: str) -> None:
    account, other = await house.account(), await house.account()
    grantee = other
    match who:
        case "nobody":
            grantee = other + 70
        case "deleted":
            await house.do(DeleteAccount(account=other), Done)
        case _:
            await elsewhere(house, other)
    command = SetRights(actor=account, mailbox=inbox(account), grantee=grantee, letters="lr")
    assert await house.refused(command) == "no-such-account"


async def test_what_is_left_of_one_who_moved_away_can_be_taken_away(house: House) -> None:
    account, other = await house.account(), await house.account()
    await house.grant(inbox(account), other, "lr")
    await elsewhere(house, other)
    await house.grant(inbox(account), other, "")
    assert await listed(house, inbox(account)) == {}


async def test_a_list_is_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("malleposte.store.execute.giving.MAX_GRANTS", 1)
    account, one, two = [await house.account() for _ in range(3)]
    await house.grant(inbox(account), one, "lr")
    command = SetRights(actor=account, mailbox=inbox(account), grantee=two, letters="lr")
    assert await house.refused(command) == "limit"
    await house.grant(inbox(account), one, "lrs")


@pytest.fixture
def five(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account gives rights five times at most."""
    monkeypatch.setattr("malleposte.store.execute.rights.MAX_GIVEN", 5)


def _gives(account: int, mailbox: int, grantee: int, text: str = "lr") -> SetRights:
    return SetRights(actor=account, mailbox=mailbox, grantee=grantee, letters=text)


@pytest.mark.usefixtures("five")
async def test_what_an_account_gives_is_bounded_whatever_the_mailboxes(house: House) -> None:
    account, other, *grantees = [await house.account() for _ in range(5)]
    boxes = [await house.mailbox(account, f"box {n}") for n in range(4)]
    for box in boxes[:2]:
        for grantee in (0, grantees[0]):
            await house.grant(box, grantee, "lr")
    await house.grant(boxes[2], 0, "lr")
    assert await house.refused(_gives(account, boxes[2], grantees[1])) == "limit"
    assert await house.refused(_gives(account, boxes[3], 0)) == "limit"
    answer = await house.do(_gives(account, boxes[3], 0), Refused)
    assert "5 times at most" in answer.text
    assert "take some away" in answer.text
    # Others' accounts are others'; who has some may have more or less, and what is taken makes room.
    await house.do(_gives(other, inbox(other), grantees[1]), Done)
    await house.do(_gives(account, boxes[2], 0, "lrs"), Done)
    await house.do(_gives(account, boxes[2], 0, "l"), Done)
    await house.do(_gives(account, boxes[0], 0, ""), Done)
    await house.do(_gives(account, boxes[3], grantees[1]), Done)


@pytest.mark.usefixtures("five")
async def test_copies_of_lists_count(house: House) -> None:
    """The first change of a mailbox that inherits takes all from above along; a list that is only followed
    costs nothing."""
    account, *grantees = [await house.account() for _ in range(4)]
    top, middle, leaf = await tree(house, account)
    for grantee in grantees:
        await house.grant(top, grantee, "lr")
    assert await house.refused(_gives(account, middle, 0)) == "limit"
    assert await house.refused(_gives(account, leaf, grantees[0], "lrs")) == "limit"
    # With one less it is two more.
    await house.do(_gives(account, middle, grantees[0], ""), Done)
    assert await house.refused(_gives(account, leaf, 0)) == "limit"


@pytest.mark.usefixtures("five")
async def test_nobody_makes_an_account_give_more_by_new_places(house: House) -> None:
    """What others make on top of an account has a copy of INBOX's list, what they move keeps its own."""
    account, actor, *others = [await house.account() for _ in range(4)]
    top, middle, leaf = await tree(house, account)
    for grantee in others:
        await house.grant(inbox(account), grantee, "l")
    await house.grant(inbox(account), actor, "lk")

    def create(name: str) -> CreateMailbox:
        return CreateMailbox(actor=actor, account=account, parent=0, path=(name,))

    assert await house.refused(create("new")) == "limit"
    await house.grant(top, actor, "lkx")
    away = RenameMailbox(actor=actor, mailbox=leaf, parent=0, path=("away",))
    assert await house.refused(away) == "limit"
    within = RenameMailbox(actor=actor, mailbox=leaf, parent=top, path=("leaf",))
    await house.do(within, Done)
    back = RenameMailbox(actor=actor, mailbox=leaf, parent=middle, path=("leaf",))
    await house.do(back, Done)
    # The owner's own renames make no copies.
    await house.do(RenameMailbox(actor=account, mailbox=middle, parent=0, path=("m",)), Done)
    await house.do(CreateMailbox(actor=account, account=account, parent=0, path=("mine",)), Created)
    await house.grant(inbox(account), others[0], "")
    await house.grant(inbox(account), others[1], "")
    await house.do(create("new"), Created)


async def test_a_change_of_rights_is_a_change_of_the_mailbox(house: House) -> None:
    account, other = await house.account(), await house.account()
    before = await house.info(inbox(account))
    command = SetRights(actor=account, mailbox=inbox(account), grantee=other, letters="lr")
    answer = await house.do(command, Done)
    after = await house.info(inbox(account))
    assert after.modseq == answer.modseq > before.modseq
    assert after.message_modseq == before.message_modseq


@pytest.mark.parametrize("mailbox", [5 << 32 | 1, 77])
async def test_no_such_mailbox(house: House, mailbox: int) -> None:
    command = SetRights(actor=SYSTEM, mailbox=mailbox, grantee=1, letters="lr")
    assert await house.refused(command) == "no-such-mailbox"


# What each command asks for -----------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """A mailbox with a message in another's account, one below and one beside it, and one's own."""

    actor: int
    box: int
    below: int
    beside: int
    own: int


Asks = Callable[[Place], AnyCommand]

ASKS: dict[str, tuple[str, Asks]] = {
    "append": ("i", lambda p: append(p.box, actor=p.actor)),
    "append all": ("i", lambda p: AppendAll(actor=p.actor, mailbox=p.box, messages=())),
    "copy out": ("r", lambda p: Copy(actor=p.actor, mailbox=p.box, uids=ALL_UIDS, target=p.own)),
    "copy in": ("i", lambda p: Copy(actor=p.actor, mailbox=p.own, uids=ALL_UIDS, target=p.box)),
    "move out": (
        "rte",
        lambda p: Copy(actor=p.actor, mailbox=p.box, uids=ALL_UIDS, target=p.beside, move=True),
    ),
    "expunge": ("e", lambda p: Expunge(actor=p.actor, mailbox=p.box, uids=ALL_UIDS)),
    "seen": ("s", lambda p: flag(p, flags=SEEN)),
    "flagged": ("w", lambda p: flag(p, flags=FLAGGED)),
    "keyword": ("w", lambda p: flag(p, keywords=("k",))),
    "deleted": ("t", lambda p: flag(p, deleted=True)),
    "rename": (
        "x",
        lambda p: RenameMailbox(actor=p.actor, mailbox=p.box, parent=p.beside, path=("n",)),
    ),
    "delete": ("x", lambda p: DeleteMailbox(actor=p.actor, mailbox=p.below)),
    "rights": (
        "a",
        lambda p: SetRights(actor=p.actor, mailbox=p.box, grantee=0, letters="l"),
    ),
}


def flag(place: Place, **how: Any) -> StoreFlags:
    return StoreFlags(actor=place.actor, mailbox=place.box, uids=ALL_UIDS, mode="+", **how)


@pytest.mark.parametrize("name", ASKS)
async def test_what_each_command_asks_for(house: House, name: str) -> None:
    """RFC 4314 §4: with these letters it is done, without any of them it is not, and without l there is
    no such mailbox."""
    wanted, command = ASKS[name]
    owner, actor = await house.account(), await house.account()
    box = await house.mailbox(owner, "box")
    place = Place(
        actor,
        box,
        await house.mailbox(owner, "below", parent=box),
        await house.mailbox(owner, "beside"),
        inbox(actor),
    )
    await house.append(box)
    await house.grant(place.beside, actor, "lik")
    for missing in wanted:
        await house.grant(box, actor, ALL.replace(missing, ""))
        assert await house.refused(command(place)) == "no-rights", missing
    await house.grant(box, actor, ALL.replace("l", ""))
    assert await house.refused(command(place)) == "no-such-mailbox"
    await house.grant(box, actor, "")
    assert await house.refused(command(place)) == "no-such-mailbox"
    await house.grant(box, actor, f"l{wanted}")
    answer = await house.store.submit(command(place))
    assert not isinstance(answer, Refused), answer


async def test_making_a_mailbox_asks_for_k_on_the_one_above(house: House) -> None:
    owner, actor = await house.account(), await house.account()
    top, middle, _ = await tree(house, owner)

    def create(*path: str, parent: int = top, role: str | None = None) -> CreateMailbox:
        return CreateMailbox(actor=actor, account=owner, parent=parent, path=path, role=role)

    for letters_ in ("", "k", ALL.replace("k", "")):
        await house.grant(top, actor, letters_)
        assert await house.refused(create("new")) == "no-rights"
    assert await house.refused(create("middle")) == "exists"
    await house.grant(top, actor, "lk")
    made = await house.do(create("new", "er"), Created)
    assert await held(house, actor, made.id) == "lk"
    assert await house.refused(create("new", parent=0)) == "no-rights", "on top only its owner's"
    assert await house.refused(create("special", role="templates")) == "no-rights"
    # What one may not see is not told apart from what one may not do.
    await house.grant(middle, actor, "")
    assert await house.refused(create("middle")) == "no-rights"
    assert await house.refused(create("middle", "leaf")) == "no-rights"
    assert await house.refused(create("middle", "other")) == "no-rights"


async def test_on_top_of_an_account_its_inbox_says_who_may(house: House) -> None:
    """To others it is the owner's name, above all mailboxes; what they make there has its list (RFC 4314
    §4), and what they move there keeps one."""
    owner, actor, third = [await house.account() for _ in range(3)]
    _, middle, _ = await tree(house, owner)
    await house.grant(inbox(owner), actor, "lrkx")
    await house.grant(inbox(owner), third, "lr")
    command = CreateMailbox(actor=actor, account=owner, parent=0, path=("new", "er"))
    made = (await house.do(command, Created)).id
    row = await house.rows("SELECT parent FROM mailbox WHERE id = $1", made)
    for box in (row[0][0], made):
        assert (await held(house, actor, box), await held(house, third, box)) == ("lrkx", "lr")
        assert await source(house, box) == row[0][0]
    assert await held(house, actor, await house.standard(owner, "sent")) == ""
    await house.do(RenameMailbox(actor=actor, mailbox=made, parent=0, path=("up",)), Done)
    assert await source(house, made) == made
    assert await held(house, third, made) == "lr"
    await house.grant(middle, actor, "lx")
    await house.do(RenameMailbox(actor=actor, mailbox=middle, parent=0, path=("of", "mine")), Done)
    assert await held(house, actor, middle) == "lx"
    assert await held(house, third, middle) == ""
    await house.grant(inbox(owner), actor, "lrx")
    other = CreateMailbox(actor=actor, account=owner, parent=0, path=("other",))
    assert await house.refused(other) == "no-rights"


async def test_who_may_not_administer_opens_nothing_by_moving_it(house: House) -> None:
    """Neither to himself nor to others: what he moves keeps the list it inherited."""
    owner, actor, third = [await house.account() for _ in range(3)]
    top, middle, leaf = await tree(house, owner)
    public = await house.mailbox(owner, "public")
    await house.grant(public, actor, "lrswitek")
    await house.grant(public, third, "lr")
    await house.grant(top, actor, "lx")
    move = RenameMailbox(actor=actor, mailbox=middle, parent=public, path=("middle",))
    await house.do(move, Done)
    for box in (middle, leaf):
        assert (await held(house, actor, box), await held(house, third, box)) == ("lx", "")
    # Whoever administers it can as well set its list.
    await house.grant(top, actor, ALL)
    made = await house.mailbox(owner, "made", parent=top)
    await house.do(RenameMailbox(actor=actor, mailbox=made, parent=public, path=("made",)), Done)
    assert await held(house, third, made) == "lr"


@pytest.mark.parametrize("move", [False, True])
async def test_a_copy_gives_no_rights_on_flags_of_what_was_copied(house: House, move: bool) -> None:
    """An email that two mailboxes hold has one set of flags; what somebody puts where he may change them
    must not be what stands where he may not."""
    owner, actor = await house.account(), await house.account()
    read, write = await house.mailbox(owner, "read"), await house.mailbox(owner, "write")
    kept = await house.mailbox(owner, "kept")
    await house.grant(read, actor, "lrte")
    await house.grant(write, actor, "lriw")
    await house.append(kept)
    await house.copy(kept, read)
    copied = Copy(actor=actor, mailbox=read, uids=ALL_UIDS, target=write, move=move)
    await house.do(copied, Copied)
    assert (await house.info(read)).messages == (0 if move else 1)
    change = StoreFlags(actor=actor, mailbox=write, uids=ALL_UIDS, mode="+", flags=FLAGGED)
    await house.do(change, Stored)
    assert (await house.email(write, 1))["flags"] == FLAGGED
    assert (await house.email(kept, 1))["flags"] == 0


async def test_names_of_others_mailboxes_are_the_readers_own(house: House) -> None:
    """Whatever becomes of the mailbox: only who subscribed unsubscribes (RFC 9051 §6.3.9)."""
    owner, reader = await house.account("owner"), await house.account()
    top, middle, leaf = await tree(house, owner)
    await house.grant(top, reader, "lr")
    name = "Other Users/owner@example.org/top/middle/leaf"
    await house.do(Subscribe(account=reader, name=name), Done)
    assert (
        await house.refused(Subscribe(account=reader, name=name, mailbox=leaf)) == "no-such-mailbox"
    )
    await house.do(RenameMailbox(actor=owner, mailbox=middle, parent=0, path=("m",)), Done)
    await house.do(DeleteMailbox(actor=owner, mailbox=leaf), Done)
    assert await subscriptions(house.store.reader, reader) == [name]
    long = f"Other Users/{'a' * 64}@{'b' * 185}.org/" + "/".join(["c" * 249] * 4)
    await house.do(Subscribe(account=reader, name=long), Done)
    for gone in (name, long):
        await house.do(Subscribe(account=reader, name=gone, subscribed=False), Done)
    assert await subscriptions(house.store.reader, reader) == []


# What goes with what ------------------------------------------------------------------------------


async def test_a_deleted_mailbox_takes_its_list_along(house: House) -> None:
    account, other = await house.account(), await house.account()
    box = await house.mailbox(account, "x")
    await house.grant(box, other, "lr")
    await house.do(DeleteMailbox(actor=account, mailbox=box, recoverable_until=1), Done)
    assert await house.rows("SELECT * FROM mailbox_right") == []
    again = await house.mailbox(account, "x")
    assert await held(house, other, again) == ""


async def test_a_deleted_account_leaves_no_rights_and_no_marks(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.store.execute.purging._PURGE_SLICE", 2)
    owner, reader, other = [await house.account() for _ in range(3)]
    await house.fill(owner, 3)
    for who in (reader, other):
        await house.grant(inbox(owner), who, "lrs")
        await house.flag(inbox(owner), actor=who, flags=1)
    await house.do(DeleteAccount(account=reader), Done)
    assert await listed(house, inbox(owner)) == {other: "lrs"}
    while (await house.do(PurgeAccount(account=reader), Done)).more:
        pass
    assert await house.rows("SELECT DISTINCT reader FROM reader_seen") == [(other,)]
    assert await house.value("SELECT count(*) FROM reader_seen") == 3
