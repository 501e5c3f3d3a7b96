"""Sign-in: one way for every protocol, telling nothing to those who guess."""

from collections.abc import AsyncIterator

import pytest

from malleposte.directory.book import Book
from malleposte.directory.signin import Door, Refusal, SignIn
from malleposte.policy.throttle import Throttle, ThrottleSettings
from malleposte.runtime.passwords import Passwords, PasswordSettings, TooBusyError
from malleposte.runtime.passwords_memory import VerifiedMemory
from malleposte.store import Store
from malleposte.store.commands import CreateAccount, CreateDomain, SetAccount, SetPassword

GOOD = "correct horse battery"


class Counting:
    """The real computations, counted."""

    def __init__(self) -> None:
        self.inner = Passwords(PasswordSettings(memory_kib=8 * 1024, iterations=1))
        self.count = 0

    async def verify(self, stored: str | None, password: str) -> bool:
        self.count += 1
        return await self.inner.verify(stored, password)


@pytest.fixture
async def passwords() -> AsyncIterator[Counting]:
    counting = Counting()
    yield counting
    counting.inner.close()


@pytest.fixture
async def door(store: Store, passwords: Counting) -> Door:
    await store.submit(CreateDomain(name="example.test"))
    hashed = await passwords.inner.hash(GOOD)
    for name in ("ada", "bob"):
        await store.submit(
            CreateAccount(address=f"{name}@example.test", name="", password_hash=hashed)
        )
    throttle = Throttle(ThrottleSettings(pair_free=3, pair_refused=5, first_delay=0.0))
    return Door(Book(store), throttle, passwords, VerifiedMemory(600), busy=TooBusyError)


async def sign_in(door: Door, name: str, password: str, peer: str = "192.0.2.1") -> SignIn:
    return await door.sign_in(name, password, peer)


async def test_the_right_password_signs_in_and_is_remembered(
    door: Door, passwords: Counting
) -> None:
    for _ in range(3):
        result = await sign_in(door, "Ada@Example.test", GOOD)
        assert result.account is not None
        assert result.account.address == "ada@example.test"
    assert passwords.count == 1


async def test_unknown_and_wrong_read_the_same_and_cost_the_same(
    door: Door, passwords: Counting
) -> None:
    wrong = await sign_in(door, "ada@example.test", "nonsense")
    unknown = await sign_in(door, "nobody@example.test", "nonsense")
    assert wrong == unknown == SignIn(None, Refusal.WRONG, wrong.text)
    assert passwords.count == 2


async def test_a_suspended_account_is_told_so_only_with_the_right_password(
    door: Door, store: Store
) -> None:
    await store.submit(SetAccount(account=1, status="suspended"))
    assert (await sign_in(door, "ada@example.test", "nonsense")).refusal is Refusal.WRONG
    assert (await sign_in(door, "ada@example.test", GOOD)).refusal is Refusal.SUSPENDED


async def test_a_changed_password_ends_what_is_remembered(
    door: Door, store: Store, passwords: Counting
) -> None:
    assert (await sign_in(door, "ada@example.test", GOOD)).account is not None
    hashed = await passwords.inner.hash("something else entirely")
    await store.submit(SetPassword(account=1, password_hash=hashed))
    assert (await sign_in(door, "ada@example.test", GOOD)).account is None
    assert (await sign_in(door, "ada@example.test", "something else entirely")).account is not None


async def test_guessing_is_refused_there_and_locks_nobody_out_elsewhere(door: Door) -> None:
    assert (await sign_in(door, "ada@example.test", GOOD, "198.51.100.7")).account is not None
    for _ in range(8):
        last = await sign_in(door, "ada@example.test", "a guess", "192.0.2.9")
    assert last.refusal is Refusal.TOO_MANY
    assert "try again" in last.text
    # Even the right password is not looked at from there now …
    assert (await sign_in(door, "ada@example.test", GOOD, "192.0.2.9")).account is None
    # … while the owner and a colleague in the guesser's office get in.
    assert (await sign_in(door, "ada@example.test", GOOD, "198.51.100.7")).account is not None
    assert (await sign_in(door, "bob@example.test", GOOD, "192.0.2.9")).account is not None


async def test_nobody_acts_as_another(door: Door) -> None:
    own = await door.sign_in("ada@example.test", GOOD, "192.0.2.1", acting_as="ADA@example.test")
    other = await door.sign_in("ada@example.test", GOOD, "192.0.2.1", acting_as="bob@example.test")
    assert own.account is not None
    assert other.account is None
