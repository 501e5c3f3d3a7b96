"""Our own server is configured by keys that the configuration really has."""

import json
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from malleposte.bench import private_postgres
from malleposte.bench.ours import Commands, Dialect, Malleposte
from malleposte.bench.subject import Endpoint
from malleposte.bench.trouble import Unavailable
from malleposte.node.config_read import load

DATABASE = "postgresql://bench:bench@127.0.0.1/bench"
SINK = Endpoint("127.0.0.1", 2020)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_the_configuration_is_accepted(tmp_path: Path, dialect: Dialect) -> None:
    commands = Commands(tmp_path, dialect, DATABASE, 2525, 2424, 1143, 1993, 1587, 9464, 8080, SINK)
    commands.configuration_file.write_text(commands.configuration())
    found = load(commands.configuration_file, {})
    assert found.store.backend == {"sqlite": "sqlite", "postgresql": "postgres"}[dialect]
    assert {(one.service, one.port, one.tls) for one in found.listeners} == {
        ("smtp", 2525, "none"),
        ("lmtp", 2424, "none"),
        ("imap", 1143, "none"),
        ("imaps", 1993, "implicit"),
        ("submission", 1587, "none"),
        ("http", 8080, "none"),
    }
    assert found.sending.enabled
    assert {one.address for one in found.listeners} == {"127.0.0.1"}


def test_postgresql_of_its_own_counts_as_the_server(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="mp-bench-", dir="/tmp") as short:
        folder = Path(short)
        folder.chmod(0o711)
        ours = Malleposte("postgresql", folder / "ours")
        ours.prepare()
        assert "PostgreSQL" in ours.label
        ours.start()
        try:
            names = {Path(f"/proc/{pid}/comm").read_text().strip() for pid in ours.roots()}
            assert "postgres" in names
            assert len(ours.data_folders()) == 2
        finally:
            pids = ours.roots()
            ours.stop()
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_without_postgresql_it_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_postgres, "_ROOT", tmp_path)
    with pytest.raises(Unavailable, match="PostgreSQL is not installed"):
        Malleposte("postgresql", tmp_path / "p").prepare()


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_of_a_long_queue_one_message_is_due_and_the_rest_wait_until_tomorrow(
    dialect: Dialect,
) -> None:
    with tempfile.TemporaryDirectory(prefix="mp-bench-", dir="/tmp") as short:
        folder = Path(short)
        folder.chmod(0o711)
        ours = Malleposte(dialect, folder / "ours")
        ours.prepare()
        ours.preload(SINK, 1, 500, 1_001)
        tomorrow = time.time() + 80_000
        ours.start()
        try:
            assert ours.queued() == 1_002
            due_at = due_times(ours)
        finally:
            ours.stop()
    assert due_at.pop("x0@elsewhere.test") < tomorrow
    assert len(due_at) > 900
    assert min(due_at.values()) > tomorrow


def due_times(ours: Malleposte) -> dict[str, int]:
    """When recipients are tried next, of the first messages."""
    commands = ours._prepared()
    words = [*commands.program, "queue", "list", "--json"]
    words += ["--config", str(commands.configuration_file)]
    done = subprocess.run(words, capture_output=True, check=True)
    listed = json.loads(done.stdout)["messages"]
    return {one["address"]: one["due_at"] for each in listed for one in each["recipients"]}
