"""Emails read by number: in order, whatever mailbox holds them, within bounds."""

import os
from array import array

import msgspec

from malleposte.store import content
from malleposte.store.commands import Append
from malleposte.store.ids import LOW
from malleposte.store.read import emails
from malleposte.store.results import Appended
from support.store import House, inbox, rendered


async def _filled(house: House, count: int = 8, **columns: object) -> tuple[int, list[int]]:
    """An account, and the numbers of emails in its INBOX."""
    account = await house.account()
    numbers = []
    for n in range(count):
        about = msgspec.structs.replace(
            rendered(subject=f"subject {n}", message_id=f"{n}@example.com"), **columns
        )
        filed = await house.append(inbox(account), about=about, data=b"content %d" % n)
        numbers.append(filed.email & LOW)
    return account, numbers


async def test_columns_in_the_order_of_numbers(house: House) -> None:
    account, numbers = await _filled(house)
    rows = await emails.columns_of(
        house.store.reader, account, array("I", numbers), ("w.subject", "e.size")
    )
    assert rows == [(number, f"subject {n}", 9) for n, number in enumerate(numbers)]
    some = [numbers[5], numbers[1], 9_999]
    rows = await emails.columns_of(house.store.reader, account, some, ("w.subject",))
    assert rows == [(numbers[1], "subject 1"), (numbers[5], "subject 5")]


async def test_those_only_recoverable_come_as_well(house: House) -> None:
    account, numbers = await _filled(house, 2)
    await house.expunge(inbox(account))
    reader = house.store.reader
    assert len(await emails.columns_of(reader, account, numbers, ("w.subject",))) == 2
    assert len(await emails.stored_of(reader, account, numbers)) == 2


async def test_long_columns_are_named_and_left_out(house: House) -> None:
    account, numbers = await _filled(house, 3)
    about = msgspec.structs.replace(rendered(), envelope=b"e" * 900, bodystructure=b"b" * 200)
    filed = await house.append(inbox(account), about=about)
    numbers.append(filed.email & LOW)
    wanted = ("w.envelope", "w.bodystructure", "w.envelope_utf8", "e.size")
    for asked in (numbers, [numbers[0], numbers[3]]):
        rows = await emails.short_columns_of(
            house.store.reader, account, array("I", asked), wanted, 1_000
        )
        assert rows[0][1:] == (b"envelope", b"bodystructure", None, 9, 0)
        assert rows[-1][0] == numbers[3]
        assert rows[-1][1:4] == (None, None, None)
        assert rows[-1][-1] == 1
        assert len(rows) == len(asked)


async def test_texts_that_may_hold_a_part(house: House) -> None:
    account = await house.account()
    numbers = []
    for subject in ("An Apple", "pear", "Äpfel", "100%", "x" * 50):
        filed = await house.append(inbox(account), about=rendered(subject=subject))
        numbers.append(filed.email & LOW)
    reader = house.store.reader

    async def found(part: str, asked: list[int]) -> set[int]:
        rows = await emails.texts_of(reader, account, asked, "w.subject", part, 40)
        return {numbers.index(number) for number, _ in rows}

    # What is not ASCII, or long, is left to who asks.
    assert await found("APPLE", numbers) == {0, 2, 4}
    assert await found("0%", numbers) == {2, 3, 4}
    assert await found("p_a", numbers) == {2, 4}
    apart = [numbers[0], numbers[1], numbers[4] + 50]
    assert await found("apple", apart) == {0}
    assert await emails.texts_of(reader, account, [], "w.subject", "x", 40) == []
    rows = await emails.texts_of(reader, account, numbers, "w.message_id", "zzz", 40)
    assert len(rows) == 5  # NULL


async def test_a_first_frame_comes_along_where_it_is_small(house: House) -> None:
    account, numbers = await _filled(house, 2, structure=b"s" * (emails.SMALL + 1))
    reader = house.store.reader
    stored = await emails.stored_of(reader, account, numbers)
    assert [row.email & LOW for row in stored] == numbers
    assert all(row.first is not None and row.structure == b"" for row in stored)
    (one,) = await emails.stored_of(reader, account, [numbers[1]])
    assert one == stored[1]
    noise = os.urandom(emails.SMALL + 100)
    result = await house.store.submit(
        Append(
            actor=account,
            mailbox=inbox(account),
            content=content.in_rows(noise),
            rendered=rendered(),
            received_at=0,
        )
    )
    assert isinstance(result, Appended)
    (large,) = await emails.stored_of(reader, account, [result.email & LOW])
    assert large.first is None
    assert await house.bytes_of(result.email) == noise
