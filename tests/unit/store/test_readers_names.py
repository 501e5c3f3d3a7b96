"""Subscriptions to others' mailboxes: what a right brings goes with it, names follow what they name."""

import asyncio

import pytest

from malleposte.store.commands import (
    SYSTEM,
    DeleteAccount,
    DeleteMailbox,
    RenameMailbox,
    SetRights,
    Subscribe,
)
from malleposte.store.execute import readers_names, subscriptions
from malleposte.store.read import mailboxes
from malleposte.store.results import Done
from support.store import House, inbox

OWNER = "Other Users/owner@example.org"


async def names(house: House, reader: int) -> list[str]:
    return await mailboxes.subscriptions(house.store.reader, reader)


async def give(
    house: House, mailbox: int, grantee: int, letters: str, *, mode: str = "=", shown: str = OWNER
) -> None:
    """Give rights as IMAP and the command line do."""
    command = SetRights(
        actor=SYSTEM,
        mailbox=mailbox,
        grantee=grantee,
        letters=letters,
        mode=mode,
        owner_shown=shown,
    )
    await house.do(command, Done)


async def subscribe(house: House, reader: int, name: str, mailbox: int, *, on: bool = True) -> None:
    command = Subscribe(account=reader, name=f"{OWNER}/{name}", of=mailbox, subscribed=on)
    await house.do(command, Done)


async def rename(house: House, mailbox: int, *path: str, parent: int = 0) -> None:
    command = RenameMailbox(actor=SYSTEM, mailbox=mailbox, parent=parent, path=path)
    await house.do(command, Done)


# With the right -----------------------------------------------------------------------------------


async def test_the_first_right_subscribes_and_the_last_one_takes_it_away(house: House) -> None:
    owner, reader = await house.account("owner"), await house.account()
    box = await house.mailbox(owner, "a", "b")
    await give(house, box, reader, "r")
    assert await names(house, reader) == [], "it cannot be seen yet"
    before = await mailboxes.modseq(house.store.reader, reader)
    await give(house, box, reader, "l", mode="+")
    assert await names(house, reader) == [f"{OWNER}/a/b"]
    assert await mailboxes.modseq(house.store.reader, reader) > before, "sessions look"
    await give(house, box, reader, "s", mode="+")
    await give(house, box, reader, "r", mode="-")
    assert await names(house, reader) == [f"{OWNER}/a/b"]
    before = await mailboxes.modseq(house.store.reader, reader)
    await give(house, box, reader, "l", mode="-")
    assert await names(house, reader) == []
    assert await mailboxes.modseq(house.store.reader, reader) > before


async def test_inbox_stands_under_its_owners_name(house: House) -> None:
    owner, reader = await house.account("owner"), await house.account()
    await give(house, inbox(owner), reader, "lr")
    assert await names(house, reader) == [OWNER]
    await give(house, inbox(owner), reader, "")
    assert await names(house, reader) == []


async def test_without_a_name_for_the_owner_nobody_is_subscribed(house: House) -> None:
    owner, reader = await house.account("owner"), await house.account()
    await give(house, inbox(owner), reader, "lr", shown="")
    assert await names(house, reader) == []


async def test_what_a_reader_chose_himself_stays(house: House) -> None:
    """Before the right came, or after it: whatever he said himself, only he takes back."""
    owner, early, late = await house.account("owner"), await house.account(), await house.account()
    box = await house.mailbox(owner, "a")
    await subscribe(house, early, "a", 0)
    for reader in (early, late):
        await give(house, box, reader, "lr")
    await subscribe(house, late, "a", box)
    for reader in (early, late):
        await give(house, box, reader, "")
        assert await names(house, reader) == [f"{OWNER}/a"]


async def test_who_unsubscribed_is_not_subscribed_again_by_more_rights(house: House) -> None:
    owner, reader = await house.account("owner"), await house.account()
    box = await house.mailbox(owner, "a")
    await give(house, box, reader, "lr")
    await subscribe(house, reader, "a", box, on=False)
    await give(house, box, reader, "lrs")
    assert await names(house, reader) == []


async def test_anyone_is_subscribed_by_nobody_and_keeps_who_sees_it_so(house: House) -> None:
    """Who can still see the mailbox, as one of all, keeps what his own right had brought."""
    owner, reader, other = [await house.account(n) for n in ("owner", "reader", "other")]
    box = await house.mailbox(owner, "a")
    await give(house, box, reader, "lr")
    await give(house, box, 0, "lr")
    await give(house, box, other, "lr")
    assert await names(house, other) == [], "it could be seen before"
    await give(house, box, reader, "")
    assert await names(house, reader) == [f"{OWNER}/a"]
    await give(house, box, 0, "")
    assert await names(house, reader) == []


