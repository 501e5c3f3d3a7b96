"""Sieve with the whole server: put there by ManageSieve, run at delivery, seen by IMAP."""

import asyncio
import smtplib
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from malleposte.mime import body_text, parse
from malleposte.mime.mdn import read_disposition_report
from support import mailbox
from support.server import PASSWORD, Server
from support.sieve_client import SieveClient, signed_in

U0, U1, U2 = (f"u{n}@example.test" for n in range(3))
BODY = "From: a@sender.example\r\nTo: u1@example.test\r\nSubject: {0}\r\nMessage-ID: <{0}@x>\r\n\r\nHi\r\n"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Two workers, on each database."""
    dsn = ""
    if request.param == "postgres":
        dsn = asyncio.run(request.getfixturevalue("postgres_server").cleaned())
    with Server(tmp_path / "server", dsn=dsn).running(3) as server:
        yield server


def send(server: Server, subject: str, *recipients: str, service: str = "smtp") -> None:
    kind = smtplib.LMTP if service == "lmtp" else smtplib.SMTP
    with kind("127.0.0.1", server.ports[service], timeout=30) as client:
        client.ehlo("sender.example")
        client.sendmail("a@sender.example", list(recipients), BODY.format(subject))


def subjects(server: Server, address: str, name: str = "INBOX") -> list[str]:
    found = mailbox.messages(server, address, PASSWORD, name)
    return [str(mailbox.parsed(octets)["Subject"]) for octets in found]


def test_a_script_put_by_managesieve_files_what_comes(server: Server) -> None:
    script = b'require "fileinto";\r\nif header "subject" "work" { fileinto "Archive"; }\r\n'
    send(server, "before", U1)
    with signed_in(server, U1, PASSWORD) as client:
        assert client.do("PUTSCRIPT", "main", script).status == "OK"
        assert client.do("GETSCRIPT", "main").lines == [[script.decode()]]
        send(server, "not active", U1)
        assert client.do("SETACTIVE", "main").status == "OK"
        assert client.do("LISTSCRIPTS").lines == [["main", "ACTIVE"]]
    for _ in range(4):  # both workers
        send(server, "work", U1, U0)
    send(server, "play", U1, service="lmtp")
    assert subjects(server, U1, "Archive") == ["work"] * 4
    assert subjects(server, U1) == ["before", "not active", "play"]
    assert subjects(server, U0) == ["work"] * 4
    with signed_in(server, U1, PASSWORD) as client:
        changed = script.replace(b'"Archive"', b'"Junk"')
        assert client.do("PUTSCRIPT", "main", changed).status == "OK"
        for _ in range(4):
            send(server, "work", U1)
        assert client.do("SETACTIVE", "").status == "OK"
        for _ in range(4):
            send(server, "work", U1)
    assert subjects(server, U1, "Junk") == ["work"] * 4
    assert subjects(server, U1)[3:] == ["work"] * 4


def test_refused_by_a_script_in_the_session(server: Server) -> None:
    with signed_in(server, U1, PASSWORD) as client:
        client.do("PUTSCRIPT", "no", b'require "reject"; reject "Not\r\nhere.";')
        client.do("SETACTIVE", "no")
    with pytest.raises(smtplib.SMTPDataError) as refused:
        send(server, "hello", U1)
    assert refused.value.smtp_code == 550
    assert refused.value.smtp_error == b"5.7.1 Not\n5.7.1 here."
    assert subjects(server, U1) == []


def test_a_colleague_is_answered_once(server: Server) -> None:
    with signed_in(server, U1, PASSWORD) as client:
        client.do("PUTSCRIPT", "away", b'require "vacation"; vacation :days 7 "Gone fishing.";')
        client.do("SETACTIVE", "away")
    context = ssl.create_default_context(cafile=str(server.data / "tls" / "ca.pem"))
    with smtplib.SMTP("localhost", server.ports["submission"], timeout=30) as client:
        client.starttls(context=context)
        client.login(U0, PASSWORD)
        for subject in ("one", "two"):
            text = f"From: {U0}\r\nTo: {U1}\r\nSubject: {subject}\r\n\r\nHi\r\n"
            client.sendmail(U0, [U1], text)
    mailbox.wait_for(server, U0, PASSWORD, 1)
    time.sleep(2)
    (octets,) = mailbox.messages(server, U0, PASSWORD)
    reply = mailbox.parsed(octets)
    assert reply["Subject"] == "Auto: one"
    assert reply["Auto-Submitted"] == "auto-replied"
    assert reply["Return-Path"] == "<>"
    assert U1 in reply["From"]
    assert reply.get_content().strip() == "Gone fishing."


def test_of_two_recipients_one_keeps_it_and_the_others_rejection_comes_by_mail(
    server: Server,
) -> None:
    """SMTP has one answer for both."""
    with signed_in(server, U1, PASSWORD) as client:
        client.do(
            "PUTSCRIPT", "no", 'require "reject"; reject "Non, merci beaucoup à toi.";'.encode()
        )
        client.do("SETACTIVE", "no")
    context = ssl.create_default_context(cafile=str(server.data / "tls" / "ca.pem"))
    with smtplib.SMTP("localhost", server.ports["submission"], timeout=30) as client:
        client.starttls(context=context)
        client.login(U0, PASSWORD)
        text = f"From: {U0}\r\nTo: {U1}, {U2}\r\nSubject: hello\r\nMessage-ID: <7@x>\r\n\r\nHi\r\n"
        assert client.sendmail(U0, [U1, U2], text) == {}
    mailbox.wait_for(server, U0, PASSWORD, 1)
    assert subjects(server, U2) == ["hello"]
    assert subjects(server, U1) == []
    (octets,) = mailbox.messages(server, U0, PASSWORD)
    found = mailbox.parsed(octets)
    assert found["Return-Path"] == "<>"
    assert found["Subject"] == "Not accepted: hello"
    assert found["In-Reply-To"] == "<7@x>"
    assert found.get_param("report-type") == "disposition-notification"
    told = read_disposition_report(octets)
    assert told is not None
    assert (told.recipient, told.type, told.by_hand) == (U1, "deleted", False)
    assert "Non, merci beaucoup à toi." in body_text(octets, parse(octets)[1])


def test_the_owner_hears_of_a_script_that_fails(server: Server) -> None:
    with signed_in(server, U1, PASSWORD) as client:
        script = b'require ["variables", "fileinto"]; set "a" ""; fileinto "${a}";'
        assert client.do("PUTSCRIPT", "bad", script).status == "OK"
        client.do("SETACTIVE", "bad")
    send(server, "kept", U1)
    mailbox.wait_for(server, U1, PASSWORD, 2)
    assert sorted(subjects(server, U1)) == ["A mail filter does not work", "kept"]


def test_no_password_in_the_clear_beyond_this_machine(server: Server) -> None:
    """On loopback it may be; TLS is offered there too."""
    with SieveClient(server.ports["managesieve"]) as client:
        names = [line[0] for line in client.greeting.lines]
        assert "STARTTLS" in names
        assert ["SASL", "PLAIN LOGIN"] in client.greeting.lines
        assert client.sign_in(U1, "wrong").status == "NO"
        assert client.sign_in(U1, PASSWORD).status == "OK"
        assert client.do("LOGOUT").status == "OK"
