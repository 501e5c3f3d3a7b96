"""``doctor``: well where all is well, and each thing that is broken is named with what to do."""

import asyncio
import datetime
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from malleposte.cli.doctor import listeners, web
from malleposte.node.config import Configuration, Node
from malleposte.node.config_listeners import Listener
from malleposte.node.config_web import Web
from malleposte.runtime.tls_selfsigned import self_signed_pair
from support.server import Server, free_port
from unit.cli.program import TOML, Program


def by_name(said: dict[str, Any]) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for check in said["checks"]:
        assert set(check) == {"name", "state", "text", "remedy"}
        assert check["state"] in ("ok", "warn", "wrong")
        assert bool(check["remedy"]) == (check["state"] != "ok")
        found.setdefault(check["name"], []).append(check)
    return found


def states(said: dict[str, Any], name: str) -> set[str]:
    return {check["state"] for check in by_name(said)[name]}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Program:
    program = Program(tmp_path_factory.mktemp("d"))
    text = TOML
    for service in ("smtp", "imap"):
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
        text += f'[[listeners]]\nservice = "{service}"\naddress = "127.0.0.1"\nport = {port}\n'
    program.config.write_text(text)
    program.run("init", "--admin", "admin@example.test")
    return program


@pytest.fixture
def program(template: Program, tmp_path_factory: pytest.TempPathFactory) -> Program:
    folder = tmp_path_factory.mktemp("d")
    shutil.copytree(template.folder, folder, dirs_exist_ok=True)
    return Program(folder)


