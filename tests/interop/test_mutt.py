"""mutt: a message sent through submission; a mailbox read, flagged, saved and deleted on a terminal."""

from pathlib import Path

import pytest

from support import mailbox
from support.mailbox import Account
from support.programs import Home, need
from support.server import Server

pytestmark = pytest.mark.interop


def configured(server: Server, ca: Path, account: Account, home: Home) -> Path:
    user = account.address.replace("@", "%40")
    ports = server.ports
    return home.write(
        "muttrc",
        f"set from='{account.address}' realname='Zoë Müller' hostname='client.example'\n"
        f"set smtp_url='smtps://{user}@localhost:{ports['submissions']}/'\n"
        f"set smtp_pass='{account.password}' imap_pass='{account.password}'\n"
        f"set folder='imaps://{user}@localhost:{ports['imaps']}/' spoolfile='+INBOX'\n"
        f"set ssl_force_tls=yes ssl_ca_certificates_file='{ca}'\n"
        f"set certificate_file='{home.folder}/certificates' record='+Sent' postponed='+Drafts'\n"
        f"set header_cache='{home.folder}/headers' message_cachedir='{home.folder}/bodies'\n"
        "set confirmappend=no confirmcreate=no delete=yes quit=yes move=no wait_key=no\n"
        "set sleep_time=0 editor='true' charset='utf-8' send_charset='utf-8' mark_old=no\n"
        "set abort_unmodified=no\n",
    )


def test_it_submits_and_keeps_a_copy(
    server: Server, ca: Path, account: Account, other: Account, home: Home
) -> None:
    rc = configured(server, ca, account, home)
    attached = home.folder / "octets.bin"
    attached.write_bytes(bytes(range(256)) * 30)
    home.succeed(
        *(need("mutt"), "-n", "-F", rc, "-s", "Grüße von mutt", "-a", attached, "--"),
        other.address,
        octets="Schöne Grüße\n.\nund mehr\n".encode(),
    )
    (octets,) = mailbox.wait_for(server, other.address, other.password, 1)
    message = mailbox.parsed(octets)
    assert message["Subject"] == "Grüße von mutt"
    assert "Zoë Müller" in message["From"]
    body = message.get_body(("plain",))
    assert body is not None
    assert body.get_content() == "Schöne Grüße\r\n.\r\nund mehr\r\n"
    (attachment,) = message.iter_attachments()
    assert attachment.get_payload(decode=True) == attached.read_bytes()
    # The same message lies in Sent, read, without the lines of the transport.
    (copy,) = mailbox.messages(server, account.address, account.password, "Sent")
    assert mailbox.parsed(copy)["Message-ID"] == message["Message-ID"]
    assert mailbox.flags(server, account.address, account.password, "Sent") == [{"\\Seen"}]


def test_it_refuses_an_unknown_authority(
    server: Server, account: Account, other: Account, home: Home
) -> None:
    rc = configured(server, Path("/etc/ssl/certs/ca-certificates.crt"), account, home)
    done = home.run(
        need("mutt"), "-n", "-F", rc, "-s", "x", "--", other.address, octets=b"never sent\n"
    )
    assert done.returncode != 0
    assert mailbox.messages(server, other.address, other.password) == []


