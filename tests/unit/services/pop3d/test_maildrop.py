"""What a session sees of INBOX, and what becomes of it: numbers, sizes, ids, marks, the end."""

import contextlib
import os
import re
import tracemalloc
from collections.abc import Sequence

import pytest
import structlog

from malleposte.services.pop3d.maildrop import Maildrop
from malleposte.store import content
from malleposte.store.commands import (
    Copy,
    Expunge,
    PurgeRecoverable,
    Recover,
    RenewUidValidity,
)
from malleposte.store.dialect import Reader
from malleposte.store.ids import email_id
from malleposte.store.read import emails as read_emails
from malleposte.store.read.emails import Stored
from malleposte.store.results import Copied
from support.store import ALL, Place, deliver, inbox
from unit.services.pop3d.harness import Served

ONE = b"Subject: one\r\n\r\nfirst\r\n"
TWO = b"Subject: two\r\n\r\n.dot\r\n..\r\n.\r\nlast\r\n"


def sizes(lines: list[str]) -> list[int]:
    return [int(line.split(" ")[1]) for line in lines]


async def test_a_session_from_beginning_to_end(served: Served) -> None:
    account, address = await served.account()
    await served.fill(account, ONE, TWO)
    client = await served.connect()
    assert await client.ask(f"USER {address}") == "+OK Now the password\r\n"
    assert await client.ask("PASS secret") == f"+OK 2 messages ({len(ONE) + len(TWO)} octets)\r\n"
    assert await client.ask("STAT") == f"+OK 2 {len(ONE) + len(TWO)}\r\n"
    assert await client.lines("LIST") == [f"1 {len(ONE)}", f"2 {len(TWO)}"]
    assert await client.ask("LIST 2") == f"+OK 2 {len(TWO)}\r\n"
    assert await client.octets("RETR 1") == ONE
    assert await client.octets("RETR 2") == TWO
    assert await client.octets("TOP 2 1") == b"Subject: two\r\n\r\n.dot\r\n"
    assert await client.ask("DELE 1") == "+OK Marked\r\n"
    assert await client.ask("STAT") == f"+OK 1 {len(TWO)}\r\n"
    assert await client.lines("LIST") == [f"2 {len(TWO)}"]
    assert await client.ask("QUIT") == "+OK Goodbye\r\n"
    assert await client.ended() == b""
    assert await served.uids(account) == [2]


async def test_an_empty_mailbox(served: Served) -> None:
    _, address = await served.account()
    client = await served.signed_in(address)
    assert await client.ask("STAT") == "+OK 0 0\r\n"
    assert await client.lines("LIST") == []
    assert await client.lines("UIDL") == []
    assert await client.ask("RETR 1") == "-ERR There is no such message\r\n"
    assert await client.ask("QUIT") == "+OK Goodbye\r\n"


async def test_sizes_are_those_of_what_is_sent(served: Served) -> None:
    """With the lines that delivery puts before a message, with NUL, 8-bit and bare line ends, and of one
    that has many frames; only where the last line has no end, two octets come more."""
    account, address = await served.account()
    large = b"Subject: large\r\n\r\n" + os.urandom(3 * content.FRAME).replace(b"\n.", b"\n:")
    messages = [
        b"\r\n",
        b"Subject: \xff\0\r\n\r\n.\r\n\0\r\n",
        b"Subject: bare\n\nlines\nonly\r\n",
        large.replace(b"\0", b"0") + b"\r\n",
        b"Subject: no end\r\n\r\nlast",
    ]
    await served.fill(account, *messages)
    prefix = b"Return-Path: <a@b.example>\r\n"
    await served.store.submit(deliver(account, data=ONE, prefix=prefix))
    client = await served.signed_in(address)
    listed = sizes(await client.lines("LIST"))
    sent = [await client.octets(f"RETR {number}") for number in range(1, 7)]
    messages[1] = messages[1].replace(b"\0", b"\x80")
    messages[4] += b"\r\n"
    assert sent == [*messages, prefix + ONE]
    listed[4] += 2
    assert listed == [len(octets) for octets in sent]


async def test_unique_ids_stay(served: Served) -> None:
    account, address = await served.account()
    await served.fill(account, ONE, TWO, ONE)
    client = await served.signed_in(address)
    before = await client.lines("UIDL")
    assert len({line.split(" ")[1] for line in before}) == 3
    for line in before:
        assert re.fullmatch(r"\d [\x21-\x7e]{1,70}", line)
    await client.ask("DELE 2")
    await client.ask("QUIT")
    await served.fill(account, TWO)
    client = await served.at_last(address)
    after = await client.lines("UIDL")
    assert [line.split(" ")[1] for line in after][:2] == [
        before[0].split(" ")[1],
        before[2].split(" ")[1],
    ]
    assert len(after) == 3
    assert after[2].split(" ")[1] not in {line.split(" ")[1] for line in before}
    assert await client.ask("UIDL 2") == f"+OK {after[1]}\r\n"


