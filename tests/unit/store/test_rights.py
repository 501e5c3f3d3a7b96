"""Rights: letters, who holds them by nature, and how mailboxes inherit them."""

import pytest

from malleposte.store.commands import SYSTEM, SetRights
from malleposte.store.execute.rights import ALL, letters, may
from malleposte.store.results import Done
from support.store import House, inbox


async def held(house: House, actor: int, mailbox: int) -> str:
    return await letters(house.store.reader, actor, mailbox)


async def test_the_owner_and_the_system_hold_every_right(house: House) -> None:
    account, other = await house.account(), await house.account()
    assert await held(house, account, inbox(account)) == ALL
    assert await held(house, SYSTEM, inbox(account)) == ALL
    assert await held(house, other, inbox(account)) == ""
    assert not await may(house.store.reader, other, inbox(account), "l")


async def test_letters_are_kept_in_order_and_removed_with_none(house: House) -> None:
    account, other = await house.account(), await house.account()
    await house.grant(inbox(account), other, "rzlr?s")
    assert await held(house, other, inbox(account)) == "lrs"
    await house.grant(inbox(account), other, "")
    assert await house.rows("SELECT * FROM mailbox_right") == []


async def test_anyones_rights_add_up_with_ones_own(house: House) -> None:
    account, other, third = [await house.account() for _ in range(3)]
    await house.grant(inbox(account), 0, "lr")
    await house.grant(inbox(account), other, "sw")
    assert await held(house, other, inbox(account)) == "lrsw"
    assert await held(house, third, inbox(account)) == "lr"


async def test_rights_are_inherited_from_the_nearest_above(house: House) -> None:
    account, other = await house.account(), await house.account()
    top = await house.mailbox(account, "top")
    middle = await house.mailbox(account, "middle", parent=top)
    leaf = await house.mailbox(account, "leaf", parent=middle)
    await house.grant(top, other, "lr")
    assert await held(house, other, leaf) == "lr"
    await house.grant(middle, other, "l")
    assert await held(house, other, leaf) == "l"
    assert await held(house, other, top) == "lr"
    assert await held(house, other, inbox(account)) == ""


async def test_only_who_administers_may_set_rights(house: House) -> None:
    account, other, third = [await house.account() for _ in range(3)]
    command = SetRights(actor=other, mailbox=inbox(account), grantee=third, letters="lr")
    await house.grant(inbox(account), other, "lrswipkxte")
    assert await house.refused(command) == "no-rights"
    await house.grant(inbox(account), other, "a")
    await house.do(command, Done)
    assert await held(house, third, inbox(account)) == "lr"


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
