"""A disk that is full, almost full or read-only: temporary errors, nothing acknowledged is lost.

Reading goes on; and as soon as there is room so does receiving, without anybody's help.
"""

import asyncio
import imaplib
import smtplib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from malleposte.store.fsck import check
from support import disks, mailbox, postgres, postgres_faults, processes
from support.server import PASSWORD, Server

pytestmark = pytest.mark.timeout(180)

USER = "u1@example.test"
SMALL, LARGE = 3_000, 700_000
"""Octets of a message that is stored in rows, and of one that goes through a file."""


def text(number: int, octets: int = SMALL) -> bytes:
    # Not to be compressed away.
    noise = hash_of(number).hex().encode()
    body = b"".join(
        hash_of(number * 100_000 + n).hex().encode() + b"\r\n" for n in range(octets // 130)
    )
    return b"Message-ID: <%d@disk>\r\nSubject: %b\r\n\r\n%b" % (number, noise, body)


def hash_of(number: int) -> bytes:
    from hashlib import blake2b

    return blake2b(str(number).encode()).digest()


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """Prepared, not started; no reserve, so that the disk can be filled to the last octet."""
    server = Server(tmp_path / "server", settings={"store": {"disk_reserve": '"0 B"'}})
    server.folder.mkdir()
    asyncio.run(server.prepare(3))
    return server


class Post:
    """Sends messages, one connection, and keeps account of what was acknowledged."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.acknowledged: set[int] = set()
        self.appended: set[int] = set()
        self.tried = 0

    def send(self, octets: int = SMALL) -> int:
        """Send one; the code it was answered with, which is 250 or temporary."""
        self.tried += 1
        with smtplib.SMTP("127.0.0.1", self.server.ports["smtp"], timeout=100) as client:
            client.ehlo("sender.example")
            client.mail("a@sender.example")
            code, words = client.rcpt(USER)
            if code == 250:
                code, words = client.docmd("DATA")
            if code == 354:
                client.send(text(self.tried, octets) + b".\r\n")
                code, words = client.getreply()
            assert code in (250, 451, 452), (code, words)
            assert code == 250 or words.startswith(b"4.3.")
            # The connection is as good as before.
            assert client.noop()[0] == 250
        if code == 250:
            self.acknowledged.add(self.tried)
        return code

    def append(self, client: imaplib.IMAP4, octets: int = SMALL) -> str:
        """APPEND one; OK or NO."""
        self.tried += 1
        kind, data = client.append("Archive", "", "", text(self.tried, octets))
        assert kind in ("OK", "NO"), data
        if kind == "OK":
            self.appended.add(self.tried)
        else:
            assert data[0].startswith(b"[UNAVAILABLE]"), data
        return kind

    def check(self) -> None:
        """Everything acknowledged is there, once and whole."""
        for wanted, name in ((self.acknowledged, "INBOX"), (self.appended, "Archive")):
            found = mailbox.messages(self.server, USER, PASSWORD, name)
            by_number = {
                int(octets.partition(b"Message-ID: <")[2].partition(b"@")[0]): octets
                for octets in found
            }
            assert len(by_number) == len(found), "a message was filed twice"
            assert wanted <= by_number.keys(), f"lost: {sorted(wanted - by_number.keys())}"
            for number, octets in by_number.items():
                sent = octets[octets.index(b"Message-ID: <%d@" % number) :]
                assert sent in (text(number), text(number, LARGE)), f"message {number} is damaged"


def until_sent(post: Post, seconds: float = 60.0) -> None:
    """Receiving goes on by itself."""
    until = time.monotonic() + seconds
    while post.send() != 250:
        assert time.monotonic() < until, "there is room again, but nothing is received"
        time.sleep(0.2)


def sound(server: Server) -> None:
    """Stop the server; its store is without a fault."""
    server.stop()

    async def examine() -> list[object]:
        async with server.open_store() as store:
            return [one async for one in check(store.reader, store.blobs, deep=True)]

    assert asyncio.run(examine()) == []


@contextmanager
def opened(server: Server) -> Iterator[imaplib.IMAP4]:
    with mailbox.opened(server, USER, PASSWORD) as client:
        client.select("INBOX")
        yield client


def test_a_full_disk(server: Server) -> None:
    with disks.onto(server, disks.tmpfs(server.data, 40_000_000)) as disk:
        server.start()
        post = Post(server)
        for octets in (SMALL, LARGE, SMALL, SMALL):
            assert post.send(octets) == 250
        disk.fill()
        with opened(server) as client:
            assert [post.send(LARGE) for _ in range(3)] == [452, 452, 452]
            assert [post.append(client, LARGE) for _ in range(3)] == ["NO", "NO", "NO"]
            # Small ones may still find room in the write-ahead log; then there is none.
            codes = [post.send() for _ in range(400)]
            assert codes[-1] == 452
            assert post.append(client) == "NO"
            # What cannot be written is refused for now, what can be read is read.
            for command in (("1", "+FLAGS", "(\\Flagged)"), ("1", "+FLAGS", "(\\Deleted)")):
                assert client.store(*command)[0] in ("OK", "NO")
            assert client.noop()[0] == "OK"
            post.check()
            disk.make_room()
            until_sent(post)
            assert post.append(client, LARGE) == "OK"
            assert client.store("2", "+FLAGS", "(\\Deleted)")[0] == "OK"
            assert client.noop()[0] == "OK"
        assert post.send(LARGE) == 250
        post.check()
        sound(server)


def test_processes_replaced_on_a_full_disk(server: Server) -> None:
    """Writer and workers that start where nothing can be written: reading works, and then all does."""
    with disks.onto(server, disks.tmpfs(server.data, 40_000_000)) as disk:
        server.start()
        post = Post(server)
        for octets in (SMALL, LARGE, SMALL):
            assert post.send(octets) == 250
        disk.fill()
        while post.send() == 250:
            pass
        killed = [*processes.of_kind(server, "writer"), *processes.of_kind(server, "worker")]
        assert len(killed) == 1 + server.workers
        for process in killed:
            assert processes.kill(process)
            process.wait(10)
        server.wait()
        post.check()
        # A new writer is there: it answers at once, and that it has no room. The log may have been
        # copied into the file meanwhile, which makes room in it for a few.
        codes = [post.send() for _ in range(60)]
        assert codes[-1] == 452
        disk.make_room()
        until_sent(post)
        post.check()
        sound(server)


def test_figures_on_a_full_disk(server: Server) -> None:
    """They are in files that are mapped: a page that found no room would end the process that writes it."""
    server.settings["node"] = {"run_dir": f'"{server.data / "run"}"'}
    server.config.write_text(server._toml())
    with disks.onto(server, disks.tmpfs(server.data, 40_000_000)) as disk:
        server.start()
        post = Post(server)
        assert post.send() == 250
        before = processes.of_kind(server, "worker")
        disk.fill()
        while post.send() == 250:
            pass
        with opened(server) as client:
            for command in ("LIST", "STATUS", "SEARCH", "FETCH", "CHECK", "CLOSE"):
                arguments = {
                    "LIST": ('""', "*"),
                    "STATUS": ("INBOX", "(MESSAGES)"),
                    "SEARCH": ("ALL",),
                    "FETCH": ("1", "FLAGS"),
                }.get(command, ())
                assert client._simple_command(command, *arguments)[0] == "OK"
        assert processes.of_kind(server, "worker") == before
        for process in before:
            assert processes.kill(process)
            process.wait(10)
        server.wait()
        post.check()
        # Without figures of their own, if they found no room for them.
        assert "malleposte_signins" in server.figures()
        replaced = processes.of_kind(server, "worker")
        assert post.send() == 452
        disk.make_room()
        until_sent(post)
        assert processes.of_kind(server, "worker") == replaced
        post.check()
        sound(server)


def test_the_reserve_refuses_before_the_disk_is_full(server: Server) -> None:
    # 5 % of 64 MB, which is less than 1 GB.
    server.settings["store"]["disk_reserve"] = '"1 GB"'
    server.config.write_text(server._toml())
    with disks.onto(server, disks.tmpfs(server.data, 64_000_000)) as disk:
        server.start()
        post = Post(server)
        for _ in range(10):
            assert post.send() == 250
        disk.fill(leave=2_500_000)
        time.sleep(1.1)
        with opened(server) as client:
            assert [post.send() for _ in range(3)] == [452, 452, 452]
            assert post.send(LARGE) == 452
            assert post.append(client) == "NO"
            assert post.append(client, LARGE) == "NO"
            # Reading and deleting go on: flags, moves and expunging use the reserve.
            assert client.store("1:3", "+FLAGS", "(\\Flagged)")[0] == "OK"
            assert client.uid("MOVE", "4", "Archive")[0] == "OK"
            assert client.store("1", "+FLAGS", "(\\Deleted)")[0] == "OK"
            assert client.expunge()[0] == "OK"
            assert client.search(None, "ALL") == ("OK", [b"1 2 3 4 5 6 7 8"])
            assert client.fetch("1:*", "(BODY.PEEK[])")[0] == "OK"
            disk.make_room()
            until_sent(post)
            assert post.append(client, LARGE) == "OK"
        sound(server)


def test_a_share_of_the_disk_is_kept_as_configured(server: Server) -> None:
    server.settings["store"] |= {"disk_reserve": '"1 GB"', "disk_reserve_percent": "30"}
    server.config.write_text(server._toml())
    with disks.onto(server, disks.tmpfs(server.data, 64_000_000)) as disk:
        server.start()
        post = Post(server)
        assert post.send() == 250
        disk.fill(leave=15_000_000)
        time.sleep(1.1)
        assert post.send() == 452
        disk.make_room()
        until_sent(post)


@pytest.mark.postgres
def test_the_reserve_of_a_node_on_postgres(
    postgres_server: postgres.Server, tmp_path: Path
) -> None:
    """There the node's own disk takes large messages on their way in."""
    dsn = asyncio.run(postgres_server.database())
    server = Server(tmp_path / "server", dsn)
    server.folder.mkdir()
    asyncio.run(server.prepare(3))
    with disks.onto(server, disks.tmpfs(server.data, 64_000_000)) as disk:
        server.start()
        post = Post(server)
        for octets in (SMALL, LARGE):
            assert post.send(octets) == 250
        disk.fill(leave=2_500_000)
        time.sleep(1.1)
        assert post.send(LARGE) == 452
        with opened(server) as client:
            assert post.append(client, LARGE) == "NO"
            assert client.store("1", "+FLAGS", "(\\Deleted)")[0] == "OK"
            assert client.expunge()[0] == "OK"
            post.acknowledged.remove(1)
            disk.make_room()
            # Each worker looks for itself, once a second.
            time.sleep(1.1)
            until_sent(post)
            assert post.append(client, LARGE) == "OK"
        post.check()
        sound(server)
    asyncio.run(postgres_server.drop(dsn))


@pytest.mark.postgres
def test_a_full_disk_of_postgres(postgres_server: postgres.Server, tmp_path: Path) -> None:
    """It says so to whoever writes (53100), and goes on serving what is there."""
    with postgres_faults.on_a_small_disk(postgres_server, 60_000_000) as (disk, dsn):
        server = Server(tmp_path / "server", dsn)
        server.folder.mkdir()
        asyncio.run(server.prepare(3))
        server.start()
        try:
            post = Post(server)
            for octets in (SMALL, LARGE, SMALL, SMALL):
                assert post.send(octets) == 250
            disk.fill()
            with opened(server) as client:
                # Frame by frame until there is no room: nothing of it is left.
                assert [post.send(LARGE) for _ in range(3)] == [452, 452, 452]
                assert [post.append(client, LARGE) for _ in range(3)] == ["NO", "NO", "NO"]
                # Small ones may still find room in pages that are there; then there is none.
                codes = [post.send() for _ in range(100)]
                assert codes[-1] == 452
                assert set(codes) <= {250, 452}
                assert post.append(client) == "NO"
                for command in (("1", "+FLAGS", "(\\Flagged)"), ("1", "+FLAGS", "(\\Deleted)")):
                    assert client.store(*command)[0] in ("OK", "NO")
                assert client.noop()[0] == "OK"
                post.check()
                disk.make_room()
                until_sent(post)
                assert post.append(client, LARGE) == "OK"
                assert client.store("2", "+FLAGS", "(\\Deleted)")[0] == "OK"
            assert post.send(LARGE) == 250
            post.check()
            sound(server)
        finally:
            server.end()
    assert b"could not extend file" in (postgres_server.folder / "log").read_bytes()


def test_a_log_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    """Lines are dropped; mail is not."""
    with disks.tmpfs(tmp_path / "logs", 1_000_000) as disk:
        server.log.symlink_to(disk.path / "log")
        disk.fill()
        server.start()
        try:
            post = Post(server)
            for octets in (SMALL, LARGE, SMALL):
                assert post.send(octets) == 250
            for process in processes.wait_for(server, "writer"):
                processes.kill(process)
            assert post.send() == 250
            post.check()
            disk.make_room()
            (worker, *_) = processes.of_kind(server, "worker")
            processes.kill(worker)
            until = time.monotonic() + 20
            while b"a process ended and is replaced" not in server.log.read_bytes():
                assert time.monotonic() < until, "nothing is logged though there is room"
                time.sleep(0.1)
        finally:
            server.end()


def test_a_disk_that_is_read_only_at_the_start(server: Server) -> None:
    """What is there can be read; and when the disk can be written again, nobody need do anything."""
    with disks.onto(server, disks.tmpfs(server.data, 64_000_000)) as disk:
        server.start()
        post = Post(server)
        for octets in (SMALL, LARGE, SMALL):
            assert post.send(octets) == 250
        server.kill()
        disk.remount("ro")
        server.start()
        post.check()
        disk.remount("rw")
        until_sent(post)
        post.check()
        sound(server)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_disk_that_turns_read_only(server: Server, tmp_path: Path) -> None:
    image = tmp_path / "image"
    with disks.onto(server, disks.ext4(image, server.data, 100_000_000)) as disk:
        server.start()
        post = Post(server)
        for octets in (SMALL, LARGE, SMALL):
            assert post.send(octets) == 250
        with opened(server) as client:
            disk.fail()
            # Refused after the store's patience of a minute at the most; meanwhile one can read.
            with ThreadPoolExecutor() as pool:
                sent = pool.submit(post.send)
                refused = client.append("Archive", "", "", text(99))
                post.check()
                assert sent.result() in (451, 452)
            assert refused[0] == "NO", refused
            assert refused[1][0].startswith(b"[UNAVAILABLE]"), refused
        server.kill()
    server.data.mkdir(exist_ok=True)
    with disks.ext4(image, server.data, 100_000_000):
        try:
            server.start()
            post.check()
            until_sent(post)
            sound(server)
        finally:
            server.end()
