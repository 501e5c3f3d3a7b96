"""What sessions that watch look at: once for all of a worker, what changed, and what LIST would have."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from malleposte.services.imapd import names, watched
from malleposte.services.imapd.watched import AllWatched
from malleposte.store import TemporaryFailure
from malleposte.store.commands import (
    CreateMailbox,
    DeleteAccount,
    DeleteMailbox,
    Entry,
    RenameMailbox,
    SetMetadata,
)
from malleposte.store.read import changes, estates, sharers
from malleposte.store.results import Created, Done
from support.imap_client import ImapClient, Literal
from support.shared import may_look_up
from support.store import House, inbox
from unit.services.imapd.harness import Served

MESSAGE = Literal(b"Subject: x\r\n\r\ny\r\n")
THEIRS = b'NOTIFY SET (subtree "Other Users" (MessageNew MessageExpunge MailboxName))'


def counting(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[int]:
    """Accounts for which a reading is asked for from now on."""
    asked: list[int] = []
    read: Callable[..., Awaitable[Any]] = getattr(module, name)

    async def counted(reader: Any, account: int, *rest: Any) -> Any:
        asked.append(account)
        await asyncio.sleep(0.02)  # as a database on the network may take
        return await read(reader, account, *rest)

    monkeypatch.setattr(module, name, counted)
    return asked


# What is looked at --------------------------------------------------------------------------------


async def truth(house: House, actor: int) -> dict[int, tuple[str, object, bool]]:
    """What is shared with an account, all read anew."""
    found = await may_look_up(house, actor)
    sharing = {one.account: one for one in await sharers.sharing(house.store.reader, actor)}
    return {
        one: (names.full(sharing[one >> 32], box.path), await house.info(one), "r" in letters)
        for one, (box, letters) in found.items()
    }


@pytest.mark.parametrize("seed", range(4))
async def test_after_whatever_happens_it_is_what_a_reader_finds_anew(
    house: House, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(watched, "AT_ONCE", 2)
    chance = random.Random(seed)
    everyone = [await house.account() for _ in range(4)]
    actors = everyone[:2]
    every = AllWatched(house.store.reader)
    looks = [every.others(actor) for actor in actors]
    boxes = [inbox(account) for account in everyone]
    for n in range(40):
        box = chance.choice(boxes)
        owner = box >> 32
        match chance.randrange(6):
            case 0:
                parent = 0 if box & 0xFFFFFFFF == 1 else box
                command = CreateMailbox(
                    actor=owner, account=owner, parent=parent, path=(f"box {n}",)
                )
                boxes.append((await house.do(command, Created)).id)
            case 1 | 2:
                grantee = chance.choice([0, *everyone])
                await house.grant(box, grantee, chance.choice(["", "l", "lr", "lrs", "r"]))
            case 3:
                await house.append(box)
            case 4:
                # Refused where it is INBOX, or would be below itself.
                await house.store.submit(
                    RenameMailbox(actor=owner, mailbox=box, parent=0, path=(f"name {n}",))
                )
            case _:
                if isinstance(
                    await house.store.submit(DeleteMailbox(actor=owner, mailbox=box)), Done
                ):
                    boxes.remove(box)
        if chance.random() < 0.6:
            for actor, look in zip(actors, looks, strict=True):
                found = (await look.look()).others
                assert {
                    mailbox: (other.name, other.box, other.readable)
                    for mailbox, other in found.items()
                } == await truth(house, actor)


async def test_what_did_not_change_is_the_same_object(house: House) -> None:
    """Sessions tell by that that there is nothing to tell."""
    me, one, two, third = [await house.account() for _ in range(4)]
    for owner in (one, two):
        await house.grant(inbox(owner), me, "lr")
    look = AllWatched(house.store.reader).others(me)
    before = (await look.look()).others
    private = await house.mailbox(one, "private")
    await house.grant(private, third, "lr")
    await house.append(private)
    await house.deliver(third)
    assert (await look.look()).others is before
    await house.deliver(two)
    after = (await look.look()).others
    assert after[inbox(one)] is before[inbox(one)]
    assert after[inbox(two)].box.messages == 1


async def test_a_right_that_is_taken_and_an_account_that_goes_are_seen(house: House) -> None:
    me, owner, other = [await house.account() for _ in range(3)]
    for account in (owner, other):
        await house.grant(inbox(account), me, "lr")
    look = AllWatched(house.store.reader).others(me)
    assert set((await look.look()).others) == {inbox(owner), inbox(other)}
    await house.grant(inbox(owner), me, "l")
    assert not (await look.look()).others[inbox(owner)].readable
    await house.grant(inbox(owner), me, "")
    assert set((await look.look()).others) == {inbox(other)}
    await house.do(DeleteAccount(account=other), Done)
    found = await look.look()
    assert (found.others, found.modseqs) == ({}, {})


async def test_entries_are_read_where_an_account_changed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, owner = await house.account(), await house.account()
    await house.grant(inbox(owner), me, "lrsw")
    look = AllWatched(house.store.reader).notes(me)
    asked: list[list[int]] = []
    read = changes.notes

    async def counted(reader: Any, actor: int, accounts: Any) -> Any:
        asked.append(list(accounts))
        return await read(reader, actor, accounts)

    monkeypatch.setattr(changes, "notes", counted)

    async def found() -> set[tuple[int, str, bool]]:
        heads: dict[int, int] = dict(await house.rows("SELECT account, modseq FROM account_head"))
        return set(await look.look(heads))

    async def put(mailbox: int, name: str, value: bytes | None, *, private: bool) -> None:
        entry = Entry(name=name, private=private, value=value)
        await house.do(SetMetadata(actor=me, mailbox=mailbox, entries=(entry,)), Done)

    assert await found() == set()
    await put(inbox(owner), "/comment", b"x", private=False)
    await put(inbox(me), "/comment", b"x", private=True)
    await put(0, "/vendor/x", b"x", private=True)
    mine = {(inbox(me), "/comment", True), (0, "/vendor/x", True)}
    assert await found() == {(inbox(owner), "/comment", False), *mine}
    asked.clear()
    assert await found() == {(inbox(owner), "/comment", False), *mine}
    assert asked == []
    await put(inbox(owner), "/comment", None, private=False)
    assert await found() == mine
    assert asked == [[owner]]
    assert await look.look({me: 0}) == await look.look({me: 0})


# Who looks ----------------------------------------------------------------------------------------


async def _watchers(served: Served, address: str, count: int) -> list[ImapClient]:
    found = [await served.signed_in(address) for _ in range(count)]
    for watcher in found:
        await watcher.command(THEIRS)
    return found


@pytest.mark.parametrize("accounts", [1, 5])
async def test_one_look_serves_all_sessions_of_a_worker(
    served: Served, monkeypatch: pytest.MonkeyPatch, accounts: int
) -> None:
    """Of one account or of several: the mailboxes and the lists of an owner are read once for all."""
    owner, owners = await served.account()
    actor = await served.signed_in(owners)
    watchers: list[ImapClient] = []
    others = []
    for _ in range(accounts):
        reader, readers = await served.account()
        others.append(reader)
        await actor.command(b"SETACL INBOX %b lr" % readers.encode())
        watchers += await _watchers(served, readers, 10 // accounts)
    for watcher in watchers:  # what was told of while the others were given their rights
        await watcher.command(b"NOOP")
    await actor.command(b"APPEND INBOX ", MESSAGE)
    boxes = counting(monkeypatch, changes, "look")
    lists = counting(monkeypatch, estates, "look")
    served.hub.hint(owner)
    for watcher in watchers:
        async with asyncio.timeout(10):
            response = await watcher.response()
        assert b"STATUS" in response, response
        assert b"MESSAGES 1" in response, response
    assert 1 <= boxes.count(owner) <= 2
    assert 1 <= lists.count(owner) <= 2
    assert all(boxes.count(reader) <= 2 for reader in others)


async def test_who_waits_for_a_look_that_fails_looks_himself(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store was away for the one before: what he is told is not from before his question."""
    account = await house.account()
    look = AllWatched(house.store.reader).own(account)
    await look.look()
    read = changes.look
    fails = [False, True, False]
    modseq = 0

    async def failing(*arguments: Any) -> Any:
        nonlocal modseq
        await asyncio.sleep(0.01)
        if fails.pop(0):
            modseq = (await house.deliver(account)).modseq
            raise TemporaryFailure("away")
        return await read(*arguments)

    monkeypatch.setattr(changes, "look", failing)
    first = asyncio.create_task(look.look())
    await asyncio.sleep(0)
    second = asyncio.create_task(look.look())
    third = asyncio.create_task(look.look())
    await first
    with pytest.raises(TemporaryFailure):
        await second
    assert (await third).modseq == modseq > 0
