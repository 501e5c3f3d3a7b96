"""Reception: what is promised at RCPT is kept at the end of the content, for each and for all."""

import errno
import time
import tracemalloc

import pytest

from malleposte.delivery.receive import DeliverySettings, Reception, hops
from malleposte.delivery.spool import IN_MEMORY, Spool, prepare
from malleposte.delivery.trace_header import (
    Origin,
    parse_id,
    received,
    shown_id,
    trace_id,
)
from malleposte.delivery.verdict import Recipient, Verdict, put_off
from malleposte.directory.book import Book
from malleposte.mime import fields
from malleposte.store import (
    DiskFull,
    PermanentFailure,
    Store,
    StoreError,
    TemporaryFailure,
    content,
)
from malleposte.store.commands import (
    AnyCommand,
    CreateAccount,
    CreateDomain,
    SetAccount,
    SetAlias,
)
from malleposte.store.incoming import NoRoom
from malleposte.store.read import emails, usage
from malleposte.store.results import AnyResult

ORIGIN = Origin(peer="192.0.2.1", hello="mx.example", protocol="ESMTP")
BODY = b"From: a@sender.example\r\nSubject: hello\r\nMessage-ID: <1@x>\r\n\r\nHello.\r\n"


@pytest.fixture
async def reception(store: Store) -> Reception:
    await store.submit(CreateDomain(name="example.test"))
    for name, quota in (("ada", 0), ("bob", 0), ("full", 1_000)):
        await store.submit(
            CreateAccount(
                address=f"{name}@example.test",
                name="",
                password_hash="",
                quota_bytes=quota,
                role="owner" if name == "ada" else "",
            )
        )
    await store.submit(SetAlias(address="both@example.test", accounts_=(1, 2)))
    await store.submit(SetAlias(address="some@example.test", accounts_=(2, 3)))
    return Reception(store, Book(store), DeliverySettings("mail.example.test", hops=5, grace=60))


async def file(
    reception: Reception, *names: str, body: bytes = BODY, each: bool = False
) -> list[Verdict]:
    recipients = []
    for name in names:
        verdict, resolution = await reception.route(name, "example.test", size=0)
        assert verdict.good, verdict
        recipients.append(Recipient(f"{name}@example.test", resolution))
    spool = reception.spool()
    try:
        for at in range(0, len(body), 50_000):
            spool.write(body[at : at + 50_000])
        verdicts, _ = await reception.file(
            "a@sender.example", recipients, spool, ORIGIN, each=each, now=time.time()
        )
        return verdicts
    finally:
        spool.close()


async def test_mail_to_postmaster_takes_no_room(reception: Reception, store: Store) -> None:
    """Strangers wrote to postmaster, and the administrator's own mail was refused."""
    await store.submit(SetAccount(account=1, quota_bytes=2_000_000))
    for n in range(4):
        large = BODY + b"%d" % n * 1_000_000
        assert [v.code for v in await file(reception, "postmaster", body=large)] == [250]
    assert [v.code for v in await file(reception, "ada", body=BODY * 1000)] == [250]
    assert (await usage.octets(store.reader, 1))[0] < 100_000


async def test_a_copy_that_was_promised_counts(reception: Reception, store: Store) -> None:
    """One answer for several recipients: the one that became full meanwhile gets its copy all the same,
    and is full then."""
    large = BODY + b"x" * 2_000
    assert [v.code for v in await file(reception, "bob", "full", body=large)] == [250, 250]
    assert (await usage.octets(store.reader, 3))[0] > 2_000
    verdict, _ = await reception.route("full", "example.test", size=0)
    assert verdict.code == 452


async def copies(store: Store) -> list[tuple[int, bytes]]:
    """(account, prefix) of every Email."""
    rows = await store.reader.rows(
        "SELECT e.account, w.prefix FROM email e JOIN email_wide w ON w.id = e.id ORDER BY e.id"
    )
    return [(row[0], bytes(row[1])) for row in rows]


async def test_one_copy_for_each_account_however_often_it_is_named(
    reception: Reception, store: Store
) -> None:
    verdicts = await file(reception, "both", "ada", "bob+list", "ada+x")
    assert [v.code for v in verdicts] == [250] * 4
    assert sorted(account for account, _ in await copies(store)) == [1, 2]


async def test_several_recipients_do_not_show_in_the_trace_line(
    reception: Reception, store: Store
) -> None:
    await file(reception, "ada", "bob")
    for account, prefix in await copies(store):
        other = b"bob" if account == 1 else b"ada"
        assert other not in prefix
        assert b"\tfor <" not in prefix


async def test_a_copy_without_room_is_told_to_lmtp_and_kept_for_smtp(
    reception: Reception, store: Store
) -> None:
    """RCPT said yes. LMTP can take it back for one recipient; SMTP has one answer for all."""
    large = BODY + b"x" * 2_000 + b"\r\n"
    assert [v.code for v in await file(reception, "ada", "full", body=large, each=True)] == [
        250,
        452,
    ]
    assert sorted(a for a, _ in await copies(store)) == [1]
    assert [v.code for v in await file(reception, "bob", "full", body=large)] == [250, 250]
    assert sorted(a for a, _ in await copies(store)) == [1, 2, 3]


