"""Administrators are told that a signing domain's mail leaves unsigned: in their language, once a day."""

import msgspec
import pytest

from malleposte.delivery.unsigned_notice import (
    MOST_WHY,
    UNSIGNED_JOB,
    Unsigned,
    UnsignedAlert,
    UnsignedNotices,
)
from malleposte.directory.book import Book
from malleposte.store.commands import CreateAccount
from malleposte.store.results import Created, LeasedJob
from support.store import House
from unit.delivery.test_held_notice import mail

DAY = 86_400
NOW = 1_790_000_000
WHY = "there is no TXT record at 20270131-rsa._domainkey.example.org"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return float(self.now)


@pytest.fixture
async def people(house: House) -> dict[str, int]:
    """By name; an owner who reads French, an administrator, somebody else."""
    found = {}
    for name, role, locale in (
        ("owner", "owner", "fr"),
        ("root", "administrator", "en"),
        ("ada", "", "en"),
    ):
        command = CreateAccount(
            address=f"{name}@example.org", name="", password_hash="", role=role, locale=locale
        )
        found[name] = (await house.do(command, Created)).id
    return found


async def test_a_message_that_leaves_unsigned_is_told_of_once_a_day(house: House) -> None:
    clock = Clock()
    alert, other_worker = (UnsignedAlert(house.store, clock=clock) for _ in range(2))
    for one in (alert, other_worker, alert):
        one.told("example.org", WHY)
        one.told("example.net", "x" * 5_000)
        await one.settled()
    rows = await house.rows("SELECT key, payload, run_at FROM job WHERE kind = $1", UNSIGNED_JOB)
    found = {key: msgspec.msgpack.decode(payload, type=Unsigned) for key, payload, _ in rows}
    day = NOW // DAY
    assert found == {
        f"example.org:{day}": Unsigned("example.org", WHY, NOW),
        f"example.net:{day}": Unsigned("example.net", "x" * MOST_WHY, NOW),
    }
    clock.now += DAY
    alert.told("example.org", WHY)
    await alert.settled()
    assert await house.value("SELECT count(*) FROM job WHERE kind = $1", UNSIGNED_JOB) == 3


async def test_administrators_get_a_letter_in_their_language(
    house: House, people: dict[str, int]
) -> None:
    notices = UnsignedNotices(house.store, Book(house.store), "mail.example.org")
    payload = msgspec.msgpack.encode(Unsigned("example.org", WHY, NOW))
    job = LeasedJob(
        id=1, kind=UNSIGNED_JOB, key="example.org:1", payload=payload, epoch=1, attempts=1
    )
    await notices.run(job)
    # Another worker was told some minutes later.
    later = msgspec.msgpack.encode(Unsigned("example.org", "something else", NOW + 300))
    await notices.run(msgspec.structs.replace(job, payload=later))
    (letter,) = await mail(house.store, people["root"])
    assert letter["Subject"] == "Mail of example.org leaves unsigned"
    assert letter["Auto-Submitted"] == "auto-generated"
    text = letter.get_content()
    assert WHY in " ".join(text.split())
    assert "    malleposte dns example.org --check\r\n" in text
    (letter,) = await mail(house.store, people["owner"])
    assert letter["Subject"] == "Le courrier de example.org part sans signature"
    assert await mail(house.store, people["ada"]) == []
    trace = await house.value("SELECT count(*) FROM trace WHERE message_id LIKE 'unsigned.%'")
    assert trace == 2


async def test_a_domain_that_is_gone_is_nobodys(house: House, people: dict[str, int]) -> None:
    notices = UnsignedNotices(house.store, Book(house.store), "mail.example.org")
    payload = msgspec.msgpack.encode(Unsigned("example.com", WHY, NOW))
    job = LeasedJob(id=1, kind=UNSIGNED_JOB, key="k", payload=payload, epoch=1, attempts=1)
    await notices.run(job)
    assert await mail(house.store, people["root"]) == []
