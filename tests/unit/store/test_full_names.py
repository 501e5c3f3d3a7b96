"""Bounds on names: of one mailbox, of all of an account, and of those it subscribed to."""

from typing import Any

import pytest

from malleposte.store.commands import CreateMailbox, DeleteMailbox, RenameMailbox, Subscribe
from malleposte.store.execute import full_names, listed_names
from malleposte.store.read import mailboxes as read
from malleposte.store.results import Created, Done
from support.store import House, inbox

LEVEL = "y" * 249
"""Four of them are 999 octets with what separates them."""


def create(account: int, *path: str, **how: Any) -> CreateMailbox:
    return CreateMailbox(**{"actor": account, "account": account, "parent": 0, "path": path, **how})


def rename(mailbox: int, *path: str, parent: int = 0, actor: int = 0) -> RenameMailbox:
    return RenameMailbox(actor=actor, mailbox=mailbox, parent=parent, path=path)


async def names(house: House, account: int) -> list[str]:
    return await read.subscriptions(house.store.reader, account)


async def old_and_long(house: House, account: int, *levels: str) -> int:
    """A mailbox below levels as no command makes them any more; the lowest."""
    boxes = [await house.mailbox(account, f"old{n}") for n in range(len(levels))]
    above = 0
    for box, level in zip(boxes, levels, strict=True):
        change = "UPDATE mailbox SET parent = $1, name = $2 WHERE id = $3"
        await house.damage(change, above, level, box)
        above = box
    return above


# One name -----------------------------------------------------------------------------------------


async def test_a_full_name_is_bounded(house: House) -> None:
    account = await house.account()
    top = await house.mailbox(account, LEVEL, LEVEL, LEVEL)
    fits = await house.mailbox(account, "z" * 250, parent=top)
    assert len(await read_path(house, account, fits)) == full_names.MAX_PATH == 1_000
    assert await house.refused(create(account, "ü" * 126, parent=top)) == "limit", "octets"
    assert await house.refused(create(account, *[LEVEL] * 4, "x")) == "limit"
    # And by those above it: what is below goes along.
    leaf = await house.mailbox(account, "leaf")
    assert await house.refused(rename(leaf, "z" * 251, parent=top)) == "limit"
    first = await read.find(house.store.reader, account, LEVEL)
    assert await house.refused(rename(first, "y" * 250)) == "limit"
    assert await house.refused(rename(first, "new", LEVEL)) == "limit"
    await house.do(rename(first, "y" * 248), Done)
    await house.do(rename(fits, "z" * 251, parent=top), Done)


async def read_path(house: House, account: int, mailbox: int) -> str:
    found = await read.mailboxes(house.store.reader, account)
    return next(box.path for box in found if box.id == mailbox)


async def test_longer_names_from_before_can_be_made_shorter(house: House) -> None:
    """They are found, renamed to what is no longer than it was, and deleted."""
    account = await house.account()
    leaf = await old_and_long(house, account, *[LEVEL] * 6)
    path = "/".join([LEVEL] * 6)
    assert await read.find(house.store.reader, account, path) == leaf
    top = await read.find(house.store.reader, account, LEVEL)
    assert await house.refused(rename(top, LEVEL + "y")) == "limit"
    assert await house.refused(create(account, "x", parent=leaf)) == "limit"
    await house.do(rename(top, "z" * 249), Done)
    await house.do(rename(top, "z"), Done)
    await house.do(rename(leaf, "leaf"), Done)
    await house.do(DeleteMailbox(actor=account, mailbox=leaf), Done)


# All names ----------------------------------------------------------------------------------------


