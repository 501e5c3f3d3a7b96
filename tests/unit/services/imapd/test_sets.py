"""Sets of UIDs as some programs send them: every single one, with gaps, in one command."""

from __future__ import annotations

import pytest

from support.imap_client import ImapClient, Refused
from unit.services.imapd.filled import BEFORE, fill
from unit.services.imapd.harness import Served

COUNT = 300
MANY = 20_000
ODD = b",".join(b"%d" % uid for uid in range(1, 2 * MANY, 2))
THERE = [uid for uid in range(BEFORE + 1, BEFORE + COUNT + 1) if uid % 2]


@pytest.fixture
async def client(served: Served) -> ImapClient:
    number, address = await served.account()
    await fill(served, number, address, COUNT)
    client = await served.signed_in(address)
    await client.command(b"SELECT INBOX")
    return client


async def test_twenty_thousand_single_uids(client: ImapClient) -> None:
    """Apple Mail names them all, unsplit: 120 KB. What is not there is passed over."""
    answer = await client.command(b"UID FETCH " + ODD + b" (UID FLAGS)")
    assert [row.number(b"UID") for row in answer.fetched()] == THERE
    answer = await client.command(b"UID STORE " + ODD + b" +FLAGS.SILENT ($Forwarded)")
    assert answer.untagged == []
    answer = await client.command(b"UID SEARCH UID " + ODD + b" KEYWORD $Forwarded")
    assert [int(uid) for uid in answer.untagged[0].split()[2:]] == THERE
    answer = await client.command(b"UID COPY " + ODD + b" Archive")
    _, source, _ = answer.code(b"COPYUID")
    assert source == b",".join(b"%d" % uid for uid in THERE)
    answer = await client.command(b"UID MOVE " + ODD + b" Trash")
    gone = [line for line in answer.untagged if line.endswith(b"EXPUNGE\r\n")]
    assert len(gone) == len(THERE)
    left = (await client.command(b"UID SEARCH ALL")).untagged[0].split()[2:]
    assert [int(uid) for uid in left] == [
        uid for uid in range(BEFORE + 1, BEFORE + COUNT + 1) if not uid % 2
    ]


async def test_more_than_a_set_may_hold_is_refused_with_words(client: ImapClient) -> None:
    """And the connection goes on: the client can split it."""
    for many in (ODD + b",50001", b",".join([b"1"] * 40_000)):
        with pytest.raises(Refused, match=r"^(NO|BAD) .*set"):
            await client.command(b"UID FETCH " + many + b" (FLAGS)")
    with pytest.raises(Refused, match=r"^BAD .*A command may hold 262144 octets"):
        await client.command(b"UID FETCH " + b"1:2," * 70_000 + b"9 (FLAGS)")
    await client.command(b"NOOP")
