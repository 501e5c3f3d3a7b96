"""The demo itself, by what it writes into ``connect.json``: each program does its main job against it.

The other tests of this folder use a server and a configuration of their own; this is what a newcomer gets
from ``make run``.
"""

import imaplib
import json
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import mbsync
from support.mailbox import Account
from support.programs import Home, need
from unit.cli.demo import ended, started
from unit.cli.program import Program

pytestmark = pytest.mark.interop

MAIL = 40
"""Messages that the demo puts into the user's account, all mailboxes together."""


@dataclass(frozen=True)
class Demo:
    """What ``connect.json`` says, and the seconds that the second start took."""

    ca: Path
    services: dict[str, dict[str, str | int]]
    admin: Account
    user: Account
    seconds: float

    def at(self, name: str, tls: str) -> tuple[str, int]:
        """Host and port of a service, whose TLS must be so."""
        service = self.services[name]
        assert service["tls"] == tls
        return str(service["host"]), int(service["port"])

    def url(self, name: str, scheme: str) -> str:
        """A service as curl and mutt spell it."""
        host, port = self.at(name, "implicit")
        return f"{scheme}://{host}:{port}"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo, made by one start and served by a second."""
    program = Program(tmp_path_factory.mktemp("d"))
    folder = program.folder / "demo"
    process, _, _ = started(program, folder)
    ended(process)
    process, _, seconds = started(program, folder)
    try:
        connect = json.loads((folder / "connect.json").read_text())
        by_role = {a["role"]: Account(a["address"], a["password"]) for a in connect["accounts"]}
        yield Demo(
            ca=program.folder / connect["ca"],
            services=connect["services"],
            admin=by_role["owner"],
            user=by_role["user"],
            seconds=seconds,
        )
    finally:
        ended(process)


def _signed_in(demo: Demo, account: Account) -> imaplib.IMAP4_SSL:
    context = ssl.create_default_context(cafile=str(demo.ca))
    host, port = demo.at("imaps", "implicit")
    client = imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=30)
    client.login(account.address, account.password)
    return client


def _arrived(demo: Demo, account: Account, subject: str) -> bool:
    """Whether a message is there, within 20 s."""
    until = time.monotonic() + 20
    with _signed_in(demo, account) as client:
        while time.monotonic() < until:
            client.select("INBOX", readonly=True)
            if client.search(None, "SUBJECT", f'"{subject}"')[1][0]:
                return True
            time.sleep(0.1)
    return False


def test_the_second_start(demo: Demo, capsys: pytest.CaptureFixture[str]) -> None:
    """How long it takes is printed: it depends on the machine (the promise: 3 s on an idle one)."""
    with capsys.disabled():
        print(f"\nsecond start of the demo: {demo.seconds:.1f} s")
    assert demo.ca.is_file()


def test_imaplib_reads_flags_and_deletes(demo: Demo) -> None:
    with _signed_in(demo, demo.admin) as client:
        _, (count,) = client.select("INBOX")
        assert count is not None
        last = count.decode()
        _, rows = client.fetch(last, "(BODY.PEEK[])")
        assert isinstance(rows[0], tuple)
        assert b"\r\nSubject: " in rows[0][1]
        assert client.store(last, "+FLAGS", r"(\Flagged \Deleted)")[0] == "OK"
        assert client.search(None, "FLAGGED DELETED") == ("OK", [last.encode()])
        assert client.expunge() == ("OK", [last.encode()])


def test_swaks_delivers(demo: Demo, home: Home) -> None:
    host, port = demo.at("smtp", "starttls")
    home.succeed(
        *(need("swaks"), "--server", host, "--port", str(port), "--to", demo.user.address),
        *("--from", "a@sender.example", "--tls", "--tls-verify", "--tls-ca-path", demo.ca),
        *("--header", "Subject: by swaks"),
    )
    assert _arrived(demo, demo.user, "by swaks")


def test_curl_submits_and_reads(demo: Demo, home: Home) -> None:
    user, admin = demo.user, demo.admin
    curl = (need("curl"), "--silent", "--show-error", "--cacert", demo.ca, "--user")
    sign_in = f"{user.address}:{user.password}"
    path = home.write("message", f"From: {user.address}\r\nSubject: by curl\r\n\r\nHello\r\n")
    home.succeed(
        *(*curl, sign_in, demo.url("submissions", "smtps"), "--mail-from", user.address),
        *("--mail-rcpt", admin.address, "--upload-file", path),
    )
    assert _arrived(demo, admin, "by curl")
    said = home.succeed(*curl, sign_in, demo.url("imaps", "imaps") + "/INBOX;MAILINDEX=1")
    assert "Subject: " in said


def test_mutt_sends(demo: Demo, home: Home) -> None:
    user = demo.user
    smtp = demo.url("submissions", "smtps").replace("//", f"//{user.address.replace('@', '%40')}@")
    rc = home.write(
        "muttrc",
        f"set from='{user.address}' smtp_url='{smtp}/' smtp_pass='{user.password}'\n"
        f"set ssl_ca_certificates_file='{demo.ca}' copy=no\n",
    )
    home.succeed(
        *(need("mutt"), "-n", "-F", rc, "-s", "by mutt", "--", demo.admin.address),
        octets=b"Hello\n",
    )
    assert _arrived(demo, demo.admin, "by mutt")


def test_mbsync_pulls_everything(demo: Demo, home: Home) -> None:
    folder = home.folder / "Mail"
    folder.mkdir()
    host, port = demo.at("imaps", "implicit")
    tls = "TLSType" if mbsync.version() >= (1, 5) else "SSLType"
    rc = home.write(
        "mbsyncrc",
        f"IMAPAccount a\nHost {host}\nPort {port}\nUser {demo.user.address}\n"
        f'Pass "{demo.user.password}"\n{tls} IMAPS\nCertificateFile {demo.ca}\n\n'
        f"IMAPStore far\nAccount a\n\nMaildirStore near\nPath {folder}/\nInbox {folder}/INBOX\n"
        "SubFolders Verbatim\n\nChannel all\nFar :far:\nNear :near:\nPatterns *\nCreate Near\n"
        "Sync Pull\nSyncState *\n",
    )
    home.succeed(need("mbsync", "isync"), "-c", rc, "all")
    found = [path for kind in ("new", "cur") for path in folder.rglob(f"{kind}/*")]
    assert len(found) >= MAIL


def test_fetchmail_fetches(demo: Demo, home: Home) -> None:
    kept = home.folder / "mail"
    agent = home.write("agent", f"#!/bin/sh\ncat >>'{kept}'\necho END OF MESSAGE >>'{kept}'\n")
    agent.chmod(0o700)
    host, port = demo.at("pop3s", "implicit")
    rc = home.write(
        "fetchmailrc",
        f"poll {host} protocol pop3 service {port}\n"
        f"  user '{demo.user.address}' password '{demo.user.password}' is 'tester' here\n"
        f"  ssl sslcertck sslcertfile '{demo.ca}' keep fetchlimit 3\n  mda '{agent}'\n",
    )
    home.run(need("fetchmail"), "-f", rc, "--pidfile", home.folder / "pid", "--nodetach")
    assert kept.read_bytes().count(b"END OF MESSAGE\n") == 3
