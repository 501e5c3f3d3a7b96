"""argon2id beside the loop: right, wrong, unknown, bounded."""

import asyncio
import threading
import unicodedata
from collections.abc import Iterator

import argon2
import pytest

from malleposte.runtime.passwords import (
    Passwords,
    PasswordSettings,
    TooBusyError,
    UnfitPasswordError,
    prepared_password,
)

CHEAP = PasswordSettings(memory_kib=64, iterations=1)


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(CHEAP)
    yield made
    made.close()


async def test_a_right_password_is_right_and_a_wrong_one_wrong(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse")
    assert stored.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert await passwords.verify(stored, "correct horse")
    assert not await passwords.verify(stored, "correct horse ")
    assert not await passwords.verify(stored, "")


async def test_two_hashes_of_one_password_differ(passwords: Passwords) -> None:
    assert await passwords.hash("a") != await passwords.hash("a")


async def test_the_defaults_are_the_advised_ones() -> None:
    passwords = Passwords(PasswordSettings())
    assert (await passwords.hash("a")).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    passwords.close()


async def test_an_unknown_account_costs_a_computation_of_the_same_price(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    prices: list[tuple[int, int, int]] = []
    verify = argon2.PasswordHasher.verify

    def noted(self: argon2.PasswordHasher, hash: str | bytes, password: str | bytes) -> bool:
        parameters = argon2.extract_parameters(hash if isinstance(hash, str) else hash.decode())
        prices.append((parameters.memory_cost, parameters.time_cost, parameters.hash_len))
        return verify(self, hash, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", noted)
    stored = await passwords.hash("a")
    assert await passwords.verify(stored, "a")
    assert not await passwords.verify(None, "a")
    assert not await passwords.verify("{SSHA512}nonsense", "a")
    assert prices == [(64, 1, 32)] * 3


async def test_a_stored_form_of_ruinous_price_is_not_computed(passwords: Passwords) -> None:
    stored = (await passwords.hash("a")).replace("m=64", "m=4194304")
    assert not await passwords.verify(stored, "a")
    assert not await passwords.verify(stored.replace("m=4194304,t=1", "m=64,t=9999"), "a")


async def test_other_parameters_ask_for_a_new_hash(passwords: Passwords) -> None:
    stored = await passwords.hash("a")
    assert not passwords.needs_rehash(stored)
    dearer = Passwords(PasswordSettings(memory_kib=128, iterations=1))
    assert dearer.needs_rehash(stored)
    assert await dearer.verify(stored, "a")
    assert dearer.needs_rehash("nonsense")
    dearer.close()


async def test_decomposed_and_composed_letters_are_one_password(passwords: Passwords) -> None:
    stored = await passwords.hash("Gödel")
    assert await passwords.verify(stored, unicodedata.normalize("NFD", "Gödel"))


def test_spaces_of_any_kind_are_spaces_and_case_is_kept() -> None:
    assert prepared_password("a\u00a0B") == b"a B"
    assert prepared_password("ﬁ") == "ﬁ".encode(), "compatibility forms stay (RFC 8265 §4.2.2)"


@pytest.mark.parametrize("unfit", ["", "a\n", "\x00", "x" * 1025, "ä" * 600, "\ud800"])
async def test_unfit_passwords_are_refused_without_showing_them(
    passwords: Passwords, unfit: str
) -> None:
    with pytest.raises(UnfitPasswordError) as caught:
        await passwords.hash(unfit)
    assert not unfit or unfit not in str(caught.value)
    assert not await passwords.verify(None, unfit)


async def test_no_more_wait_than_may() -> None:
    passwords = Passwords(PasswordSettings(memory_kib=64, iterations=1, threads=1, waiting=2))
    hold = threading.Event()
    passwords._pool.submit(hold.wait)  # the only thread is taken
    waiting = [asyncio.create_task(passwords.hash("a")) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(TooBusyError):
        await passwords.hash("a")
    hold.set()
    assert len(await asyncio.gather(*waiting)) == 3
    assert await passwords.hash("a"), "room again"
    passwords.close()


async def test_who_goes_away_while_waiting_gives_the_place_back() -> None:
    passwords = Passwords(PasswordSettings(memory_kib=64, iterations=1, threads=1, waiting=1))
    hold = threading.Event()
    passwords._pool.submit(hold.wait)
    for _ in range(5):
        waiting = [asyncio.create_task(passwords.hash("a")) for _ in range(2)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await asyncio.sleep(0)
    hold.set()
    assert await passwords.hash("a")
    passwords.close()


async def test_the_loop_runs_while_a_hash_is_computed() -> None:
    # If argon2 kept the interpreter's lock, the loop could not turn before the result is there.
    passwords = Passwords(PasswordSettings(memory_kib=64 * 1024, iterations=4))
    task = asyncio.create_task(passwords.hash("a"))
    turns = 0
    while not task.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 5
    passwords.close()
