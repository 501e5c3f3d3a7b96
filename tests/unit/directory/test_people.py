"""Who is in an organisation: in slices, without devices and those who are gone, anew when it changes."""

import pytest

from malleposte.directory import people as listing
from malleposte.directory.book import Book
from malleposte.directory.people import People, people
from malleposte.store.commands import (
    CreateAccount,
    DeleteAccount,
    GroupEntry,
    PutGroup,
    SetAccount,
    SetMembers,
    SetPassword,
)
from malleposte.store.results import Created, Done
from support.store import House


async def listed(house: House, book: Book) -> People:
    return await people(book, house.store.reader, 1)


async def test_people_and_groups_are_listed_in_slices(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "SLICE", 1)
    accounts = [await house.account(name) for name in ("ada", "bob", "eve")]
    device = CreateAccount(address="printer@example.org", name="", password_hash="", kind="device")
    await house.do(device, Created)
    await house.do(SetAccount(account=accounts[2], status="suspended"), Done)
    for name in ("team", "all"):
        address = f"{name}@example.org"
        group = PutGroup(address=address, name=name, fresh=True, senders="anyone", archive=0)
        await house.do(group, Done)
        for account in accounts:
            entry = SetMembers(address=address, entries=(GroupEntry(account=account),))
            await house.do(entry, Done)
    found = await listed(house, Book(house.store))
    named = {one.address.partition("@")[0]: one for one in found.entries.values()}
    assert set(named) == {"ada", "bob", "team", "all"}
    assert set(named["team"].members) == {named["ada"].uid, named["bob"].uid}
    assert (named["ada"].id, named["team"].kind, named["team"].id < 0) == (
        accounts[0],
        "group",
        True,
    )
    monkeypatch.setattr(listing, "MOST", 1)
    assert len((await listed(house, Book(house.store))).entries) < 3, "a bound of what is in memory"


async def test_its_state_changes_where_an_entry_does(house: House) -> None:
    ada, bob = await house.account("ada"), await house.account("bob")
    book = Book(house.store)
    first = await listed(house, book)
    assert await listed(house, book) is first, "from memory"
    await house.do(SetPassword(account=ada, password_hash="$other"), Done)
    second = await listed(house, book)
    assert second.state == first.state, "a password is nobody's business"
    await house.do(SetAccount(account=bob, name="Bob"), Done)
    third = await listed(house, book)
    assert third.state != first.state
    assert third.entries[bob].uid == first.entries[bob].uid
    assert third.entries[bob].tag != first.entries[bob].tag
    await house.do(DeleteAccount(account=bob), Done)
    assert set((await listed(house, book)).entries) == {ada}
