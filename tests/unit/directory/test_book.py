"""Who an address reaches and who signs in, read from a real store and remembered no longer than true."""

import pytest

from malleposte.directory.book import Book, Found
from malleposte.store import Store
from malleposte.store.commands import (
    CreateAccount,
    CreateDomain,
    DeleteAccount,
    GrantRole,
    SetAccount,
    SetAlias,
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


async def test_suspended_receives_archived_does_not(book: Book, store: Store) -> None:
    await store.submit(SetAccount(account=2, status="suspended"))
    assert (await book.resolve("bob", "example.test")).accounts == (2,)
    await store.submit(SetAccount(account=2, status="archived"))
    assert (await book.resolve("bob", "example.test")).found is Found.SUSPENDED


async def test_the_postmaster_reaches_someone_before_there_is_an_administrator(
    book: Book, store: Store
) -> None:
    await store.submit(GrantRole(account=1, role="owner", granted=False))
    resolution = await book.resolve("postmaster", "example.test")
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
