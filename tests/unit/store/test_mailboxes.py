"""Mailboxes: made, renamed, deleted by id; names, roles, subscriptions, UIDVALIDITY."""

from typing import Any

import pytest

from malleposte.store.commands import (
    MAX_ROWS,
    Copy,
    CreateMailbox,
    DeleteMailbox,
    Expunge,
    PurgeRecoverable,
    RenameMailbox,
    RenewUidValidity,
    StoreFlags,
    Subscribe,
    SweepMailbox,
)
from malleposte.store.execute.deleting import SWEEP_JOB
from malleposte.store.execute.mailboxes import STANDARD, level_name
from malleposte.store.read import mailboxes as read
from malleposte.store.results import Created, Done
from support.store import House, inbox


async def listed(house: House, account: int) -> list[str]:
    return [m.path for m in await read.mailboxes(house.store.reader, account)]


def create(account: int, *path: str, **how: Any) -> CreateMailbox:
    return CreateMailbox(**{"actor": account, "account": account, "parent": 0, "path": path, **how})


async def test_a_new_account_has_its_six(house: House) -> None:
    account = await house.account()
    found = await read.mailboxes(house.store.reader, account)
    assert [(m.name, m.role) for m in found] == list(STANDARD)
    assert found[0].id == inbox(account)
    assert all(m.subscribed for m in found)
    assert len({m.uidvalidity for m in found}) == 6
    assert {m.uidnext for m in found} == {1}


# Create -------------------------------------------------------------------------------------------


async def test_a_path_is_made_level_by_level(house: House) -> None:
    account = await house.account()
    answer = await house.do(create(account, "a", "b", "c"), Created)
    assert (await house.info(answer.id)).name == "c"
    assert await listed(house, account) == [*(name for name, _ in STANDARD), "a", "a/b", "a/b/c"]
    assert await read.find(house.store.reader, account, "a/b/c") == answer.id
    again = await house.do(create(account, "a", "b", "d"), Created)
    assert (await house.info(again.id)).parent == (await house.info(answer.id)).parent
    below = await house.do(create(account, "e", parent=answer.id), Created)
    assert await read.find(house.store.reader, account, "a/b/c/e") == below.id


async def test_what_exists_is_not_made_again(house: House) -> None:
    account = await house.account()
    await house.mailbox(account, "a", "b")
    for path in (("a",), ("a", "b"), ("INBOX",), ("inbox",)):
        assert await house.refused(create(account, *path)) == "exists"
    await house.mailbox(account, "Inbox", "below")
    assert "INBOX/below" in await listed(house, account)


@pytest.mark.parametrize(
    "name",
    ["", "a/b", "tab\t", "nul\0", "del\x7f", "c1\x85", "\u2028", "a\u202egnp.exe", "\u2067a"]
    + ["x" * 256, "\ud800"],
)
async def test_bad_names(house: House, name: str) -> None:
    account = await house.account()
    if name != "\ud800":  # no surrogate goes through the answer's snapshot either
        assert await house.refused(create(account, "fine", name)) == "bad-name"
    assert level_name(name) is None
    assert await house.refused(create(account)) == "bad-name"


async def test_names_are_kept_in_nfc_and_found_in_either_form(house: House) -> None:
    account = await house.account()
    made = await house.mailbox(account, "u\u0308ber")
    assert (await house.info(made)).name == "\u00fcber"
    assert await house.refused(create(account, "\u00fcber")) == "exists"
    for form in ("\u00fcber", "u\u0308ber"):
        assert await read.find(house.store.reader, account, form) == made


async def test_only_letters_of_ascii_spell_the_inbox(house: House) -> None:
    """In upper case U+0131 is I as well: such a name is another mailbox, or none."""
    account = await house.account()
    assert await read.find(house.store.reader, account, "\u0131nbox") == 0
    made = await house.mailbox(account, "\u0131nbox")
    assert made != inbox(account)
    assert await read.find(house.store.reader, account, "\u0131nbox") == made
    assert await read.find(house.store.reader, account, "InBox") == inbox(account)


async def test_names_differ_by_case(house: House) -> None:
    account = await house.account()
    assert await house.mailbox(account, "Work") != await house.mailbox(account, "work")


async def test_depth_and_number_are_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await house.account()
    deep = await house.mailbox(account, *"abcdefghijklmnopqrstuvwxyz012345")
    assert await house.refused(create(account, "x", parent=deep)) == "limit"
    assert await house.refused(create(account, *("y" * 33))) == "limit"
    monkeypatch.setattr("malleposte.store.execute.mailboxes.MAX_MAILBOXES", 39)
    assert await house.refused(create(account, "one", "two")) == "limit"
    await house.mailbox(account, "one")