async def test_a_full_mailbox_alone_is_put_off_then_refused(
    reception: Reception, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = BODY + b"x" * 2_000 + b"\r\n"
    (first,) = await file(reception, "full", body=large)
    assert (first.code, first.enhanced) == (452, "4.2.2")
    # At RCPT already, where the size is announced.
    verdict, _ = await reception.route("full", "example.test", size=2_000)
    assert verdict.code == 452
    later = time.time() + 3_600
    monkeypatch.setattr("malleposte.delivery.receive.time.time", lambda: later)
    verdict, _ = await reception.route("full", "example.test", size=2_000)
    assert (verdict.code, verdict.enhanced) == (552, "5.2.2")


async def test_an_alias_with_one_full_member_takes_mail(reception: Reception, store: Store) -> None:
    large = BODY + b"x" * 2_000 + b"\r\n"
    (verdict,) = await file(reception, "some", body=large)
    assert verdict.code == 250
    assert 2 in [account for account, _ in await copies(store)]


def test_a_header_without_end_is_not_copied_to_count_hops() -> None:
    """As far as the lines of a circle can stand, and no further: each server puts its own on top."""
    header = b"Received: x\r\n" * 7 + b"X: " + b"y" * 30_000_000 + b"\r\nReceived: z\r\n\r\n"
    tracemalloc.start()
    try:
        assert hops(memoryview(header)) == 7
        assert tracemalloc.get_traced_memory()[1] < 6_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("header", "count"),
    [
        (b"", 0),
        (b"Received: a", 1),
        (b"RECEIVED: a\r\n\treceived: b\r\nReceived: c\nX-Received: d\r\n", 2),
    ],
)
def test_hops_are_received_lines(header: bytes, count: int) -> None:
    assert hops(header) == count


async def test_too_many_hops_are_a_loop(reception: Reception, store: Store) -> None:
    hop = b"Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n"
    assert (await file(reception, "ada", body=hop * 4 + BODY))[0].code == 250
    assert (await file(reception, "ada", body=hop * 5 + BODY))[0].code == 554
    # Lines of the body are no hops.
    assert (await file(reception, "ada", body=BODY + hop * 9))[0].code == 250


@pytest.mark.parametrize("size", [0, 1, 70_000, IN_MEMORY, IN_MEMORY + 1, 3 * content.FRAME + 7])
async def test_any_size_comes_back_byte_for_byte(
    reception: Reception, store: Store, size: int
) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]
    await file(reception, "ada", body=body)
    rows = await store.reader.rows("SELECT id FROM email ORDER BY id DESC LIMIT 1")
    stored = await emails.stored_by_id(store.reader, rows[0][0])
    assert stored is not None
    parts = [p async for p in emails.read(store.reader, store.blobs, stored, 0, stored.size)]
    assert b"".join(parts) == stored.prefix + body


async def test_a_spool_in_memory_and_in_a_file_prepare_alike(store: Store) -> None:
    text = BODY + b"0123456789" * 30_000
    whole = Spool(store.incoming)
    whole.write(text)
    assert whole.in_file
    message = await prepare(whole)
    try:
        assert message.content.file
        assert message.content.digest == content.digest_of(text)
        assert message.rendered.subject == "hello"
    finally:
        message.close()
        whole.close()


def test_trace_lines_are_header_lines_whatever_the_client_says() -> None:
    line = received(
        Origin(peer="2001:db8::1", hello="x", protocol="ESMTPS", tls="TLSv1.3 A"),
        "mail.example.test",
        trace_id(),
        "a@example.test",
        1_790_000_000,
    )
    (name, _), *rest = [(f.name, f.value) for f in fields(line)]
    assert name.lower() == b"received"
    assert not rest
    assert b"[IPv6:2001:db8::1]" in line
    assert all(len(part) < 998 for part in line.split(b"\r\n"))


def test_trace_ids_are_distinct_ordered_by_second_and_read_back() -> None:
    ids = [trace_id() for _ in range(10_000)]
    assert len(set(ids)) == len(ids)
    assert max(ids) < 1 << 63
    assert all(parse_id(shown_id(number)) == number for number in ids[:100])


@pytest.mark.parametrize(
    ("error", "code", "enhanced"),
    [
        (DiskFull("kein Platz"), 452, "4.3.1"),
        (OSError(errno.ENOSPC, "kein Platz"), 452, "4.3.1"),
        (NoRoom("Too much at once"), 452, "4.4.5"),
        (NoRoom("Full", full=True), 452, "4.3.1"),
        (TemporaryFailure("disk I/O error"), 451, "4.3.0"),
        (OSError(errno.EMFILE, "Too many open files"), 451, "4.3.0"),
        (PermanentFailure("disk"), 451, "4.3.0"),
    ],
)
def test_what_went_wrong_here_puts_mail_off(
    error: StoreError | OSError, code: int, enhanced: str
) -> None:
    """By the kind of the failure: SQLite's "disk I/O error" was told as a full disk."""
    verdict = put_off(error)
    assert (verdict.code, verdict.enhanced) == (code, enhanced)


async def test_what_was_promised_is_one_commit(
    reception: Reception, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store goes away after the first commit: all recipients have theirs, or none."""
    submit, commands = store.writer.submit, 0

    async def once(command: AnyCommand, fd: int | None = None) -> AnyResult:
        nonlocal commands
        commands += 1
        if commands > 1:
            raise TemporaryFailure("away")
        return await submit(command, fd)

    monkeypatch.setattr(store.writer, "submit", once)
    large = BODY + b"x" * 2_000
    assert [v.code for v in await file(reception, "bob", "full", body=large)] == [250, 250]
    assert sorted(account for account, _ in await copies(store)) == [2, 3]
