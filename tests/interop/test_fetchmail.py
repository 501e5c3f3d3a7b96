"""fetchmail: IMAP over TLS, the certificate checked, into a local delivery agent; IDLE too."""

import time
from pathlib import Path

import pytest

from support import mailbox
from support.mailbox import Account
from support.programs import Home, need
from support.server import Server

pytestmark = pytest.mark.interop

# A delivery agent that appends to a file: fetchmail hands it one message with LF line ends.
AGENT = "#!/bin/sh\ncat >>'{path}'\nprintf 'END OF MESSAGE\\n' >>'{path}'\n"


def message(number: int) -> bytes:
    return f"Subject: {number}\r\n\r\n.dot\r\nFrom here\r\nGrüße {number}\r\n".encode()


def configured(
    server: Server, account: Account, home: Home, ca: Path, words: str = "", tls: str = "imaps"
) -> tuple[Path, Path]:
    """The configuration, and the file mail goes to."""
    kept = home.folder / "mail"
    agent = home.write("agent", AGENT.format(path=kept))
    agent.chmod(0o700)
    how = "ssl" if tls == "imaps" else "sslproto tls1.2+"
    rc = home.write(
        "fetchmailrc",
        f"poll localhost protocol imap service {server.ports[tls]}\n"
        f"  user '{account.address}' password '{account.password}' is 'tester' here\n"
        f"  {how} sslcertck sslcertfile '{ca}' {words}\n"
        f"  mda '{agent}'\n",
    )
    return rc, kept


def fetchmail(home: Home, rc: Path, *words: str) -> tuple[int, str]:
    done = home.run(
        *(need("fetchmail"), "-f", rc, "--pidfile", home.folder / "pid", "--nodetach"),
        *("--nosyslog", "-v", *words),
    )
    return done.returncode, done.stdout.decode(errors="replace")


def received(kept: Path) -> list[bytes]:
    return kept.read_bytes().split(b"END OF MESSAGE\n")[:-1] if kept.exists() else []


@pytest.mark.parametrize("tls", ["imaps", "imap"])
def test_it_fetches_and_deletes(
    server: Server, ca: Path, account: Account, home: Home, tls: str
) -> None:
    mailbox.fill(server, account.address, *(message(n) for n in range(1, 13)))
    rc, kept = configured(server, account, home, ca, tls=tls)
    code, said = fetchmail(home, rc)
    assert code == 0, said
    found = received(kept)
    assert len(found) == 12
    for number, octets in enumerate(found, 1):
        assert octets.endswith(message(number).replace(b"\r\n", b"\n").partition(b"\n\n")[2])
        assert b"\nSubject: %d\n" % number in octets
    assert mailbox.messages(server, account.address, account.password) == []
    # 1: nothing to fetch.
    assert fetchmail(home, rc)[0] == 1
    assert len(received(kept)) == 12


def test_kept_mail_is_fetched_once(server: Server, ca: Path, account: Account, home: Home) -> None:
    mailbox.fill(server, account.address, message(1), message(2))
    rc, kept = configured(server, account, home, ca, "keep fetchlimit 1")
    for expected in (1, 2, 2):
        fetchmail(home, rc)
        assert len(received(kept)) == expected
    assert len(mailbox.messages(server, account.address, account.password)) == 2
    assert all("\\Seen" in f for f in mailbox.flags(server, account.address, account.password))


def test_an_unknown_authority_is_refused(
    server: Server, ca: Path, account: Account, home: Home
) -> None:
    mailbox.fill(server, account.address, message(1))
    rc, kept = configured(server, account, home, Path("/etc/ssl/certs/ca-certificates.crt"))
    code, said = fetchmail(home, rc)
    # 2: PS_SOCKET, the connection could not be made.
    assert code == 2, said
    assert not kept.exists()


def test_idle_brings_new_mail_at_once(
    server: Server, ca: Path, account: Account, home: Home
) -> None:
    mailbox.fill(server, account.address, message(1))
    rc, kept = configured(server, account, home, ca, "idle")
    with home.running(
        *(need("fetchmail"), "-f", rc, "--pidfile", home.folder / "pid", "--nodetach"),
        *("--nosyslog", "-v"),
    ) as process:
        for number in (1, 2, 3):
            until = time.monotonic() + 20
            while len(received(kept)) < number:
                assert time.monotonic() < until, f"message {number} did not come"
                assert process.poll() is None, process.communicate()[0]
                time.sleep(0.05)
            if number < 3:
                mailbox.fill(server, account.address, message(number + 1))
        process.terminate()
        assert b" IDLE\n" in process.communicate(timeout=10)[0]
    subjects = [octets.partition(b"\nSubject: ")[2][:1] for octets in received(kept)]
    assert subjects == [b"1", b"2", b"3"]
