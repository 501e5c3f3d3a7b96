"""mbsync: both ways between the server and a Maildir, until nothing differs, and then nothing does."""

import time
from pathlib import Path

import pytest

from support import mailbox
from support.mailbox import Account
from support.mbsync import Sync, version
from support.programs import Home, need
from support.server import Server

pytestmark = pytest.mark.interop


@pytest.fixture
def sync(server: Server, account: Account, home: Home) -> Sync:
    need("mbsync", "isync")
    return Sync(home, server, account.address, account.password)


def message(number: int) -> bytes:
    return f"Subject: {number}\r\n\r\nGrüße {number}\r\n".encode()


def subjects(found: "list[bytes]") -> list[str]:
    return [str(mailbox.parsed(octets)["Subject"]) for octets in found]


def on_server(sync: Sync, name: str = "INBOX") -> list[str]:
    return subjects(mailbox.messages(sync.server, sync.address, sync.password, name))


def in_maildir(sync: Sync, name: str = "INBOX") -> list[str]:
    return sorted(subjects([path.read_bytes() for path in sync.files(name)]))


def path_of(sync: Sync, subject: str, name: str = "INBOX") -> Path:
    (found,) = [path for path in sync.files(name) if subjects([path.read_bytes()]) == [subject]]
    return found


def flag_file(path: Path, flags: str) -> Path:
    base = path.name.partition(":2,")[0]
    changed = path.parent.parent / "cur" / f"{base}:2,{flags}"
    return path.rename(changed)


def settled(sync: Sync) -> None:
    """Two more runs change nothing on either side."""
    before = sync.state()
    far = mailbox.flags(sync.server, sync.address, sync.password)
    for _ in range(2):
        sync.run()
        assert sync.state() == before
        assert mailbox.flags(sync.server, sync.address, sync.password) == far


@pytest.mark.parametrize("tls", ["IMAPS", "STARTTLS"])
def test_it_syncs_both_ways(server: Server, account: Account, home: Home, tls: str) -> None:
    need("mbsync", "isync")
    sync = Sync(home, server, account.address, account.password, tls=tls)
    mailbox.fill(server, account.address, *(message(n) for n in range(1, 7)))
    sync.run()
    assert in_maildir(sync) == ["1", "2", "3", "4", "5", "6"]
    assert {path.name for path in sync.folder.iterdir()} == {
        *("INBOX", "Drafts", "Sent", "Archive", "Junk", "Trash")
    }
    settled(sync)

    # Both sides change.
    flag_file(path_of(sync, "1"), "S")
    flag_file(path_of(sync, "2"), "FRS")
    flag_file(path_of(sync, "3"), "ST")
    (sync.folder / "INBOX" / "new" / f"{time.time():.0f}.new.near").write_bytes(
        message(7).replace(b"\r\n", b"\n")
    )
    mailbox.fill(server, account.address, message(8))
    with mailbox.opened(server, account.address, account.password) as client:
        client.select("INBOX")
        client.store("4", "+FLAGS", "(\\Answered \\Seen)")
        client.store("5", "+FLAGS", "(\\Deleted)")
        client.store("2", "+FLAGS", "(\\Draft)")
    sync.run()
    assert in_maildir(sync) == ["1", "2", "4", "6", "7", "8"]
    assert sorted(on_server(sync)) == ["1", "2", "4", "6", "7", "8"]
    assert path_of(sync, "2").name.endswith(":2,DFRS")
    assert path_of(sync, "4").name.endswith(":2,RS")
    by_subject = dict(
        zip(
            on_server(sync),
            mailbox.flags(server, account.address, account.password),
            strict=True,
        )
    )
    assert by_subject["1"] == {"\\Seen"}
    assert by_subject["2"] == {"\\Seen", "\\Flagged", "\\Answered", "\\Draft"}
    assert by_subject["6"] == set()
    settled(sync)

    # A message moves between folders, on each side.
    path = path_of(sync, "6")
    path.rename(sync.folder / "Archive" / "new" / f"{time.time():.0f}.moved.near")
    with mailbox.opened(server, account.address, account.password) as client:
        client.select("INBOX")
        assert client.uid("MOVE", "1", "Archive")[0] == "OK"
    sync.run()
    assert in_maildir(sync, "Archive") == ["1", "6"]
    assert sorted(on_server(sync, "Archive")) == ["1", "6"]
    assert in_maildir(sync) == ["2", "4", "7", "8"]
    settled(sync)


def test_folders_are_made_on_both_sides(sync: Sync) -> None:
    sync.run()
    wire = "Projects/Gr&APYA3w-e &- Co"
    # mbsync before 1.5 takes names as they are on the wire.
    name = "Projects/Größe & Co" if version() >= (1, 5) else wire
    for folder in (sync.folder / "Projects", sync.folder / name):
        for kind in ("new", "cur", "tmp"):
            (folder / kind).mkdir(parents=True)
    (sync.folder / name / "new" / "1.near").write_bytes(b"Subject: n\n\nx\n")
    with mailbox.opened(sync.server, sync.address, sync.password) as client:
        client.create("Far/Deep/Deeper")
        client.append("Far/Deep/Deeper", "", "", message(3))
    sync.run()
    assert on_server(sync, f'"{wire}"') == ["n"]
    assert in_maildir(sync, "Far/Deep/Deeper") == ["3"]
    settled(sync)
    with mailbox.opened(sync.server, sync.address, sync.password) as client:
        client.select(f'"{wire}"')
        client.store("1", "+FLAGS", "(\\Deleted)")
        client.close()
    sync.run()
    # mbsync removes a folder only when nothing is left in it.
    assert sync.files(name) == []
    with mailbox.opened(sync.server, sync.address, sync.password) as client:
        client.delete(f'"{wire}"')
    sync.run()
    assert not (sync.folder / name).exists()


def test_the_arrival_date_goes_along(sync: Sync) -> None:
    with mailbox.opened(sync.server, sync.address, sync.password) as client:
        client.append("INBOX", "", '"03-Feb-2001 04:05:06 +0000"', message(1))
    sync.run()
    (path,) = sync.files()
    assert path.stat().st_mtime == 981173106
