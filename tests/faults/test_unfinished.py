"""Messages that are begun and never ended, by strangers and by users: the disk is not theirs to fill.

Everything of a node on one small disk, run_dir included, as where a user runs it in his own folder.
"""

import asyncio
import contextlib
import imaplib
import os
import smtplib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import disks, mailbox
from support.server import PASSWORD, Server
from support.vital_signs import VitalSigns

pytestmark = pytest.mark.timeout(180)

USER = "u1@example.test"
MB = 1_000_000
DISK = 128 * MB
RESERVE = DISK * 5 // 100
BLOCK = 200_000


def prepared(folder: Path, **store: str) -> Server:
    server = Server(folder / "server", workers=1)
    server.settings = {
        "node": {"run_dir": f'"{server.data / "run"}"'},
        "store": {"disk_reserve": '"1 GB"', **store},
        # As many as a default node takes, and from few addresses.
        "smtp": {"connections_per_address": "100"},
    }
    server.folder.mkdir()
    asyncio.run(server.prepare(3))
    return server


class Stranger:
    """A connection that sends a message and does not end it."""

    def __init__(
        self, server: Server, source: str, recipient: str, *, chunks: bool = False
    ) -> None:
        self.sent = 0
        self.refused = b""
        self._chunks = chunks
        address = ("127.0.0.1", server.ports["smtp"])
        self._sock = socket.create_connection(address, timeout=30, source_address=(source, 0))
        self._read()
        for line in ("EHLO x", "MAIL FROM:<a@evil.example>", f"RCPT TO:<{recipient}>"):
            answer = self._say(line)
            assert answer.startswith(b"250"), answer
        if not chunks:
            answer = self._say("DATA")
            if not answer.startswith(b"354"):
                self.refused = answer

    def _read(self) -> bytes:
        answer = b""
        while not answer.endswith(b"\n") or answer.split(b"\r\n")[-2][3:4] == b"-":
            piece = self._sock.recv(4096)
            if not piece:
                break
            answer += piece
        return answer

    def _say(self, line: str) -> bytes:
        self._sock.sendall(line.encode() + b"\r\n")
        return self._read()

    def send(self, octets: int = BLOCK) -> None:
        """Some more of it."""
        if self.refused:
            return
        if self._chunks:
            self._sock.sendall(f"BDAT {octets}\r\n".encode())
        # Not to be compressed, and no line of it a single dot.
        block = (os.urandom(37).hex() + "\r\n").encode()
        self._sock.sendall((block * (octets // len(block) + 1))[: octets - 2] + b"\r\n")
        if self._chunks:
            answer = self._read()
            if not answer.startswith(b"250"):
                self.refused = answer
                return
        self.sent += octets

    def end(self) -> bytes:
        """End it; the answer."""
        self._sock.sendall(b"BDAT 0 LAST\r\n" if self._chunks else b".\r\n")
        return self._read()

    def close(self) -> None:
        self._sock.close()


@contextlib.contextmanager
def strangers() -> Iterator[list[Stranger]]:
    found: list[Stranger] = []
    try:
        yield found
    finally:
        for one in found:
            one.close()


def deliver(server: Server, octets: int, source: str = "127.0.0.77") -> int:
    """Send a message of a client who does no harm; the code."""
    with smtplib.SMTP(
        "127.0.0.1", server.ports["smtp"], timeout=60, source_address=(source, 0)
    ) as client:
        body = "\r\n".join(os.urandom(30).hex() for _ in range(octets // 62))
        try:
            client.sendmail("a@sender.example", [USER], f"Subject: x\r\n\r\n{body}\r\n")
        except smtplib.SMTPResponseException as refused:
            return refused.smtp_code
    return 250


def settle(disk: disks.Disk) -> int:
    """Until what was sent is on the disk; the free octets."""
    free = -1
    while free != disk.free:
        free = disk.free
        time.sleep(0.3)
    return free


def goes_on(server: Server) -> None:
    """Small mail, mailboxes and figures are as they were."""
    assert deliver(server, 2_000) == 250
    with mailbox.opened(server, USER, PASSWORD) as client:
        assert client.create(f"made-{time.monotonic_ns()}")[0] == "OK"
        assert client.append("Archive", "", "", b"Subject: x\r\n\r\nx\r\n")[0] == "OK"
    assert "malleposte_connections" in server.figures()


@pytest.mark.parametrize("chunks", [False, True])
def test_a_hundred_unfinished_messages(tmp_path: Path, chunks: bool) -> None:
    server = prepared(tmp_path, incoming_per_client='"10 MB"', incoming='"100 MB"')
    with disks.onto(server, disks.tmpfs(server.data, DISK)) as disk, strangers() as crowd:
        server.start()
        assert deliver(server, 2_000) == 250
        signs = VitalSigns(server)
        for n in range(100):
            recipient = "postmaster@example.test" if n % 2 else USER
            crowd.append(Stranger(server, f"127.0.0.{n % 20 + 10}", recipient, chunks=chunks))
        for _ in range(15):
            for one in crowd:
                one.send()
        assert settle(disk) > RESERVE, "they are in the reserve"
        goes_on(server)
        # They are told so: at the end of their content, or at their next chunk.
        answers = [one.refused or one.end() for one in crowd if one.sent > 2 * MB or one.refused]
        assert {answer[:9] for answer in answers} <= {b"452 4.3.1", b"452 4.4.5", b"250 2.0.0"}
        assert any(answer.startswith(b"452") for answer in answers)
        for one in crowd:
            one.close()
        until = time.monotonic() + 20
        while deliver(server, 5 * MB) != 250:
            assert time.monotonic() < until, "what they held was not given back"
            time.sleep(0.2)
        goes_on(server)
        signs.check()


def test_one_network_does_not_take_it_all(tmp_path: Path) -> None:
    """No small disk needed: the client's own bound comes first."""
    server = prepared(tmp_path, incoming_per_client='"50 MB"', disk_reserve='"0 B"')
    server.start()
    try:
        with strangers() as crowd:
            for _ in range(20):
                crowd.append(Stranger(server, "127.0.0.10", USER))
            for _ in range(20):
                for one in crowd:
                    one.send()
            # 80 MB came of 50.
            answers = [one.end() for one in crowd]
            refused = [answer for answer in answers if not answer.startswith(b"250")]
            assert refused
            assert {answer[:9] for answer in refused} == {b"452 4.4.5"}
            # They count no more: what was given is given back.
            assert deliver(server, 20 * MB, "127.0.0.10") == 250
        assert deliver(server, 20 * MB) == 250
    finally:
        server.end()


def test_an_office_behind_one_address_sends_large_messages(tmp_path: Path) -> None:
    """As it comes: five of 50 MB at a time, from one address."""
    server = prepared(tmp_path, disk_reserve='"0 B"')
    server.start()
    try:
        with strangers() as crowd:
            for _ in range(5):
                crowd.append(Stranger(server, "127.0.0.10", USER))
            for _ in range(24):
                for one in crowd:
                    one.send(2 * MB)
            assert [one.end()[:3] for one in crowd] == [b"250"] * 5
    finally:
        server.end()


def test_users_who_append_are_bounded_as_well(tmp_path: Path) -> None:
    server = prepared(tmp_path, incoming_per_client='"50 MB"')
    with disks.onto(server, disks.tmpfs(server.data, DISK)) as disk:
        server.start()
        clients: list[imaplib.IMAP4] = []
        try:
            refused = 0
            for _ in range(20):
                client = imaplib.IMAP4("127.0.0.1", server.ports["imap"], timeout=30)
                clients.append(client)
                client.login("u2@example.test", PASSWORD)
                client.send(b"A1 APPEND INBOX {40000000}\r\n")
                answer = client.readline()
                if answer.startswith(b"A1 NO [UNAVAILABLE]"):
                    refused += 1
                    continue
                assert answer.startswith(b"+"), answer
                client.send(os.urandom(8 * MB))
                settle(disk)
            assert refused, "nobody was told before he sent it"
            assert settle(disk) > RESERVE
            goes_on(server)
        finally:
            for client in clients:
                client.shutdown()
        until = time.monotonic() + 20
        while deliver(server, 5 * MB) != 250:
            assert time.monotonic() < until, "what they held was not given back"
            time.sleep(0.2)
