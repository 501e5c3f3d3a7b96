"""POP3 with fetchmail, getmail, curl and Python's poplib: fetched whole, once, and deleted at the end."""

import poplib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.test_curl import curl, signed_in
from interop.test_fetchmail import AGENT, fetchmail, received
from support import mailbox
from support.mailbox import Account
from support.programs import Home, need
from support.server import Server

pytestmark = pytest.mark.interop


def message(number: int) -> bytes:
    """With what a POP3 server must escape, and what some programs take for an end."""
    return (
        f"Subject: {number}\r\nMessage-ID: <{number}@pop3.example>\r\n\r\n"
        f".dot\r\n..\r\nFrom here\r\nGrüße {number}\r\n.end\r\n"
    ).encode()


@pytest.fixture
def filled(server: Server, account: Account) -> Account:
    """An account with twelve messages."""
    mailbox.fill(server, account.address, *(message(n) for n in range(1, 13)))
    return account


def left(server: Server, account: Account) -> int:
    return len(mailbox.messages(server, account.address, account.password))


class TestFetchmail:
    """Debian's, over both kinds of TLS, the certificate checked."""

    def configured(
        self, server: Server, account: Account, home: Home, ca: Path, words: str, tls: str
    ) -> tuple[Path, Path]:
        kept = home.folder / "mail"
        agent = home.write("agent", AGENT.format(path=kept))
        agent.chmod(0o700)
        how = "ssl" if tls == "pop3s" else "sslproto tls1.2+"
        rc = home.write(
            "fetchmailrc",
            f"poll localhost protocol pop3 service {server.ports[tls]} uidl\n"
            f"  user '{account.address}' password '{account.password}' is 'tester' here\n"
            f"  {how} sslcertck sslcertfile '{ca}' {words}\n"
            f"  mda '{agent}'\n",
        )
        return rc, kept

    @pytest.mark.parametrize("tls", ["pop3s", "pop3"])
    def test_it_fetches_and_deletes(
        self, server: Server, ca: Path, filled: Account, home: Home, tls: str
    ) -> None:
        rc, kept = self.configured(server, filled, home, ca, "", tls)
        code, said = fetchmail(home, rc, "--idfile", str(home.folder / "ids"))
        assert code == 0, said
        found = received(kept)
        assert len(found) == 12
        for number, octets in enumerate(found, 1):
            _, _, body = message(number).replace(b"\r\n", b"\n").partition(b"\n\n")
            assert octets.endswith(body)
        assert "actual" not in said, "sizes are as LIST said"
        assert left(server, filled) == 0
        # 1: nothing to fetch.
        assert fetchmail(home, rc, "--idfile", str(home.folder / "ids"))[0] == 1

    def test_kept_mail_is_fetched_once(
        self, server: Server, ca: Path, filled: Account, home: Home
    ) -> None:
        rc, kept = self.configured(server, filled, home, ca, "keep fetchlimit 5", "pop3s")
        for expected in (5, 10, 12, 12):
            fetchmail(home, rc, "--idfile", str(home.folder / "ids"))
            assert len(received(kept)) == expected
        assert left(server, filled) == 12

    def test_a_wrong_password_is_named_so(
        self, server: Server, ca: Path, account: Account, home: Home
    ) -> None:
        rc, kept = self.configured(server, Account(account.address, "wrong"), home, ca, "", "pop3s")
        code, said = fetchmail(home, rc)
        # 3: PS_AUTHFAIL.
        assert code == 3, said
        assert "[AUTH]" in said
        assert not kept.exists()


class TestGetmail:
    """Debian's getmail6. It writes no Maildir as root, whom tests may run as: a program takes its mail."""

    def run(self, server: Server, account: Account, home: Home, ca: Path, *, delete: bool) -> str:
        program = need("getmail", "getmail6")
        folder = home.folder / "fetched"
        folder.mkdir(exist_ok=True)
        home.write("take", '#!/bin/sh\nexec cat >"$(mktemp "$1/XXXXXX")"\n')
        (home.folder / "take").chmod(0o755)
        home.write(
            "getmailrc",
            "[retriever]\ntype = SimplePOP3SSLRetriever\nserver = localhost\n"
            f"port = {server.ports['pop3s']}\nusername = {account.address}\n"
            f"password = {account.password}\nca_certs = {ca}\n"
            f"[destination]\ntype = MDA_external\npath = {home.folder / 'take'}\n"
            f'arguments = ("{folder}",)\nallow_root_commands = true\n'
            f"[options]\nread_all = false\ndelete = {str(delete).lower()}\n"
            "received = false\ndelivered_to = false\n",
        )
        return home.succeed(program, "--getmaildir", home.folder, "--rcfile", "getmailrc")

    def fetched(self, home: Home) -> list[bytes]:
        return [path.read_bytes() for path in (home.folder / "fetched").iterdir()]

    def test_kept_mail_is_fetched_once(
        self, server: Server, ca: Path, filled: Account, home: Home
    ) -> None:
        for _ in range(2):
            said = self.run(server, filled, home, ca, delete=False)
            assert len(self.fetched(home)) == 12, said
        assert left(server, filled) == 12
        subjects = set()
        for octets in self.fetched(home):
            assert b"\n\n.dot\n..\nFrom here\n" in octets
            assert b"\n.end" in octets
            subjects.add(octets.partition(b"\nSubject: ")[2].partition(b"\n")[0])
        assert subjects == {b"%d" % number for number in range(1, 13)}

    def test_it_deletes(self, server: Server, ca: Path, filled: Account, home: Home) -> None:
        said = self.run(server, filled, home, ca, delete=True)
        assert len(self.fetched(home)) == 12, said
        assert left(server, filled) == 0


