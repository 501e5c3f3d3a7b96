"""Entries of METADATA: who may set and see them, what goes with whom, and their bounds."""

import pytest

from malleposte.store.commands import (
    SYSTEM,
    DeleteAccount,
    DeleteMailbox,
    Entry,
    PurgeAccount,
    RenameMailbox,
    SetMetadata,
)
from malleposte.store.execute import annotations as execute
from malleposte.store.read import annotations, mailboxes
from malleposte.store.read.annotations import MAX_VALUE, Annotation
from malleposte.store.read.usage import Usage, marked, marked_part, usage
from malleposte.store.results import Done, Refused
from support.store import House, inbox


def entry(name: str, value: bytes | None, *, private: bool = False) -> Entry:
    return Entry(name=name, private=private, value=value)


async def put(
    house: House, actor: int, mailbox: int, *entries: Entry, role: str | None = None
) -> Done:
    command = SetMetadata(actor=actor, mailbox=mailbox, entries=entries, role=role)
    return await house.do(command, Done)


async def refused(
    house: House, actor: int, mailbox: int, *entries: Entry, role: str | None = None
) -> str:
    return await house.refused(
        SetMetadata(actor=actor, mailbox=mailbox, entries=entries, role=role)
    )


async def seen(house: House, actor: int, mailbox: int) -> dict[tuple[str, bool], bytes | None]:
    found = await annotations.annotations(house.store.reader, actor, mailbox)
    return {(one.name, one.private): one.value for one in found}


async def test_values_are_octets_and_all_are_set_at_once(house: House) -> None:
    account = await house.account()
    box = inbox(account)
    every = bytes(range(256))
    await put(house, account, box, entry("/a", every), entry("/a", b"", private=True))
    assert await seen(house, account, box) == {("/a", False): every, ("/a", True): b""}
    await put(house, account, box, entry("/a", b"new"), entry("/a", None, private=True))
    assert await seen(house, account, box) == {("/a", False): b"new"}
    await put(house, account, box, entry("/never", None))
    long = b"x" * (MAX_VALUE + 1)
    assert await refused(house, account, box, entry("/b", b"fits"), entry("/c", long)) == "too-long"
    assert await seen(house, account, box) == {("/a", False): b"new"}


async def test_a_value_too_large_for_who_asks_is_told_by_its_size(house: House) -> None:
    account = await house.account()
    await put(house, account, inbox(account), entry("/a", b"123"), entry("/b", b"1234"))
    found = await annotations.annotations(house.store.reader, account, inbox(account), 3)
    assert sorted(found, key=lambda one: one.name) == [
        Annotation("/a", False, 3, b"123"),
        Annotation("/b", False, 4, None),
    ]


async def test_a_change_is_one_of_the_mailbox_and_of_no_message(house: House) -> None:
    account = await house.account()
    box = inbox(account)
    await house.fill(account, 1)
    before = await house.info(box)
    done = await put(house, account, box, entry("/a", b"1", private=True))
    after = await house.info(box)
    assert after.modseq == done.modseq > before.modseq
    assert after.message_modseq == before.message_modseq
    assert await mailboxes.modseq(house.store.reader, account) == done.modseq


async def test_a_private_entry_is_its_writers_alone(house: House) -> None:
    owner, other = await house.account(), await house.account()
    box = await house.mailbox(owner, "box")
    await house.grant(box, other, "lrw")
    await put(house, owner, box, entry("/a", b"owner", private=True))
    await put(house, other, box, entry("/a", b"other", private=True), entry("/b", b"all"))
    assert await seen(house, owner, box) == {("/a", True): b"owner", ("/b", False): b"all"}
    assert await seen(house, other, box) == {("/a", True): b"other", ("/b", False): b"all"}
    listed = await annotations.of_mailboxes(house.store.reader, other, [box], ["/a"])
    assert listed == {box: {("/a", True): b"other"}}


@pytest.mark.parametrize(
    ("letters", "private", "shared"),
    [
        ("", "no-such-mailbox", "no-such-mailbox"),
        ("rwi", "no-such-mailbox", "no-such-mailbox"),
        ("l", "no-rights", "no-rights"),
        ("lkxtea", "no-rights", "no-rights"),
        ("lp", "", "no-rights"),
        ("lr", "", "no-rights"),
        ("lw", "", ""),
    ],
)
async def test_rights(house: House, letters: str, private: str, shared: str) -> None:
    """RFC 5464 §3.3; what all see takes the right to write besides."""
    owner, other = await house.account(), await house.account()
    box = await house.mailbox(owner, "box")
    if letters:
        await house.grant(box, other, letters)
    for reason, one in (
        (private, entry("/a", b"1", private=True)),
        (shared, entry("/a", b"1")),
    ):
        if reason:
            assert await refused(house, other, box, one) == reason
        else:
            await put(house, other, box, one)


async def test_what_the_server_says_is_not_set_by_accounts(house: House) -> None:
    account, other = await house.account(), await house.account()
    await put(house, account, 0, entry("/a", b"mine", private=True))
    assert await refused(house, account, 0, entry("/a", b"all")) == "no-rights"
    assert await seen(house, account, 0) == {("/a", True): b"mine"}
    assert await seen(house, other, 0) == {}


async def test_the_use_of_a_mailbox_moves(house: House) -> None:
    account = await house.account()
    sent = await house.standard(account, "sent")
    box = await house.mailbox(account, "box")
    await put(house, account, box, role="sent")
    assert [(await house.info(one)).role for one in (sent, box)] == [None, "sent"]
    await put(house, account, box, entry("/a", b"1"))
    assert (await house.info(box)).role == "sent"
    await put(house, account, box, role="")
    assert (await house.info(box)).role is None
    assert await refused(house, account, inbox(account), role="sent") == "reserved"
    other = await house.account()
    await house.grant(box, other, "lrswipkxtea")
    assert await refused(house, other, box, role="sent") == "no-rights"