async def test_messages_keep_their_numbers_whatever_imap_does(served: Served) -> None:
    account, address = await served.account()
    await served.fill(account, ONE, TWO, ONE)
    client = await served.signed_in(address)
    box = inbox(account)
    gone = Expunge(
        actor=account, mailbox=box, uids=((1, 1),), marked=False, recoverable_until=1 << 40
    )
    await served.store.submit(gone)
    await served.fill(account, b"new\r\n\r\n")
    assert sizes(await client.lines("LIST")) == [len(ONE), len(TWO), len(ONE)]
    assert await client.octets("RETR 1") == ONE, "recoverable still"
    assert await client.octets("RETR 2") == TWO
    assert await client.ask("RETR 4") == "-ERR There is no such message\r\n"
    await client.ask("DELE 1")
    await client.ask("DELE 2")
    assert await client.ask("QUIT") == "+OK Goodbye\r\n", "what is gone already need not go"
    assert await served.uids(account) == [3, 4]


async def test_what_is_gone_for_good_is_said_to_be(served: Served) -> None:
    account, address = await served.account()
    await served.fill(account, ONE, TWO)
    client = await served.signed_in(address)
    await served.store.submit(
        Expunge(actor=account, mailbox=inbox(account), uids=((1, 1),), marked=False)
    )
    await served.store.submit(PurgeRecoverable())
    assert await client.ask("RETR 1") == "-ERR [SYS/PERM] This message was deleted elsewhere\r\n"
    assert await client.octets("RETR 2") == TWO


async def test_deleted_messages_are_recoverable(served: Served) -> None:
    account, address = await served.account()
    await served.fill(account, ONE)
    client = await served.signed_in(address)
    await client.ask("DELE 1")
    await client.ask("QUIT")
    assert await served.uids(account) == []
    back = Recover(actor=account, target=inbox(account), emails=(email_id(account, 1),))
    assert isinstance(await served.store.submit(back), Copied)
    client = await served.at_last(address)
    assert await client.octets("RETR 1") == ONE


async def test_a_message_in_two_mailboxes_goes_from_inbox_alone(served: Served) -> None:
    account, address = await served.account()
    await served.fill(account, ONE)
    other = inbox(account) + 1
    copied = await served.store.submit(
        Copy(actor=account, mailbox=inbox(account), uids=ALL, target=other)
    )
    assert isinstance(copied, Copied)
    client = await served.signed_in(address)
    await client.ask("DELE 1")
    await client.ask("QUIT")
    assert await served.uids(account) == []
    assert len(await served.store.views.open(other)) == 1


class TestNothingIsDeletedWithoutQuit:
    """RFC 1939 §6."""

    @pytest.fixture
    async def marked(self, served: Served) -> tuple[int, str]:
        account, address = await served.account()
        await served.fill(account, ONE, TWO)
        return account, address

    async def test_where_the_connection_is_cut(
        self, served: Served, marked: tuple[int, str]
    ) -> None:
        account, address = marked
        client = await served.signed_in(address)
        await client.ask("DELE 1")
        client.cut()
        await served.at_last(address)
        assert await served.uids(account) == [1, 2]

    async def test_where_the_client_closes_its_side(
        self, served: Served, marked: tuple[int, str]
    ) -> None:
        account, address = marked
        client = await served.signed_in(address)
        await client.ask("DELE 1")
        client.writer.write_eof()
        assert await client.ended() == b""
        assert await served.uids(account) == [1, 2]

    async def test_after_rset(self, served: Served, marked: tuple[int, str]) -> None:
        account, address = marked
        client = await served.signed_in(address)
        await client.ask("DELE 1")
        assert await client.ask("RSET") == "+OK 2 messages\r\n"
        assert await client.ask("QUIT") == "+OK Goodbye\r\n"
        assert await served.uids(account) == [1, 2]

    async def test_where_the_mailbox_is_another_now(
        self, served: Served, marked: tuple[int, str]
    ) -> None:
        """A copy of the database was put back under the session: UIDs may mean others."""
        account, address = marked
        client = await served.signed_in(address)
        await client.ask("DELE 1")
        await served.store.submit(RenewUidValidity(account=account))
        assert (await client.ask("QUIT")).startswith("-ERR [SYS/TEMP] ")
        row = await served.store.reader.row("SELECT count(*) FROM membership")
        assert row is not None
        assert row[0] == 2


