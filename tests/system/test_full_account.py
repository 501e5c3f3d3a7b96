"""A full account still sends and deletes; deleting makes room, and mail comes in again."""

import asyncio
import imaplib
import smtplib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import mailbox
from support.server import PASSWORD, Server

FULL, OTHER = "u1@example.test", "u2@example.test"
QUOTA = 20_000


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Server]:
    """A server whose u1 has no room for another message of 1,500 octets."""
    server = Server(tmp_path, workers=1)
    asyncio.run(server.prepare(3, quota=QUOTA))
    server.start()
    try:
        with pytest.raises(smtplib.SMTPException) as refused:
            mailbox.fill(server, FULL, *(message(n) for n in range(60)))
        assert "4.2.2" in str(refused.value)
        yield server
    finally:
        server.end()


def message(n: int) -> bytes:
    return b"Subject: %d\r\n\r\n" % n + (b"x" * 73 + b"\r\n") * 20


def submit(server: Server, text: bytes) -> None:
    context = ssl.create_default_context(cafile=str(server.data / "tls" / "ca.pem"))
    port = server.ports["submissions"]
    with smtplib.SMTP_SSL("localhost", port, context=context, timeout=30) as client:
        client.login(FULL, PASSWORD)
        client.sendmail(FULL, [OTHER], text)


def refused_copy(client: imaplib.IMAP4_SSL, text: bytes) -> bytes:
    """APPEND of a copy to Sent, which is refused; the words."""
    answer, (words,) = client.append("Sent", r"(\Seen)", "", text)
    assert answer == "NO"
    assert isinstance(words, bytes)
    return words


def test_it_sends_and_deletes_and_then_receives_again(full: Server) -> None:
    submit(full, message(100))
    (sent,) = mailbox.wait_for(full, OTHER, PASSWORD, 1)
    assert sent.endswith(message(100))
    with mailbox.opened(full, FULL, PASSWORD) as client:
        assert b"[OVERQUOTA]" in refused_copy(client, message(100))
        client.select("INBOX")
        # Marking and moving to Trash takes no room either.
        assert client.uid("STORE", "1:5", "+FLAGS.SILENT", r"(\Seen)")[0] == "OK"
        assert client.uid("MOVE", "1", "Trash")[0] == "OK"
        with pytest.raises(smtplib.SMTPException):
            mailbox.fill(full, FULL, message(101))
        assert client.uid("STORE", "2:5", "+FLAGS.SILENT", r"(\Deleted)")[0] == "OK"
        assert client.uid("EXPUNGE", "2:5")[0] == "OK"
        assert client.append("Sent", r"(\Seen)", "", message(100))[0] == "OK"
    mailbox.fill(full, FULL, message(102))
    assert mailbox.messages(full, FULL, PASSWORD)[-1].endswith(message(102))
    submit(full, message(103))
    mailbox.wait_for(full, OTHER, PASSWORD, 2)


def test_a_size_that_is_announced_is_refused_at_rcpt(full: Server) -> None:
    """RFC 1870 §6.4: before the content is sent, and for those recipients alone that have no room."""
    port = full.ports["smtp"]
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.ehlo("sender.example")
        client.mail("a@sender.example", [f"SIZE={QUOTA // 2}"])
        code, words = client.rcpt(FULL)
        assert (code, words[:5]) == (452, b"4.2.2")
        assert client.rcpt(OTHER)[0] == 250
        client.rset()
        client.mail("a@sender.example", ["SIZE=1"])
        assert client.rcpt(FULL)[0] == 250