async def test_a_role_is_had_once(house: House) -> None:
    account = await house.account()
    assert await house.refused(create(account, "More sent", role="sent")) == "in-use"
    made = await house.do(create(account, "List", "Sub", role="templates"), Created)
    assert (await house.info(made.id)).role == "templates"
    assert (await house.info((await house.info(made.id)).parent)).role is None


async def test_only_the_owner_makes_mailboxes_on_top(house: House) -> None:
    account, other = await house.account(), await house.account()
    assert await house.refused(create(account, "x", actor=other)) == "no-rights"
    shared = await house.mailbox(account, "shared")
    below = create(account, "x", actor=other, parent=shared)
    await house.grant(shared, other, "lrswipxtea")
    assert await house.refused(below) == "no-rights"
    await house.grant(shared, other, "lk")
    await house.do(below, Created)


async def test_create_refusals(house: House) -> None:
    account, other = await house.account(), await house.account()
    assert await house.refused(create(account + 99, "x")) == "no-such-account"
    assert await house.refused(create(account, "x", parent=account << 32 | 99)) == "no-such-mailbox"
    assert await house.refused(create(account, "x", parent=inbox(other))) == "no-such-mailbox"


# Rename -------------------------------------------------------------------------------------------


def rename(mailbox: int, *path: str, parent: int = 0, actor: int = 0) -> RenameMailbox:
    return RenameMailbox(actor=actor, mailbox=mailbox, parent=parent, path=path)


async def test_children_and_messages_go_along(house: House) -> None:
    account = await house.account()
    child = await house.mailbox(account, "a", "b")
    top = (await house.info(child)).parent
    await house.append(child)
    before = await house.info(child)
    answer = await house.do(rename(top, "z", parent=inbox(account)), Done)
    assert (await house.info(top)).modseq == answer.modseq
    assert await read.find(house.store.reader, account, "INBOX/z/b") == child
    assert await read.find(house.store.reader, account, "a/b") == 0
    after = await house.info(child)
    assert (after.uidvalidity, after.uidnext, after.messages) == (before.uidvalidity, 2, 1)


async def test_a_name_that_comes_back_has_another_uidvalidity(house: House) -> None:
    account = await house.account()
    first = await house.mailbox(account, "x")
    before = (await house.info(first)).uidvalidity
    await house.do(rename(first, "y"), Done)
    second = await house.mailbox(account, "x")
    assert (await house.info(second)).uidvalidity > before
    await house.do(DeleteMailbox(actor=0, mailbox=second), Done)
    third = await house.mailbox(account, "x")
    assert third > second
    assert (await house.info(third)).uidvalidity > (await house.info(first)).uidvalidity


async def test_levels_above_the_new_name_are_made_with_it(house: House) -> None:
    account = await house.account()
    mailbox = await house.mailbox(account, "x")
    top = await house.mailbox(account, "a")
    await house.do(rename(mailbox, "a", "b", "c"), Done)
    assert await read.find(house.store.reader, account, "a/b/c") == mailbox
    made = await house.info(await read.find(house.store.reader, account, "a/b"))
    assert (made.parent, made.subscribed) == (top, False)
    # Down to the mailbox itself, or below it: refused, and no level is made.
    assert await house.refused(rename(top, "a", "b", "d")) == "loop"
    assert await house.refused(rename(top, "a", "new", "d")) == "loop"
    assert await house.refused(rename(mailbox, "new", "x/y")) == "bad-name"
    assert await house.refused(rename(mailbox)) == "bad-name"


async def test_renaming_to_itself_is_no_change(house: House) -> None:
    account = await house.account()
    mailbox = await house.mailbox(account, "x")
    assert (await house.do(rename(mailbox, "x"), Done)).modseq == 0


async def test_rename_refusals(house: House) -> None:
    account, other = await house.account(), await house.account()
    child = await house.mailbox(account, "a", "b")
    top = (await house.info(child)).parent
    assert await house.refused(rename(top, "Sent")) == "exists"
    assert await house.refused(rename(top, "iNbOx")) == "bad-name"
    assert await house.refused(rename(top, "x/y")) == "bad-name"
    assert await house.refused(rename(top, "x", parent=child)) == "loop"
    assert await house.refused(rename(top, "x", parent=top)) == "loop"
    assert await house.refused(rename(top, "x", parent=top + 70)) == "no-such-mailbox"
    assert await house.refused(rename(top, "x", parent=inbox(other))) == "no-such-mailbox"
    assert await house.refused(rename(top + 70, "x")) == "no-such-mailbox"
    assert await house.refused(rename(inbox(account), "x")) == "reserved"
    assert await house.refused(rename(top, "x", actor=other)) == "no-such-mailbox"
    deep = await house.mailbox(account, *"bcdefghijklmnopqrstuvwxyz012345")
    assert await house.refused(rename(top, "x", parent=deep)) == "limit"
    await house.do(rename(child, "inbox", parent=top), Done)


