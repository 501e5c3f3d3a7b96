"""One running server for the programs of this folder; each test has an account and a home of its own."""

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.mailbox import Account
from support.programs import Home
from support.server import Server

ACCOUNTS = 60


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server."""
    server = Server(tmp_path_factory.mktemp("interop"))
    asyncio.run(server.prepare(ACCOUNTS))
    server.start()
    try:
        yield server
    finally:
        server.end()


@pytest.fixture(scope="session")
def ca(server: Server) -> Path:
    """The authority that clients trust."""
    return server.data / "tls" / "ca.pem"


_numbers = itertools.count(1)


@pytest.fixture
def account(server: Server) -> Account:
    """An account for this test."""
    number = next(_numbers)
    assert number < ACCOUNTS, "raise ACCOUNTS"
    return Account(f"u{number}@example.test")


@pytest.fixture
def other(server: Server) -> Account:
    """A second one."""
    number = next(_numbers)
    assert number < ACCOUNTS, "raise ACCOUNTS"
    return Account(f"u{number}@example.test")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A private HOME."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return Home(folder)
