"""All the real mail goes in by SMTP at 32 connections and comes back byte for byte by IMAP.

On SQLite and on PostgreSQL. u1 gets every message, u2 every eighth of them in the same transaction, so
that content kept once is read with two prefixes. The envelope sender numbers the message.
"""

import asyncio
import re
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from malleposte.store.fsck import check
from support import corpora, postgres
from support.imap_answers import Fetched
from support.imap_client import ImapClient, Literal, signed_in
from support.server import PASSWORD, Server
from support.smtp_pour import Letter, pour
from support.store import Place

CONNECTIONS = 32
PAGE = 500
_PREFIX = re.compile(
    rb"Return-Path: <m(\d+)@sender\.example>\r\n"
    rb"Delivered-To: u\d@example\.test\r\n"
    rb"Received: from pour\.example \(\[127\.0\.0\.1\]\)\r\n"
    rb"(?:\t[^\r\n]+\r\n)+"
)


@dataclass(slots=True)
class Filled:
    """A running server with the corpus in it."""

    server: Server
    messages: tuple[bytes, ...]


def start(folder: Path, dsn: str = "") -> Server:
    server = Server(folder, dsn)
    asyncio.run(server.prepare(6))
    server.start()
    return server


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Filled]:
    messages = corpora.mail()
    folder = tmp_path_factory.mktemp("corpus")
    database: postgres.Server | None = None
    dsn = ""
    if request.param == "postgres":
        database = request.getfixturevalue("postgres_server")
        dsn = asyncio.run(database.database())
    server = start(folder, dsn)
    try:
        letters = [
            Letter(
                f"m{number}@sender.example",
                ("u1@example.test", "u2@example.test")[: 1 + (number % 8 == 0)],
                octets,
            )
            for number, octets in enumerate(messages)
        ]
        asyncio.run(pour(server.ports["smtp"], letters, CONNECTIONS))
        yield Filled(server, messages)
    finally:
        server.end()
        if database is not None:
            asyncio.run(database.drop(dsn))


def client_of(server: Server, account: str) -> AbstractAsyncContextManager[ImapClient]:
    return signed_in(server.ports["imap"], f"{account}@example.test", PASSWORD)


async def pages(client: ImapClient, total: int, items: bytes) -> list[Fetched]:
    """FETCH of a whole mailbox, some hundred messages a command."""
    found: list[Fetched] = []
    for first in range(1, total + 1, PAGE):
        answer = await client.command(
            b"FETCH %d:%d (%b)" % (first, min(first + PAGE - 1, total), items)
        )
        found += answer.fetched()
    return found


def own(octets: bytes) -> tuple[int, bytes]:
    """The number of a delivered message, and what was sent."""
    prefix = _PREFIX.match(octets)
    assert prefix is not None, octets[:400]
    return int(prefix[1]), octets[prefix.end() :]


@pytest.mark.parametrize(("account", "every"), [("u1", 1), ("u2", 8)])
async def test_every_message_comes_back_byte_for_byte(
    filled: Filled, account: str, every: int
) -> None:
    total = len(range(0, len(filled.messages), every))
    async with client_of(filled.server, account) as client:
        answer = await client.command(b"SELECT INBOX")
        assert b"* %d EXISTS\r\n" % total in answer.untagged
        found = await pages(client, total, b"UID RFC822.SIZE BODY.PEEK[]")
        assert [one.seq for one in found] == list(range(1, total + 1))
        assert [one.number(b"UID") for one in found] == list(range(1, total + 1)), (
            "gaps in the UIDs"
        )
        missing = set(range(0, len(filled.messages), every))
        for one in found:
            octets = one.octets(b"BODY[]")
            assert one.number(b"RFC822.SIZE") == len(octets)
            number, sent = own(octets)
            assert sent == filled.messages[number], f"message {number} came back changed"
            missing.remove(number)  # KeyError: filed twice
        assert not missing


