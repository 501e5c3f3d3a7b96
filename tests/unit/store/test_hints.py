"""Hints between nodes on PostgreSQL: one node's commit is heard by another within the second."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

from malleposte.store import cluster
from malleposte.store.commands import CreateAccount, CreateDomain, CreateMailbox
from malleposte.store.hints import Hints
from support.postgres import Server

pytestmark = pytest.mark.postgres


async def test_a_commit_here_is_heard_there(postgres_server: Server, tmp_path: Path) -> None:
    dsn = await postgres_server.cleaned()
    here, there = Hints(dsn), Hints(dsn)
    heard: asyncio.Queue[int] = asyncio.Queue()

    def hear(accounts: Iterable[int]) -> None:
        for account in accounts:
            heard.put_nowait(account)

    tasks = [
        asyncio.create_task(here.run(lambda accounts: None)),
        asyncio.create_task(there.run(hear)),
    ]
    try:
        async with cluster(dsn, tmp_path, size=2, committed=here.changed) as store:
            await store.submit(CreateDomain(name="example.test"))
            await store.submit(CreateAccount(address="a@example.test", name="", password_hash=""))
            await asyncio.sleep(0.5)
            await store.submit(CreateMailbox(actor=0, account=1, parent=0, path=("x",)))
            assert await asyncio.wait_for(heard.get(), 1.0) == 1
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
