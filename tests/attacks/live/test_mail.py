"""The messages of `mime.txt` come in by SMTP and are read by IMAP; and some that are large.

While one is digested another connection's NOOP is answered within a second. What is stored is what was
sent, octet for octet; what IMAP says about it is of the grammar (``ImapClient`` checks).
"""

import asyncio
import hashlib
import itertools
import re

import pytest

from attacks.hostile_mail import Hostile, hostile_mail
from attacks.live.wire import raw
from support.imap_client import ImapClient, signed_in
from support.server import PASSWORD, Server
from support.smtp_pour import Letter, pour
from support.vital_signs import MIB, VitalSigns, lively

ADDRESS = "u9@example.test"
_count = itertools.count()


async def delivered(server: Server, octets: bytes, *, chunked: bool = False) -> None:
    letter = Letter(f"m{next(_count)}@sender.example", (ADDRESS,), octets, chunked=chunked)
    await pour(server.ports["smtp"], [letter], 1)


async def newest(client: ImapClient) -> bytes:
    """Select; the sequence number of the last message."""
    answer = await client.command(b"SELECT INBOX")
    exists = next(line for line in answer.untagged if line.endswith(b" EXISTS\r\n"))
    return exists.split(b" ")[1]


async def undone(server: Server, number: bytes, partial: bytes = b"") -> tuple[int, bytes] | None:
    """BINARY.SIZE and BINARY of a message's first part (RFC 3516); None: it cannot be undone."""
    async with raw(server.ports["imap"]) as wire:
        await wire.send(f'a LOGIN "{ADDRESS}" "{PASSWORD}"\r\nb EXAMINE INBOX\r\n'.encode())
        await wire.tagged(b"b")
        await wire.send(
            b"c FETCH %b (BINARY.SIZE[1] BINARY.PEEK[1]%b)\r\nd LOGOUT\r\n" % (number, partial)
        )
        heard = await wire.rest()
    assert b"\r\nd OK" in heard
    found = re.match(
        rb"\* \d+ FETCH \(BINARY.SIZE\[1\] (\d+) BINARY\[1\][^ ]* ~?\{(\d+)\}\r\n", heard
    )
    if found is None:
        assert b"NIL" in heard or b"c NO [UNKNOWN-CTE]" in heard, heard[:200]
        return None
    octets, rest = heard[found.end() :][: int(found[2])], heard[found.end() + int(found[2]) :]
    assert rest.startswith(b")\r\nc OK ")
    return int(found[1]), octets


@pytest.mark.parametrize("message", hostile_mail(), ids=str)
async def test_hostile_mail_is_filed_and_read(
    target: Server, signs: VitalSigns, message: Hostile
) -> None:
    octets = message.octets
    shown = octets.replace(b"\0", b"\x80")
    with lively(target):
        await delivered(target, octets, chunked=bool(next(_count) % 2))
        async with signed_in(target.ports["imap"], ADDRESS, PASSWORD) as client:
            number = await newest(client)
            items = b"UID RFC822.SIZE INTERNALDATE ENVELOPE BODYSTRUCTURE BODY BODY.PEEK[]"
            (one,) = (await client.command(b"FETCH %b (%b)" % (number, items))).fetched()
            whole = one.octets(b"BODY[]")
            assert whole.endswith(shown)
            assert len(whole) == one.number(b"RFC822.SIZE")
            items = b"BODY.PEEK[1] BODY.PEEK[1.MIME] BODY.PEEK[HEADER] BODY.PEEK[TEXT]"
            (one,) = (await client.command(b"FETCH %b (%b)" % (number, items))).fetched()
            assert one.octets(b"BODY[HEADER]") + one.octets(b"BODY[TEXT]") == whole
            first = one.items[b"BODY[1]"]  # NIL where there is no part at all
            assert first is None or (isinstance(first, bytes) and first in whole)
            items = b"BODY.PEEK[HEADER.FIELDS (SUBJECT FROM TO REFERENCES CONTENT-TYPE)]<0.9999>"
            await client.command(b"FETCH %b (%b)" % (number, items))
            await undone(target, number)
            keys = [b"SUBJECT", b"FROM", b"TO", b"HEADER References"]
            if message.parts < 1_000:  # each part is read apart: seconds for 10,000, in slices
                keys += [b"TEXT", b"BODY"]
            for key in keys:
                await client.command(b"SEARCH %b %b zyx" % (number, key))
            await client.command(b"SEARCH %b SENTSINCE 1-Jan-2000 UNSEEN" % number)
            await client.command(b"STORE %b +FLAGS (\\Deleted)" % number)
            await client.command(b"EXPUNGE")