async def test_rename_needs_both_rights(house: House) -> None:
    account, other = await house.account(), await house.account()
    one, two = await house.mailbox(account, "one"), await house.mailbox(account, "two")
    await house.grant(one, other, "l")
    await house.grant(two, other, "lk")
    assert await house.refused(rename(one, "n", parent=two, actor=other)) == "no-rights"
    await house.grant(one, other, "lx")
    await house.grant(two, other, "l")
    assert await house.refused(rename(one, "n", parent=two, actor=other)) == "no-rights"
    assert await house.refused(rename(one, "n", actor=other)) == "no-rights", "on top"
    await house.grant(two, other, "lk")
    await house.do(rename(one, "n", parent=two, actor=other), Done)


# Delete -------------------------------------------------------------------------------------------


def delete(mailbox: int, actor: int = 0, until: int = 1 << 40) -> DeleteMailbox:
    return DeleteMailbox(actor=actor, mailbox=mailbox, recoverable_until=until)


async def test_messages_go_with_their_mailbox_and_stay_recoverable(house: House) -> None:
    account = await house.account()
    mailbox = await house.mailbox(account, "x")
    only = await house.append(mailbox, data=b"abc")
    await house.fill(account, 1)
    await house.copy(inbox(account), mailbox)
    answer = await house.do(delete(mailbox), Done)
    assert await read.mailbox(house.store.reader, mailbox) is None
    assert await house.uids(inbox(account)) == [1]
    assert await house.rows("SELECT email, mailbox FROM recoverable") == [(only.email, mailbox)]
    assert await house.tombstones(account, "mailbox") == [(0, answer.modseq, mailbox, mailbox)]
    assert await house.tombstones(account, "uid") == []
    assert await house.rows("SELECT * FROM mailbox_right") == []
    assert (await house.info(inbox(account))).message_modseq == answer.modseq


async def test_the_name_of_a_deleted_mailbox_is_kept_while_something_may_come_back(
    house: House,
) -> None:
    account = await house.account()
    empty, box = await house.mailbox(account, "empty"), await house.mailbox(account, "a", "b")
    (sent,) = [m for m in await read.mailboxes(house.store.reader, account) if m.role == "sent"]
    await house.fill(account, 2, box)
    await house.expunge(box)
    await house.fill(account, 1, sent.id)
    for mailbox in (empty, box, sent.id):
        await house.do(delete(mailbox), Done)
    assert await read.gone(house.store.reader, account) == {
        box: ("a/b", None),
        sent.id: ("Sent", "sent"),
    }
    # The same name again, and deleted again, is another one.
    again = await house.mailbox(account, "a", "b")
    await house.fill(account, 1, again)
    await house.do(delete(again), Done)
    assert (await read.gone(house.store.reader, account))[again] == ("a/b", None)


async def test_delete_refusals(house: House) -> None:
    account, other = await house.account(), await house.account()
    child = await house.mailbox(account, "a", "b")
    top = (await house.info(child)).parent
    assert await house.refused(delete(top)) == "has-children"
    assert await house.refused(delete(inbox(account))) == "reserved"
    assert await house.refused(delete(top + 70)) == "no-such-mailbox"
    assert await house.refused(delete(child, actor=other)) == "no-such-mailbox"
    await house.grant(child, other, "lrswipktea")
    assert await house.refused(delete(child, actor=other)) == "no-rights"
    await house.do(delete(child), Done)
    await house.do(delete(top), Done)


def sweep(mailbox: int, limit: int = MAX_ROWS) -> SweepMailbox:
    return SweepMailbox(mailbox=mailbox, limit=limit)


