"""Submission with the whole server: limits and their release, devices, sending later, proxies."""

import asyncio
import contextlib
import json
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import mailbox
from support.server import PASSWORD, Server, free_port

SENDER, OTHER = "u1@example.test", "u0@example.test"
TEXT = b"From: %s\r\nSubject: %s\r\n\r\nbody\r\n"
PROXY = free_port()


class Proxied(Server):
    """A server with a submission port that only this machine's proxy may connect to."""

    __slots__ = ()

    def _toml(self) -> str:
        return Server._toml(self) + (
            f'[[listeners]]\nservice = "submission"\naddress = "127.0.0.1"\nport = {PROXY}\n'
            'proxies = "127.0.0.1"\n'
        )


def made(folder: Path, dsn: str = "") -> Server:
    """Two workers that queue, and reach nobody."""
    settings = {
        "sending": {
            "enabled": "true",
            "resolvers": '"127.0.0.1"',
            "resolver_port": str(free_port()),
            "account_messages": "3",
        }
    }
    return Proxied(folder, dsn=dsn, settings=settings)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with made(tmp_path / "server").running(2) as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """The same, on each database."""
    dsn = ""
    if request.param == "postgres":
        dsn = asyncio.run(request.getfixturevalue("postgres_server").cleaned())
    with made(tmp_path / "server", dsn).running(2) as running:
        yield running


def command(server: Server, *words: str) -> str:
    program = [sys.executable, "-m", "malleposte", "--config", str(server.config), *words]
    done = subprocess.run(program, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def client(server: Server, who: str, password: str = PASSWORD) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=str(server.data / "tls" / "ca.pem"))
    smtp = smtplib.SMTP("localhost", server.ports["submission"], timeout=30)
    smtp.starttls(context=context)
    smtp.login(who, password)
    return smtp


def waiting(server: Server) -> tuple[int, int]:
    """Recipients that wait, and that are held."""
    said = json.loads(command(server, "queue", "list", "--json"))
    return said["waiting"], said["held"]


def test_what_exceeds_the_limit_is_held_told_and_released_in_one_act(either: Server) -> None:
    server = either
    # Each message by another connection: whichever worker takes it, they count together.
    for n in range(5):
        with client(server, SENDER) as smtp:
            text = TEXT % (SENDER.encode(), b"%d" % n)
            assert smtp.sendmail(SENDER, ["x@there.example"], text) == {}
    assert waiting(server) == (3, 2)
    (told,) = mailbox.wait_for(server, SENDER, PASSWORD, 1)
    assert "mail is held" in str(mailbox.parsed(told)["Subject"])
    (told,) = mailbox.wait_for(server, OTHER, PASSWORD, 1)
    assert mailbox.parsed(told)["Subject"] == f"Mail of {SENDER} is held"
    assert "Released: 2 recipients" in command(server, "queue", "release", "--sender", SENDER)
    assert waiting(server) == (5, 0)
    said = json.loads(command(server, "limit", "set", SENDER, "--messages", "9", "--json"))
    assert (said["messages"], said["hour"]) == (9, 3)
    with client(server, SENDER) as smtp:
        smtp.sendmail(SENDER, ["x@there.example"], TEXT % (SENDER.encode(), b"6"))
    assert waiting(server) == (6, 0)


def test_a_device_sends_from_what_it_was_given(server: Server) -> None:
    said = command(server, "device", "add", "scanner@example.test", "--generate", "--json")
    password = json.loads(said)["password"]
    command(server, "sendas", "give", OTHER, "scanner@example.test", "--on-behalf")
    with client(server, "scanner@example.test", password) as smtp:
        smtp.sendmail(OTHER, [SENDER], TEXT % (OTHER.encode(), b"scan"))
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            smtp.sendmail(SENDER, [SENDER], TEXT % (SENDER.encode(), b"scan"))
        assert refused.value.smtp_code == 553
    (filed,) = mailbox.wait_for(server, SENDER, PASSWORD, 1)
    assert mailbox.parsed(filed)["Sender"] == "scanner@example.test"
    assert b"(device " in filed
    listed = json.loads(command(server, "device", "list", "--json"))["devices"]
    assert listed[0]["senders"] == [f"{OTHER}*"]


def test_a_message_is_sent_later(server: Server) -> None:
    with client(server, SENDER) as smtp:
        smtp.ehlo()
        assert smtp.esmtp_features["futurerelease"].startswith("2592000 ")
        assert "dsn" in smtp.esmtp_features
        assert smtp.esmtp_features["limits"] == "MAILMAX=10000 RCPTMAX=1000"
        started = time.monotonic()
        text = TEXT % (SENDER.encode(), b"later")
        smtp.sendmail(SENDER, [OTHER], text, ["HOLDFOR=4"], ["NOTIFY=SUCCESS"])
    mailbox.wait_for(server, OTHER, PASSWORD, 1)
    assert time.monotonic() - started >= 4
    (report,) = mailbox.wait_for(server, SENDER, PASSWORD, 1)
    assert b"Action: delivered" in report


def test_behind_a_proxy_the_client_is_whom_it_names(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", PROXY), timeout=10) as sock:
        sock.sendall(b"PROXY TCP4 192.0.2.77 127.0.0.1 4711 587\r\n")
        assert sock.recv(100).startswith(b"220 ")
        # The client is not at this machine, whatever the proxy is: no password in the clear.
        sock.sendall(b"EHLO x\r\n")
        assert b"AUTH" not in sock.recv(1000)
        sock.sendall(b"MAIL FROM:<u1@example.test>\r\n")
        assert sock.recv(1000).startswith(b"530 ")
    with socket.create_connection(("127.0.0.1", PROXY), timeout=10) as sock:
        sock.sendall(b"EHLO x\r\n" + b"NOOP\r\n" * 5)
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(100) == b""
