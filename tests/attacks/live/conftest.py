"""One running server for all attacks: one worker, so that whoever holds its loop holds everybody, and
times as short as the configuration allows."""

from collections.abc import Iterator

import pytest

from support.server import Server
from support.vital_signs import VitalSigns

SETTINGS = {
    "smtp": {
        "command_timeout": '"10s"',
        "data_timeout": '"10s"',
        "transaction_timeout": '"10s"',
        "connections": "60",
        "connections_per_address": "20",
        "connections_per_account": "10",
    },
    "imap": {"signin_timeout": '"10s"', "connections_per_address": "20"},
    "pop3": {"signin_timeout": '"10s"', "connections_per_address": "20"},
    "signin": {"delay_limit": '"1s"', "refusal": '"10s"'},
}


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on SQLite with accounts u0 (owner) to u9."""
    with Server(tmp_path_factory.mktemp("target"), workers=1, settings=SETTINGS).running(
        10
    ) as server:
        yield server


@pytest.fixture
def signs(target: Server) -> Iterator[VitalSigns]:
    """Looked at after every attack: same processes, no defect, bounded memory."""
    signs = VitalSigns(target)
    yield signs
    signs.check()
