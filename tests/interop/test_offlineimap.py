"""offlineimap: both ways between the server and a Maildir, until nothing differs, and then nothing does."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import mailbox
from support.mailbox import Account
from support.programs import Home, need
from support.server import Server

pytestmark = pytest.mark.interop

COUNT = 220
UMLAUTS = "Projects/Größe & Co"
UMLAUTS_ON_THE_WIRE = '"Projects/Gr&APYA3w-e &- Co"'


def message(number: int) -> bytes:
    """Sizes differ; every ninth is not of ASCII, every fiftieth larger than what goes in one write."""
    words = "Grüße" if number % 9 == 0 else "line"
    text = f"Subject: {number}\r\nMessage-ID: <{number}@offlineimap.example>\r\n\r\n"
    text += f"{words} {number}\r\n" * (1 + number % 7) * (2_000 if number % 50 == 0 else 1)
    return text.encode()


@dataclass(frozen=True, slots=True)
class Sync:
    """offlineimap between one account and a Maildir in a home."""

    home: Home
    server: Server
    account: Account

    @property
    def folder(self) -> Path:
        """The Maildir tree; INBOX is a folder in it as the others are."""
        return self.home.folder / "Mail"

    def run(self) -> str:
        """Synchronise once, and without an error; what it said."""
        rc = self.home.write(
            "offlineimaprc",
            f"[general]\naccounts = a\nmetadata = {self.home.folder}/metadata\nui = basic\n\n"
            "[Account a]\nlocalrepository = near\nremoterepository = far\nutf8foldernames = yes\n"
            f"\n[Repository near]\ntype = Maildir\nlocalfolders = {self.folder}\nsep = /\n"
            "customflag_a = $label1\n\n"
            f"[Repository far]\ntype = IMAP\nremotehost = localhost\n"
            f"remoteport = {self.server.ports['imaps']}\n"
            f"remoteuser = {self.account.address}\nremotepass = {self.account.password}\n"
            # Not STARTTLS: then one of its threads reads in the new TLS connection while another writes,
            # and once in a few times it fails, or hangs.
            "ssl = yes\nstarttls = no\n"
            f"sslcacertfile = {self.server.data / 'tls' / 'ca.pem'}\n",
        )
        said = self.home.succeed(
            *(need("offlineimap", "offlineimap3"), "-c", rc, "-o", "-u", "basic"), seconds=120
        )
        assert "ERROR" not in said, said
        return said

    def files(self, name: str = "INBOX") -> list[Path]:
        """Messages of a folder."""
        return sorted((self.folder / name).glob("new/*")) + sorted(
            (self.folder / name).glob("cur/*")
        )

    def state(self) -> dict[str, str]:
        """Every message by folder and name (which holds UID and flags), with a digest of it."""
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for kind in ("new", "cur")
            for path in self.folder.rglob(f"{kind}/*")
        }

    def near(self, name: str = "INBOX") -> list[tuple[str, str]]:
        """Subject and Maildir flags of all messages of a folder."""
        found = []
        for path in self.files(name):
            subject = str(mailbox.parsed(path.read_bytes())["Subject"])
            found.append((subject, path.name.partition(":2,")[2]))
        return sorted(found, key=lambda pair: (len(pair[0]), pair))

    def path_of(self, subject: int | str, name: str = "INBOX") -> Path:
        """The file of one message."""
        wanted = f"Subject: {subject}\n".encode()
        (found,) = [path for path in self.files(name) if wanted in path.read_bytes()]
        return found

    def far(self, name: str = "INBOX") -> list[tuple[str, frozenset[str]]]:
        """Subject and flags of all messages of a mailbox on the server."""
        who = (self.server, self.account.address, self.account.password, name)
        pairs = zip(mailbox.messages(*who), mailbox.flags(*who), strict=True)
        found = [(str(mailbox.parsed(text)["Subject"]), frozenset(f)) for text, f in pairs]
        return sorted(found, key=lambda pair: (len(pair[0]), pair[0]))

    def settled(self, *names: str) -> None:
        """Two more runs move nothing on either side."""
        before = self.state(), [self.far(name) for name in names]
        for _ in range(2):
            said = self.run()
            assert (self.state(), [self.far(name) for name in names]) == before
            assert "Copy message" not in said


def flag_file(path: Path, flags: str) -> None:
    base = path.name.partition(":2,")[0]
    path.rename(path.parent.parent / "cur" / f"{base}:2,{flags}")


def numbers(pairs: "list[tuple[str, str]] | list[tuple[str, frozenset[str]]]") -> list[str]:
    return [subject for subject, _ in pairs]


def test_it_syncs_both_ways(server: Server, account: Account, home: Home) -> None:
    need("offlineimap", "offlineimap3")
    sync = Sync(home, server, account)
    mailbox.fill(server, account.address, *(message(n) for n in range(1, COUNT + 1)))
    with mailbox.opened(server, account.address, account.password) as client:
        assert client.create(UMLAUTS_ON_THE_WIRE)[0] == "OK"
        client.subscribe(UMLAUTS_ON_THE_WIRE)
        client.select("INBOX")
        client.store("1:10", "+FLAGS", "(\\Seen)")
        client.store("5:6", "+FLAGS", "(\\Flagged \\Answered)")
        client.store("7", "+FLAGS", "($label1)")
        assert client.copy("1:5", UMLAUTS_ON_THE_WIRE)[0] == "OK"
    everything = [str(number) for number in range(1, COUNT + 1)]

    sync.run()
    assert numbers(sync.near()) == everything
    assert dict(sync.near())["5"] == "FRS"
    assert dict(sync.near())["7"] == "Sa"
    assert dict(sync.near())["11"] == ""
    assert sync.near(UMLAUTS) == [("1", "S"), ("2", "S"), ("3", "S"), ("4", "S"), ("5", "FRS")]
    whole = mailbox.messages(server, account.address, account.password)
    assert {path.read_bytes() for path in sync.files()} == {
        octets.replace(b"\r\n", b"\n") for octets in whole
    }
    boxes = ("INBOX", "Archive", "Sent", "Drafts", "Junk", "Trash", UMLAUTS_ON_THE_WIRE)
    sync.settled(*boxes)

    # Both sides change at once: flags, messages that go, that come, that move.
    flag_file(sync.path_of(20), "S")
    flag_file(sync.path_of(21), "FRS")
    sync.path_of(22).unlink()
    new = sync.folder / "INBOX" / "new"
    for number in range(301, 311):
        (new / f"{number}.near").write_bytes(message(number).replace(b"\r\n", b"\n"))
    # As a mail program does: without the U= that names the place it had.
    sync.path_of(30).rename(sync.folder / UMLAUTS / "cur" / "30.moved.near:2,S")
    mailbox.fill(server, account.address, *(message(n) for n in range(401, 411)))
    with mailbox.opened(server, account.address, account.password) as client:
        client.select("INBOX")
        client.store("40:49", "+FLAGS", "(\\Seen \\Answered)")
        client.store("8", "+FLAGS", "($label1)")
        client.store("50:59", "+FLAGS", "(\\Deleted)")
        client.store("21", "+FLAGS", "(\\Draft)")
        client.expunge()
        # 60 is the fiftieth message now.
        assert client.uid("MOVE", "60", "Archive")[0] == "OK"
    sync.run()
    gone = {"22", "30", "60", *(str(number) for number in range(50, 60))}
    came = [str(number) for number in (*range(301, 311), *range(401, 411))]
    assert numbers(sync.near()) == [n for n in everything if n not in gone] + came
    assert numbers(sync.far()) == numbers(sync.near())
    far, near = dict(sync.far()), dict(sync.near())
    assert far["20"] == {"\\Seen"}
    assert far["21"] == {"\\Seen", "\\Flagged", "\\Answered", "\\Draft"}
    assert near["21"] == "DFRS"
    assert far["7"] == {"\\Seen", "$label1"}
    assert near["8"] == "Sa"
    assert near["40"] == near["49"] == "RS"
    assert far["301"] == frozenset()
    assert numbers(sync.near("Archive")) == numbers(sync.far("Archive")) == ["60"]
    assert numbers(sync.near(UMLAUTS)) == numbers(sync.far(UMLAUTS_ON_THE_WIRE))
    assert numbers(sync.near(UMLAUTS)) == ["1", "2", "3", "4", "5", "30"]
    # What came up is what lay in the Maildir, octet by octet.
    sent_up = mailbox.messages(server, account.address, account.password)
    for number in range(301, 311):
        assert sent_up.count(message(number)) == 1
    sync.settled(*boxes)


def test_a_folder_made_beside_the_maildir_is_made_on_the_server(
    server: Server, account: Account, home: Home
) -> None:
    need("offlineimap", "offlineimap3")
    sync = Sync(home, server, account)
    sync.run()
    # A Maildir above it too: offlineimap 8.0.0 waits for ever for a folder that is only a level.
    for folder in (sync.folder / "Projects", sync.folder / UMLAUTS):
        for kind in ("new", "cur", "tmp"):
            (folder / kind).mkdir(parents=True)
    (sync.folder / UMLAUTS / "new" / "1.near").write_bytes(message(1).replace(b"\r\n", b"\n"))
    sync.run()
    assert sync.far(UMLAUTS_ON_THE_WIRE) == [("1", frozenset())]
    sync.settled(UMLAUTS_ON_THE_WIRE)


def test_an_unknown_authority_is_refused(server: Server, account: Account, home: Home) -> None:
    program = need("offlineimap", "offlineimap3")
    sync = Sync(home, server, account)
    mailbox.fill(server, account.address, message(1))
    sync.run()
    rc = home.folder / "offlineimaprc"
    ca = str(server.data / "tls" / "ca.pem")
    rc.write_text(rc.read_text().replace(ca, "/etc/ssl/certs/ca-certificates.crt"))
    mailbox.fill(server, account.address, message(2))
    done = home.run(program, "-c", rc, "-o", "-u", "basic", seconds=120)
    assert done.returncode != 0, done.stdout
    assert numbers(sync.near()) == ["1"]
