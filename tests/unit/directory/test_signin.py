"""Sign-in: one way for every protocol, telling nothing to those who guess."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from malleposte.directory.book import Book
from malleposte.directory.signin import Door, Refusal, SignIn
from malleposte.policy.throttle import Throttle, ThrottleSettings
from malleposte.runtime.passwords import Passwords, PasswordSettings, TooBusyError
from malleposte.runtime.passwords_memory import VerifiedMemory
from malleposte.store import Store
from malleposte.store.commands import (
    CreateAccount,
    CreateDomain,
    DeleteAccount,
    SetAccount,
    SetPassword,
)

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
    return await door.sign_in(name, password, peer, protocol="imap")


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


async def test_an_account_made_anew_has_no_password_of_the_old_one(
    door: Door, store: Store, passwords: Counting
) -> None:
    assert (await sign_in(door, "ada@example.test", GOOD)).account is not None
    await store.submit(DeleteAccount(account=1))
    hashed = await passwords.inner.hash("something else entirely")
    await store.submit(CreateAccount(address="ada@example.test", name="", password_hash=hashed))
    assert (await sign_in(door, "ada@example.test", GOOD)).refusal is Refusal.WRONG
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
    own = await door.sign_in(
        "ada@example.test", GOOD, "192.0.2.1", protocol="imap", acting_as="ADA@example.test"
    )
    other = await door.sign_in(
        "ada@example.test", GOOD, "192.0.2.1", protocol="imap", acting_as="bob@example.test"
    )
    assert own.account is not None
    assert other.account is None


# Guessers -----------------------------------------------------------------------------------------

# What all mean ada's account, and some that mean nobody's but are one name.
SPELLINGS = [
    "ada@example.test",
    "ADA@example.test",
    "aDa@Example.TEST",
    " ada@example.test",
    "ada@example.test.",
    "ada@example.test....",
    "ada@EXAMPLE.test. ",
    "\tAda@example.test.\r",
]
NOBODY = ["zo\u00eb@example.test", "Zoe\u0308@example.test", "ZO\u00cb@example.test.."]


@pytest.mark.parametrize("spellings", [SPELLINGS, NOBODY])
async def test_the_spelling_of_a_name_gains_nothing(
    door: Door, passwords: Counting, spellings: list[str]
) -> None:
    for number in range(60):
        await sign_in(door, spellings[number % len(spellings)], f"guess {number}")
    assert passwords.count in (5, 6), "as many as one spelling has: the first has faded a little"
    assert (await sign_in(door, spellings[0], GOOD)).refusal is Refusal.TOO_MANY


class Pauses:
    """`asyncio.sleep` of the door: how long it would have been."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds: list[float] = []
        monkeypatch.setattr("malleposte.directory.signin.sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


def door_with(store: Store, passwords: Passwords | Counting, settings: ThrottleSettings) -> Door:
    return Door(Book(store), Throttle(settings), passwords, VerifiedMemory(600), busy=TooBusyError)


@pytest.mark.parametrize("spellings", [SPELLINGS, NOBODY])
async def test_many_networks_are_slowed_whatever_the_spelling(
    door: Door,
    store: Store,
    passwords: Counting,
    spellings: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """60 guesses of 15 networks: 20 cost nothing, the others what one account's cost."""
    pauses = Pauses(monkeypatch)
    door = door_with(store, passwords, ThrottleSettings())
    for number in range(60):
        peer = f"203.0.113.{number % 15}"
        await sign_in(door, spellings[number % len(spellings)], f"guess {number}", peer)
    expected = [0.5, 1, 2, 4] + [5.0] * 36
    # Scores fade by a little while the computations run.
    assert len(pauses.seconds) >= 38
    assert sum(pauses.seconds) >= 0.9 * sum(expected)


async def test_ninety_guesses_at_once_are_no_more_than_one_after_the_other(
    door: Door, store: Store, passwords: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    Pauses(monkeypatch)
    door = door_with(store, passwords, ThrottleSettings())
    results = await asyncio.gather(
        *[sign_in(door, SPELLINGS[n % len(SPELLINGS)], f"guess {n}") for n in range(90)]
    )
    assert passwords.count <= ThrottleSettings().pair_refused + 1, "the first has faded a little"
    assert {result.refusal for result in results} == {Refusal.WRONG, Refusal.TOO_MANY}
    assert (await sign_in(door, "ada@example.test", GOOD, "198.51.100.7")).account is not None


async def test_ninety_names_at_once_are_no_more_than_one_after_the_other(
    door: Door, store: Store, passwords: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One password on many names: past 40 the network is refused, those that wait in line too."""
    Pauses(monkeypatch)
    door = door_with(store, passwords, ThrottleSettings())
    await asyncio.gather(*[sign_in(door, f"name{n}@example.test", "Summer") for n in range(90)])
    assert passwords.count <= ThrottleSettings().network_refused + 4


async def test_a_guesser_beside_the_owner_gets_few_at_full_speed(
    door: Door, store: Store, passwords: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = Pauses(monkeypatch)
    door = door_with(store, passwords, ThrottleSettings())
    assert (await sign_in(door, "ada@example.test", GOOD)).account is not None
    before = passwords.count
    await asyncio.gather(*[sign_in(door, "ada@example.test", f"guess {n}") for n in range(90)])
    guesses = passwords.count - before
    assert guesses - sum(pause == 5.0 for pause in pauses.seconds) <= 12
    assert (await sign_in(door, "ada@example.test", GOOD)).account is not None


async def test_a_network_does_not_take_all_places_in_the_queue(
    door: Door, store: Store, passwords: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ninety connections of one address, and a queue for eight: others sign in meanwhile."""
    Pauses(monkeypatch)
    few = Passwords(PasswordSettings(memory_kib=8 * 1024, iterations=1, threads=1, waiting=7))
    try:
        door = door_with(store, few, ThrottleSettings())
        flood = [
            asyncio.create_task(sign_in(door, f"name{n}@example.test", "Summer", "192.0.2.66"))
            for n in range(90)
        ]
        await asyncio.sleep(0.01)
        results = [await sign_in(door, "ada@example.test", GOOD, "198.51.100.7")]
        results.append(await sign_in(door, "bob@example.test", GOOD, "198.51.100.8"))
        assert [result.refusal for result in results] == [None, None]
        assert Refusal.AWAY not in {result.refusal for result in await asyncio.gather(*flood)}
    finally:
        few.close()


async def test_after_a_restart_all_programs_of_an_owner_come_back_at_once(
    door: Door, store: Store, passwords: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty connections from a house that is not known yet: all get in, and at once."""
    pauses = Pauses(monkeypatch)
    door = door_with(store, passwords, ThrottleSettings())
    results = await asyncio.gather(*[sign_in(door, "ada@example.test", GOOD) for _ in range(30)])
    assert all(result.account is not None for result in results)
    assert pauses.seconds == []
    assert passwords.count <= 4, "the others know by then that it is right"


async def test_who_hangs_up_in_the_line_leaves_his_place(
    door: Door, store: Store, passwords: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    Pauses(monkeypatch)
    door = door_with(store, passwords, ThrottleSettings())
    waiting = [
        asyncio.create_task(sign_in(door, "ada@example.test", f"guess {n}")) for n in range(40)
    ]
    await asyncio.sleep(0.01)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert (await sign_in(door, "bob@example.test", GOOD)).account is not None
    assert door.waiting == 0