def test_a_running_server_is_examined_whole(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("ds")
    server = Server(folder)
    asyncio.run(server.prepare(2))
    server.start()
    try:
        program = Program(folder)
        # The test's own server has no node key; init makes it beside the running one.
        program.run("init", "--domain", "example.test")
        said = program.json("doctor")
        assert said["wrong"] == 0
        found = by_name(said)
        assert [c["state"] for c in found["port"]] == ["ok"] * 11
        assert states(said, "served certificate") == {"ok"}
        assert "refused on every listener" in found["open relay"][0]["text"]
        assert "held by the running server" in found["writer lock"][0]["text"]
        assert "reaches u0@example.test" in found["postmaster"][0]["text"]
        text = program.run("doctor", "--no-fsck").stdout
        assert "0 wrong" in text
        assert "damage" not in text
    finally:
        server.end()


def test_without_a_server_that_is_said(program: Program) -> None:
    said = program.json("doctor")
    assert said["wrong"] == 0
    assert states(said, "server") == {"warn"}
    assert states(said, "damage") == {"ok"}
    assert all("is free" in check["text"] for check in by_name(said)["port"])


def test_open_folders_and_lost_keys(program: Program) -> None:
    program.data.chmod(0o755)
    (program.data / "tls" / "server.key").chmod(0o644)
    (program.data / "node.key").unlink()
    said = program.json("doctor", "--no-fsck", code=4)
    found = by_name(said)
    assert "open to others" in found["data folder"][0]["text"]
    assert "chmod 700" in found["data folder"][0]["remedy"]
    assert any("everybody may read" in check["text"] for check in found["certificate"])
    assert "no node key" in found["node key"][0]["text"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a file away")
def test_a_file_of_another_user(program: Program) -> None:
    os.chown(program.data / "store.db", 65534, -1)
    said = program.json("doctor", "--no-fsck", code=4)
    assert "store.db belongs to another user" in by_name(said)["data folder"][0]["text"]


@pytest.mark.parametrize(
    ("age", "state"), [(810, "warn"), (823, "wrong"), (900, "wrong"), (100, "ok")]
)
def test_a_certificate_that_ends(program: Program, age: int, state: str) -> None:
    """Ours are good for 825 days."""
    shutil.rmtree(program.data / "tls")
    made = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=age)
    self_signed_pair(program.data / "tls", "mail.example.test", made)
    code = 4 if state == "wrong" else 0
    said = program.json("doctor", "--no-fsck", code=code)
    assert states(said, "certificate") == {state}


def test_a_certificate_for_another_name_or_key(program: Program) -> None:
    shutil.rmtree(program.data / "tls")
    self_signed_pair(program.data / "tls", "other.example.net")
    said = program.json("doctor", "--no-fsck")
    assert "not for mail.example.test" in by_name(said)["certificate"][0]["text"]
    # Nor for the name that mail programs are told.
    with program.config.open("a") as file:
        file.write('[autoconfig]\nhost = "imap.example.test"\n')
    found = by_name(program.json("doctor", "--no-fsck"))["certificate"]
    assert [check["text"].partition(" not for ")[2][:4] for check in found[:2]] == ["mail", "imap"]
    assert "set autoconfig.host" in found[1]["remedy"]
    self_signed_pair(program.folder / "second", "mail.example.test")
    shutil.copy(program.folder / "second" / "server.key", program.data / "tls" / "server.key")
    said = program.json("doctor", "--no-fsck", code=4)
    assert "does not belong to the certificate" in by_name(said)["certificate"][0]["text"]


def test_a_certificate_without_a_name(program: Program) -> None:
    """As old instructions for openssl make them; no client looks at the subject any more."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example.test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=100))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (program.data / "tls" / "server.pem").write_bytes(certificate.public_bytes(pem))
    (program.data / "tls" / "server.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    said = program.json("doctor", "--no-fsck")
    (text, *_) = [c["text"] for c in by_name(said)["certificate"]]
    assert text.startswith("it names no host (subjectAltName)")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to run as somebody else")
def test_somebody_who_may_not_look_is_told_so_and_no_more() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        program = Program(Path(folder))
        program.config.write_text(TOML)
        program.run("init", "--admin", "admin@example.test")
        program.config.chmod(0o644)
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, *program.command("doctor", "--json")[2:]],
            capture_output=True, text=True, env=program.environment(), cwd=folder, check=False,
        )  # fmt: skip
    (check,) = json.loads(done.stdout)["checks"]
    assert (check["name"], check["state"], done.returncode) == ("rights", "wrong", 4)
    assert "root or as the server's user" in check["remedy"]


AS_NOBODY = """
import os, sys
import malleposte.cli, malleposte.cli.commands.doctor
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
sys.exit(malleposte.cli.main(sys.argv[2:]))
"""


def test_a_port_that_somebody_else_has(program: Program) -> None:
    port = int(
        program.config.read_text().partition("port = 0")[2].partition("port = ")[2].split()[0]
    )
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", port))
        sock.listen()
        said = program.json("doctor", "--no-fsck", code=4)
        taken = [c for c in by_name(said)["port"] if c["state"] == "wrong"]
        assert len(taken) == 1
        assert f"(process {os.getpid()})" in taken[0]["text"]


def test_nobody_reads_postmaster_and_nobody_can_sign_in(program: Program) -> None:
    import apsw

    # The last owner cannot be revoked; an installation without --admin never had one.
    with apsw.Connection(str(program.data / "store.db")) as db:
        db.execute("DELETE FROM role_grant")
        db.execute("UPDATE directory_head SET version = version + 1")
    program.run("account", "add", "ada@example.test", "--no-password")
    said = program.json("doctor", "--no-fsck")
    assert states(said, "postmaster") == {"warn"}
    assert "ada@example.test" in by_name(said)["passwords"][0]["text"]
    program.run("account", "delete", "ada@example.test", "--yes")
    program.run("account", "disable", "admin@example.test")
    said = program.json("doctor", "--no-fsck", code=4)
    assert "reach nobody" in by_name(said)["postmaster"][0]["text"]


def test_damage_in_the_store(program: Program) -> None:
    import apsw

    with apsw.Connection(str(program.data / "store.db")) as db:
        db.execute("UPDATE mailbox SET messages = 5 WHERE name = 'INBOX'")
    said = program.json("doctor", code=4)
    assert "malleposte fsck" in by_name(said)["damage"][0]["remedy"]


def test_a_configuration_that_cannot_be_read_is_all_there_is_to_say(program: Program) -> None:
    program.config.write_text("[node]\nhostnam = 1\n")
    said = program.json("doctor", code=4)
    assert [c["name"] for c in said["checks"]] == ["configuration"]


def test_a_store_that_another_process_holds(program: Program) -> None:
    import fcntl

    with (program.data / "writer.lock").open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = program.json("doctor", "--no-fsck", code=4)
    assert states(said, "writer lock") == {"wrong"}
    assert states(said, "store") == {"wrong"}


def test_lmtp_that_others_can_reach_is_warned_of(tmp_path: Path) -> None:
    """It files mail for all accounts, and asks nobody who he is."""
    for address, warned in (("usual", False), ("127.0.0.1", False), ("::1", False), ("*", True)):
        listener = Listener(service="lmtp", address=address, port=free_port())
        configuration = Configuration(node=Node(data_dir=tmp_path), listeners=(listener,))
        found = listeners.checks(configuration, running=False, domains=())
        said = [check for check in found if check.name == "lmtp"]
        assert [check.state for check in said] == ["warn"] * warned
        assert all("without signing in" in check.text for check in said)
    inside = Listener(service="lmtp", socket=tmp_path / "lmtp.sock")
    configuration = Configuration(node=Node(data_dir=tmp_path), listeners=(inside,))
    found = listeners.checks(configuration, running=False, domains=())
    assert "lmtp" not in {check.name for check in found}


def test_whether_people_reach_the_web_client_is_said(tmp_path: Path) -> None:
    client = tmp_path / "client"
    client.mkdir()
    (client / "index.html").write_text("<!doctype html>")
    cases: list[tuple[tuple[Listener, ...], Web, list[str]]] = [
        ((), Web(), []),
        ((), Web(client=client), ["wrong"]),
        ((Listener(service="https"),), Web(client=client), ["ok"]),
        ((Listener(service="https"),), Web(client=tmp_path / "nowhere"), ["warn"]),
        ((Listener(service="http"),), Web(client=client), ["wrong"]),
        ((Listener(service="http"),), Web(client=client, url="https://mail.example.org"), ["ok"]),
        ((Listener(service="http", address="127.0.0.1"),), Web(client=client), ["ok"]),
    ]
    smtp = Listener(service="smtp")
    for listening, settings, states_ in cases:
        configuration = Configuration(
            node=Node(data_dir=tmp_path), listeners=(smtp, *listening), web=settings
        )
        assert [check.state for check in web.checks(configuration)] == states_, listening


def test_whoever_holds_a_port_is_named() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        assert f"(process {os.getpid()})" in listeners.holder(sock.getsockname()[1])
    assert listeners.holder(1) == ""