async def test_fifty_megabytes_in_one_line(target: Server, signs: VitalSigns) -> None:
    sent = b"Subject: long\r\n\r\n" + b"a" * 49_000_000 + b"\r\n"
    with lively(target):
        await delivered(target, sent)
        signs.check(96 * MIB)
        async with signed_in(target.ports["imap"], ADDRESS, PASSWORD) as client:
            number = await newest(client)
            items = b"RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[]<0.100>"
            (one,) = (await client.command(b"FETCH %b (%b)" % (number, items))).fetched()
            size = one.number(b"RFC822.SIZE")
            assert size > len(sent)
            digest = hashlib.sha256()
            for start in range(0, size, 1_000_000):
                item = b"BODY.PEEK[]<%d.1000000>" % start
                (one,) = (await client.command(b"FETCH %b (%b)" % (number, item))).fetched()
                digest.update(
                    one.octets(b"BODY[]<%d>" % start)[size - len(sent) if not start else 0 :]
                )
            assert digest.digest() == hashlib.sha256(sent).digest()
            await client.command(b"SEARCH %b TEXT zyx" % number)
            await client.command(b"STORE %b +FLAGS (\\Deleted)" % number)
            await client.command(b"EXPUNGE")


async def test_thirty_megabytes_of_base64(target: Server, signs: VitalSigns) -> None:
    """Undone for BINARY and for a search, and never held whole."""
    line = b"QUJD" * 19 + b"\r\n"
    sent = b"Subject: b\r\nContent-Transfer-Encoding: base64\r\n\r\n" + line * 400_000
    with lively(target):
        await delivered(target, sent)
        async with signed_in(target.ports["imap"], ADDRESS, PASSWORD) as client:
            number = await newest(client)
            assert await undone(target, number, b"<22000000.1000>") == (
                57 * 400_000,
                (b"ABC" * 400)[1:1001],
            )
            answer = await client.command(b"SEARCH %b BODY ZZZ" % number)
            assert number not in b"".join(answer.untagged).split()
            await client.command(b"STORE %b +FLAGS (\\Deleted)" % number)
            await client.command(b"EXPUNGE")
    signs.check(96 * MIB)


async def test_many_large_at_once(target: Server, signs: VitalSigns) -> None:
    """Twelve messages of 8 MB that come in together: each is spooled, none held."""
    sent = b"Subject: large\r\n\r\n" + b"a line of some length\r\n" * 380_000
    letters = [Letter(f"l{n}@sender.example", (ADDRESS,), sent) for n in range(12)]
    with lively(target):
        pouring = asyncio.create_task(pour(target.ports["smtp"], letters, 12))
        most = 0
        while not pouring.done():
            most = max(most, await asyncio.to_thread(signs.grown))
            await asyncio.sleep(0.05)
        await pouring
    assert most <= 128 * MIB, f"{most / MIB:.0f} MiB"
    async with signed_in(target.ports["imap"], ADDRESS, PASSWORD) as client:
        number = await newest(client)
        first = int(number) - 11
        answer = await client.command(b"FETCH %d:%b (RFC822.SIZE)" % (first, number))
        assert all(one.number(b"RFC822.SIZE") > len(sent) for one in answer.fetched())
        await client.command(b"STORE %d:%b +FLAGS (\\Deleted)" % (first, number))
        await client.command(b"EXPUNGE")


async def test_a_message_for_a_thousand_recipients_ten_times_each(
    target: Server, signs: VitalSigns
) -> None:
    """One filing an account, whatever number of its addresses was named."""
    recipients = tuple(f"u{n % 4}+tag{n}@example.test" for n in range(1_000))
    letter = Letter("many@sender.example", recipients, b"Subject: many\r\n\r\nx\r\n")
    async with signed_in(target.ports["imap"], "u3@example.test", PASSWORD) as client:
        before = await newest(client)
        with lively(target):
            await pour(target.ports["smtp"], [letter], 1)
        assert int(await newest(client)) == int(before) + 1
