"""One running server for the programs of this folder; each test has an account and a home of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.mailbox import Account
from support.programs import Home
from support.server import Server

ACCOUNTS = 90


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server."""
    with Server(tmp_path_factory.mktemp("interop")).running(ACCOUNTS) as server:
        yield server


@pytest.fixture(scope="session")
def ca(server: Server) -> Path:
    """The authority that clients trust."""
    return server.data / "tls" / "ca.pem"


@pytest.fixture(scope="session")
def accounts() -> Iterator[Account]:
    """Accounts that nobody has used, one after the other."""
    return (Account(f"u{number}@example.test") for number in range(1, ACCOUNTS))


def _next(accounts: Iterator[Account]) -> Account:
    found = next(accounts, None)
    assert found is not None, "raise ACCOUNTS"
    return found


@pytest.fixture
def account(accounts: Iterator[Account]) -> Account:
    """An account for this test."""
    return _next(accounts)


@pytest.fixture
def other(accounts: Iterator[Account]) -> Account:
    """A second one."""
    return _next(accounts)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A private HOME."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return Home(folder)
