"""Growth: one FETCH and one delivery are as many statements in a large mailbox as in a small one.

How long they take is measured by ``malleposte bench``; a statement for each message, or for each
thousand, shows here first.
"""

from __future__ import annotations

from collections.abc import Awaitable

from malleposte.delivery.spool import rendered
from malleposte.mime import summarize
from malleposte.services.imapd.at_hand import AtHand
from malleposte.store import content
from malleposte.store.commands import AppendAll, Enclosed
from malleposte.store.dialect import TALLY
from malleposte.store.results import AppendedAll, Delivered
from support.imap_client import Answer
from support.store import deliver, inbox
from unit.services.imapd.harness import Served

SMALL, LARGE = 1_000, 20_000
PART = 500


async def filled(served: Served, count: int) -> tuple[int, str]:
    """An account with so many messages in INBOX; its id and address."""
    account, address = await served.account()
    for first in range(0, count, PART):
        texts = [
            b"Message-ID: <%d@%d.example>\r\nSubject: %d\r\n\r\nHello\r\n" % (n, count, n)
            for n in range(first, first + PART)
        ]
        part = tuple(
            Enclosed(
                content=content.in_rows(text),
                rendered=rendered(summarize(text)),
                received_at=1_790_000_000,
            )
            for text in texts
        )
        command = AppendAll(actor=account, mailbox=inbox(account), messages=part)
        result = await served.store.submit(command)
        assert isinstance(result, AppendedAll), result
    return account, address


async def counted(work: Awaitable[object]) -> tuple[int, object]:
    """Statements that something took, and what it gave."""
    before = TALLY.statements
    given = await work
    return TALLY.statements - before, given


async def statements(served: Served, count: int) -> dict[str, int]:
    """What each step took in a mailbox of so many messages, in the order of the steps."""
    account, address = await filled(served, count)
    client = await served.signed_in(address)
    took: dict[str, int] = {}

    async def step(name: str, work: Awaitable[object]) -> object:
        # Nothing that an earlier step read is at hand for the next.
        served.service.at_hand = AtHand()
        took[name], given = await counted(work)
        return given

    async def fetch(name: str, uid: int, items: bytes) -> None:
        answer = await step(name, client.command(b"UID FETCH %d (%b)" % (uid, items)))
        assert isinstance(answer, Answer)
        (row,) = answer.fetched()
        assert row.items[b"UID"] == uid

    # The view is read here, in slices: the one thing that may take more.
    await client.command(b"SELECT INBOX")
    await fetch("flags", count // 3, b"FLAGS")
    await fetch("list", count // 2, b"FLAGS INTERNALDATE RFC822.SIZE ENVELOPE")
    await fetch("body", count // 2 + 7, b"BODY.PEEK[]")
    await fetch("last", count, b"BODY.PEEK[]")
    filed = await step("delivery", served.store.submit(deliver(account)))
    assert isinstance(filed, Delivered)
    assert [one.refused for one in filed.filed] == [""]
    heard = await step("NOOP", client.command(b"NOOP"))
    assert isinstance(heard, Answer)
    assert b"* %d EXISTS\r\n" % (count + 1) in heard.untagged
    await fetch("delivered", count + 1, b"BODY.PEEK[]")
    await client.command(b"LOGOUT")
    return took


async def test_a_large_mailbox_takes_no_more_statements(served: Served) -> None:
    small = await statements(served, SMALL)
    assert small == await statements(served, LARGE)
    # Guards the count itself: what was counted did ask the store, and not once for each piece.
    assert all(0 < small[name] < 20 for name in ("list", "body", "last", "delivery", "NOOP")), small