@pytest.mark.parametrize("deflate", [False, True], ids=["plain", "compressed"])
def test_a_mailbox_on_a_terminal(
    server: Server, ca: Path, account: Account, home: Home, deflate: bool
) -> None:
    texts = [
        f"Subject: {subject}\r\nFrom: a@x.example\r\nMessage-ID: <{subject}@x>\r\n\r\nbody\r\n".encode()
        for subject in ("read", "flag", "save-a", "save-b", "delete", "leave", "copy")
    ]
    mailbox.fill(server, account.address, *texts)
    rc = configured(server, ca, account, home)
    mutt: list[str | Path] = [need("mutt"), "-n", "-F", rc, "-d", "2"]
    mutt += ["-e", f"set imap_deflate={'yes' if deflate else 'no'}"]
    keys = (
        "<search>~s read<enter><display-message><exit>"
        "<search>~s flag<enter><flag-message>"
        "<tag-pattern>~s save-<enter><tag-prefix><save-message><kill-line>=Archive<enter>"
        "<untag-pattern>.<enter>"
        "<search>~s copy<enter><copy-message><kill-line>=Made-by-mutt<enter>"
        "<delete-pattern>~s delete<enter>"
        "<sync-mailbox><quit>"
    )
    code, drawn = home.on_terminal(*mutt, "-e", f"push '{keys}'")
    assert code == 0, drawn
    assert (b"COMPRESS DEFLATE" in (home.folder / ".muttdebug0").read_bytes()) is deflate

    def subjects(name: str) -> list[str]:
        found = mailbox.messages(server, account.address, account.password, name)
        return [str(mailbox.parsed(octets)["Subject"]) for octets in found]

    assert subjects("INBOX") == ["read", "flag", "leave", "copy"]
    assert subjects("Archive") == ["save-a", "save-b"]
    assert subjects("Made-by-mutt") == ["copy"]
    read, flagged, left, _ = mailbox.flags(server, account.address, account.password)
    assert read == {"\\Seen"}
    assert flagged == {"\\Flagged"}
    assert left == set()

    # Again, with the cache of headers (validated by UIDVALIDITY and UIDNEXT, or MODSEQ).
    mailbox.fill(server, account.address, texts[0].replace(b"read", b"late"))
    keys = "<search>~s late<enter><save-message><kill-line>=Archive<enter><sync-mailbox><quit>"
    code, drawn = home.on_terminal(*mutt, "-e", f"push '{keys}'")
    assert code == 0, drawn
    assert subjects("Archive") == ["save-a", "save-b", "late"]
    assert subjects("INBOX") == ["read", "flag", "leave", "copy"]


def test_new_mail_is_new_and_what_it_saw_before_is_old(
    server: Server, ca: Path, account: Account, home: Home
) -> None:
    r"""With ``mark_old``, mutt's default: unread mail is new (~N) where it is ``\Recent``, else old."""
    rc = configured(server, ca, account, home)
    mutt: list[str | Path] = [need("mutt"), "-n", "-F", rc, "-e", "set mark_old=yes"]

    def deliver(subject: str) -> None:
        text = f"Subject: {subject}\r\nMessage-ID: <{subject}@x>\r\n\r\nbody\r\n"
        mailbox.fill(server, account.address, text.encode())

    def tagged(pattern: str, then: str) -> None:
        keys = f"<tag-pattern>{pattern}<enter><tag-prefix>{then}<untag-pattern>.<enter>"
        code, drawn = home.on_terminal(*mutt, "-e", f"push '{keys}<sync-mailbox><quit>'")
        assert code == 0, drawn

    def flagged() -> list[bool]:
        found = mailbox.flags(server, account.address, account.password)
        return ["\\Flagged" in flags for flags in found]

    deliver("one")
    deliver("two")
    tagged("~N", "<flag-message>")
    assert flagged() == [True, True]
    deliver("three")
    tagged("~O", "<flag-message>")
    assert flagged() == [False, False, False], "toggled: of the old ones the mark is taken"
    deliver("four")
    tagged("~N", "<flag-message>")
    assert flagged() == [False, False, False, True]


def test_a_draft_is_postponed(server: Server, ca: Path, account: Account, home: Home) -> None:
    rc = configured(server, ca, account, home)
    keys = "<mail>someone@example.test<enter>My draft<enter><postpone-message><quit>"
    code, drawn = home.on_terminal(need("mutt"), "-n", "-F", rc, "-e", f"push '{keys}'")
    assert code == 0, drawn
    (octets,) = mailbox.messages(server, account.address, account.password, "Drafts")
    assert mailbox.parsed(octets)["Subject"] == "My draft"
