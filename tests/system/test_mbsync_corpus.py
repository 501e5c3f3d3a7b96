"""mbsync takes a mailbox of real mail to a Maildir, and a Maildir of it to the server: no difference.

A second and a third run change nothing on either side.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import corpora, mailbox, postgres
from support.mbsync import Sync, without_mark
from support.programs import Home, need
from support.server import PASSWORD, Server
from support.smtp_pour import Letter, pour

pytestmark = pytest.mark.interop


@pytest.fixture(
    params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])]
)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    need("mbsync", "isync")
    dsn = ""
    database: postgres.Server | None = None
    if request.param == "postgres":
        database = request.getfixturevalue("postgres_server")
        dsn = asyncio.run(database.database())
    with Server(tmp_path / "server", dsn).running(2) as server:
        yield server
    if database is not None:
        asyncio.run(database.drop(dsn))


def sync_of(server: Server, folder: Path) -> Sync:
    folder.mkdir(mode=0o700)
    return Sync(Home(folder), server, "u1@example.test", PASSWORD, patterns="INBOX")


def local(octets: bytes) -> bytes:
    """A message without its CRs: five of the corpus hold one alone, and mbsync 1.4 drops those."""
    return without_mark(octets.replace(b"\r", b""))


def far(sync: Sync) -> list[bytes]:
    """What the server has."""
    found = mailbox.messages(sync.server, sync.address, sync.password)
    return sorted(local(octets) for octets in found)


def near(sync: Sync) -> list[bytes]:
    return sorted(local(path.read_bytes()) for path in sync.files())


def settled(sync: Sync) -> None:
    before, flags = sync.state(), mailbox.flags(sync.server, sync.address, sync.password)
    for _ in range(2):
        sync.run(300)
        assert sync.state() == before
        assert mailbox.flags(sync.server, sync.address, sync.password) == flags


@pytest.mark.timeout(600)
def test_the_whole_corpus_is_pulled(server: Server, tmp_path: Path) -> None:
    messages = corpora.mail()
    letters = [
        Letter(f"m{number}@sender.example", ("u1@example.test",), octets)
        for number, octets in enumerate(messages)
    ]
    asyncio.run(pour(server.ports["smtp"], letters, 32))
    sync = sync_of(server, tmp_path / "home")
    sync.run(300)
    assert len(sync.files()) == len(messages)
    assert near(sync) == far(sync)
    settled(sync)


@pytest.mark.timeout(600)
def test_the_whole_corpus_is_pushed(server: Server, tmp_path: Path) -> None:
    messages = corpora.mail()
    sync = sync_of(server, tmp_path / "home")
    inbox = sync.folder / "INBOX"
    for name in ("new", "cur", "tmp"):
        (inbox / name).mkdir(parents=True)
    flags = ("", "S", "RS", "F", "DS")
    for number, octets in enumerate(messages):
        name = f"1100000000.{number}.near:2,{flags[number % 5]}"
        (inbox / "cur" / name).write_bytes(octets.replace(b"\r\n", b"\n"))
    sync.run(300)
    assert far(sync) == sorted(local(octets) for octets in messages)
    found = mailbox.flags(server, sync.address, sync.password)
    assert sum("\\Flagged" in flags for flags in found) == len(range(3, len(messages), 5))
    settled(sync)
