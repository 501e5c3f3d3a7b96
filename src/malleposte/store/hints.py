"""Hints between nodes over PostgreSQL: which accounts changed, so that who waits looks now.

Sent in batches on a connection of its own, never inside a delivering transaction (a NOTIFY there would
put all commits of the cluster in one queue). A hint may be lost, doubled or wrong: the truth is the
accounts' heads, which everybody who waits reads once a second anyway.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import asyncpg
import structlog

if TYPE_CHECKING:
    Connection = asyncpg.Connection[Any]

log = structlog.get_logger("hints")

CHANNEL = "malleposte_accounts"
GATHER = 0.05
"""Seconds over which hints are gathered: far below the second that is promised."""
PER_MESSAGE = 400
"""Account ids a message: NOTIFY takes at most 8,000 octets."""
RETRY = 2.0


class Hints:
    """One for each worker. ``run`` calls ``heard`` with the accounts that changed somewhere."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._heard: Callable[[Iterable[int]], None] = lambda accounts: None
        self._changed: set[int] = set()
        self._wake = asyncio.Event()

    def changed(self, accounts: Iterable[int]) -> None:
        """These accounts have changed and are committed."""
        self._changed.update(accounts)
        self._wake.set()

    async def run(self, heard: Callable[[Iterable[int]], None]) -> None:
        """Listen and send until cancelled; connect again when the database went away."""
        self._heard = heard
        while True:
            try:
                await self._connected()
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                log.warning("hints between nodes are off for now", reason=str(error))
                await asyncio.sleep(RETRY)

    async def _connected(self) -> None:
        connection = await asyncpg.connect(
            self._dsn, command_timeout=10, server_settings={"application_name": "malleposte hints"}
        )
        try:
            await connection.add_listener(CHANNEL, self._notified)
            while not connection.is_closed():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RETRY):
                        await self._wake.wait()
                self._wake.clear()
                await self._send(connection)
                await asyncio.sleep(GATHER)
        finally:
            with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                await connection.close(timeout=2)

    async def _send(self, connection: "Connection") -> None:
        accounts, self._changed = sorted(self._changed), set()
        for at in range(0, len(accounts), PER_MESSAGE):
            text = ",".join(map(str, accounts[at : at + PER_MESSAGE]))
            await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, text)

    def _notified(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        self._heard(int(part) for part in str(payload).split(",") if part.isdigit())
