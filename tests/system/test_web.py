"""HTTP of a real server: what strangers hold of it is nobody else's, and it ends with the others."""

import asyncio
import contextlib
import http.client
import imaplib
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.server import Server

PER_ADDRESS, HEAD_TIMEOUT = 30, 5
SETTINGS = {
    "web": {"connections_per_address": str(PER_ADDRESS), "head_timeout": f'"{HEAD_TIMEOUT}s"'}
}
PATH = "/mail/config-v1.1.xml?emailaddress=secretive-name@example.test"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("web"), workers=1, settings=SETTINGS).running(1) as server:
        yield server


def asked(server: Server, path: str = PATH, *, tls: bool = False) -> tuple[int, bytes]:
    connection: http.client.HTTPConnection
    if tls:
        context = ssl.create_default_context(cafile=server.data / "tls" / "ca.pem")
        connection = http.client.HTTPSConnection(
            "localhost", server.ports["https"], timeout=20, context=context
        )
    else:
        connection = http.client.HTTPConnection("localhost", server.ports["http"], timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_it_answers_under_tls_and_without(server: Server) -> None:
    assert asked(server, tls=True) == asked(server)
    assert asked(server)[0] == 200


def test_slow_strangers_hold_up_neither_mail_nor_figures(server: Server) -> None:
    """As many as one address may have, each of which sends its request for ever."""
    slow = [
        socket.create_connection(("127.0.0.1", server.ports["http"])) for _ in range(PER_ADDRESS)
    ]
    try:
        for one in slow:
            one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        with socket.create_connection(("127.0.0.1", server.ports["http"]), 20) as refused:
            assert refused.recv(1_000).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        # One limit for both listeners.
        with pytest.raises((ssl.SSLError, ConnectionError)):
            asked(server, tls=True)
        began = time.monotonic()
        with imaplib.IMAP4("127.0.0.1", server.ports["imap"], 20) as imap:
            assert imap.noop()[0] == "OK"
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=20) as smtp:
            assert smtp.noop()[0] == 250
        assert server.health()
        assert f'malleposte_connections{{service="http"}} {PER_ADDRESS}.0' in _soon(server)
        # Far below the time that the slow ones have; generous for a busy machine.
        assert time.monotonic() - began < HEAD_TIMEOUT + 15
        for one in slow:
            one.settimeout(HEAD_TIMEOUT + 20)
            assert one.recv(1_000).startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    finally:
        for one in slow:
            one.close()
    until = time.monotonic() + 20
    while time.monotonic() < until and asked(server)[0] == 503:
        time.sleep(0.1)
    assert asked(server)[0] == 200


def _soon(server: Server) -> str:
    """The figures, once the gauges were looked at."""
    time.sleep(1)
    return server.figures()


def test_figures_name_what_was_asked_and_the_log_no_address(server: Server) -> None:
    for path, status in ((PATH, 200), ("/nowhere", 404), ("/mail/apple.mobileconfig", 400)):
        assert asked(server, path)[0] == status
    figures = server.figures()
    assert 'malleposte_http_responses_total{route="autoconfig",status="200"}' in figures
    assert 'malleposte_http_responses_total{route="none",status="404"}' in figures
    assert "malleposte_http_request_seconds_count" in figures
    assert "secretive-name" not in server.log.read_text() + figures


def test_it_stops_at_once_while_browsers_keep_their_connections(tmp_path: Path) -> None:
    server = Server(tmp_path / "server", workers=1)
    with server.running(1):
        browsers = []
        for _ in range(5):
            browser = http.client.HTTPConnection("localhost", server.ports["http"], timeout=20)
            browser.request("GET", PATH)
            assert browser.getresponse().read()
            browsers.append(browser)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 10
        for browser in browsers:
            assert browser.sock.recv(10) == b""
            browser.close()


def test_without_a_certificate_it_says_so_until_there_is_one(tmp_path: Path) -> None:
    server = Server(tmp_path / "server", workers=1, settings={"tls": {"look_every": '"1s"'}})
    asyncio.run(server.prepare(1))
    pair = [server.data / "tls" / name for name in ("server.pem", "server.key")]
    kept = [path.read_bytes() for path in pair]
    for path in pair:
        path.unlink()
    server.start()
    try:
        status, said = asked(server)
        assert (status, b"no certificate yet" in said) == (503, True)
        for path, octets in zip(pair, kept, strict=True):
            path.write_bytes(octets)
        until = time.monotonic() + 30
        while time.monotonic() < until and asked(server)[0] == 503:
            time.sleep(0.2)
        assert asked(server, tls=True)[0] == 200
    finally:
        server.end()
