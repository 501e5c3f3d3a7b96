"""A listener on a loopback port for a service over a real store, and a door that costs nothing."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

from malleposte.directory.book import Book
from malleposte.directory.signin import Door
from malleposte.policy.connections import ConnectionLimit
from malleposte.policy.throttle import Throttle, ThrottleSettings
from malleposte.services.connection import Connection
from malleposte.services.listener import Listener, Sweep
from malleposte.store import Store
from malleposte.store.commands import CreateAccount
from malleposte.store.results import Created


class Plain:
    """Passwords kept as `$` and themselves: what argon2 costs is not these tests' matter."""

    async def verify(self, stored: str | None, password: str) -> bool:
        return stored == f"${password}"


class Forgetful:
    """A memory of credentials that keeps none."""

    def knows(self, account: str, version: int, password: str) -> bool:
        return False

    def remember(self, account: str, version: int, password: str) -> None:
        """Does not."""


class Busy(Exception):
    """Never raised here."""


def door(book: Book) -> Door:
    """Sign-in with passwords in clear, and without delays."""
    throttle = Throttle(ThrottleSettings(first_delay=0.0, delay_limit=0.0))
    return Door(book, throttle, Plain(), Forgetful(), busy=Busy)


_numbers = itertools.count(1)


async def account(
    store: Store, name: str = "", *, kind: str = "person", quota: int = 0, again: bool = False
) -> tuple[int, str]:
    """A new account, password `secret`; its id and address. `again`: there may be one of this name."""
    if again or not name:
        name = f"{name or 'user'}{next(_numbers)}"
    address = f"{name}@example.org"
    result = await store.submit(
        CreateAccount(
            address=address, name="", password_hash="$secret", kind=kind, quota_bytes=quota
        )
    )
    assert isinstance(result, Created), result
    return result.id, address


@contextlib.asynccontextmanager
async def listening(
    serve: Callable[[Connection], Awaitable[None]],
    *,
    limit: ConnectionLimit | None = None,
    refuse: bytes = b"",
    implicit: ssl.SSLContext | None = None,
) -> AsyncIterator[tuple[Listener, int]]:
    """Have a service listen; the listener and its port; ``implicit``: under TLS. Fails at the end if a
    session met a defect."""
    defects: list[BaseException] = []

    def failed(connection: Connection) -> None:
        error = sys.exc_info()[1]
        if error is not None:
            defects.append(error)

    listener = Listener(
        serve,
        tls=None if implicit is None else lambda: implicit,
        implicit=implicit is not None,
        limit=limit,
        refuse=refuse,
        on_failure=failed,
    )
    sock = socket.create_server(("127.0.0.1", 0))
    sock.setblocking(False)
    listener.listen(sock)
    sweep = asyncio.create_task(Sweep([listener]).run())
    try:
        yield listener, sock.getsockname()[1]
        if defects:
            raise defects[0]
    finally:
        sweep.cancel()
        await listener.drain(2.0)
        with contextlib.suppress(asyncio.CancelledError):
            await sweep
