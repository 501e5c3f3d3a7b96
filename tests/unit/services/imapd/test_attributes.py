"""OBJECTID, PREVIEW and SAVEDATE where several sessions or databases come in."""

from __future__ import annotations

import re

from malleposte.store.commands import SYSTEM, Expunge
from support.imap_client import Literal
from support.store import inbox
from unit.services.imapd.harness import Served


async def test_a_message_that_left_the_mailbox_was_never_saved_there(served: Served) -> None:
    """SAVEDATE is the membership's (RFC 8514 §4); EMAILID and PREVIEW stay the email's."""
    number, address = await served.account()
    client = await served.signed_in(address)
    await client.command(b"APPEND INBOX ", Literal(b"Subject: a\r\n\r\nHello there\r\n"))
    await client.command(b"APPEND INBOX ", Literal(b"Subject: b\r\n\r\nHello again\r\n"))
    await client.command(b"SELECT INBOX")
    (before, _) = (await client.command(b"FETCH 1:2 (EMAILID SAVEDATE PREVIEW)")).fetched()
    assert before.items[b"SAVEDATE"] is not None
    await served.store.submit(
        Expunge(
            actor=SYSTEM,
            mailbox=inbox(number),
            uids=((1, 1),),
            marked=False,
            recoverable_until=1 << 40,
        )
    )
    gone, there = (await client.command(b"FETCH 1:2 (EMAILID SAVEDATE PREVIEW)")).fetched()
    assert gone.items == {**before.items, b"SAVEDATE": None}
    assert there.items[b"SAVEDATE"] is not None
    assert there.items[b"PREVIEW"] == b"Hello again"


async def test_a_twin_in_the_same_mailbox_is_an_email_of_its_own(served: Served) -> None:
    """JMAP shows an Email once a mailbox: a copy beside the original has another id (RFC 8474 §5.1
    would rather have the same)."""
    _, address = await served.account()
    client = await served.signed_in(address)
    await client.command(b"APPEND INBOX ", Literal(b"Subject: a\r\n\r\nHello\r\n"))
    await client.command(b"SELECT INBOX")
    await client.command(b"COPY 1 INBOX")
    one, two = (await client.command(b"FETCH 1:2 (EMAILID THREADID)")).fetched()
    assert one.items[b"EMAILID"] != two.items[b"EMAILID"]
    assert one.items[b"THREADID"] == two.items[b"THREADID"]


async def test_ids_of_two_accounts_never_meet(served: Served) -> None:
    """RFC 8474 §4: the same for all who look, so another account's must differ."""
    seen: set[bytes] = set()
    for _ in range(2):
        _, address = await served.account()
        client = await served.signed_in(address)
        await client.command(b"APPEND INBOX ", Literal(b"Subject: a\r\n\r\nHello\r\n"))
        selected = await client.command(b"SELECT INBOX")
        (row,) = (await client.command(b"FETCH 1 (EMAILID THREADID)")).fetched()
        texts = [row.octets(b"EMAILID"), row.octets(b"THREADID"), *selected.code(b"MAILBOXID")]
        assert all(re.fullmatch(rb"\(?[EMT][0-9a-f]+\)?", text) for text in texts), texts
        assert seen.isdisjoint(texts)
        seen.update(texts)
