"""QRESYNC where it is hard: tombstones swept, ghosts not told yet, and a client's own proof."""

from __future__ import annotations

import re

from malleposte.store.commands import SweepTombstones
from support.imap_client import Answer, ImapClient, Literal
from support.store import inbox
from unit.services.imapd.harness import Served


async def _filled(served: Served, address: str) -> tuple[ImapClient, int, int]:
    """Eight messages, one session; UIDVALIDITY and the modseq then."""
    client = await served.signed_in(address)
    for n in range(8):
        await client.command(b"APPEND INBOX ", Literal(b"Subject: %d\r\n\r\n" % n))
    await client.command(b"ENABLE QRESYNC")
    answer = await client.command(b"SELECT INBOX")
    return client, int(answer.code(b"UIDVALIDITY")[0]), int(answer.code(b"HIGHESTMODSEQ")[0])


def _earlier(answer: Answer) -> bytes:
    found = [
        match[1]
        for line in answer.untagged
        if (match := re.fullmatch(rb"\* VANISHED \(EARLIER\) (.*)\r\n", line))
    ]
    assert len(found) <= 1
    return found[0] if found else b""


async def _remove(served: Served, address: str, uids: bytes) -> None:
    other = await served.signed_in(address)
    await other.command(b"SELECT INBOX")
    await other.command(b"UID STORE %b +FLAGS.SILENT (\\Deleted)" % uids)
    await other.command(b"UID EXPUNGE %b" % uids)


async def test_without_tombstones_every_uid_that_is_not_there_is_gone(served: Served) -> None:
    number, address = await served.account()
    client, validity, modseq = await _filled(served, address)
    await client.command(b"UNSELECT")
    await _remove(served, address, b"2,5:6")
    await _forget_tombstones(served, number)
    answer = await client.command(b"SELECT INBOX (QRESYNC (%d %d))" % (validity, modseq))
    assert _earlier(answer) == b"2,5:6"
    answer = await client.command(b"SELECT INBOX (QRESYNC (%d %d 1:5))" % (validity, modseq))
    assert _earlier(answer) == b"2,5"
    # The client proves that up to number 3 nothing is missing: UIDs 1, 3, 4 are 1, 2, 3 (§3.2.5.2).
    answer = await client.command(
        b"SELECT INBOX (QRESYNC (%d %d 1:8 (1:3 1,3:4)))" % (validity, modseq)
    )
    assert _earlier(answer) == b"5:6"
    # Numbers that do not agree prove nothing.
    answer = await client.command(
        b"SELECT INBOX (QRESYNC (%d %d 1:8 (2,4 2,4)))" % (validity, modseq)
    )
    assert _earlier(answer) == b"2,5:6"


async def _forget_tombstones(served: Served, number: int) -> None:
    reader = served.store.reader
    head = await reader.row("SELECT modseq FROM account_head WHERE account = $1", number)
    assert head is not None
    await served.store.submit(SweepTombstones(account=number, upto=head[0]))
    row = await reader.row(
        "SELECT count(*) FROM tombstone WHERE account = $1 AND container = $2",
        number,
        inbox(number),
    )
    assert row == (0,)


async def test_what_the_client_still_counts_is_not_earlier(served: Served) -> None:
    _, address = await served.account()
    client, _, modseq = await _filled(served, address)
    await _remove(served, address, b"7:8")
    answer = await client.command(b"UID FETCH 1:* (UID) (CHANGEDSINCE %d VANISHED)" % modseq)
    # The session counts eight; it is told by VANISHED alone, once.
    assert [line for line in answer.untagged if b"VANISHED" in line] == [b"* VANISHED 7:8\r\n"]
    answer = await client.command(b"UID FETCH 1:* (UID) (CHANGEDSINCE %d VANISHED)" % modseq)
    assert _earlier(answer) == b"7:8"


async def test_nothing_changed_nothing_is_told(served: Served) -> None:
    _, address = await served.account()
    client, validity, modseq = await _filled(served, address)
    answer = await client.command(b"SELECT INBOX (QRESYNC (%d %d))" % (validity, modseq))
    assert not answer.fetched()
    assert _earlier(answer) == b""
    answer = await client.command(b"SELECT INBOX (QRESYNC (%d %d))" % (validity, modseq + 999))
    assert not answer.fetched()
