"""Python's smtplib and imaplib: what a script does with its mail."""

import imaplib
import smtplib
import ssl
import time
from email.message import EmailMessage
from pathlib import Path

import pytest

from support import mailbox
from support.mailbox import Account
from support.server import Server

pytestmark = pytest.mark.interop


def written(sender: str, recipient: str) -> EmailMessage:
    """A message with what real ones have: other scripts, HTML, an attachment."""
    message = EmailMessage()
    message["From"] = f"Zoë Müller <{sender}>"
    message["To"] = recipient
    message["Subject"] = "Grüße – 挨拶"
    message.set_content("Schöne Grüße\n.\n")
    message.add_alternative("<p>Schöne Grüße</p>", subtype="html")
    message.add_attachment(bytes(range(256)), "application", "octet-stream", filename="größe.bin")
    return message


@pytest.mark.parametrize("how", ["starttls", "implicit"])
def test_smtplib_submits(
    server: Server, ca: Path, account: Account, other: Account, how: str
) -> None:
    context = ssl.create_default_context(cafile=str(ca))
    if how == "implicit":
        client: smtplib.SMTP = smtplib.SMTP_SSL(
            "localhost", server.ports["submissions"], context=context
        )
    else:
        client = smtplib.SMTP("localhost", server.ports["submission"])
    with client:
        if how == "starttls":
            client.starttls(context=context)
        client.login(account.address, account.password)
        client.send_message(written(account.address, other.address))
    (octets,) = mailbox.wait_for(server, other.address, other.password, 1)
    message = mailbox.parsed(octets)
    assert message["Subject"] == "Grüße – 挨拶"
    body = message.get_body(("plain",))
    assert body is not None
    assert body.get_content() == "Schöne Grüße\r\n.\r\n"
    (attachment,) = message.iter_attachments()
    assert attachment.get_filename() == "größe.bin"
    assert attachment.get_payload(decode=True) == bytes(range(256))


def test_smtplib_sends_to_an_address_in_utf8(server: Server, account: Account) -> None:
    with smtplib.SMTP("localhost", server.ports["smtp"]) as client:
        client.ehlo("sender.example")
        code, words = client.mail("grüße@sender.example", ["SMTPUTF8", "BODY=8BITMIME"])
        assert code == 250, words
        assert client.rcpt(account.address)[0] == 250
        assert client.data("Subject: Grüße\r\n\r\n–\r\n".encode())[0] == 250
    (octets,) = mailbox.wait_for(server, account.address, account.password, 1)
    assert octets.startswith("Return-Path: <grüße@sender.example>\r\n".encode())
    assert "with UTF8SMTP id" in octets.decode()