async def test_renaming_keeps_them_deleting_removes_them(house: House) -> None:
    account, other = await house.account(), await house.account()
    box = await house.mailbox(account, "box")
    await house.grant(box, other, "lr")
    await put(house, account, box, entry("/a", b"1"))
    await put(house, other, box, entry("/a", b"2", private=True))
    await house.do(RenameMailbox(actor=account, mailbox=box, parent=0, path=("new",)), Done)
    assert await seen(house, account, box) == {("/a", False): b"1"}
    await house.do(DeleteMailbox(actor=account, mailbox=box), Done)
    assert await house.rows("SELECT name FROM annotation") == []


async def test_they_go_to_an_heir_where_that_is_asked_for(house: House) -> None:
    """What a client deletes is deleted, whoever takes its use. They count as a change of the heir."""
    account, other = await house.account(), await house.account()
    sent, heir = await house.standard(account, "sent"), await house.mailbox(account, "Gesendet")
    await put(house, account, sent, entry("/a", b"1", private=True))
    await house.do(DeleteMailbox(actor=account, mailbox=sent, heir=heir), Done)
    assert (await house.info(heir)).role == "sent"
    assert await seen(house, account, heir) == {}
    first, last = await house.mailbox(account, "first"), await house.mailbox(account, "last")
    await put(house, account, first, entry("/a", b"2", private=True))
    command = DeleteMailbox(actor=account, mailbox=first, heir=last, entries=True)
    done = await house.do(command, Done)
    assert await seen(house, account, last) == {("/a", True): b"2"}
    assert (await house.info(last)).modseq == done.modseq
    anothers = DeleteMailbox(actor=account, mailbox=last, heir=inbox(other), entries=True)
    await house.do(anothers, Done)
    assert await house.rows("SELECT mailbox FROM annotation") == []


async def test_an_account_that_goes_takes_its_entries_along(house: House) -> None:
    account, other = await house.account(), await house.account()
    box = await house.mailbox(account, "box")
    await house.grant(box, other, "lrw")
    await put(house, other, box, entry("/a", b"1", private=True), entry("/b", b"2"))
    await put(house, other, inbox(other), entry("/c", b"3"))
    await put(house, other, 0, entry("/d", b"4", private=True))
    await house.do(DeleteAccount(account=other), Done)
    await house.do(PurgeAccount(account=other), Done)
    assert await seen(house, account, box) == {("/b", False): b"2"}
    assert await house.value("SELECT count(*) FROM annotation") == 1


async def test_bounds_of_an_account(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who removes or shortens is never refused; another's mailboxes are no way around."""
    monkeypatch.setattr(execute, "MAX_ENTRIES", 3)
    monkeypatch.setattr(execute, "MAX_OCTETS", 40)
    account, other = await house.account(), await house.account()
    mine, theirs = inbox(account), await house.mailbox(other, "box")
    await house.grant(theirs, account, "lrw")
    await put(house, account, mine, entry("/a", b"1"), entry("/b", b"1", private=True))
    await put(house, account, theirs, entry("/c", b"1", private=True))
    for box, private in ((mine, False), (theirs, True), (0, True)):
        new = entry("/d", b"1", private=private)
        assert await refused(house, account, box, new) == "too-many"
    # What all see in another's mailbox is kept by its owner.
    await put(house, account, theirs, entry("/d", b"1"))
    await put(house, account, mine, entry("/a", None), entry("/d", b"1"))
    await put(house, account, mine, entry("/d", b"x" * 32))
    assert await refused(house, account, mine, entry("/d", b"x" * 33)) == "too-many"
    monkeypatch.setattr(execute, "MAX_OCTETS", 10)
    await put(house, account, mine, entry("/d", b"x" * 31))
    await put(house, account, mine, entry("/d", None))
    assert await annotations.kept(house.store.reader, account) == (2, 6)


async def test_usage(house: House) -> None:
    account = await house.account(quota=1 << 30)
    await house.fill(account, 2)
    await put(house, account, inbox(account), entry("/abc", b"1234"))
    used = await house.value("SELECT used_bytes FROM account_head WHERE account = $1", account)
    assert await usage(house.store.reader, account) == Usage(used, 1 << 30, 6, 10_000, 8, 4 << 20)
    assert await usage(house.store.reader, 4711) is None


async def test_what_an_expunge_gives_back(house: House) -> None:
    r"""Messages marked ``\Deleted`` that are in no other mailbox, and that the account is charged for."""
    account = await house.account()
    box, other = inbox(account), await house.mailbox(account, "other")
    await house.fill(account, 3)
    await house.deliver(account, exempt=True)
    await house.flag(box, ((2, 4),), deleted=True)
    await house.copy(box, other, ((3, 3),))
    size = await house.value(
        "SELECT e.size FROM membership m JOIN email e ON e.id = m.email"
        " WHERE m.mailbox = $1 AND m.uid = 2",
        box,
    )
    reader = house.store.reader
    assert (await marked(reader, [box, other])).get(box) == size
    assert await marked_part(reader, box, 1, 2) == size
    assert await marked_part(reader, box, 3, 9) == 0


async def test_delivery_and_upkeep_may_note_things_too(house: House) -> None:
    account = await house.account()
    await put(house, SYSTEM, inbox(account), entry("/a", b"1"))
    assert await seen(house, account, inbox(account)) == {("/a", False): b"1"}
    result = await house.store.submit(SetMetadata(actor=SYSTEM, mailbox=0, entries=()))
    assert isinstance(result, Refused)
