"""Reads: columns by UID and by number, content by range, mailboxes by name, what vanished."""

import os

import pytest

from malleposte.store.commands import SweepTombstones
from malleposte.store.content import FRAME, blob_path, in_file
from malleposte.store.execute.ranges import encode
from malleposte.store.ids import LOW
from malleposte.store.read import blobs, emails, mailboxes, usage
from malleposte.store.results import Delivered, Done
from support.store import House, deliver, inbox, rendered

ALL = encode(((1, 0xFFFFFFFF),))


async def large(house: House, account: int, data: bytes, prefix: bytes = b"") -> int:
    """Deliver content that comes as a spooled file; the email's id."""
    what, descriptor = in_file(memoryview(data), house.store.blobs)
    try:
        command = deliver(account, what=what, prefix=prefix)
        answer = await house.do(command, Delivered, descriptor)
    finally:
        os.close(descriptor)
    return answer.filed[0].email


async def part(house: House, email: int, start: int, end: int) -> bytes:
    stored = await emails.stored_by_id(house.store.reader, email)
    assert stored is not None
    pieces = emails.read(house.store.reader, house.store.blobs, stored, start, end)
    return b"".join([piece async for piece in pieces])


# Columns ------------------------------------------------------------------------------------------


async def test_columns_by_uid(house: House) -> None:
    account = await house.account()
    for n in range(5):
        await house.deliver(account, data=b"x" * n, about=rendered(subject=f"s{n}"))
    await house.expunge(inbox(account), ((3, 3),))
    reader, box = house.store.reader, inbox(account)
    wanted = ("e.size", "w.subject")
    rows = await emails.columns(reader, box, ALL, wanted, 10)
    assert rows == [(1, 0, "s0"), (2, 1, "s1"), (4, 3, "s3"), (5, 4, "s4")]
    some = encode(((2, 3), (5, 9)))
    assert await emails.columns(reader, box, some, wanted, 10) == [(2, 1, "s1"), (5, 4, "s4")]
    assert await emails.columns(reader, box, ALL, ("e.size",), 2) == [(1, 0), (2, 1)]
    assert await emails.columns(reader, box, ALL, (), 2) == [(1,), (2,)]


async def test_every_column_can_be_asked_for(house: House) -> None:
    account = await house.account()
    await house.fill(account, 1)
    wanted = tuple(sorted(emails.COLUMNS))
    (row,) = await emails.columns(house.store.reader, inbox(account), ALL, wanted, 9)
    assert len(row) == len(wanted) + 1
    with pytest.raises(ValueError, match="no such column"):
        await emails.columns(house.store.reader, inbox(account), ALL, ("e.blob; DROP",), 9)


async def test_columns_by_number_in_their_order(house: House) -> None:
    account = await house.account()
    numbers = [filed.email & LOW for filed in await house.fill(account, 4)]
    await house.expunge(inbox(account), ((2, 2),))
    reader = house.store.reader
    rows = await emails.columns_of(reader, account, [*numbers[::-1], 99], ("e.thread",))
    assert [row[0] for row in rows] == numbers, "also what is only recoverable"
    rows = await emails.columns_of(reader, account, numbers, ("w.subject", "e.flags"))
    assert rows == [(n, "Hello", 0) for n in numbers]
    with pytest.raises(ValueError, match="no such column"):
        await emails.columns_of(reader, account, numbers, ("m.saved_at",))


# Content ------------------------------------------------------------------------------------------


async def test_small_content_comes_with_its_row(house: House) -> None:
    account = await house.account()
    for n in range(3):
        await house.deliver(account, data=b"content %d" % n, prefix=b"p")
    found = await emails.stored(house.store.reader, inbox(account), ALL, 2)
    assert [s.uid for s in found] == [1, 2]
    assert [s.size for s in found] == [10, 10]
    assert all(s.first is not None for s in found)


@pytest.mark.parametrize("prefix", [b"", b"Return-Path: <>\r\n"])
async def test_ranges_of_large_content(house: House, prefix: bytes) -> None:
    account = await house.account()
    data = os.urandom(2 * FRAME + 1000)
    whole = prefix + data
    email = await large(house, account, data, prefix)
    edges = [0, 1, len(prefix), len(prefix) + FRAME, len(prefix) + 2 * FRAME, len(whole)]
    for start in (*edges, 5, FRAME + 17):
        for end in (*edges, FRAME, len(whole) + 99):
            if start <= end:
                assert await part(house, email, start, end) == whole[start:end], (start, end)
    assert await part(house, email, 0, 1 << 40) == whole


async def test_large_content_stands_where_it_belongs(house: House) -> None:
    account = await house.account()
    await large(house, account, os.urandom(FRAME + 1))
    ((blob, place),) = await house.rows("SELECT id, place FROM blob")
    frames = await house.value("SELECT count(*) FROM blob_frame")
    file = blob_path(house.store.blobs, blob)
    if house.place.dsn:
        assert (place, frames, file.exists()) == ("rows", 2, False)
    else:
        assert (place, frames, file.exists()) == ("file", 0, True)


