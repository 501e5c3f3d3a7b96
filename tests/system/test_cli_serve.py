"""``serve`` where it cannot: another process holds the store, the store is damaged. Said once, in words."""

import asyncio
import fcntl
import imaplib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import postgres
from support.server import Server, free_port
from unit.cli.program import TOML, Program


def listening(program: Program, text: str = TOML) -> Program:
    """With one listener on a port of its own."""
    listener = f'[[listeners]]\nservice = "smtp"\naddress = "127.0.0.1"\nport = {free_port()}\n'
    program.config.write_text(text + listener)
    return program


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Program:
    program = listening(Program(tmp_path_factory.mktemp("s")))
    program.run("init", "--admin", "admin@example.test")
    return program


@pytest.fixture
def program(template: Program, tmp_path_factory: pytest.TempPathFactory) -> Program:
    folder = tmp_path_factory.mktemp("s")
    shutil.copytree(template.folder, folder, dirs_exist_ok=True)
    return listening(Program(folder))


def served(program: Program) -> tuple[int, str]:
    """Have it serve, which must end by itself; exit code and what was said."""
    process = program.start("serve")
    try:
        out, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    assert out == b""
    assert b"Traceback" not in err, err.decode()
    return process.returncode, err.decode()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "first").running(1) as server:
        yield server


@pytest.mark.parametrize("run_dir", ["run", "other"])
def test_a_second_server_on_the_same_data_ends_and_harms_nothing(
    server: Server, tmp_path: Path, run_dir: str
) -> None:
    second = Program(tmp_path)
    text = TOML.replace('"data"', f'"{server.data}"')
    listening(second, text.replace('"run"', f'"{server.folder / run_dir}"'))
    code, said = served(second)
    assert code == 3
    assert said.splitlines() == [
        f"malleposte: another process writes to {server.data}: a server that runs already, or a"
        " command that works without one"
    ]
    # The first one has its sockets still: commands reach it, and its workers reach the writer.
    first = Program(server.folder)
    assert first.json("account", "list")["accounts"][0]["address"] == "u0@example.test"
    with imaplib.IMAP4("127.0.0.1", server.ports["imap"]) as imap:
        assert imap.login("u0@example.test", "a quite long secret")[0] == "OK"
        assert imap.create("Made")[0] == "OK"


def test_a_command_that_holds_the_store_is_waited_for_and_then_named(program: Program) -> None:
    with (program.data / "writer.lock").open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, said = served(program)
    assert code == 3
    assert "another process writes to" in said


@pytest.mark.postgres
def test_a_second_server_takes_no_sockets_of_the_first_on_postgresql(
    postgres_server: postgres.Server, tmp_path: Path
) -> None:
    """There is no lock: the database is shared, the folder of sockets must not be."""
    dsn = asyncio.run(postgres_server.cleaned())
    server = Server(tmp_path / "first", dsn=dsn)
    asyncio.run(server.prepare(1))
    server.start()
    try:
        second = Program(tmp_path)
        text = TOML.replace('"run"', f'"{server.folder / "run"}"')
        listening(second, f'{text}[store]\nbackend = "postgres"\ndsn = "{dsn}"\n')
        code, said = served(second)
        assert code == 3
        assert "a server that runs already listens there" in said
        first = Program(server.folder)
        assert first.json("account", "list")["accounts"][0]["address"] == "u0@example.test"
    finally:
        server.end()


# Damage -------------------------------------------------------------------------------------------


def halved(database: Path) -> None:
    os.truncate(database, database.stat().st_size // 8192 * 4096)


def emptied(database: Path) -> None:
    os.truncate(database, 0)


def overwritten(database: Path) -> None:
    database.write_bytes(b"no database at all\n" * 1_000)


@pytest.mark.parametrize("harm", [halved, emptied, overwritten])
def test_a_damaged_store_is_said_to_be_and_what_to_do(
    program: Program, harm: Callable[[Path], None]
) -> None:
    harm(program.data / "store.db")
    code, said = served(program)
    assert code == 4
    assert said.count("put a copy back") == 1
    for words in (("account", "list"), ("fsck",), ("domain", "add", "example.net")):
        done = program.run(*words, code=4)
        assert "put a copy back" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    checks = {c["name"]: c for c in program.json("doctor", code=4)["checks"]}
    assert "put a copy back" in checks["store"]["text"]


def test_a_store_of_a_later_version_is_left_alone(program: Program) -> None:
    import apsw

    with apsw.Connection(str(program.data / "store.db")) as db:
        db.execute("INSERT INTO migration VALUES (999, 'later', 0, '', '')")
    code, said = served(program)
    assert code == 1
    assert "start the newer version that wrote it" in said
    assert "newer version" in program.run("account", "list", code=1).stderr
