"""Who an address reaches and who signs in, read from a real store and remembered no longer than true."""

import asyncio
from typing import Any

import pytest

from malleposte.directory import book as book_module
from malleposte.directory.book import Book
from malleposte.directory.resolution import Found
from malleposte.policy.remembered import Remembered
from malleposte.store import Store
from malleposte.store.commands import (
    CreateAccount,
    CreateDomain,
    DeleteAccount,
    GrantRole,
    SetAccount,
    SetAlias,
    SetDomain,
    SetPassword,
)
from malleposte.store.results import Created


@pytest.fixture
async def book(store: Store) -> Book:
    """Two accounts, ada (owner) and bob, an alias for both and one that leads outside."""
    await store.submit(CreateDomain(name="example.test"))
    for address, role in (("ada@example.test", "owner"), ("bob@example.test", "")):
        made = await store.submit(
            CreateAccount(address=address, name="", password_hash="a hash", role=role)
        )
        assert isinstance(made, Created)
    await store.submit(SetDomain(name="example.test", forwarding="anywhere"))
    await store.submit(SetAlias(address="team@example.test", accounts_=(1, 2)))
    await store.submit(SetAlias(address="away@example.test", remotes=("x@elsewhere.example",)))
    return Book(store)


@pytest.mark.parametrize(
    ("local", "domain", "accounts", "detail"),
    [
        ("bob", "example.test", (2,), ""),
        ("BOB", "Example.Test.", (2,), ""),
        ("bob+lists", "example.test", (2,), "lists"),
        ("team", "example.test", (1, 2), ""),
        ("team+x", "example.test", (1, 2), "x"),
        ("postmaster", "example.test", (1,), ""),
        ("Abuse", "example.test", (1,), ""),
        ("postmaster", "", (1,), ""),
    ],
)
async def test_an_address_reaches_accounts(
    book: Book, local: str, domain: str, accounts: tuple[int, ...], detail: str
) -> None:
    for _ in range(2):
        resolution = await book.resolve(local, domain)
        assert resolution.found is Found.HERE
        assert resolution.accounts == accounts
        assert resolution.detail == detail


@pytest.mark.parametrize(
    ("local", "domain", "found"),
    [
        ("carl", "example.test", Found.NO_SUCH_USER),
        ("bob", "elsewhere.example", Found.NOT_OURS),
        ("bob", "[127.0.0.1]", Found.NOT_OURS),
        ("bob", "", Found.NO_SUCH_USER),
        ("x" * 300, "example.test", Found.NO_SUCH_USER),
        ("", "example.test", Found.NO_SUCH_USER),
        ("\ud800", "example.test", Found.NO_SUCH_USER),
    ],
)
async def test_what_is_not_ours_or_not_in_use_is_told_apart(
    book: Book, local: str, domain: str, found: Found
) -> None:
    assert (await book.resolve(local, domain)).found is found


async def test_remote_targets_are_named(book: Book) -> None:
    resolution = await book.resolve("away", "example.test")
    assert resolution.accounts == ()
    assert resolution.remotes == ("x@elsewhere.example",)


async def test_changes_are_seen_at_once(book: Book, store: Store) -> None:
    """What is remembered never outlives a change, however it was made."""
    assert (await book.resolve("carl", "example.test")).found is Found.NO_SUCH_USER
    await store.submit(CreateAccount(address="carl@example.test", name="", password_hash=""))
    assert (await book.resolve("carl", "example.test")).accounts == (3,)
    await store.submit(DeleteAccount(account=3))
    assert (await book.resolve("carl", "example.test")).found is Found.NO_SUCH_USER
    await store.submit(SetAlias(address="team@example.test", accounts_=(2,)))
    assert (await book.resolve("team", "example.test")).accounts == (2,)


class Held:
    """The store's reader, whose answers about addresses and accounts come late."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.read, self.go_on = asyncio.Event(), asyncio.Event()

    async def row(self, sql: str, *values: Any) -> Any:
        row = await self._inner.row(sql, *values)
        if "version FROM directory_head" not in sql and not self.read.is_set():
            self.read.set()
            await self.go_on.wait()
        return row

    async def rows(self, sql: str, *values: Any) -> Any:
        return await self._inner.rows(sql, *values)


async def test_what_was_read_before_a_change_is_not_remembered_after_it(
    book: Book, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One question is under way while another already sees the change."""
    asks: list[tuple[Any, Any]] = [
        (lambda: book.sign_in_name("bob@example.test"), lambda a: a is None or a.hash == "a hash"),
        (lambda: book.account(2), lambda a: a is None or a.hash == "a hash"),
    ]
    for ask, is_old in asks:
        held = Held(store.reader)
        with monkeypatch.context() as patch:
            patch.setattr(store, "reader", held)
            late = asyncio.create_task(ask())
            await held.read.wait()
            await store.submit(SetPassword(account=2, password_hash="another hash"))
            assert not is_old(await ask())
            held.go_on.set()
            await late
        assert not is_old(await ask())
        await store.submit(SetPassword(account=2, password_hash="a hash"))
        assert is_old(await ask())