async def test_large_content_already_there_is_not_linked_again(house: House) -> None:
    account = await house.account()
    data = os.urandom(FRAME + 1)
    first = await large(house, account, data)
    second = await large(house, account, data)
    assert first != second
    assert await house.value("SELECT count(*) FROM blob") == 1
    assert await part(house, second, 0, 1 << 40) == data


async def test_damaged_content_is_named(house: House) -> None:
    account = await house.account()
    filed = await house.deliver(account, data=b"x" * 5000)
    await house.damage("UPDATE blob_frame SET data = $1", b"\x28\xb5\x2f\xfdrubbish")
    with pytest.raises(emails.Damaged, match="blob"):
        await part(house, filed.email, 0, 10)


async def test_lost_frames_are_named(house: House) -> None:
    account = await house.account()
    email = await large(house, account, os.urandom(2 * FRAME))
    if house.place.dsn:
        await house.damage("DELETE FROM blob_frame WHERE id % 4096 = 1")
    else:
        house.damaged = True
        ((blob,),) = await house.rows("SELECT id FROM blob")
        blob_path(house.store.blobs, blob).unlink()
    with pytest.raises(emails.Damaged):
        await part(house, email, FRAME, FRAME + 1)


async def test_another_ones_frame_is_not_taken_for_ours(house: House) -> None:
    account = await house.account()
    filed = await house.deliver(account, data=b"x" * 5000)
    await house.deliver(account, data=b"short")
    await house.damage(
        "UPDATE blob_frame SET data = (SELECT data FROM blob_frame WHERE id ="
        " (SELECT max(id) FROM blob_frame)) WHERE id = (SELECT min(id) FROM blob_frame)"
    )
    with pytest.raises(emails.Damaged):
        await part(house, filed.email, 0, 5000)


async def test_files_nothing_needs(house: House) -> None:
    """A file under a number that comes next must stay: a delivery may be linking it just now."""
    if house.place.dsn:
        pytest.skip("no files on PostgreSQL")
    account = await house.account()
    await large(house, account, os.urandom(FRAME + 1))
    await house.deliver(account)
    await large(house, account, os.urandom(FRAME + 2))
    numbers = [row[0] for row in await house.rows("SELECT id FROM blob ORDER BY id")]
    assert numbers == [1, 2, 3]
    assert await blobs.unclaimed(house.store.reader, [1, 2, 3, 4, 500]) == [2]
    assert await blobs.unclaimed(house.store.reader, []) == []


# Mailboxes ----------------------------------------------------------------------------------------


async def test_inbox_is_found_in_any_case(house: House) -> None:
    account = await house.account()
    for name in ("INBOX", "inbox", "InBox"):
        assert await mailboxes.find(house.store.reader, account, name) == inbox(account)
    assert await mailboxes.find(house.store.reader, account, "sent") == 0
    assert await mailboxes.find(house.store.reader, account, "") == 0


async def test_a_ring_of_parents_is_listed_and_ends(house: House) -> None:
    account = await house.account()
    child = await house.mailbox(account, "a", "b")
    await house.damage("UPDATE mailbox SET parent = $1 WHERE name = 'a'", child)
    assert len(await mailboxes.mailboxes(house.store.reader, account)) == 8


async def test_keywords_usage_modseq(house: House) -> None:
    account = await house.account(quota=500)
    await house.deliver(account, data=b"x" * 40, keywords=("B", "a"))
    reader = house.store.reader
    assert await mailboxes.keywords(reader, account) == {"a": "a", "b": "B"}
    assert await usage.octets(reader, account) == (40, 500)
    assert await mailboxes.modseq(reader, account) > 1
    assert await usage.octets(reader, account + 9) == (0, 0)
    assert await mailboxes.modseq(reader, account + 9) == 0


async def test_what_vanished_since(house: House) -> None:
    account = await house.account()
    await house.fill(account, 5)
    reader, box = house.store.reader, inbox(account)
    first = await house.expunge(box, ((4, 5),))
    second = await house.expunge(box, ((1, 2),))
    vanished = mailboxes.vanished
    assert await vanished(reader, account, box, 0) == ([(1, 2), (4, 5)], True)
    assert await vanished(reader, account, box, first.modseq) == ([(1, 2)], True)
    assert await vanished(reader, account, box, second.modseq) == ([], True)
    await house.do(SweepTombstones(account=account, upto=second.modseq), Done)
    assert await vanished(reader, account, box, first.modseq) == ([], False)
    assert await vanished(reader, account, box, second.modseq) == ([], True)
    assert await vanished(reader, account + 9, box, 0) == ([], False)
