"""curl: smtp, smtps, imap and imaps: send, list, search, fetch, flag, upload."""

from pathlib import Path

import pytest

from support import mailbox
from support.mailbox import Account
from support.programs import Home, need
from support.server import Server

pytestmark = pytest.mark.interop

TEXT = b"Subject: %d\r\nMessage-ID: <%d@curl.example>\r\n\r\nline one\r\n.dot\r\nline three\r\n"


def message(number: int) -> bytes:
    return TEXT % (number, number)


def curl(home: Home, ca: Path, *words: str | Path) -> bytes:
    done = home.run(need("curl"), "--silent", "--show-error", "--cacert", ca, *words)
    assert done.returncode == 0, done.stdout
    return done.stdout


def imaps(server: Server, path: str = "") -> str:
    return f"imaps://localhost:{server.ports['imaps']}/{path}"


def signed_in(account: Account) -> tuple[str, str]:
    return "--user", f"{account.address}:{account.password}"


@pytest.fixture
def filled(server: Server, account: Account) -> Account:
    """An account with three messages."""
    mailbox.fill(server, account.address, *(message(n) for n in (1, 2, 3)))
    return account


@pytest.mark.parametrize(
    ("service", "scheme"), [("smtp", "smtp"), ("submission", "smtp"), ("submissions", "smtps")]
)
def test_it_sends(
    server: Server, ca: Path, account: Account, home: Home, service: str, scheme: str
) -> None:
    path = home.folder / "message"
    path.write_bytes(message(1))
    words = () if service == "smtp" else signed_in(account)
    sender = "a@sender.example" if service == "smtp" else account.address
    curl(
        *(
            home,
            ca,
            "--ssl-reqd",
            *words,
            f"{scheme}://localhost:{server.ports[service]}/me.example",
        ),
        *("--mail-from", sender, "--mail-rcpt", account.address, "--upload-file", path),
    )
    (octets,) = mailbox.wait_for(server, account.address, account.password, 1)
    assert octets.endswith(message(1))


def test_it_lists_mailboxes(server: Server, ca: Path, account: Account, home: Home) -> None:
    listed = curl(home, ca, *signed_in(account), imaps(server)).decode().splitlines()
    names = {line.rpartition(" ")[2].strip('"') for line in listed}
    assert names == {"INBOX", "Drafts", "Sent", "Archive", "Junk", "Trash"}
    (trash,) = [line for line in listed if "Trash" in line]
    assert "\\Trash" in trash


def test_starttls_on_the_plain_port(server: Server, ca: Path, account: Account, home: Home) -> None:
    url = f"imap://localhost:{server.ports['imap']}/"
    assert b"INBOX" in curl(home, ca, "--ssl-reqd", *signed_in(account), url)


def test_it_fetches_a_message_and_its_parts(
    server: Server, ca: Path, filled: Account, home: Home
) -> None:
    whole = curl(home, ca, *signed_in(filled), imaps(server, "INBOX;UID=2"))
    assert whole.endswith(message(2))
    assert whole.startswith(b"Return-Path: ")
    header = curl(home, ca, *signed_in(filled), imaps(server, "INBOX;UID=2;SECTION=HEADER"))
    text = curl(home, ca, *signed_in(filled), imaps(server, "INBOX;UID=2;SECTION=TEXT"))
    assert header + text == whole
    by_number = curl(home, ca, *signed_in(filled), imaps(server, "INBOX;MAILINDEX=3"))
    assert by_number.endswith(message(3))


def test_a_message_that_is_not_there(server: Server, ca: Path, filled: Account, home: Home) -> None:
    done = home.run(
        *(need("curl"), "--silent", "--cacert", ca, *signed_in(filled)),
        imaps(server, "INBOX;UID=77"),
    )
    # CURLE_REMOTE_FILE_NOT_FOUND
    assert done.returncode == 78, done


def test_it_searches(server: Server, ca: Path, filled: Account, home: Home) -> None:
    found = curl(home, ca, *signed_in(filled), imaps(server, "INBOX?SUBJECT%202"))
    assert found.split() == [b"*", b"SEARCH", b"2"]
    found = curl(home, ca, *signed_in(filled), imaps(server, "INBOX?UNSEEN"))
    assert found.split() == [b"*", b"SEARCH", b"1", b"2", b"3"]


def test_it_uploads(server: Server, ca: Path, account: Account, home: Home) -> None:
    path = home.folder / "message"
    path.write_bytes(message(7))
    curl(home, ca, *signed_in(account), imaps(server, "Archive"), "--upload-file", path)
    assert mailbox.messages(server, account.address, account.password, "Archive") == [message(7)]


def test_it_flags_copies_and_expunges(
    server: Server, ca: Path, filled: Account, home: Home
) -> None:
    for request in ("COPY 1 Archive", "STORE 1 +FLAGS (\\Deleted)", "EXPUNGE", "CREATE curl"):
        curl(home, ca, *signed_in(filled), imaps(server, "INBOX"), "--request", request)
    rest = mailbox.messages(server, filled.address, filled.password)
    assert [octets[-len(message(1)) :] for octets in rest] == [message(2), message(3)]
    (copied,) = mailbox.messages(server, filled.address, filled.password, "Archive")
    assert copied.endswith(message(1))
    assert b"curl" in curl(home, ca, *signed_in(filled), imaps(server))


def test_wrong_password_and_wrong_authority(
    server: Server, ca: Path, account: Account, home: Home
) -> None:
    program = need("curl")
    refused = home.run(
        *(program, "--silent", "--cacert", ca, "--user", f"{account.address}:wrong"), imaps(server)
    )
    # CURLE_LOGIN_DENIED
    assert refused.returncode == 67, refused
    untrusted = home.run(program, "--silent", *signed_in(account), imaps(server))
    # CURLE_PEER_FAILED_VERIFICATION
    assert untrusted.returncode == 60, untrusted
