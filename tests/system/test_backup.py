"""What docs/backup.md tells to type: a copy of a running server is whole, and comes back."""

import imaplib
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import mailbox
from support.server import PASSWORD, Server
from unit.cli.program import Program

DOCUMENT = Path(__file__).parents[2] / "docs" / "backup.md"
USER = "u1@example.test"
LARGE = b"Subject: large\r\n\r\n" + b"".join(b"%010d\r\n" % n for n in range(60_000))


def documented(words: str) -> str:
    """The Python program in the block of the document that holds some words."""
    (block,) = [b for b in re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(), re.S) if words in b]
    (program,) = re.findall(r"python -c '\n(.*?)'", block, re.S)
    return str(program)


def copied(server: Server, place: Path) -> None:
    """As the document says: the database first, then the folder of large content."""
    place.mkdir(mode=0o700)
    subprocess.run(
        [sys.executable, "-c", documented("VACUUM INTO"), server.data / "store.db", place / "store.db"],
        check=True,
    )  # fmt: skip
    shutil.copytree(server.data / "blobs", place / "blobs")


def uidvalidity(server: Server) -> int:
    with imaplib.IMAP4("127.0.0.1", server.ports["imap"]) as imap:
        imap.login(USER, PASSWORD)
        _, found = imap.status("INBOX", "(UIDVALIDITY)")
        return int(re.findall(rb"UIDVALIDITY (\d+)", found[0])[0])


SLOW_WRITER = """
import time
from malleposte.node import writer_process
whole = writer_process.Committer
def slow(*args, **how):
    time.sleep(3)
    return whole(*args, **how)
writer_process.Committer = slow
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "server").running(2) as server:
        yield server


def test_a_copy_of_a_running_server_comes_back(server: Server, tmp_path: Path) -> None:
    mailbox.fill(server, USER, b"Subject: small\r\n\r\nhello\r\n")
    mailbox.fill(server, USER, LARGE)
    before = sorted(mailbox.messages(server, USER, PASSWORD))
    validity = uidvalidity(server)
    place = tmp_path / "copy"
    copied(server, place)
    mailbox.fill(server, USER, b"Subject: later\r\n\r\nhello\r\n")
    server.stop()

    # On the same machine, the mark left where it is.
    for path in server.data.glob("store.db*"):
        path.unlink()
    shutil.copy(place / "store.db", server.data / "store.db")
    shutil.copytree(place / "blobs", server.data / "blobs", dirs_exist_ok=True)
    server.start()
    assert "the database was put back from a copy" in server.log.read_text()
    assert sorted(mailbox.messages(server, USER, PASSWORD)) == before
    assert uidvalidity(server) != validity
    assert Program(server.folder).json("fsck", "--deep")["summary"]["found"] == 0


def test_nobody_reads_what_was_put_back_before_it_has_new_numbers(tmp_path: Path) -> None:
    """A worker that serves before the writer compared the database with its mark would show UIDs that
    name other messages to clients. Here the writer takes its time."""
    server = Server(tmp_path / "server", prelude=SLOW_WRITER)
    with server.running(2):
        mailbox.fill(server, USER, b"Subject: small\r\n\r\nhello\r\n")
        copied(server, tmp_path / "copy")
        validity = uidvalidity(server)
        mailbox.fill(server, USER, b"Subject: later\r\n\r\nhello\r\n")
        server.stop()
        for path in server.data.glob("store.db*"):
            path.unlink()
        shutil.copy(tmp_path / "copy" / "store.db", server.data / "store.db")
        starting = threading.Thread(target=server.start)
        starting.start()
        try:
            until = time.monotonic() + 30
            while not (server.process and server.named("worker") and server.named("writer")):
                assert time.monotonic() < until, server.tail()
                time.sleep(0.01)
            assert "put back" not in server.log.read_text()
            # Sent at once, answered when it may be.
            assert uidvalidity(server) > validity
        finally:
            starting.join()
        assert "put back" in server.log.read_text()


def test_on_a_new_machine_the_numbers_are_renewed_by_hand(server: Server, tmp_path: Path) -> None:
    mailbox.fill(server, USER, LARGE)
    before = mailbox.messages(server, USER, PASSWORD)
    validity = uidvalidity(server)
    copied(server, tmp_path / "copy")
    server.stop()
    for name in ("store.db", "store.db-wal", "store.db-shm", "store.mark", "blobs"):
        path = server.data / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    shutil.copytree(tmp_path / "copy", server.data, dirs_exist_ok=True)
    program = Program(server.folder)
    assert program.json("fsck", "--renew-uids")["accounts"] == 2
    server.start()
    assert uidvalidity(server) != validity
    assert mailbox.messages(server, USER, PASSWORD) == before
    assert program.json("fsck", "--deep")["summary"]["found"] == 0