async def test_taking_from_anyone_leaves_those_who_are_named(house: House) -> None:
    owner, reader = await house.account("owner"), await house.account()
    box = await house.mailbox(owner, "a")
    await give(house, box, reader, "lr")
    await give(house, box, 0, "l")
    await give(house, box, 0, "")
    assert await names(house, reader) == [f"{OWNER}/a"]


async def test_others_fill_nobodys_list(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past their own bound the right is given all the same; the reader's own names have their room."""
    monkeypatch.setattr(readers_names, "MOST_BROUGHT", 2)
    monkeypatch.setattr(subscriptions, "MAX_NAMES", 2)
    owner, reader = await house.account("owner"), await house.account()
    boxes = [await house.mailbox(owner, f"{n}") for n in range(3)]
    for box in boxes:
        await give(house, box, reader, "lr")
    assert await names(house, reader) == [f"{OWNER}/0", f"{OWNER}/1"]
    letters = "SELECT letters FROM mailbox_right WHERE mailbox = $1 AND grantee = $2"
    assert await house.value(letters, boxes[2], reader) == "lr"
    await subscribe(house, reader, "2", boxes[2])
    await house.do(Subscribe(account=reader, name="mine"), Done)
    assert await house.refused(Subscribe(account=reader, name="more")) == "limit"
    # What he takes out of the list makes room for what the next right brings.
    await subscribe(house, reader, "0", boxes[0], on=False)
    await give(house, inbox(owner), reader, "lr")
    assert OWNER in await names(house, reader)


async def test_a_name_with_more_levels_than_a_mailbox_can_have_is_refused(house: House) -> None:
    """LSUB and RECURSIVEMATCH show what stands above a name, each level with all before it."""
    reader = await house.account()
    fits = "/".join(["Other Users", "owner@example.org", *["x"] * 32])
    await house.do(Subscribe(account=reader, name=fits), Done)
    assert await house.refused(Subscribe(account=reader, name=f"{fits}/x")) == "bad-name"
    # One that is there from before can be taken out.
    await house.do(Subscribe(account=reader, name=f"{fits}/x", subscribed=False), Done)


# With the name ------------------------------------------------------------------------------------


async def test_names_follow_a_mailbox_and_those_below_it(house: House) -> None:
    owner, given, chose = [await house.account(n) for n in ("owner", "given", "chose")]
    top = await house.mailbox(owner, "top")
    leaf = await house.mailbox(owner, "leaf", parent=top)
    await give(house, top, given, "lr")
    await give(house, top, chose, "lr", shown="")
    await subscribe(house, chose, "top/leaf", leaf)
    before = await mailboxes.modseq(house.store.reader, chose)
    await rename(house, top, "old", "Plans")
    assert await names(house, given) == [f"{OWNER}/old/Plans"]
    assert await names(house, chose) == [f"{OWNER}/old/Plans/leaf"]
    assert await mailboxes.modseq(house.store.reader, chose) > before
    await rename(house, leaf, "leaf 2", parent=top)
    assert await names(house, given) == [f"{OWNER}/old/Plans"]
    assert await names(house, chose) == [f"{OWNER}/old/Plans/leaf 2"]
    # And it is still what the right had brought, or not.
    await give(house, top, given, "")
    await give(house, top, chose, "")
    assert await names(house, given) == []
    assert await names(house, chose) == [f"{OWNER}/old/Plans/leaf 2"]


async def test_a_name_that_is_there_already_is_one(house: House) -> None:
    owner, reader = await house.account("owner"), await house.account()
    box = await house.mailbox(owner, "a")
    await give(house, box, reader, "lr")
    await subscribe(house, reader, "b", 0)
    await rename(house, box, "b")
    assert await names(house, reader) == [f"{OWNER}/b"]
    await rename(house, box, "c")
    assert await names(house, reader) == [f"{OWNER}/c"]
    await give(house, box, reader, "")
    assert await names(house, reader) == [f"{OWNER}/c"], "the reader had chosen it"


async def test_who_may_no_longer_see_it_is_not_told_its_new_name(house: House) -> None:
    """RFC 4314 §6: the name of what may not be looked up is not given away."""
    owner, reader = await house.account("owner"), await house.account()
    top = await house.mailbox(owner, "top")
    leaf = await house.mailbox(owner, "leaf", parent=top)
    await give(house, top, reader, "lr")
    for name, box in (("top", top), ("top/leaf", leaf)):
        await subscribe(house, reader, name, box)
    await give(house, top, reader, "r")
    await rename(house, top, "secret")
    assert await names(house, reader) == [f"{OWNER}/top", f"{OWNER}/top/leaf"]
    await give(house, top, 0, "l")
    await rename(house, leaf, "other", parent=top)
    assert await names(house, reader) == [f"{OWNER}/top", f"{OWNER}/top/leaf"], "not its name now"


async def test_what_one_may_not_see_is_a_name_and_no_more(house: House) -> None:
    """A client that guesses the number of a mailbox learns nothing of what becomes of it."""
    owner, reader = await house.account("owner"), await house.account()
    box = await house.mailbox(owner, "a")
    await subscribe(house, reader, "a", box)
    await give(house, box, 0, "l")
    await rename(house, box, "b")
    assert await names(house, reader) == [f"{OWNER}/a"]


async def test_a_mailbox_that_moves_to_where_it_cannot_be_seen(house: House) -> None:
    """It has no list of its own, and the one above its new place names nobody."""
    owner, reader = await house.account("owner"), await house.account()
    top = await house.mailbox(owner, "top")
    leaf = await house.mailbox(owner, "leaf", parent=top)
    await give(house, top, reader, "lr")
    await subscribe(house, reader, "top/leaf", leaf)
    await rename(house, leaf, "private")
    assert await names(house, reader) == [f"{OWNER}/top", f"{OWNER}/top/leaf"]


async def test_names_that_follow_are_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers choose how many there are; those past the bound keep the old name."""
    monkeypatch.setattr(readers_names, "MOST_FOLLOWING", 1)
    owner, one, two = [await house.account(n) for n in ("owner", "one", "two")]
    box = await house.mailbox(owner, "a")
    for reader in (one, two):
        await give(house, box, reader, "lr")
    await rename(house, box, "b")
    assert await names(house, one) == [f"{OWNER}/b"]
    assert await names(house, two) == [f"{OWNER}/a"]


@pytest.mark.postgres
@pytest.mark.parametrize("place", ["postgres"], indirect=True)
async def test_owners_who_read_each_others_mailboxes_rename_them_at_once(house: House) -> None:
    """Each holds its own account and wants the other's: the database breaks one off, which is tried
    again."""
    one, other = await house.account("owner"), await house.account("other")
    boxes = [await house.mailbox(account, "a0") for account in (one, other)]
    await give(house, boxes[0], other, "lr")
    await give(house, boxes[1], one, "lr", shown="Other Users/other@example.org")
    async with house.place.open() as second:
        for n in range(1, 4):
            renames = [
                RenameMailbox(actor=SYSTEM, mailbox=box, parent=0, path=(f"a{n}",)) for box in boxes
            ]
            answers = await asyncio.gather(
                house.store.submit(renames[0]), second.submit(renames[1])
            )
            assert all(isinstance(answer, Done) for answer in answers)
    # The list of an owner also has the names its own mailbox had.
    assert f"{OWNER}/a3" in await names(house, other)
    assert "Other Users/other@example.org/a3" in await names(house, one)


# With the mailbox ---------------------------------------------------------------------------------


async def test_a_mailbox_takes_along_what_its_rights_had_brought(house: House) -> None:
    """RFC 9051 §6.3.7: what readers chose stays in their lists, of whatever that is the name."""
    owner, given, chose = [await house.account(n) for n in ("owner", "given", "chose")]
    box = await house.mailbox(owner, "a")
    for reader in (given, chose):
        await give(house, box, reader, "lr")
    await subscribe(house, chose, "a", box)
    await house.do(DeleteMailbox(actor=owner, mailbox=box), Done)
    assert await names(house, given) == []
    assert await names(house, chose) == [f"{OWNER}/a"]
    of = "SELECT mailbox FROM subscription WHERE account = $1"
    assert await house.rows(of, chose) == [(0,)]


async def test_an_account_takes_along_what_its_rights_had_brought(house: House) -> None:
    owner, given, chose = [await house.account(n) for n in ("owner", "given", "chose")]
    for reader in (given, chose):
        await give(house, inbox(owner), reader, "lr")
    await house.do(Subscribe(account=chose, name=OWNER, of=inbox(owner)), Done)
    await house.do(DeleteAccount(account=owner), Done)
    assert await names(house, given) == []
    assert await names(house, chose) == [OWNER]
    of = "SELECT mailbox FROM subscription WHERE account = $1"
    assert await house.rows(of, chose) == [(0,)]