async def test_a_large_mailbox_is_gone_at_once_and_its_messages_follow(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One command, whatever is in it: nobody sees a part of it at any time."""
    monkeypatch.setattr("malleposte.store.execute.deleting.AT_ONCE", 2)
    house.clock.stop()
    account = await house.account()
    box = await house.mailbox(account, "x")
    await house.fill(account, 5, box)
    await house.copy(box, inbox(account), ((1, 1),))
    before = await house.rows("SELECT used_bytes, used_emails FROM account_head")
    await house.do(delete(box, until=77), Done)
    assert await read.mailbox(house.store.reader, box) is None
    assert await read.find(house.store.reader, account, "x") == 0
    assert await read.unswept(house.store.reader, account) == [box]
    assert await house.rows("SELECT kind, key FROM job") == [(SWEEP_JOB, str(box))]
    assert await house.rows("SELECT * FROM recoverable") == []
    assert await house.rows("SELECT used_bytes, used_emails FROM account_head") == before
    assert await house.fsck() == []
    for command in (
        Expunge(actor=account, mailbox=box, uids=((1, 9),), marked=False),
        Copy(actor=account, mailbox=box, uids=((1, 9),), target=inbox(account)),
        StoreFlags(actor=account, mailbox=box, uids=((1, 9),), mode="+", flags=1),
        delete(box),
    ):
        assert await house.refused(command) == "no-such-mailbox"
    # The name is free, and another mailbox's.
    again = await house.mailbox(account, "x")
    assert again != box
    await house.append(again)
    counts = []
    while (done := await house.do(sweep(box, 2), Done)).more:
        counts.append(done.count)
        assert await house.fsck() == []
    assert (counts, done.count) == ([2, 2], 1)
    assert await read.unswept(house.store.reader, account) == []
    assert await house.rows("SELECT mailbox, until FROM recoverable") == [(box, 77)] * 4
    assert await house.uids(inbox(account)) == [1], "a copy elsewhere stays"
    assert (await house.info(again)).messages == 1
    assert await house.rows("SELECT used_emails FROM account_head") == [(2,)]
    assert await house.tombstones(account, "uid") == []
    assert await house.fsck() == []


async def test_what_was_never_deleted_is_not_swept(house: House) -> None:
    account = await house.account()
    await house.fill(account, 2)
    for mailbox in (inbox(account), inbox(account) + 50, inbox(account + 9)):
        assert await house.do(sweep(mailbox), Done) == Done()
    assert await house.uids(inbox(account)) == [1, 2]


async def test_the_name_of_a_deleted_mailbox_outlives_what_is_still_in_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it nothing would tell that it was deleted, and no sweep would end it."""
    monkeypatch.setattr("malleposte.store.execute.deleting.AT_ONCE", 1)
    account = await house.account()
    box = await house.mailbox(account, "x")
    await house.fill(account, 2, box)
    await house.do(delete(box, until=0), Done)
    await house.do(PurgeRecoverable(), Done)
    assert await read.unswept(house.store.reader, account) == [box]
    await house.do(sweep(box), Done)
    await house.do(PurgeRecoverable(), Done)
    assert await house.rows("SELECT * FROM gone_mailbox") == []
    assert await house.rows("SELECT * FROM email") == []


# Subscriptions ------------------------------------------------------------------------------------


def subscribe(account: int, name: str, mailbox: int = 0, *, on: bool = True) -> Subscribe:
    return Subscribe(account=account, name=name, mailbox=mailbox, subscribed=on)


async def names(house: House, account: int) -> list[str]:
    return await read.subscriptions(house.store.reader, account)


async def test_a_mailbox_is_subscribed_by_id(house: House) -> None:
    account = await house.account()
    mailbox = await house.mailbox(account, "x")
    answer = await house.do(subscribe(account, "x", mailbox, on=False), Done)
    info = await house.info(mailbox)
    assert not info.subscribed
    assert info.modseq == answer.modseq
    await house.do(subscribe(account, "x", mailbox), Done)
    assert (await house.info(mailbox)).subscribed


async def test_a_name_without_a_mailbox_may_be_subscribed(house: House) -> None:
    """RFC 9051 §6.3.7."""
    account = await house.account()
    await house.do(subscribe(account, "later"), Done)
    await house.do(subscribe(account, "later"), Done)
    assert await names(house, account) == ["later"]
    await house.do(subscribe(account, "later", on=False), Done)
    assert await names(house, account) == []


async def test_a_mailbox_that_must_be_empty_stays_where_it_is_not(house: House) -> None:
    """Mail that comes between the last look and the removal is not removed with it."""
    account = await house.account()
    box = await house.mailbox(account, "x")
    command = DeleteMailbox(actor=account, mailbox=box, only_empty=True)
    await house.append(box)
    assert await house.refused(command) == "not-empty"
    await house.expunge(box)
    await house.do(command, Done)


async def test_deleting_a_mailbox_does_not_unsubscribe(house: House) -> None:
    """RFC 9051 §6.3.9."""
    account = await house.account()
    mailbox = await house.mailbox(account, "a", "b")
    await house.do(delete(mailbox), Done)
    assert await names(house, account) == ["a/b"]


@pytest.mark.parametrize("by_rename", [False, True])
async def test_a_name_subscribed_before_is_so_when_it_comes(house: House, by_rename: bool) -> None:
    account = await house.account()
    await house.do(subscribe(account, "x"), Done)
    if by_rename:
        made = (await house.do(create(account, "y", subscribe=False), Created)).id
        await house.do(rename(made, "x"), Done)
    else:
        made = (await house.do(create(account, "x", subscribe=False), Created)).id
    assert (await house.info(made)).subscribed
    assert await names(house, account) == []


async def test_renaming_leaves_the_old_names_subscribed(house: House) -> None:
    account = await house.account()
    child = (await house.do(create(account, "a", "b", subscribe=True), Created)).id
    top = (await house.info(child)).parent
    await house.do(rename(top, "z"), Done)
    assert await names(house, account) == ["a/b"]
    assert (await house.info(child)).subscribed
    # Back again: it is the mailbox that has the name.
    await house.do(rename(top, "a"), Done)
    assert await names(house, account) == ["z/b"]


async def test_a_name_below_subscribed_before_is_so_when_those_above_are_renamed(
    house: House,
) -> None:
    """It was lost to LSUB: the list had the name, which a mailbox had that was not subscribed."""
    account = await house.account()
    await house.do(subscribe(account, "z/b"), Done)
    child = (await house.do(create(account, "a", "b", subscribe=False), Created)).id
    await house.do(rename((await house.info(child)).parent, "z"), Done)
    assert (await house.info(child)).subscribed
    assert await names(house, account) == []


async def test_unsubscribing_a_mailbox_leaves_other_names_alone(house: House) -> None:
    """Whatever name the command brings: the mailbox is named by its id."""
    account = await house.account()
    mailbox = await house.mailbox(account, "x")
    await house.do(subscribe(account, "gone"), Done)
    await house.do(subscribe(account, "gone", mailbox, on=False), Done)
    assert not (await house.info(mailbox)).subscribed
    assert await names(house, account) == ["gone"]


async def test_nobody_subscribes_for_another(house: House) -> None:
    account, other = await house.account(), await house.account()
    await house.do(subscribe(account, "INBOX", inbox(account), on=False), Done)
    command = subscribe(other, "INBOX", inbox(account))
    assert await house.refused(command) == "no-such-mailbox"
    assert await house.refused(subscribe(account + 99, "x")) == "no-such-account"
    assert await house.refused(subscribe(account, "")) == "bad-name"
    assert await house.refused(subscribe(account, "x" * 10_000)) == "bad-name"


# After a restore ----------------------------------------------------------------------------------


async def test_renewal_leaps_past_all_that_was_given_out(house: House) -> None:
    account = await house.account()
    await house.fill(account, 2)
    before = await read.mailboxes(house.store.reader, account)
    ids = "SELECT next_email, next_mailbox, next_thread, modseq FROM account_head"
    ((*old, old_modseq),) = await house.rows(ids)
    answer = await house.do(RenewUidValidity(account=account), Done)
    assert answer.count == 6
    after = await read.mailboxes(house.store.reader, account)
    highest = max(m.uidvalidity for m in before)
    assert all(m.uidvalidity > highest + 60_000 for m in after)
    assert len({m.uidvalidity for m in after}) == 6
    assert [m.uidnext for m in after] == [m.uidnext for m in before]
    assert all(m.modseq == m.message_modseq == answer.modseq for m in after)
    ((*new, new_modseq),) = await house.rows(ids)
    assert all(n > o + 1_000_000 for n, o in zip(new, old, strict=True))
    assert new_modseq > old_modseq + 10_000_000
    # Nobody may ask for changes since a state given out after the copy was made.
    _, complete = await read.vanished(
        house.store.reader, account, inbox(account), old_modseq + 1000
    )
    assert not complete


async def test_uidvalidity_grows_when_the_clock_jumps_back(house: House) -> None:
    account = await house.account()
    house.clock.turn(-1_000_000)
    validities = [
        (await house.info(await house.mailbox(account, f"m{n}"))).uidvalidity for n in range(3)
    ]
    highest = max(m.uidvalidity for m in await read.mailboxes(house.store.reader, account))
    assert validities == sorted(set(validities))
    assert validities[-1] == highest
