"""POP3 with the whole server: one session an account over workers and machines, and none of it deletes
anything when processes die."""

import asyncio
import contextlib
import poplib
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import mailbox, postgres
from support.processes import kill, of_kind
from support.server import PASSWORD, Server
from support.vital_signs import VitalSigns

ADDRESS = "u1@example.test"
TEXTS = [b"Subject: %d\r\n\r\n.text %d\r\n" % (n, n) for n in range(1, 6)]


@contextlib.contextmanager
def opened(server: Server, *, tls: bool = False) -> Iterator[poplib.POP3]:
    """A connection, greeted; cut off at the end."""
    client = poplib.POP3("127.0.0.1", server.ports["pop3"], timeout=60)
    try:
        if tls:
            context = ssl.create_default_context(cafile=str(server.data / "tls" / "ca.pem"))
            context.check_hostname = False
            client.stls(context)
        yield client
    finally:
        with contextlib.suppress(OSError):  # gone already
            client.close()


def sign_in(client: poplib.POP3) -> None:
    client.user(ADDRESS)
    client.pass_(PASSWORD)


@contextlib.contextmanager
def session(server: Server, *, patience: float = 0.0) -> Iterator[poplib.POP3]:
    """One that has signed in; waits for whoever has the mailbox."""
    until = time.monotonic() + patience
    while True:
        with opened(server, tls=True) as client:
            try:
                sign_in(client)
            except poplib.error_proto as error:
                if "[IN-USE]" not in str(error) or time.monotonic() > until:
                    raise
            else:
                yield client
                return
        time.sleep(0.2)


def left(server: Server) -> int:
    return len(mailbox.messages(server, ADDRESS, PASSWORD))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Two workers, on each database; u1 has five messages."""
    dsn = ""
    if request.param == "postgres":
        dsn = asyncio.run(request.getfixturevalue("postgres_server").cleaned())
    with Server(tmp_path / "server", dsn=dsn).running(2) as server:
        mailbox.fill(server, ADDRESS, *TEXTS)
        yield server


def test_fetched_and_deleted_beside_imap(server: Server) -> None:
    """Numbers stay while IMAP expunges and new mail comes; what POP3 deletes goes for IMAP."""
    signs = VitalSigns(server)
    with session(server) as client, mailbox.opened(server, ADDRESS, PASSWORD) as other:
        sizes = [int(line.split()[1]) for line in client.list()[1]]
        assert client.stat() == (5, sum(sizes))
        other.select("INBOX")
        other.store("2", "+FLAGS", "\\Deleted")
        other.expunge()
        mailbox.fill(server, ADDRESS, b"Subject: new\r\n\r\nnew\r\n")
        for number, text in enumerate(TEXTS, 1):
            octets = b"\r\n".join([*client.retr(number)[1], b""])
            assert octets.endswith(text)
            assert len(octets) == sizes[number - 1]
        for number in (1, 2, 3):
            client.dele(number)
        assert client.quit().startswith(b"+OK")
        other.noop()
        assert other.search(None, "ALL") == ("OK", [b"1 2 3"])
    assert left(server) == 3
    signs.check()


def test_one_session_whichever_worker_has_it(server: Server) -> None:
    """So many tries that both workers were asked."""
    with session(server) as client:
        client.dele(1)
        for _ in range(12):
            with opened(server) as other, pytest.raises(poplib.error_proto, match="IN-USE"):
                sign_in(other)
        client.quit()
    with session(server) as client:
        assert client.stat()[0] == 4


@pytest.mark.timeout(180)
def test_workers_that_die_delete_nothing_and_lock_nobody_out(server: Server) -> None:
    with session(server) as client:
        client.dele(1)
        client.dele(2)
        for process in of_kind(server, "worker"):
            kill(process)
        with pytest.raises((poplib.error_proto, OSError)):
            client.quit()
    server.wait()
    # On PostgreSQL the lease of who died runs out first.
    with session(server, patience=100.0 if server.dsn else 5.0) as client:
        assert client.stat()[0] == 5


def test_a_server_that_stops_lets_who_fetches_come_to_his_quit(server: Server) -> None:
    with session(server) as client:
        client.dele(1)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        for number in (2, 3):
            time.sleep(0.3)
            assert client.retr(number)[0].startswith(b"+OK")
        assert client.quit().startswith(b"+OK")
        stopping.join()
    server.start()
    assert left(server) == 4


@pytest.mark.postgres
def test_one_session_whichever_machine_has_it(
    postgres_server: postgres.Server, tmp_path: Path
) -> None:
    """Two servers on one database."""
    dsn = asyncio.run(postgres_server.cleaned())
    with Server(tmp_path / "one", dsn=dsn).running(2) as one:
        mailbox.fill(one, ADDRESS, *TEXTS)
        with Server(tmp_path / "two", dsn=dsn).running(0) as two:
            with session(one) as client:
                client.dele(1)
                with opened(two) as other, pytest.raises(poplib.error_proto, match="IN-USE"):
                    sign_in(other)
                client.quit()
            with session(two) as client:
                assert client.stat()[0] == 4
                client.dele(4)
                client.quit()
        assert left(one) == 3


def test_the_log_tells_of_sessions_and_no_password(server: Server) -> None:
    with session(server) as client:
        client.quit()
    until = time.monotonic() + 10
    while "pop3_ended" not in (said := server.log.read_text(errors="replace")):
        assert time.monotonic() < until, said
        time.sleep(0.05)
    assert "pop3_signed_in" in said
    assert PASSWORD not in said
