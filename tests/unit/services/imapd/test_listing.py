"""LIST, METADATA and quotas over many mailboxes: what each further one costs, and in which pieces."""

from __future__ import annotations

from typing import Any

import pytest

from malleposte.services.imapd import metadata, quotas
from malleposte.store.commands import CreateMailbox
from malleposte.store.dialect import Row, Sql
from support.imap_client import ImapClient, Literal
from unit.services.imapd.harness import Served

MANY = b"MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ SIZE DELETED DELETED-STORAGE"


async def made(served: Served, account: int, names: list[str]) -> None:
    for name in names:
        await served.store.submit(
            CreateMailbox(actor=account, account=account, parent=0, path=("more", name))
        )


@pytest.mark.parametrize(
    "command",
    [
        b'LIST "" *',
        b'LIST "" * RETURN (STATUS (%b))' % MANY,
        b'LIST (SUBSCRIBED RECURSIVEMATCH) "" % RETURN (STATUS (MESSAGES))',
        b'LIST "" * RETURN (METADATA (/private/comment /shared/comment /private/specialuse))',
        b'GETQUOTA ""',
    ],
)
async def test_more_mailboxes_are_no_more_statements(
    served: Served, monkeypatch: pytest.MonkeyPatch, command: bytes
) -> None:
    number, address = await served.account()
    client = await served.signed_in(address)
    said: list[str] = []
    reader = type(served.store.reader)
    for name in ("rows", "row"):
        whole = getattr(reader, name)

        async def counted(
            self: Any, sql: str | Sql, *parameters: Any, whole: Any = whole
        ) -> list[Row] | Row | None:
            said.append(str(sql))
            found: list[Row] | Row | None = await whole(self, sql, *parameters)
            return found

        monkeypatch.setattr(reader, name, counted)

    async def statements() -> int:
        await client.command(b"NOOP")
        said.clear()
        await client.command(command)
        return len([sql for sql in said if "data_version" not in sql and "account_head" not in sql])

    before = await statements()
    await made(served, number, [f"box {n}" for n in range(30)])
    assert await statements() == before


async def filled(client: ImapClient, mailbox: bytes, count: int) -> int:
    """A mailbox with messages of one size, every second one marked; that size."""
    message = b"Subject: x\r\n\r\n" + b"y" * 100
    for n in range(count):
        flags = rb"(\Deleted) " if n % 2 else b""
        await client.command(b"APPEND %b %b" % (mailbox, flags), Literal(message))
    return len(message)


async def test_what_is_marked_is_counted_in_slices(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large mailboxes one by one, small ones together: the sums are the same."""
    _, address = await served.account()
    client = await served.signed_in(address)
    size = await filled(client, b"INBOX", 5)
    await filled(client, b"Archive", 2)
    ask = b'LIST "" (INBOX Archive Sent) RETURN (STATUS (DELETED-STORAGE))'
    whole = (await client.command(ask)).untagged
    assert b'* STATUS "INBOX" (DELETED-STORAGE %d)\r\n' % (2 * size) in whole
    assert b'* STATUS "Archive" (DELETED-STORAGE %d)\r\n' % size in whole
    assert b'* STATUS "Sent" (DELETED-STORAGE 0)\r\n' in whole
    for at_once in (1, 2, 5):
        monkeypatch.setattr(quotas, "AT_ONCE", at_once)
        assert (await client.command(ask)).untagged == whole


async def test_many_values_come_in_several_responses(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer waits to be built whole; each response is one of its own (RFC 5464 §4.4.1)."""
    _, address = await served.account()
    client = await served.signed_in(address)
    monkeypatch.setattr(metadata, "AT_ONCE", 1000)
    names = [b"/private/x%d" % n for n in range(10)]
    for name in names:
        await client.command(b"SETMETADATA INBOX (" + name + b" ", Literal(b"v" * 400), b")")
    answer = await client.command(b"GETMETADATA (DEPTH infinity) INBOX /private")
    assert len(answer.untagged) == 4
    assert all(line.startswith(b'* METADATA "INBOX" (/private/x') for line in answer.untagged)
    for name in names:
        assert sum(line.count(name + b" ") for line in answer.untagged) == 1
