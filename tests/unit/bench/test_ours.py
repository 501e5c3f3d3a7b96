"""Our own server is configured by keys that the configuration really has."""

from pathlib import Path

import pytest

from malleposte.bench.ours import Commands, Dialect, Malleposte
from malleposte.bench.trouble import Unavailable
from malleposte.node.config_read import load

DATABASE = "postgresql://bench:bench@127.0.0.1/bench"


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_the_configuration_is_accepted(tmp_path: Path, dialect: Dialect) -> None:
    commands = Commands(tmp_path, dialect, DATABASE, 2525, 2424, 1143, 1993, 9464)
    commands.configuration_file.write_text(commands.configuration())
    found = load(commands.configuration_file, {})
    assert found.store.backend == {"sqlite": "sqlite", "postgresql": "postgres"}[dialect]
    assert {(one.service, one.port, one.tls) for one in found.listeners} == {
        ("smtp", 2525, "none"),
        ("lmtp", 2424, "none"),
        ("imap", 1143, "none"),
        ("imaps", 1993, "implicit"),
    }
    assert {one.address for one in found.listeners} == {"127.0.0.1"}


def test_postgresql_without_a_database_is_left_out(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="PostgreSQL"):
        Malleposte("postgresql", tmp_path / "p").prepare()
