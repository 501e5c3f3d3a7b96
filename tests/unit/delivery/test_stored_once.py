"""A message to very many, here and elsewhere, is one content: counted in rows, and in octets on disk."""

import asyncio
import base64
import random

import pytest

from malleposte.store.commands import (
    CreateAccount,
    GroupEntry,
    PutGroup,
    SetDomain,
    SetForward,
    SetMembers,
)
from support.store import House
from unit.delivery.post import Post, inside

MANY = 1_000
STAFF = "staff@example.org"
ROW = 3_000
"""Octets that a recipient may cost in rows and indexes: what was rendered, prefix, membership, queue."""


def incompressible(octets: int) -> bytes:
    """A message that no compression makes small; below what is kept as a file of its own."""
    text = base64.encodebytes(random.Random(7).randbytes(octets * 3 // 4))
    return (
        b"From: Ada <ada@example.org>\r\nSubject: to all\r\nMessage-ID: <1@x>\r\n\r\n"
        + text.replace(b"\n", b"\r\n")
    )


async def on_disk(house: House) -> int:
    """Octets that the store has, with its log."""
    if house.place.dsn:
        return int(await house.value("SELECT pg_database_size(current_database())"))
    return sum(file.stat().st_size for file in house.place.folder.rglob("*") if file.is_file())


@pytest.fixture
async def post(house: House) -> Post:
    """The group staff: a thousand accounts here, a thousand addresses elsewhere."""
    post = Post(house)
    names = ["ada", *(f"m{n}" for n in range(1, MANY))]
    await asyncio.gather(
        *(
            post.do(CreateAccount(address=f"{name}@example.org", name="", password_hash=""))
            for name in names
        )
    )
    await post.do(
        SetDomain(name="example.org", forwarding="anywhere"),
        PutGroup(address=STAFF, fresh=True, name="Staff", senders="anyone"),
    )
    accounts = [row[0] for row in await house.rows("SELECT id FROM account ORDER BY id")]
    assert len(accounts) == MANY
    for start in range(0, MANY, 250):
        here = tuple(GroupEntry(account=number) for number in accounts[start : start + 250])
        there = tuple(
            GroupEntry(address=f"u{n}@far{n % 97}.example") for n in range(start, start + 250)
        )
        await post.do(SetMembers(address=STAFF, entries=here + there))
    return post


async def test_a_message_to_a_thousand_here_and_a_thousand_elsewhere_is_stored_once(
    post: Post,
) -> None:
    """Written to a group, then to each of them by name; some of those forward."""
    body = incompressible(200_000)
    before = await on_disk(post.house)
    ada = await post.house.value("SELECT id FROM account WHERE address = 'ada@example.org'")
    ours = {"sender": "ada@example.org", "origin": inside(ada)}
    assert await post.send(STAFF, body=body, **ours) == [250]  # type: ignore[arg-type]
    assert len(await post.filed()) == MANY
    assert len(await post.to()) == MANY
    assert await post.blobs() == 1
    rows = await post.house.rows("SELECT DISTINCT blob FROM email")
    assert await post.house.rows("SELECT DISTINCT blob FROM queue_message") == rows
    assert await post.house.value("SELECT count(*) FROM queue_message") == 1
    kept = await post.house.value("SELECT sum(length(data)) FROM blob_frame")
    assert 0.9 * len(body) * 3 / 4 < kept < len(body)
    # A copy each would be 400 MB. SQLite has what is new in its log, too.
    grown = await on_disk(post.house) - before
    assert grown < 2 * (len(body) + 2 * MANY * ROW), grown

    for n in range(1, 6):
        number = await post.house.value(
            "SELECT id FROM account WHERE address = $1", f"m{n}@example.org"
        )
        await post.do(SetForward(account=number, addresses=(f"f{n}@home.example",)))
    here = [f"m{n}@example.org" for n in range(1, MANY // 2)]
    there = [f"u{n}@far{n % 97}.example" for n in range(MANY // 2)]
    codes = await post.send(*here, *there, body=body + b"2\r\n", **ours)  # type: ignore[arg-type]
    assert set(codes) == {250}
    assert len(await post.filed()) == MANY + len(here)
    assert len(await post.to()) == MANY + len(there) + 5
    assert await post.blobs() == 2
    assert await post.house.value("SELECT count(*) FROM queue_message") == 1 + 1 + 5
    assert await post.house.value("SELECT count(DISTINCT blob) FROM queue_message") == 2
