"""A server shared by the tests of a module, on SQLite and, where it matters, on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server on SQLite with accounts u0 (owner) to u3."""
    folder: Path = tmp_path_factory.mktemp("server")
    with Server(folder, settings={"smtp": {"max_size": '"2 MB"'}}).running(4) as server:
        yield server
