"""Uploads: kept for a day, bounded an account, swept, and never in the way of content that is used."""

from pathlib import Path
from typing import Any

from malleposte.store import content
from malleposte.store.commands import (
    UPLOAD_KEPT,
    UPLOAD_SAFE,
    DeleteAccount,
    PurgeAccount,
    PutUpload,
    SweepBlobs,
    SweepRecords,
)
from malleposte.store.read import emails, uploads
from malleposte.store.results import Done, Swept
from support.store import House, append, small


def put(account: int, number: int, data: bytes, **how: Any) -> PutUpload:
    """An upload, where ten of a thousand octets in all are taken."""
    found = {"most": 10, "most_octets": 1_000} | how
    return PutUpload(account=account, number=number, content=small(data), **found)


async def octets(house: House, account: int, number: int) -> bytes | None:
    stored = await uploads.upload(house.store.reader, account, number)
    if stored is None:
        return None
    pieces = emails.read(house.store.reader, house.store.blobs, stored, 0, stored.size)
    return b"".join([piece async for piece in pieces])


async def test_an_upload_is_read_by_its_account_alone(house: House) -> None:
    account, other = await house.account(), await house.account()
    await house.do(put(account, 5, b"hello"), Swept)
    assert await octets(house, account, 5) == b"hello"
    assert await octets(house, other, 5) is None
    assert await octets(house, account, 6) is None


async def test_it_goes_after_a_day(house: House) -> None:
    account = await house.account()
    await house.do(put(account, 1, b"hello"), Swept)
    house.clock.turn(UPLOAD_KEPT - 10)
    await house.do(SweepRecords(results_before=0, traces_before=0), Done)
    assert await octets(house, account, 1) == b"hello"
    house.clock.turn(20)
    await house.do(SweepRecords(results_before=0, traces_before=0), Done)
    assert await octets(house, account, 1) is None
    house.clock.turn(49 * 3600)
    assert (await house.do(SweepBlobs(), Swept)).count == 1


async def test_number_and_octets_are_bounded(house: House) -> None:
    account, other = await house.account(), await house.account()
    await house.do(put(account, 1, b"x" * 600), Swept)
    assert await house.refused(put(account, 2, b"y" * 401)) == "limit"
    assert await house.refused(put(account, 2, b"y", most=1)) == "limit"
    await house.do(put(other, 2, b"y" * 401), Swept)


async def test_the_oldest_make_room_once_they_are_an_hour_old(house: House) -> None:
    """RFC 8620 §6: never one that a client may be about to use."""
    account = await house.account()
    await house.do(put(account, 1, b"a" * 400), Swept)
    house.clock.turn(UPLOAD_SAFE + 5)
    await house.do(put(account, 2, b"b" * 400), Swept)
    assert (await house.do(put(account, 3, b"c" * 400), Swept)).count == 1
    assert await octets(house, account, 1) is None
    assert await octets(house, account, 2) == b"b" * 400
    assert await house.refused(put(account, 4, b"d" * 400)) == "limit"
    # What made room is not left to rest on the disk.
    assert await house.value("SELECT count(*) FROM blob") == 2


async def test_content_that_is_used_stays(house: House) -> None:
    account = await house.account()
    await house.do(put(account, 1, b"a" * 400), Swept)
    await house.append(account << 32 | 1, data=b"a" * 400)
    house.clock.turn(UPLOAD_SAFE + 5)
    await house.do(put(account, 2, b"b" * 900), Swept)
    assert await octets(house, account, 1) is None
    assert await house.bytes_of(account << 32 | 1) == b"a" * 400


async def test_the_same_content_again_takes_the_place_of_itself(house: House) -> None:
    """The content of what makes room must not go while it is brought anew."""
    account = await house.account()
    await house.do(put(account, 1, b"a" * 600), Swept)
    house.clock.turn(UPLOAD_SAFE + 5)
    await house.do(put(account, 2, b"a" * 600), Swept)
    assert await octets(house, account, 2) == b"a" * 600


async def test_an_upload_in_a_file(house: House, tmp_path: Path) -> None:
    account = await house.account()
    data = bytes(range(256)) * 2_000
    what, descriptor = content.in_file(memoryview(data), tmp_path)
    command = PutUpload(account=account, number=9, content=what, most=10, most_octets=1_000_000)
    with open(descriptor, "rb") as file:
        await house.do(command, Swept, fd=file.fileno())
    assert await octets(house, account, 9) == data


async def test_uploads_go_with_their_account(house: House) -> None:
    account = await house.account()
    await house.do(put(account, 1, b"a"), Swept)
    await house.do(append(account << 32 | 1), object)
    await house.do(DeleteAccount(account=account), Done)
    while (await house.do(PurgeAccount(account=account), Done)).more:
        pass
    assert await house.value("SELECT count(*) FROM upload") == 0


async def test_nobodys_upload(house: House) -> None:
    assert await house.refused(put(99, 1, b"a")) == "no-such-account"