async def test_header_and_text_make_the_whole(filled: Filled) -> None:
    async with client_of(filled.server, "u1") as client:
        await client.command(b"EXAMINE INBOX")
        items = b"BODY.PEEK[HEADER] BODY.PEEK[TEXT] BODY.PEEK[] RFC822.SIZE"
        for one in await pages(client, len(filled.messages), items):
            whole = one.octets(b"BODY[]")
            assert one.octets(b"BODY[HEADER]") + one.octets(b"BODY[TEXT]") == whole
            assert one.octets(b"BODY[HEADER]").endswith(b"\r\n")
            assert len(whole) == one.number(b"RFC822.SIZE")


async def test_every_envelope_and_body_structure_is_of_the_grammar(filled: Filled) -> None:
    """``fetched`` checks each (``support.imap_answers``)."""
    total = len(filled.messages)
    async with client_of(filled.server, "u1") as client:
        await client.command(b"EXAMINE INBOX")
        items = b"UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY"
        found = await pages(client, total, items)
        assert len(found) == total
        for one in found:
            assert one.octets(b"ENVELOPE")
            assert one.octets(b"BODYSTRUCTURE")


async def test_a_part_is_where_the_body_structure_says(filled: Filled) -> None:
    """BODY[1] of each message, its MIME header before it, lies in the message as it was sent."""
    async with client_of(filled.server, "u2") as client:
        await client.command(b"EXAMINE INBOX")
        total = len(range(0, len(filled.messages), 8))
        items = b"BODY.PEEK[1] BODY.PEEK[1.MIME] BODY.PEEK[TEXT] BODY.PEEK[]<0.100>"
        for one in await pages(client, total, items):
            assert one.octets(b"BODY[1]") in one.octets(b"BODY[TEXT]")
            assert len(one.octets(b"BODY[]<0>")) == 100


async def test_the_shapes_go_through_smtp_and_append(filled: Filled) -> None:
    """Messages in every charset and shape, by DATA, by BDAT and by APPEND."""
    shapes = corpora.shapes()
    letters = [
        Letter(f"m{number}@sender.example", ("u3@example.test",), octets, chunked=number % 2 == 1)
        for number, octets in enumerate(shapes)
    ]
    await pour(filled.server.ports["smtp"], letters, 4)
    async with client_of(filled.server, "u3") as client:
        await client.command(b"SELECT INBOX")
        for one in await pages(client, len(shapes), b"UID BODY.PEEK[] RFC822.SIZE"):
            octets = one.octets(b"BODY[]")
            assert len(octets) == one.number(b"RFC822.SIZE")
            number, sent = own(octets)
            # NUL is stored as received and shown as 0x80 (design, §3).
            assert sent == shapes[number].replace(b"\0", b"\x80")
        for uid, octets in enumerate(shapes, 1):
            # A NUL is no CHAR8 (RFC 9051 §9), but refusing it would stop whoever moves house.
            answer = await client.command(b"APPEND Archive (\\Seen) ", Literal(octets))
            assert int(answer.code(b"APPENDUID")[1]) == uid
        await client.command(b"SELECT Archive")
        items = b"UID FLAGS BODY.PEEK[] RFC822.SIZE ENVELOPE BODYSTRUCTURE"
        for one, octets in zip(await pages(client, len(shapes), items), shapes, strict=True):
            assert one.octets(b"BODY[]") == octets.replace(b"\0", b"\x80")
            assert one.number(b"RFC822.SIZE") == len(octets)
            assert b"\\Seen" in one.flags


async def test_the_store_is_sound_afterwards(filled: Filled) -> None:
    """Last: the server is stopped for it."""
    filled.server.stop()
    place = Place(filled.server.data, filled.server.dsn)
    async with place.open() as store:
        findings = [one async for one in check(store.reader, store.blobs, deep=True)]
    filled.server.start()
    assert findings == []
