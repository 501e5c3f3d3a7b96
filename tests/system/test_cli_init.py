"""``init``: makes what is missing, overwrites nothing, says for each step which; and the demo."""

import json
import os
import signal
import socket
import ssl
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from malleposte.secrets.node_key import create_key_file
from unit.cli.demo import ended, processor_seconds, started
from unit.cli.program import Program
from unit.cli.warm import warm

STEPS = ["configuration", "data folder", "node key", "certificate", "domain", "administrator"]


@pytest.fixture
def bare(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """An empty folder."""
    return Program(tmp_path_factory.mktemp("i"))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file that must never be overwritten."""
    names = ("malleposte.toml", "node.key", "server.pem", "server.key", "ca.pem")
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.name in names}


def init(program: Program, *words: str) -> Any:
    return program.json(
        "init", "--hostname", "mx.example.test", "--admin", "admin@example.test",
        "--data-dir", "data", *words,
    )  # fmt: skip


def test_a_second_run_finds_everything_and_changes_nothing(bare: Program) -> None:
    first = init(bare)
    assert [(s["name"], s["outcome"]) for s in first["steps"]] == [(n, "made") for n in STEPS]
    assert first["password"]
    kept = contents(bare.folder)
    assert len(kept) == 5
    second = init(bare)
    assert [(s["name"], s["outcome"]) for s in second["steps"]] == [(n, "was there") for n in STEPS]
    assert second["password"] is None
    assert contents(bare.folder) == kept
    assert len(bare.json("account", "list")["accounts"]) == 1


def test_what_is_missing_is_made_again(bare: Program) -> None:
    init(bare)
    kept = contents(bare.folder)
    for part in ("tls/ca.pem", "tls/server.pem", "tls/server.key"):
        (bare.data / part).unlink()
    for words in (
        ("role", "revoke", "admin@example.test", "owner"),
        ("account", "delete", "admin@example.test", "--yes"),
    ):
        assert "it is the last owner" in bare.run(*words, code=1).stderr
    bare.run("account", "add", "eve@example.test", "--role", "owner", "--generate")
    bare.run("account", "delete", "admin@example.test", "--yes")
    again = init(bare)
    assert [s["name"] for s in again["steps"] if s["outcome"] == "made"] == [
        "certificate",
        "administrator",
    ]
    node_key = str(bare.data / "node.key")
    assert contents(bare.folder)[node_key] == kept[node_key]


def test_what_others_must_not_read_they_cannot(bare: Program) -> None:
    init(bare)
    assert stat.S_IMODE(bare.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((bare.data / "node.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((bare.data / "tls" / "server.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(bare.config.stat().st_mode) == 0o640


def test_the_domain_follows_from_the_host_name_and_no_administrator_is_no_failure(
    bare: Program,
) -> None:
    done = bare.run("init", "--hostname", "mx.example.test", "--data-dir", "data")
    assert "domain         made       example.test" in done.stdout
    assert "skipped" in done.stdout
    assert bare.json("domain", "list")["domains"][0]["domain"] == "example.test"


def test_an_edited_configuration_stays_and_differences_are_said(bare: Program) -> None:
    init(bare)
    text = bare.config.read_text().replace("mx.example.test", "mail.other.test") + "\n# mine\n"
    bare.config.write_text(text)
    done = bare.run("init", "--hostname", "mx.example.test", "--domain", "example.test")
    assert bare.config.read_text() == text
    assert "node.hostname stays 'mail.other.test'" in done.stderr


def test_half_a_certificate_is_not_replaced(bare: Program) -> None:
    init(bare)
    (bare.data / "tls" / "server.key").unlink()
    done = bare.run("init", "--admin", "admin@example.test", code=1)
    assert "server.pem and server.key together are needed" in done.stderr


def test_a_folder_that_cannot_be_made_is_said(bare: Program) -> None:
    (bare.folder / "data").write_text("a file")
    done = bare.run("init", "--hostname", "mx.example.test", "--data-dir", "data", code=1)
    assert "data" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--hostname", "bad name"), "'bad name' is no host name"),
        (("--hostname", "under_score.example"), "is no host name"),
        (("--domain", "1.2.3.4"), "its last part is a number"),
        (("--domain", "a_b.example"), "underscore"),
        (("--admin", "admin"), "has no @"),
        (("--admin", "*@example.test"), "catch-all"),
        (("--domain", "example.test", "--admin", "me@example.net"), "not in the first domain"),
        (("--admin", "me@example.test", "--password-file", "none"), "No such file"),
    ],
)
def test_what_is_refused_leaves_nothing_behind(
    bare: Program, words: tuple[str, ...], said: str
) -> None:
    name = () if "--hostname" in words else ("--hostname", "mx.example.test")
    done = bare.run("init", "--data-dir", "data", *name, *words, code=2)
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert list(bare.folder.iterdir()) == []
    init(bare)


def test_a_weak_password_leaves_nothing_behind(bare: Program) -> None:
    words = ("--hostname", "mx.example.test", "--admin", "me@example.test", "--password-stdin")
    done = bare.run("init", *words, code=1, stdin="weak\n")
    assert "at least 10 characters" in done.stderr
    assert list(bare.folder.iterdir()) == []


def test_a_variable_that_contradicts_leaves_nothing_behind(
    bare: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {**bare.environment(), "MALLEPOSTE_STORE_BACKEND": "postgres"}
    done = warm().run(["init", "--hostname", "mx.example.test"], bare.folder, environment, "", 60)
    assert (done.returncode, list(bare.folder.iterdir())) == (2, [])
    assert "store.dsn: needed" in done.stderr


@pytest.mark.parametrize("words", [(), ("--hostname", "localhost")])
def test_without_a_terminal_no_name_is_guessed(bare: Program, words: tuple[str, ...]) -> None:
    done = bare.run("init", *words, code=2)
    assert "--domain" in done.stderr
    assert list(bare.folder.iterdir()) == []


# The node key -------------------------------------------------------------------------------------


def test_a_lost_node_key_is_not_replaced_in_silence(bare: Program) -> None:
    init(bare)
    path = bare.data / "node.key"
    kept = path.read_bytes()
    path.unlink()
    done = bare.run("init", code=1)
    assert "put a copy of that file back" in done.stderr
    assert not path.exists()
    path.write_bytes(kept)
    path.chmod(0o600)
    init(bare)
    path.unlink()
    init(bare, "--new-node-key")
    assert path.read_bytes() != kept
    init(bare)
    assert bare.json("doctor", "--no-fsck")["wrong"] == 0


def test_another_node_key_is_noticed(bare: Program, tmp_path: Path) -> None:
    init(bare)
    path = bare.data / "node.key"
    kept = path.read_text()
    path.unlink()
    create_key_file(path)
    done = bare.run("init", code=1)
    assert "put the right file back" in done.stderr
    said = bare.json("doctor", "--no-fsck", code=4)
    (wrong,) = [c for c in said["checks"] if c["state"] == "wrong"]
    assert wrong["name"] == "node key"
    assert "does not hold" in wrong["text"]
    path.write_text(path.read_text() + kept)
    init(bare)
    assert bare.json("doctor", "--no-fsck")["wrong"] == 0


def test_a_data_folder_that_others_can_look_into_is_refused_before_anything_is_made(
    bare: Program,
) -> None:
    bare.data.mkdir(mode=0o755)
    bare.data.chmod(0o755)
    words = ("init", "--hostname", "mx.example.test", "--data-dir", "data")
    done = bare.run(*words, code=1)
    assert f"chmod 700 {bare.data}" in done.stderr
    assert not bare.config.exists()
    assert list(bare.data.iterdir()) == []
    bare.data.chmod(0o700)
    bare.run(*words)


# The demo -----------------------------------------------------------------------------------------


def greeting(connect: dict[str, Any], name: str) -> bytes:
    service = connect["services"][name]
    with socket.create_connection((service["host"], service["port"]), 20) as sock:
        if service["tls"] == "implicit":
            context = ssl.create_default_context(cafile=connect["ca"])
            with context.wrap_socket(sock, server_hostname="localhost") as wrapped:
                return wrapped.recv(100)
        return sock.recv(100)


def test_the_demo_is_made_once_and_served_again(bare: Program) -> None:
    demo = bare.folder / "demo"
    process, said, _ = started(bare, demo)
    try:
        path = demo / "connect.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        connect = json.loads(path.read_text())
        assert set(connect["services"]) == {
            "smtp", "lmtp", "submission", "submissions", "imap", "imaps", "pop3", "pop3s", "managesieve",
            "http", "https", "metrics",
        }  # fmt: skip
        assert {s["tls"] for s in connect["services"].values()} <= {"none", "starttls", "implicit"}
        assert connect["services"]["metrics"]["url"].startswith("http://127.0.0.1:")
        assert connect["services"]["http"]["url"].startswith("http://localhost:")
        assert [(a["address"], a["role"]) for a in connect["accounts"]] == [
            ("admin@example.test", "owner"),
            ("user@example.test", "user"),
        ]
        for account in connect["accounts"]:
            assert account["password"] in said
        for name, begins in (
            ("smtp", b"220 "),
            ("imaps", b"* OK"),
            ("submissions", b"220 "),
            ("pop3", b"+OK "),
            ("pop3s", b"+OK "),
            ("managesieve", b'"IMPLEMENTATION" "Malleposte"\r\n'),
        ):
            assert greeting(connect, name).startswith(begins)
        running = Program(bare.folder)
        config = ("--config", str(demo / "malleposte.toml"))
        users = running.json("account", "list", *config)["accounts"]
        assert [u["emails"] for u in users] == [2, 40]
    finally:
        ended(process)
    kept = {p: p.read_bytes() for p in (demo / "connect.json", demo / "malleposte.toml")}
    process, said, seconds = started(bare, demo)
    try:
        spent = processor_seconds(process)
        print(f"a second start: {spent:.2f} s of processor time, {seconds:.2f} s on the clock")
        assert "Making the demo" not in said
        assert all(a["password"] not in said for a in connect["accounts"])
        assert greeting(connect, "imap").startswith(b"* OK")
        assert {p: p.read_bytes() for p in kept} == kept
    finally:
        ended(process)
    # A second start takes less than 3 s: what a machine with other work to do adds is not ours.
    assert spent < 3


def test_a_demo_that_runs_is_not_run_twice(bare: Program) -> None:
    demo = bare.folder / "a demo"
    process, said, _ = started(bare, demo)
    try:
        assert f"--cacert '{Path('a demo') / 'data' / 'tls' / 'ca.pem'}' --user" in said
        done = bare.run("run", "--demo", demo, code=3)
        assert "this demo runs already" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        connect = json.loads((demo / "connect.json").read_text())
        assert greeting(connect, "imap").startswith(b"* OK")
        # By the name that clients compare with the certificate.
        context = ssl.create_default_context(cafile=connect["ca"])
        service = connect["services"]["imaps"]
        with (
            socket.create_connection((service["host"], service["port"]), 20) as sock,
            context.wrap_socket(sock, server_hostname=service["host"]) as wrapped,
        ):
            assert wrapped.recv(100).startswith(b"* OK")
        assert service["host"] == "localhost"
    finally:
        ended(process)


@pytest.mark.parametrize("name", ["/etc/passwd", "/proc/x", "full", "installed", "J\udcf6rg"])
def test_a_folder_that_cannot_be_a_demo_s_is_refused(bare: Program, name: str) -> None:
    (bare.folder / "full").mkdir()
    (bare.folder / "full" / "thesis.tex").write_text("mine")
    init(Program(bare.folder))
    (bare.folder / "installed").mkdir()
    (bare.folder / "installed" / "malleposte.toml").write_bytes(bare.config.read_bytes())
    before = contents(bare.folder)
    done = bare.run("run", "--demo", name, code=1)
    assert len(done.stderr.splitlines()) == 1
    assert contents(bare.folder) == before
    assert not list(bare.folder.rglob("demo.*"))


def test_a_demo_that_broke_off_is_finished(bare: Program) -> None:
    demo = bare.folder / "demo"
    process = bare.start("run", "--demo", demo)
    until = time.monotonic() + 60
    while time.monotonic() < until and not (demo / "data" / "store.db").exists():
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    assert not (demo / "demo.done").exists()
    process, said, _ = started(bare, demo)
    try:
        connect = json.loads((demo / "connect.json").read_text())
        for account in connect["accounts"]:
            assert account["password"] in said
        config = ("--config", str(demo / "malleposte.toml"))
        users = bare.json("account", "list", *config)["accounts"]
        assert [u["emails"] for u in users] == [2, 40]
    finally:
        ended(process)
