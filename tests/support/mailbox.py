"""An account looked at over IMAPS with Python's imaplib, as the other side of a program's work."""

import email
import email.policy
import imaplib
import smtplib
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage

from support.server import PASSWORD, Server


@dataclass(frozen=True, slots=True)
class Account:
    """An account and its password."""

    address: str
    password: str = PASSWORD


@contextmanager
def opened(server: Server, address: str, password: str) -> Iterator[imaplib.IMAP4_SSL]:
    """A connection that has signed in."""
    context = ssl.create_default_context(cafile=str(server.data / "tls" / "ca.pem"))
    with imaplib.IMAP4_SSL(
        "localhost", server.ports["imaps"], ssl_context=context, timeout=60
    ) as client:
        client.login(address, password)
        yield client


def messages(server: Server, address: str, password: str, mailbox: str = "INBOX") -> list[bytes]:
    """All messages of a mailbox, oldest first."""
    with opened(server, address, password) as client:
        assert client.select(mailbox, readonly=True)[0] == "OK"
        _, rows = client.uid("FETCH", "1:*", "(BODY.PEEK[])")
        return [row[1] for row in rows if isinstance(row, tuple)]


def parsed(octets: bytes) -> EmailMessage:
    """A message, parsed by the standard library."""
    message = email.message_from_bytes(octets, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def wait_for(
    server: Server, address: str, password: str, count: int, mailbox: str = "INBOX"
) -> list[bytes]:
    """All messages, once there are so many."""
    until = time.monotonic() + 20
    while True:
        found = messages(server, address, password, mailbox)
        if len(found) >= count or time.monotonic() > until:
            assert len(found) == count, f"{len(found)} messages in {mailbox}, not {count}"
            return found
        time.sleep(0.1)


def flags(server: Server, address: str, password: str, mailbox: str = "INBOX") -> list[set[str]]:
    r"""Flags of all messages, oldest first; without ``\Recent``, which says who looked first."""
    with opened(server, address, password) as client:
        assert client.select(mailbox, readonly=True)[0] == "OK"
        _, rows = client.uid("FETCH", "1:*", "(FLAGS)")
        return [
            {flag.decode() for flag in imaplib.ParseFlags(row)} - {"\\Recent"}
            for row in rows
            if isinstance(row, bytes)
        ]


def fill(server: Server, address: str, *texts: bytes) -> None:
    """Deliver messages to an address by SMTP, in order."""
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=60) as client:
        client.ehlo("sender.example")
        for text in texts:
            client.sendmail("sender@sender.example", [address], text, ["BODY=8BITMIME"])
