"""`node.user`: started by root, the server is that user's in all it does; who may look into its folders.

Everything works as it does for the user who started it, and nothing is left that root owns or can do.
"""

import asyncio
import json
import os
import pwd
import shutil
import smtplib
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from support import mailbox, postgres, processes
from support.server import PASSWORD, SERVICES, Server, free_port
from support.users import acting_as, system_user

pytestmark = pytest.mark.timeout(180)

USER = "malleposte-run"
STRANGER = 54_321
"""A user id of nobody."""
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
KOI8 = "Subject: =?koi8-r?B?8NLJ18XU?=\r\nFrom: a@sender.example\r\n\r\nx\r\n"
"""Привет: a charset that Python reads from a file of its own when it is first met."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that the user can reach: pytest's own are root's alone."""
    folder = Path(tempfile.mkdtemp(prefix="mp-user-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def give(folder: Path, entry: pwd.struct_passwd) -> None:
    subprocess.run(["chown", "-R", f"{entry.pw_uid}:{entry.pw_gid}", str(folder)], check=True)


def lmtp_socket(server: Server) -> Path:
    return server.folder / "run" / "lmtp.sock"


def prepared(folder: Path, dsn: str = "") -> tuple[Server, pwd.struct_passwd]:
    entry = system_user(USER)
    server = Server(folder / "server", dsn, settings={"node": {"user": f'"{USER}"'}})
    server.folder.mkdir()
    asyncio.run(server.prepare(3))
    with server.config.open("a") as file:
        file.write(f'[[listeners]]\nservice = "lmtp"\nsocket = "{lmtp_socket(server)}"\n')
    give(server.data, entry)
    return server, entry


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def server(request: pytest.FixtureRequest, folder: Path) -> Iterator[Server]:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    dsn = ""
    if request.param == "postgres":
        postgresql: postgres.Server = request.getfixturevalue("postgres_server")
        postgresql.folder.chmod(0o711)  # where its socket is
        dsn = asyncio.run(postgresql.database())
    server, _ = prepared(folder, dsn)
    try:
        yield server
    finally:
        server.end()
        if dsn:
            asyncio.run(postgresql.drop(dsn))


def program(server: Server, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command on a server's configuration."""
    return subprocess.run(
        [sys.executable, "-m", "malleposte", *words, "--config", str(server.config)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def facts(process: psutil.Process) -> dict[str, list[str]]:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return {line.partition(":")[0]: line.partition(":")[2].split() for line in lines}


def send_smtp(server: Server, octets: int = 1_000) -> None:
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=60) as client:
        text = f"Subject: by smtp\r\n\r\n{'x' * 70}\r\n" + "y" * 70 * (octets // 70)
        client.sendmail("a@sender.example", ["u1@example.test"], text)


def send_lmtp(server: Server) -> None:
    with smtplib.LMTP(str(lmtp_socket(server))) as client:
        client.sendmail("a@sender.example", ["u1@example.test"], KOI8)


def check_reading(server: Server, count: int) -> None:
    with mailbox.opened(server, "u1@example.test", PASSWORD) as client:
        assert client.select("INBOX") == ("OK", [str(count).encode()])
        assert client.append("INBOX", "", "", b"Subject: x\r\n\r\nx\r\n")[0] == "OK"
        setattr(client, "literal", "Привет".encode())  # noqa: B010 - typeshed says str
        assert client.search("UTF-8", "SUBJECT") == ("OK", [b"2"])
        assert client.store(str(count + 1), "+FLAGS", "(\\Deleted)")[0] == "OK"
        assert client.expunge()[0] == "OK"


def hello(server: Server) -> dict[str, object]:
    """The greeting of the admin socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(10)
        sock.connect(str(server.folder / "run" / "admin.sock"))
        line: dict[str, object] = json.loads(sock.makefile("rb").readline())
        return line


def test_a_server_that_root_starts_belongs_to_its_user(server: Server) -> None:
    entry = system_user(USER)
    server.start()
    assert server.process is not None
    for process in (psutil.Process(server.process.pid), *server.children()):
        found = facts(process)
        assert found["Uid"] == [str(entry.pw_uid)] * 4
        assert found["Gid"] == [str(entry.pw_gid)] * 4
        assert "0" not in found["Groups"]
        assert {int(found[name][0], 16) for name in ("CapPrm", "CapEff", "CapInh")} == {0}
        if process.pid != server.process.pid:
            assert found["NoNewPrivs"] == ["1"]
    kinds = [processes.of_kind(server, "worker"), processes.of_kind(server, "writer")]
    assert [len(kind) for kind in kinds] == [2, 0 if server.dsn else 1]
    run = server.folder / "run"
    modes = {"admin.sock": 0o600, "writer.sock": 0o600, "lmtp.sock": 0o660}
    for name, mode in modes.items():
        status = (run / name).stat()
        assert (status.st_uid, stat.S_IMODE(status.st_mode)) == (entry.pw_uid, mode), name
    send_smtp(server)
    send_lmtp(server)
    send_smtp(server, 900_000)
    check_reading(server, 3)
    assert "malleposte_messages_accepted" in server.figures()
    # Everything it made is its user's, and nobody else can look at it.
    for top, folders, files in os.walk(server.folder):
        for name in (*folders, *files):
            path = Path(top, name)
            if path == server.data or top.startswith(str(server.data)) or path.parent == run:
                status = path.lstat()
                assert status.st_uid == entry.pw_uid, path
                if not path.is_relative_to(server.data / "tls") and name not in modes:
                    assert stat.S_IMODE(status.st_mode) & 0o077 == 0, path


def test_whoever_dies_is_replaced_and_the_end_is_clean(server: Server) -> None:
    server.start()
    for process in server.children():
        processes.kill(process)
        process.wait(10)
    server.wait()
    send_smtp(server)
    send_lmtp(server)
    check_reading(server, 2)
    assert server.stop() == 0
    assert not list((server.folder / "run").glob("*.sock"))
    server.start()
    check_reading(server, 2)


@only_root
def test_root_and_the_user_administer_it_and_nobody_else(folder: Path) -> None:
    server, entry = prepared(folder)
    server.start()
    try:
        assert hello(server)["hello"]
        with acting_as(entry.pw_uid):
            greeting = hello(server)["hello"]
            assert isinstance(greeting, dict)
            assert greeting["actor"] == f"local:{entry.pw_uid}"
        with acting_as(STRANGER), pytest.raises(PermissionError):
            hello(server)
        assert "u2@example.test" in program(server, "account", "list").stdout
    finally:
        server.end()


@only_root
def test_the_command_line_and_the_server_leave_each_other_their_files(folder: Path) -> None:
    """`init` by root, then `serve`, then a command without a server, then `serve` again."""
    entry = system_user(USER)
    data, run = folder / "data", folder / "run"
    server = Server(folder, settings={"node": {"user": f'"{USER}"'}}, workers=1)
    server.ports = {name: free_port() for name in (*SERVICES, "metrics")}
    server.config.write_text(server._toml())

    def command(*words: str) -> None:
        done = program(server, *words)
        assert done.returncode == 0, done.stdout + done.stderr

    command("init", "--admin", "admin@example.test", "--domain", "example.test")
    assert {path.stat().st_uid for path in (data, run)} == {entry.pw_uid}
    server.start()
    assert server.stop() == 0
    command("account", "list")
    command("doctor", "--no-fsck")
    server.start()
    server.end()
    stray = [p for p in data.rglob("*") if p.lstat().st_uid != entry.pw_uid]
    assert stray == []


# Refusals -----------------------------------------------------------------------------------------


def refusal(server: Server) -> str:
    """What `serve` says, which must not serve."""
    done = program(server, "serve")
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("mode", [0o755, 0o701, 0o740, 0o770])
def test_a_data_folder_that_others_can_look_into_is_refused(tmp_path: Path, mode: int) -> None:
    server = Server(tmp_path / "server")
    server.folder.mkdir()
    asyncio.run(server.prepare(1))
    server.data.chmod(mode)
    assert f"chmod 700 {server.data}" in refusal(server)
    server.data.chmod(0o700)
    server.start()
    server.end()


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_the_database_is_its_owner_s_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    """Also one that an earlier version made for everybody to read."""
    before = os.umask(umask)
    try:
        server = Server(tmp_path / "server")
        server.folder.mkdir()
        asyncio.run(server.prepare(2))
        for path in server.data.iterdir():
            if path.name.startswith("store."):
                assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        for name in ("store.db", "store.mark"):
            (server.data / name).chmod(0o644)
        server.start()
        try:
            send_smtp(server)
            send_smtp(server, 900_000)
            for path in [*server.data.rglob("*"), *(server.folder / "run").rglob("*")]:
                if path.is_relative_to(server.data / "tls"):
                    continue
                assert stat.S_IMODE(path.lstat().st_mode) & 0o077 == 0, path
        finally:
            server.end()
    finally:
        os.umask(before)


@only_root
def test_folders_of_another_user_are_refused(folder: Path) -> None:
    server, entry = prepared(folder)
    os.chown(server.data, 0, 0)
    assert f"chown -R {USER}: {server.data}" in refusal(server)
    os.chown(server.data, entry.pw_uid, entry.pw_gid)
    os.chown(server.data / "store.db", 0, 0)
    assert f"chown -R {USER}: {server.data}" in refusal(server)
    os.chown(server.data / "store.db", entry.pw_uid, entry.pw_gid)
    run = server.folder / "run"
    run.mkdir()
    (run / "metrics").mkdir()
    os.chown(run, entry.pw_uid, entry.pw_gid)
    assert f"chown -R {USER}: {run}" in refusal(server)
    shutil.rmtree(run)
    server.start()
    server.end()


@only_root
def test_a_user_that_is_not_there_is_refused(folder: Path) -> None:
    server, _ = prepared(folder)
    text = server.config.read_text().replace(f'"{USER}"', '"malleposte-nobody-has-this"')
    server.config.write_text(text)
    assert "there is no user malleposte-nobody-has-this" in refusal(server)


@only_root
def test_a_link_in_the_place_of_a_socket_is_not_root_s_to_follow(folder: Path) -> None:
    """The run folder is the user's: what stands there under a socket's name may be anything."""
    server, entry = prepared(folder)
    treasure = folder / "treasure"
    treasure.mkdir()
    (treasure / "admin.sock").write_text("root's")
    run = server.folder / "run"
    run.mkdir(mode=0o700)
    os.chown(run, entry.pw_uid, entry.pw_gid)
    text = server.config.read_text()
    server.config.write_text(text + f'[admin]\nsocket = "{run}/sub/admin.sock"\n')
    (run / "sub").symlink_to(treasure)
    assert "admin.sock" in refusal(server)
    assert (treasure / "admin.sock").read_text() == "root's"


@only_root
def test_serving_as_root_is_warned_of(folder: Path) -> None:
    server = Server(folder / "server", workers=1)
    server.folder.mkdir()
    asyncio.run(server.prepare(1))
    server.start()
    server.end()
    assert "node.user" in server.log.read_text()
    assert "node.user" in program(server, "doctor", "--no-fsck").stdout
    (folder / "other").mkdir()
    other, _ = prepared(folder / "other")
    other.start()
    other.end()
    assert "node.user" not in other.log.read_text()
    assert "node.user" not in program(other, "doctor", "--no-fsck").stdout