class TestCurl:
    """By its own commands."""

    @pytest.mark.parametrize("how", ["pop3s", "pop3"])
    def test_it_lists_and_fetches(
        self, server: Server, ca: Path, filled: Account, home: Home, how: str
    ) -> None:
        url = f"{how}://localhost:{server.ports[how]}/"
        listed = curl(home, ca, "--ssl-reqd", *signed_in(filled), url).decode().splitlines()
        sizes = [int(line.split(" ")[1]) for line in listed]
        assert len(sizes) == 12
        for number in (1, 12):
            octets = curl(home, ca, "--ssl-reqd", *signed_in(filled), f"{url}{number}")
            assert octets.endswith(message(number))
            assert len(octets) == sizes[number - 1]
        top = curl(home, ca, "--ssl-reqd", *signed_in(filled), url, "--request", "TOP 2 1")
        assert top.endswith(b"Subject: 2\r\nMessage-ID: <2@pop3.example>\r\n\r\n.dot\r\n")
        ids = curl(home, ca, "--ssl-reqd", *signed_in(filled), url, "--request", "UIDL")
        assert len(set(ids.splitlines())) == 12

    def test_it_deletes(self, server: Server, ca: Path, filled: Account, home: Home) -> None:
        url = f"pop3s://localhost:{server.ports['pop3s']}/"
        curl(home, ca, *signed_in(filled), f"{url}3", "--request", "DELE", "--list-only")
        assert left(server, filled) == 11

    @pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
    def test_each_mechanism(
        self, server: Server, ca: Path, filled: Account, home: Home, mechanism: str
    ) -> None:
        url = f"pop3s://localhost:{server.ports['pop3s']}/"
        options = ("--login-options", f"AUTH={mechanism}")
        assert curl(home, ca, *signed_in(filled), *options, url).count(b"\n") == 12

    def test_wrong_password(self, server: Server, ca: Path, account: Account, home: Home) -> None:
        refused = home.run(
            *(need("curl"), "--silent", "--cacert", ca, "--user", f"{account.address}:wrong"),
            f"pop3s://localhost:{server.ports['pop3s']}/",
        )
        # CURLE_LOGIN_DENIED
        assert refused.returncode == 67, refused


class TestPoplib:
    """Python's."""

    @pytest.fixture(params=["pop3s", "pop3"])
    def client(
        self, request: pytest.FixtureRequest, server: Server, ca: Path
    ) -> Iterator[poplib.POP3]:
        context = ssl.create_default_context(cafile=str(ca))
        if request.param == "pop3s":
            client: poplib.POP3 = poplib.POP3_SSL(
                "localhost", server.ports["pop3s"], context=context, timeout=60
            )
        else:
            client = poplib.POP3("localhost", server.ports["pop3"], timeout=60)
            client.stls(context)
        try:
            yield client
        finally:
            client.close()

    def test_it_does_its_main_job(
        self, server: Server, client: poplib.POP3, filled: Account
    ) -> None:
        assert client.getwelcome().startswith(b"+OK ")
        assert {"TOP", "UIDL", "SASL", "RESP-CODES", "PIPELINING", "UTF8"} <= client.capa().keys()
        client.utf8()
        client.user(filled.address)
        client.pass_(filled.password)
        count, octets = client.stat()
        assert count == 12
        sizes = [int(line.split()[1]) for line in client.list()[1]]
        assert sum(sizes) == octets
        assert len(client.uidl()[1]) == 12
        for number in range(1, 13):
            _, lines, _ = client.retr(number)
            whole = b"\r\n".join([*lines, b""])
            assert len(whole) == sizes[number - 1]
            assert whole.endswith(message(number))
        assert client.top(1, 1)[1][-2:] == [b"", b".dot"]
        client.dele(12)
        with pytest.raises(poplib.error_proto, match="no such message"):
            client.retr(12)
        client.quit()
        assert left(server, filled) == 11
