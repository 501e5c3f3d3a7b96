"""The server is asked to stop while messages are under way: they are taken and answered, then it ends.

Who hears of the stop first is an idle connection of the same worker: from then on the worker drains.
"""

import signal
import smtplib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.server import PASSWORD, Server

DATA = b"Subject: half\r\nMessage-ID: <%b@test.example>\r\n\r\n" + b"a line of text\r\n" * 2_000


@pytest.fixture
async def server(tmp_path: Path) -> Server:
    """One worker, which has time enough to drain."""
    server = Server(tmp_path / "server", workers=1, settings={"node": {"drain": '"60s"'}})
    await server.prepare(2)
    return server


@contextmanager
def started(server: Server) -> Iterator[None]:
    server.start()
    try:
        yield
    finally:
        server.end()


class Lines:
    """A connection, read by lines."""

    def __init__(self, port: int) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._file = self._sock.makefile("rb")
        self.line()

    def send(self, octets: bytes) -> None:
        self._sock.sendall(octets)

    def line(self) -> bytes:
        return self._file.readline()

    def ask(self, octets: bytes) -> bytes:
        self.send(octets + b"\r\n")
        return self.line()

    def tagged(self) -> bytes:
        while not (line := self.line()).startswith(b"a ") and line:
            pass
        return line

    def close(self) -> None:
        self._file.close()
        self._sock.close()


async def stored(server: Server) -> list[str]:
    async with server.open_store() as store:
        rows = await store.reader.rows(
            "SELECT w.message_id FROM email_wide w JOIN membership m ON m.email = w.id"
        )
    return sorted(row[0] for row in rows)


def stopped(server: Server, waiting: Lines) -> None:
    """SIGTERM, and the worker has heard of it."""
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    assert waiting.line().startswith((b"421 ", b"* BYE "))
    waiting.close()


async def test_content_under_way_is_taken_and_answered(server: Server) -> None:
    with started(server):
        idle = Lines(server.ports["smtp"])
        client = Lines(server.ports["smtp"])
        assert client.ask(b"HELO sender.example").startswith(b"250")
        assert client.ask(b"MAIL FROM:<a@sender.example>").startswith(b"250")
        assert client.ask(b"RCPT TO:<u1@example.test>").startswith(b"250")
        assert client.ask(b"DATA").startswith(b"354")
        data = DATA % b"content"
        client.send(data[:1_000])
        stopped(server, idle)
        client.send(data[1_000:] + b".\r\n")
        assert client.line().startswith(b"250 ")
        assert client.line().startswith(b"421 ")
        assert client.line() == b""
        client.close()
        assert server.stop() == 0
        assert "killed" not in server.log.read_text()
    assert await stored(server) == ["content@test.example"]


async def test_a_message_of_append_under_way_is_taken_and_answered(server: Server) -> None:
    with started(server):
        idle = Lines(server.ports["imap"])
        client = Lines(server.ports["imap"])
        client.send(f'a LOGIN u1@example.test "{PASSWORD}"\r\n'.encode())
        assert client.tagged().startswith(b"a OK")
        data = DATA % b"append"
        client.send(b"a APPEND INBOX {%d+}\r\n" % len(data) + data[:1_000])
        stopped(server, idle)
        client.send(data[1_000:] + b"\r\n")
        assert client.tagged().startswith(b"a OK")
        assert client.line().startswith(b"* BYE")
        assert client.line() == b""
        client.close()
        assert server.stop() == 0
        assert "killed" not in server.log.read_text()
    assert await stored(server) == ["append@test.example"]


async def test_content_that_does_not_go_on_ends_with_the_time_to_drain(server: Server) -> None:
    """Its sender keeps it; the worker is not killed over it, and what others wait for is answered."""
    server.settings["node"]["drain"] = '"1s"'
    server.config.write_text(server._toml())
    with started(server):
        idle = Lines(server.ports["smtp"])
        client = Lines(server.ports["smtp"])
        for line in (b"HELO x", b"MAIL FROM:<>", b"RCPT TO:<u1@example.test>"):
            assert client.ask(line).startswith(b"250")
        assert client.ask(b"DATA").startswith(b"354")
        client.send(b"half a messa")
        stopped(server, idle)
        assert client.line() == b""
        client.close()
        assert server.stop() == 0
        assert "killed" not in server.log.read_text()
    assert await stored(server) == []


async def test_chunks_under_way_end_between_two(server: Server) -> None:
    """RFC 3030: a chunk is taken to its end; before the next one the client is told to come again."""
    with started(server):
        idle = Lines(server.ports["smtp"])
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=30) as client:
            client.ehlo()
            client.mail("a@sender.example")
            client.rcpt("u1@example.test")
            client.send("BDAT 20\r\n0123456789")
            stopped(server, idle)
            client.send("0123456789")
            assert client.getreply()[0] == 250
            assert client.getreply()[0] == 421
            client.close()
        assert server.stop() == 0
        assert "killed" not in server.log.read_text()
    assert await stored(server) == []