async def test_more_messages_than_a_command_takes(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read, listed and deleted in steps."""
    monkeypatch.setattr("malleposte.services.pop3d.maildrop.SLICE", 3)
    monkeypatch.setattr("malleposte.services.pop3d.maildrop.MAX_ROWS", 2)
    monkeypatch.setattr("malleposte.services.pop3d.transaction._LINES", 2)
    account, address = await served.account()
    uids = await served.fill(account, *(b"Subject: %d\r\n\r\n" % n for n in range(10)))
    client = await served.signed_in(address)
    await client.ask("DELE 4")
    assert [line.split(" ")[0] for line in await client.lines("UIDL")] == [
        str(n) for n in range(1, 11) if n != 4
    ]
    for number in range(5, 11):
        await client.ask(f"DELE {number}")
    assert await client.ask("QUIT") == "+OK Goodbye\r\n"
    assert await served.uids(account) == uids[:3]


async def test_messages_asked_for_in_order_are_found_eight_at_a_time(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small mail is fetched by few statements; who picks one here and there gets no others read."""
    asked: list[int] = []
    stored_of = read_emails.stored_of

    async def counted(reader: Reader, account: int, emails: Sequence[int]) -> list[Stored]:
        asked.append(len(emails))
        return await stored_of(reader, account, emails)

    monkeypatch.setattr(read_emails, "stored_of", counted)
    account, address = await served.account()
    await served.fill(account, *(b"Subject: %d\r\n\r\n" % n for n in range(20)))
    client = await served.signed_in(address)
    for number in range(1, 18):
        assert await client.octets(f"RETR {number}") == b"Subject: %d\r\n\r\n" % (number - 1)
    assert asked == [1, 8, 8]
    for number in (5, 3, 20):
        await client.octets(f"RETR {number}")
    assert asked == [1, 8, 8, 1, 1, 1]


def test_marks_take_no_more_memory_than_messages() -> None:
    """A client that deletes all of a large mailbox, or every other message of it."""
    drop, most = Maildrop(1, inbox(1), 1), 50_000
    drop.extend([(n, email_id(1, n), 10) for n in range(1, most + 1)])
    tracemalloc.start()
    for number in range(1, most + 1, 2):
        at = drop.position(number)
        assert at is not None
        drop.mark(at)
    assert drop.position(1) is None
    assert (drop.count, drop.octets) == (most // 2, most * 5)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < most
    drop.unmark_all()
    assert (drop.position(1), drop.count, drop.octets) == (0, most, most * 10)
    assert list(drop.marked()) == []


def test_what_is_marked_is_gathered_a_command_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are served between two of them."""
    monkeypatch.setattr("malleposte.services.pop3d.maildrop.MAX_ROWS", 3)
    drop = Maildrop(1, inbox(1), 1)
    drop.extend([(n * 10, email_id(1, n), 10) for n in range(1, 9)])
    for at in range(8):
        drop.mark(at)
    read: list[int] = []

    class Uids:
        def __getitem__(self, at: int) -> int:
            read.append(at)
            return at + 1

    drop.uids = Uids()  # type: ignore[assignment]
    found = []
    for done, ranges in enumerate(drop.marked(), 1):
        found.append(ranges)
        assert read == list(range(min(3 * done, 8)))
    assert found == [((1, 3),), ((4, 6),), ((7, 8),)]


async def test_commands_sent_ahead_are_answered_in_order(served: Served) -> None:
    account, address = await served.account()
    await served.fill(account, ONE, TWO)
    client = await served.connect()
    client.writer.write(
        f"USER {address}\r\nPASS secret\r\nSTAT\r\nRETR 1\r\nDELE 1\r\nDELE 2\r\nRSET\r\n"
        "DELE 2\r\nQUIT\r\nDELE 1\r\n".encode()
    )
    said = await client.ended()
    assert said.count(b"\r\n+OK") == 8
    assert ONE in said
    assert said.endswith(b"+OK Marked\r\n+OK Goodbye\r\n")
    assert await served.uids(account) == [1]


async def test_a_damaged_message_is_refused_whole_and_the_others_are_sent(
    served: Served, place: Place
) -> None:
    """Not even the lines that delivery put before it are sent: the client would take them for all."""
    account, address = await served.account()
    await served.store.submit(deliver(account, data=ONE, prefix=b"Return-Path: <>\r\n"))
    await served.fill(account, TWO)
    async with place.raw() as tx:
        await tx.run(
            "UPDATE blob_frame SET data = $1 WHERE id = (SELECT min(id) FROM blob_frame)", b"none"
        )
    client = await served.signed_in(address)
    with structlog.testing.capture_logs() as lines:
        said = await client.ask("RETR 1")
    assert said == "-ERR [SYS/PERM] This message is damaged; ask your administrator\r\n"
    assert "pop3_damaged" in {line["event"] for line in lines}
    assert await client.octets("RETR 2") == TWO


async def test_a_message_whose_end_is_damaged_ends_the_connection(
    served: Served, place: Place
) -> None:
    """Half of it is sent by then: what followed would be taken for the rest."""
    account, address = await served.account()
    await served.fill(account, os.urandom(3 * content.FRAME))
    if place.dsn:
        async with place.raw() as tx:
            await tx.run("DELETE FROM blob_frame WHERE id = (SELECT max(id) FROM blob_frame)")
    else:
        path = content.blob_path(served.store.blobs, 1)
        stored = content.BlobFile.of(os.open(path, os.O_RDWR))
        os.pwrite(stored.descriptor, bytes(20), stored.starts[2])
        stored.close()
    client = await served.signed_in(address)
    await client.ask("DELE 1")
    await client.ask("RSET")
    client.writer.write(b"RETR 1\r\nSTAT\r\n")
    said = b""
    with contextlib.suppress(ConnectionError):
        said = await client.ended()
    assert not said.endswith(b"\r\n.\r\n")
    assert b"\r\n+OK 1 " not in said
