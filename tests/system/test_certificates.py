"""A pair of certificate and key that is not there at the start is taken when it comes."""

import shutil
import smtplib
import socket
import ssl
import time
from pathlib import Path

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
