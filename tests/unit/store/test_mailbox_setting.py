"""SetMailbox: name, place, role, order and subscription at once, or nothing of it."""

from typing import Any

import pytest

from malleposte.store.commands import DeleteMailbox, SetMailbox, Subscribe
from malleposte.store.read import mailboxes
from malleposte.store.read.mailboxes import Mailbox
from malleposte.store.results import Created, Done
from support.store import House, inbox


def setting(account: int, mailbox: int = 0, **how: Any) -> SetMailbox:
    return SetMailbox(**({"actor": account, "account": account, "mailbox": mailbox} | how))


async def made(house: House, account: int, **how: Any) -> int:
    return (await house.do(setting(account, **how), Created)).id


async def changed(house: House, account: int, mailbox: int, **how: Any) -> int:
    return (await house.do(setting(account, mailbox, **how), Done)).modseq


def values(box: Mailbox) -> tuple[str, int, str | None, int, bool]:
    return box.name, box.parent, box.role, box.sort_order, box.subscribed


async def test_one_is_made_with_all_that_is_said_of_it(house: House) -> None:
    account = await house.account()
    top = await made(house, account, name="Cafe\u0301")
    assert values(await house.info(top)) == ("Café", 0, None, 100, True)
    how: dict[str, Any] = {"parent": top, "sort_order": 0, "subscribed": False}
    box = await made(house, account, name="In", **how)
    assert values(await house.info(box)) == ("In", top, None, 0, False)
    assert await house.refused(setting(account, name="In", parent=top)) == "exists"
    assert await house.refused(setting(account, name="inbox")) == "exists"
    assert await house.refused(setting(account, name="a/b")) == "bad-name"
    assert await house.refused(setting(account, name="x", parent=99)) == "no-such-mailbox"
    assert await house.refused(setting(account, name="x", role="sent")) == "in-use"


async def test_a_subscription_waits_under_a_name_but_gives_way_to_what_is_said(
    house: House,
) -> None:
    account = await house.account()
    for name in ("a", "b"):
        await house.do(Subscribe(account=account, name=name), Done)
    assert (await house.info(await made(house, account, name="a"))).subscribed
    box = await made(house, account, name="b", subscribed=False)
    assert not (await house.info(box)).subscribed
    assert await mailboxes.subscriptions(house.store.reader, account) == []


async def test_a_change_is_one_change(house: House) -> None:
    account = await house.account()
    top, box = await house.mailbox(account, "top"), await house.mailbox(account, "box")
    modseq = await changed(
        house,
        account,
        box,
        name="Other",
        parent=top,
        role="archive",
        sort_order=7,
        subscribed=False,
    )
    info = await house.info(box)
    assert values(info) == ("Other", top, "archive", 7, False)
    head = await mailboxes.modseq(house.store.reader, account)
    assert (info.modseq, head) == (modseq, modseq)
    # The old name stays subscribed, as after RENAME.
    assert await mailboxes.subscriptions(house.store.reader, account) == ["box"]
    rows = await house.rows(
        "SELECT name FROM mailbox WHERE account = $1 AND role = $2", account, "archive"
    )
    assert rows == [("Other",)]
    again = {"name": "Other", "parent": top, "role": "archive", "sort_order": 7}
    assert await changed(house, account, box, **again) == 0
    assert await mailboxes.modseq(house.store.reader, account) == head
    assert await changed(house, account, box, role="") > modseq
    assert (await house.info(box)).role is None


async def test_what_cannot_be_leaves_all_as_it_was(house: House) -> None:
    account = await house.account()
    box, other = await house.mailbox(account, "box"), await house.mailbox(account, "box", "below")
    await house.mailbox(account, "taken")
    more = {"role": "junk", "sort_order": 3, "subscribed": False}
    assert await house.refused(setting(account, box, name="taken", **more)) == "exists"
    assert await house.refused(setting(account, box, parent=other, **more)) == "loop"
    assert await house.refused(setting(account, box, name="\x01", **more)) == "bad-name"
    assert await house.refused(setting(account, inbox(account), name="x")) == "reserved"
    assert await house.refused(setting(account, inbox(account), role="sent")) == "reserved"
    assert await house.refused(setting(account, box, name="new", if_modseq=1)) == "changed"
    assert await house.refused(setting(account, box + 90, name="new")) == "no-such-mailbox"
    head = await mailboxes.modseq(house.store.reader, account)
    await changed(house, account, box, name="new", if_modseq=head)


async def test_others_do_what_their_rights_say(house: House) -> None:
    account, reader = await house.account(), await house.account()
    box = await house.mailbox(account, "box")
    mine = {"actor": reader}
    assert await house.refused(setting(account, box, name="new", **mine)) == "no-such-mailbox"
    await house.grant(box, reader, "lr")
    assert await house.refused(setting(account, box, name="new", **mine)) == "no-rights"
    assert await house.refused(setting(account, box, sort_order=1, **mine)) == "no-rights"
    assert await house.refused(setting(account, name="n", parent=box, **mine)) == "no-rights"
    await house.grant(inbox(account), reader, "lrk")
    await house.grant(box, reader, "lrkx")
    assert await house.refused(setting(account, box, role="junk", **mine)) == "no-rights"
    assert await house.refused(setting(account, box, subscribed=False, **mine)) == "no-rights"
    await changed(house, account, box, name="new", sort_order=1, **mine)
    assert values(await house.info(box)) == ("new", 0, None, 1, True)
    below = await made(house, account, name="n", parent=box, **mine)
    # What others make is not in their owner's list.
    assert values(await house.info(below)) == ("n", box, None, 100, False)
    assert await house.refused(setting(reader, box, name="x")) == "no-such-mailbox"


@pytest.mark.parametrize("marked", [False, True])
async def test_what_is_marked_is_not_in_the_way(house: House, marked: bool) -> None:
    account = await house.account()
    box = await house.mailbox(account, "box")
    await house.fill(account, 2, box)
    await house.flag(box, ((1, 1),), deleted=True)
    how: dict[str, Any] = {"actor": account, "mailbox": box, "only_empty": True}
    assert await house.refused(DeleteMailbox(but_marked=True, **how)) == "not-empty"
    await house.flag(box, deleted=True)
    if not marked:
        assert await house.refused(DeleteMailbox(**how)) == "not-empty"
        return
    until = int(house.clock.time()) + 100
    assert await house.refused(DeleteMailbox(but_marked=True, if_modseq=1, **how)) == "changed"
    await house.do(DeleteMailbox(but_marked=True, recoverable_until=until, **how), Done)
    assert len(await house.rows("SELECT email FROM recoverable WHERE account = $1", account)) == 2


async def test_which_threads_are_unread_is_asked_again_where_the_trash_is_another(
    house: House,
) -> None:
    account = await house.account()
    box = await house.mailbox(account, "box")
    modseq = await changed(house, account, box, role="trash")
    rows = await house.rows("SELECT DISTINCT modseq FROM mailbox WHERE account = $1", account)
    assert rows == [(modseq,)]