def test_imaplib_does_its_main_job(server: Server, account: Account) -> None:
    """Everything a mail program does in a session, in one session."""
    with mailbox.opened(server, account.address, account.password) as client:
        assert client.select("INBOX") == ("OK", [b"0"])
        when = '"01-Feb-2003 04:05:06 +0100"'
        for number in range(5):
            text = f"Subject: {number}\r\nFrom: a{number % 2}@x.example\r\n\r\nbody {number}\r\n"
            kind, data = client.append("INBOX", "(\\Flagged $Work)", when, text.encode())
            assert kind == "OK", data
            assert data[0].startswith(b"[APPENDUID ")
        assert client.noop()[0] == "OK"
        assert client.response("EXISTS")[1][-1] == b"5"

        assert client.search(None, "FROM", "a1@x.example") == ("OK", [b"2 4"])
        assert client.uid("SEARCH", "KEYWORD", "$Work", "SUBJECT", "3") == ("OK", [b"4"])
        kind, rows = client.fetch("1", "(INTERNALDATE FLAGS RFC822.SIZE)")
        assert isinstance(rows[0], bytes)
        assert imaplib.Internaldate2tuple(rows[0]) == time.localtime(1044068706)
        kind, rows = client.fetch("2:3", "(BODY.PEEK[TEXT])")
        assert [row[1] for row in rows if isinstance(row, tuple)] == [b"body 1\r\n", b"body 2\r\n"]

        assert client.store("1:2", "+FLAGS", "(\\Seen \\Answered)")[0] == "OK"
        assert client.store("2", "-FLAGS", "(\\Answered)")[0] == "OK"
        assert client.search(None, "SEEN", "NOT", "ANSWERED") == ("OK", [b"2"])
        assert client.fetch("3", "(RFC822)")[0] == "OK"
        assert client.search(None, "SEEN") == ("OK", [b"1 2 3"])

        name = '"Projects/2026 &- Zo&AOs-"'
        assert client.create(name)[0] == "OK"
        assert client.copy("1:3", name)[0] == "OK"
        assert client.uid("MOVE", "4", name)[0] == "OK"
        assert client.response("EXPUNGE")[1] == [b"4"]
        assert client.search(None, "ALL") == ("OK", [b"1 2 3 4"])
        assert client.status(name, "(MESSAGES UNSEEN UIDNEXT)")[1] == [
            b'"Projects/2026 &- Zo&AOs-" (MESSAGES 4 UNSEEN 1 UIDNEXT 5)'
        ]
        assert client.store("1", "+FLAGS.SILENT", "(\\Deleted)")[0] == "OK"
        assert client.expunge() == ("OK", [b"1"])
        assert client.uid("SEARCH", "ALL") == ("OK", [b"2 3 5"])

        assert client.subscribe(name)[0] == "OK"
        assert any(b"Projects/" in line for line in client.lsub()[1])
        assert client.rename(name, "Old")[0] == "OK"
        assert client.select("Old")[1] == [b"4"]
        assert client.close()[0] == "OK"
        assert client.delete("Old")[0] == "OK"
        assert client.select("Old")[0] == "NO"
        assert client.logout()[0] == "BYE"


def test_two_sessions_see_each_other(server: Server, account: Account) -> None:
    with (
        mailbox.opened(server, account.address, account.password) as one,
        mailbox.opened(server, account.address, account.password) as two,
    ):
        one.select("INBOX")
        two.select("INBOX")
        for number in range(3):
            one.append("INBOX", "", "", b"Subject: %d\r\n\r\n\r\n" % number)
            two.noop()
            assert two.response("EXISTS")[1][-1] == b"%d" % (number + 1)
        two.store("2", "+FLAGS", "(\\Deleted)")
        one.noop()
        assert one.response("FETCH")[1] == [b"2 (FLAGS (\\Recent \\Deleted))"]
        assert two.expunge() == ("OK", [b"2"])
        one.noop()
        assert one.response("EXPUNGE")[1] == [b"2"]
        assert one.uid("SEARCH", "ALL") == ("OK", [b"1 3"])


def test_imaplib_reads_a_shared_mailbox(server: Server, account: Account, other: Account) -> None:
    """Given by one script, found, read and answered for by another."""
    mailbox.fill(server, account.address, b"Subject: for both\r\n\r\nHello\r\n")
    mailbox.wait_for(server, account.address, account.password, 1)
    with imaplib.IMAP4("localhost", server.ports["imap"]) as owner:
        owner.login(account.address, account.password)
        assert b" ACL RIGHTS=texk " in owner.capability()[1][0]
        assert owner.setacl("INBOX", other.address, "lrsw")[0] == "OK"
        kind, listed = owner.getacl("INBOX")
        assert kind == "OK"
        assert f"{other.address} lrsw".encode() in listed[0]
    with imaplib.IMAP4("localhost", server.ports["imap"]) as reader:
        reader.login(other.address, other.password)
        kind, spaces = reader.namespace()
        assert kind == "OK"
        assert b'"Other Users/"' in spaces[0]
        name = f'"Other Users/{account.address}"'
        kind, names = reader.list()
        assert any(line.endswith(name.encode()) for line in names if isinstance(line, bytes))
        kind, rights = reader.myrights(name)
        assert rights[0].endswith(b" lrsw")
        assert reader.select(name)[0] == "OK"
        kind, found = reader.search(None, "UNSEEN")
        assert found == [b"1"]
        kind, parts = reader.fetch("1", "(BODY[TEXT])")
        assert isinstance(parts[0], tuple)
        assert parts[0][1] == b"Hello\r\n"
        assert reader.search(None, "UNSEEN")[1] == [b""]
