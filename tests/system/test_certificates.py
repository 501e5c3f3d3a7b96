"""A pair of certificate and key that comes later, or anew, is taken; no connection is dropped for it."""

import contextlib
import imaplib
import poplib
import shutil
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from malleposte.runtime.tls_selfsigned import self_signed_pair
from support.imap_client import ImapClient
from support.server import PASSWORD, Server


def offers_tls(server: Server) -> bool:
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=30) as client:
        client.ehlo()
        return client.has_extn("starttls")


async def capability(server: Server) -> bytes:
    client = await ImapClient.connect(server.ports["imap"])
    answer = await client.command(b"CAPABILITY")
    await client.command(b"LOGOUT")
    client.close()
    return b"".join(answer.untagged)


async def test_a_pair_that_comes_later_is_taken_without_a_restart(tmp_path: Path) -> None:
    server = Server(tmp_path / "server", workers=1, settings={"tls": {"look_every": '"1s"'}})
    await server.prepare(2)
    shutil.rmtree(server.data / "tls")
    server.start()
    try:
        assert not offers_tls(server)
        assert b"STARTTLS" not in await capability(server)
        # Where TLS comes first there is nothing to say.
        with socket.create_connection(("127.0.0.1", server.ports["imaps"]), timeout=30) as sock:
            assert sock.recv(100) == b""
        self_signed_pair(server.data / "tls", "mail.example.test")
        until = time.monotonic() + 60
        while not offers_tls(server):
            assert time.monotonic() < until, server.tail()
            time.sleep(0.1)
        assert b"STARTTLS" in await capability(server)
        context = ssl.create_default_context(cafile=str(server.data / "tls" / "ca.pem"))
        with smtplib.SMTP("localhost", server.ports["smtp"], timeout=30) as client:
            assert client.starttls(context=context)[0] == 220
        reader = await ImapClient.connect(server.ports["imaps"], context)
        await reader.login("u1@example.test", PASSWORD)
        reader.close()
        assert server.stop() == 0
    finally:
        server.end()


EACH = 3
"""Connections held of each: they are spread over two workers."""
ADDRESS = "u1@example.test"


def submissions(server: Server, context: ssl.SSLContext) -> smtplib.SMTP:
    port = server.ports["submissions"]
    client = smtplib.SMTP_SSL("localhost", port, context=context, timeout=30)
    client.login(ADDRESS, PASSWORD)
    return client


def submission(server: Server, context: ssl.SSLContext) -> smtplib.SMTP:
    client = smtplib.SMTP("localhost", server.ports["submission"], timeout=30)
    client.starttls(context=context)
    client.login(ADDRESS, PASSWORD)
    return client


def smtp(server: Server, context: ssl.SSLContext) -> smtplib.SMTP:
    client = smtplib.SMTP("localhost", server.ports["smtp"], timeout=30)
    client.starttls(context=context)
    client.ehlo("sender.example")
    return client


def imaps(server: Server, context: ssl.SSLContext) -> imaplib.IMAP4_SSL:
    port = server.ports["imaps"]
    client = imaplib.IMAP4_SSL("localhost", port, ssl_context=context, timeout=30)
    client.login(ADDRESS, PASSWORD)
    return client


def imap(server: Server, context: ssl.SSLContext) -> imaplib.IMAP4:
    client = imaplib.IMAP4("localhost", server.ports["imap"], timeout=30)
    client.starttls(context)
    client.login(ADDRESS, PASSWORD)
    return client


def pop3s(server: Server, context: ssl.SSLContext) -> poplib.POP3_SSL:
    # Not signed in: one session an account.
    return poplib.POP3_SSL("localhost", server.ports["pop3s"], context=context, timeout=30)


# Each way into TLS; signed in where that leaves room for others.
WAYS: tuple[Callable[[Server, ssl.SSLContext], object], ...] = (
    submissions,
    submission,
    smtp,
    imaps,
    imap,
    pop3s,
)


def works(client: object) -> None:
    """Have a client do its main job."""
    if isinstance(client, smtplib.SMTP):
        client.sendmail(ADDRESS, [ADDRESS], "Subject: after\r\n\r\nHello.\r\n")
    elif isinstance(client, imaplib.IMAP4):
        assert client.select("INBOX")[0] == "OK"
    else:
        assert isinstance(client, poplib.POP3_SSL)
        client.user(ADDRESS)
        client.pass_(PASSWORD)
        client.stat()
        client.quit()


def closed(client: object) -> None:
    """Cut a client off."""
    if isinstance(client, imaplib.IMAP4):
        client.shutdown()
    else:
        assert isinstance(client, smtplib.SMTP | poplib.POP3_SSL)
        client.close()


def all_serve(server: Server, context: ssl.SSLContext) -> None:
    """Wait until every worker serves a certificate that is trusted, whatever the way."""
    until = time.monotonic() + 60
    for way in WAYS:
        # Which worker takes a connection is chance; 12 in a row are not all taken by one.
        inarow = 0
        while inarow < 12:
            try:
                closed(way(server, context))
                inarow += 1
            except ssl.SSLError:
                assert time.monotonic() < until, f"the new certificate is not served: {way}"
                inarow = 0
                time.sleep(0.1)


@pytest.fixture
def renewed(tmp_path: Path) -> Iterator[Server]:
    """A server of two workers that looks for a new pair every second."""
    settings = {"tls": {"look_every": '"1s"'}}
    with Server(tmp_path / "server", workers=2, settings=settings).running(2) as server:
        yield server


def test_a_new_pair_is_taken_and_no_connection_is_dropped(renewed: Server, tmp_path: Path) -> None:
    before = ssl.create_default_context(cafile=str(renewed.data / "tls" / "ca.pem"))
    with contextlib.ExitStack() as held:
        clients = [way(renewed, before) for way in WAYS for _ in range(EACH)]
        for client in clients:
            held.callback(closed, client)
        other = tmp_path / "other"
        self_signed_pair(other, "mail.example.test")
        for name in ("server.pem", "server.key"):
            (other / name).replace(renewed.data / "tls" / name)
        all_serve(renewed, ssl.create_default_context(cafile=str(other / "ca.pem")))
        with pytest.raises(ssl.SSLError):
            imaps(renewed, before)
        for client in clients:
            works(client)