async def test_suspended_receives_archived_does_not(book: Book, store: Store) -> None:
    await store.submit(SetAccount(account=2, status="suspended"))
    assert (await book.resolve("bob", "example.test")).accounts == (2,)
    await store.submit(SetAccount(account=2, status="archived"))
    assert (await book.resolve("bob", "example.test")).found is Found.SUSPENDED


async def test_the_postmaster_s_mail_waits_for_administrators_who_are_suspended(
    book: Book, store: Store
) -> None:
    """It was given to whoever had the lowest number of the others."""
    await store.submit(GrantRole(account=2, role="administrator"))
    await store.submit(SetAccount(account=2, status="suspended"))
    assert (await book.resolve("postmaster", "example.test")).accounts == (1,)
    await store.submit(SetAccount(account=1, status="suspended"))
    resolution = await book.resolve("postmaster", "example.test")
    assert (resolution.found, resolution.accounts) == (Found.HERE, (1, 2))
    await store.submit(SetAccount(account=1, status="archived"))
    assert (await book.resolve("abuse", "example.test")).accounts == (2,)


async def test_the_postmaster_reaches_someone_before_there_is_an_administrator(
    store: Store,
) -> None:
    await store.submit(CreateDomain(name="example.test"))
    await store.submit(CreateAccount(address="ada@example.test", name="", password_hash=""))
    resolution = await Book(store).resolve("postmaster", "example.test")
    assert resolution.accounts == (1,)
    assert resolution.system


async def test_a_password_change_shows_in_the_account(book: Book, store: Store) -> None:
    before = await book.sign_in_name("BOB@example.test")
    assert before is not None
    await store.submit(SetPassword(account=2, password_hash="another hash"))
    after = await book.sign_in_name("bob@example.test")
    assert after is not None
    assert after.hash == "another hash"
    assert after.credential_version > before.credential_version


async def test_who_may_send_as_what(book: Book) -> None:
    assert await book.owns(2, "bob@example.test")
    assert await book.owns(2, "bob+tag@example.test")
    assert await book.owns(2, "team@example.test")
    assert not await book.owns(2, "ada@example.test")
    assert not await book.owns(2, "bob@elsewhere.example")
    assert not await book.owns(2, "bob")


@pytest.mark.parametrize("name", ["", "bob", "@", "bob@", "bob@nowhere", "\n@x", "bob@exa mple"])
async def test_odd_names_sign_nobody_in(book: Book, name: str) -> None:
    assert await book.sign_in_name(name) is None


# What is remembered, when nothing is committed --------------------------------------------------------


async def test_strangers_domains_leave_nothing_behind(book: Book) -> None:
    before = book.remembered
    for number in range(500):
        assert (await book.resolve("x", f"d{number}.example")).found is Found.NOT_OURS
        assert await book.sign_in_name(f"x@d{number}.example") is None
        assert not await book.owns(2, f"bob@d{number}.example")
        assert (await book.resolve("x" * 100, f"d{number}.example")).found is Found.NOT_OURS
    assert book.remembered <= before + 500, "names that sign nobody in, and nothing else"


async def test_invented_addresses_are_few_and_push_out_nobody(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book_module, "MOST_KNOWN", 40)
    monkeypatch.setattr(book_module, "MOST_UNKNOWN", 10)
    small = Book(book._store)
    known = await small.resolve("bob", "example.test")
    account = await small.sign_in_name("bob@example.test")
    for number in range(500):
        for local in (f"invented{number}", f"bad address {number}"):
            found = (await small.resolve(local, "example.test")).found
            assert found is Found.NO_SUCH_USER
        assert await small.sign_in_name(f"invented{number}@example.test") is None
        assert await small.account(1_000 + number) is None
        assert small.remembered <= 4 + 10
    assert await small.resolve("bob", "example.test") is known
    assert await small.sign_in_name("bob@example.test") is account


async def test_known_addresses_in_endless_spellings_are_bounded(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book_module, "MOST_KNOWN", 40)
    small = Book(book._store)
    for number in range(500):
        resolution = await small.resolve(f"bob+list{number}", "example.test" + "." * (number % 9))
        assert resolution.accounts == (2,)
        assert small.remembered <= 3 * 40


def test_what_was_asked_for_longest_ago_is_forgotten() -> None:
    table = Remembered[str, int](2)
    table.keep("a", 1)
    table.keep("b", 2)
    assert table.get("a") == 1
    table.keep("c", 3)
    assert [table.get(key) for key in "abc"] == [1, None, 3]
    assert len(table) == 2
