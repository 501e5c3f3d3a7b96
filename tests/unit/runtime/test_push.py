"""Push: who waits for an account is told of its changes within a second, and of no others."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from malleposte.runtime.push import PushHub
from malleposte.store import Store
from malleposte.store.commands import CreateAccount, CreateDomain, CreateMailbox


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[PushHub]:
    await store.submit(CreateDomain(name="example.test"))
    for name in ("ada", "bob"):
        await store.submit(CreateAccount(address=f"{name}@example.test", name="", password_hash=""))
    hub = PushHub(store)
    task = asyncio.create_task(hub.run())
    yield hub
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def change(store: Store, account: int, name: str) -> None:
    await store.submit(CreateMailbox(actor=0, account=account, parent=0, path=(name,)))


async def test_a_change_wakes_who_waits_for_the_account(store: Store, hub: PushHub) -> None:
    calls: list[int] = []
    hub.subscribe(1, lambda: calls.append(1))
    hub.subscribe(2, lambda: calls.append(2))
    await asyncio.sleep(1.5)
    calls.clear()
    await change(store, 1, "new")
    await asyncio.sleep(1.5)
    assert calls == [1]


async def test_a_hint_is_quicker_than_the_second(store: Store, hub: PushHub) -> None:
    woken = asyncio.Event()
    hub.subscribe(1, lambda: None)
    await asyncio.sleep(1.5)
    hub.subscribe(1, woken.set)
    woken.clear()
    await change(store, 1, "new")
    hub.hint([1, 7])
    await asyncio.wait_for(woken.wait(), 0.6)


async def test_one_may_wait_for_several_accounts(store: Store, hub: PushHub) -> None:
    """A session with another's mailbox open listens to both accounts, and stops listening to each."""
    calls: list[int] = []

    def call() -> None:
        calls.append(0)

    hub.subscribe(1, call)
    leave = hub.subscribe(2, call)
    await asyncio.sleep(1.5)
    calls.clear()
    await change(store, 2, "new")
    await asyncio.sleep(1.5)
    assert len(calls) == 1
    leave()
    await change(store, 2, "newer")
    await asyncio.sleep(1.5)
    assert len(calls) == 1
    await change(store, 1, "new")
    await asyncio.sleep(1.5)
    assert len(calls) == 2


async def test_who_left_is_not_called(store: Store, hub: PushHub) -> None:
    calls: list[int] = []
    leave = hub.subscribe(1, lambda: calls.append(1))
    await asyncio.sleep(1.5)
    calls.clear()
    leave()
    leave()
    await change(store, 1, "new")
    await asyncio.sleep(1.5)
    assert calls == []
