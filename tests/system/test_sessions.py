"""How many may be signed in: counted over all workers, by account and never by address."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.imap_client import ImapClient, Lost, Refused
from support.processes import kill, of_kind
from support.server import PASSWORD, Server

MOST = 100
"""By default."""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with Server(tmp_path / "server", workers=2).running_beside(3) as server:
        yield server


@contextlib.asynccontextmanager
async def crowd() -> AsyncIterator[list[ImapClient]]:
    """Clients that are closed at the end."""
    clients: list[ImapClient] = []
    try:
        yield clients
    finally:
        for client in clients:
            await client.__aexit__()


async def signed_in(server: Server, user: int) -> ImapClient:
    client = await ImapClient.connect(server.ports["imap"])
    try:
        await client.login(f"u{user}@example.test", PASSWORD)
    except BaseException:
        await client.__aexit__()
        raise
    return client


async def alive(client: ImapClient) -> bool:
    try:
        await client.command(b"NOOP")
    except Lost:
        return False
    return True


@pytest.mark.timeout(120)
async def test_an_office_behind_one_address_is_served(server: Server) -> None:
    """150 and more signed-in sessions from one address; of one account 100, whichever workers they are
    on: the newest is refused, with words, and the others go on."""
    async with crowd() as clients:
        for _ in range(MOST):
            clients.append(await signed_in(server, 1))
        for _ in range(3):
            with pytest.raises(Refused, match=r"\[LIMIT\].* 100 connections .*another device"):
                await signed_in(server, 1)
        for _ in range(60):
            clients.append(await signed_in(server, 2))
        assert all([await alive(client) for client in clients])
        await clients[0].command(b"LOGOUT")
        clients.append(await signed_in(server, 1))
        with pytest.raises(Refused, match=r"\[LIMIT\]"):
            await signed_in(server, 1)


@pytest.mark.timeout(120)
async def test_sessions_of_a_worker_that_died_are_not_counted(server: Server) -> None:
    async with crowd() as clients:
        for _ in range(MOST):
            clients.append(await signed_in(server, 1))
        kill(of_kind(server, "worker")[0])
        left = [client for client in clients if await alive(client)]
        # Both had some, or the counts of two workers would not be proved by this.
        assert 0 < len(left) < MOST
        await asyncio.to_thread(server.wait)
        again = 0
        with contextlib.suppress(Refused):
            for _ in range(MOST + 1):
                clients.append(await _patiently(server))
                again += 1
        assert again == MOST - len(left)


async def _patiently(server: Server) -> ImapClient:
    """A session; the worker may be about to come, and a count is refused until it did."""
    for attempt in range(20):
        try:
            return await signed_in(server, 1)
        except Lost:
            await asyncio.sleep(0.1)
        except Refused:
            if attempt == 19:
                raise
            await asyncio.sleep(0.1)
    raise AssertionError(server.tail())
