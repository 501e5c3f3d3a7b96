"""swaks: SMTP with STARTTLS, submission over implicit TLS, LMTP, attachments."""

from pathlib import Path

import pytest

from support import mailbox
from support.mailbox import Account
from support.programs import Home, need
from support.server import Server

pytestmark = pytest.mark.interop


def swaks(home: Home, port: int, *words: str | Path, seconds: float = 60.0) -> tuple[int, str]:
    done = home.run(
        need("swaks"), "--server", "127.0.0.1", "--port", str(port), *words, seconds=seconds
    )
    return done.returncode, done.stdout.decode(errors="replace")


def sent(home: Home, port: int, *words: str | Path) -> str:
    code, said = swaks(home, port, *words)
    assert code == 0, said
    return said


def test_smtp_with_starttls(server: Server, ca: Path, account: Account, home: Home) -> None:
    said = sent(
        *(home, server.ports["smtp"], "--to", account.address, "--from", "a@sender.example"),
        *("--tls", "--tls-verify", "--tls-ca-path", ca),
        *("--header", "Subject: by swaks", "--body", "one\\n.two\\n..three\\n"),
    )
    assert "TLS started" in said
    (octets,) = mailbox.wait_for(server, account.address, account.password, 1)
    message = mailbox.parsed(octets)
    assert message["Subject"] == "by swaks"
    assert "ESMTPS id" in message["Received"].replace("\n", "")
    assert b"\r\n.two\r\n..three\r\n" in octets


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_submission_over_implicit_tls(
    server: Server, ca: Path, account: Account, other: Account, home: Home, mechanism: str
) -> None:
    sent(
        *(home, server.ports["submissions"], "--to", other.address, "--from", account.address),
        *("--tls-on-connect", "--tls-verify", "--tls-ca-path", ca, "--auth", mechanism),
        *("--auth-user", account.address, "--auth-password", account.password),
    )
    (octets,) = mailbox.wait_for(server, other.address, other.password, 1)
    assert f"Return-Path: <{account.address}>" in octets.decode()


def test_submission_with_starttls_and_a_wrong_password(
    server: Server, ca: Path, account: Account, home: Home
) -> None:
    code, said = swaks(
        *(home, server.ports["submission"], "--to", account.address, "--from", account.address),
        *("--tls", "--tls-verify", "--tls-ca-path", ca, "--auth", "PLAIN"),
        *("--auth-user", account.address, "--auth-password", "wrong"),
    )
    assert code == 28, said
    assert "535 5.7.8" in said


def test_lmtp_to_two_recipients_of_whom_one_is_unknown(
    server: Server, account: Account, home: Home
) -> None:
    said = sent(
        *(home, server.ports["lmtp"], "--protocol", "LMTP", "--from", "a@sender.example"),
        *("--to", f"{account.address},nobody@example.test"),
    )
    assert "550 5.1.1" in said
    mailbox.wait_for(server, account.address, account.password, 1)


def test_an_attachment_arrives_whole(server: Server, account: Account, home: Home) -> None:
    octets = bytes(range(256)) * 4_000
    path = home.folder / "all octets.bin"
    path.write_bytes(octets)
    sent(
        *(home, server.ports["smtp"], "--to", account.address, "--from", "a@sender.example"),
        *("--body", "see the attachment", "--attach-type", "application/x-octets"),
        *("--attach-name", "all octets.bin", "--attach", f"@{path}"),
    )
    (found,) = mailbox.wait_for(server, account.address, account.password, 1)
    attachments = [
        part
        for part in mailbox.parsed(found).walk()
        if part.get_content_type() == "application/x-octets"
    ]
    assert [part.get_payload(decode=True) for part in attachments] == [octets]


def test_an_unknown_recipient_is_refused(server: Server, home: Home) -> None:
    code, said = swaks(
        home, server.ports["smtp"], "--to", "nobody@example.test", "--from", "a@sender.example"
    )
    assert code == 24, said
    assert "550 5.1.1" in said


def test_nobody_relays(server: Server, home: Home) -> None:
    code, said = swaks(
        home, server.ports["smtp"], "--to", "x@elsewhere.example", "--from", "a@sender.example"
    )
    assert code == 24, said
    assert "550 5.7.1" in said


def test_pipelining(server: Server, account: Account, home: Home) -> None:
    sent(
        *(home, server.ports["smtp"], "--to", account.address, "--from", "a@sender.example"),
        "--pipeline",
    )
    mailbox.wait_for(server, account.address, account.password, 1)