async def test_all_full_names_of_an_account_are_bounded(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, other = await house.account(), await house.account()
    # The six of a new account have 31 octets.
    monkeypatch.setattr(full_names, "MAX_OCTETS", 31 + 100)
    top = await house.mailbox(account, "a" * 20)
    child = await house.mailbox(account, "b" * 19, parent=top)  # 40
    assert await house.refused(create(account, "c" * 41)) == "limit"
    assert await house.refused(create(account, "d" * 14, "e" * 14)) == "limit", "14 and 29"
    await house.mailbox(account, "ü" * 10)
    # 20 are left; a name above counts for all below it.
    assert await house.refused(rename(top, "a" * 31)) == "limit"
    assert await house.refused(rename(child, "f" * 30, "b")) == "limit", "30 made, 8 less"
    await house.do(rename(top, "a" * 30), Done)
    assert await house.refused(create(account, "g")) == "limit"
    await house.do(rename(top, "a"), Done)
    await house.mailbox(account, "g" * 58)
    await house.mailbox(other, "c" * 41)


async def test_full_names_are_added_up_only_where_there_are_many(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a walk over all mailboxes, in the one writer: most accounts have too few to reach the
    bound."""
    monkeypatch.setattr(full_names, "MAX_OCTETS", 7 * full_names.MAX_PATH)
    monkeypatch.setattr(full_names, "_ALL", "SELECT 1000000000 + $1")
    account = await house.account()
    await house.mailbox(account, "seventh")
    assert await house.refused(create(account, "eighth")) == "limit"


# Subscriptions ------------------------------------------------------------------------------------


async def test_renaming_keeps_old_names_while_the_list_has_room(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listed_names, "MOST_KEPT", 4)
    account = await house.account()
    top = (await house.do(create(account, "top", subscribe=True), Created)).id
    for name in "abc":
        await house.do(create(account, name, parent=top, subscribe=True), Created)
    for n in range(3):
        await house.do(rename(top, f"top{n}"), Done)
        assert await names(house, account) == ["top", "top/a", "top/b", "top/c"]
    assert all(box.subscribed for box in await read.mailboxes(house.store.reader, account))
    await house.do(Subscribe(account=account, name="top", subscribed=False), Done)
    await house.do(rename(top, "new"), Done)
    assert await names(house, account) == ["top/a", "top/b", "top/c", "top2"]


async def test_deleting_keeps_the_name_while_the_list_has_room(house: House) -> None:
    account = await house.account()
    async with house.place.raw() as tx:
        rows = [(account, f"n{n}") for n in range(listed_names.MOST_KEPT - 1)]
        await tx.many(listed_names._KEEP, rows)
    for name, kept in (("first", True), ("second", False)):
        box = (await house.do(create(account, name, subscribe=True), Created)).id
        await house.do(DeleteMailbox(actor=account, mailbox=box), Done)
        assert (name in await names(house, account)) is kept
    await house.do(Subscribe(account=account, name="third"), Done)


async def test_others_who_rename_fill_nobodys_list(house: House) -> None:
    """What its owner subscribed to stays so under the new name, and no name is added to his list."""
    owner, other = await house.account(), await house.account()
    top = await house.mailbox(owner, "top")
    below = (await house.do(create(owner, "below", parent=top, subscribe=True), Created)).id
    await house.grant(top, other, "lrkx")
    await house.grant(inbox(owner), other, "lk")
    await house.do(rename(top, "new", parent=inbox(owner), actor=other), Done)
    assert await names(house, owner) == []
    assert (await house.info(below)).subscribed
    await house.do(rename(top, "top", actor=owner), Done)
    assert await names(house, owner) == ["INBOX/new", "INBOX/new/below"]


async def test_only_the_names_of_what_moved_are_taken_from_the_list(house: House) -> None:
    account = await house.account()
    top = (await house.do(create(account, "a", "ü", subscribe=False), Created)).id
    top = (await house.info(top)).parent
    for name in ("z/ü", "z/other", "zz"):
        await house.do(Subscribe(account=account, name=name), Done)
    await house.do(rename(top, "z"), Done)
    assert await names(house, account) == ["z/other", "zz"]
    found = {box.path: box.subscribed for box in await read.mailboxes(house.store.reader, account)}
    assert (found["z"], found["z/ü"]) == (False, True)


async def test_a_name_in_the_list_is_bounded_and_goes_however_long_it_is(house: House) -> None:
    account = await house.account()
    assert await house.refused(Subscribe(account=account, name="x" * 1_600)) == "bad-name"
    long = "x" * 8_000
    await house.damage(listed_names.SUBSCRIBE, account, long)
    assert await names(house, account) == [long]
    await house.do(Subscribe(account=account, name=long, subscribed=False), Done)
    assert await names(house, account) == []
