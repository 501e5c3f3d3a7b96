"""Messages and mailboxes that go away under a session."""

from __future__ import annotations

import pytest

from malleposte.store.commands import (
    SYSTEM,
    AnyCommand,
    Expunge,
    PurgeRecoverable,
    RenewUidValidity,
    StoreFlags,
)
from malleposte.store.read import mailboxes
from malleposte.store.results import AnyResult
from support.imap_client import ImapClient, Literal, Lost, Refused
from support.store import inbox
from unit.services.imapd.harness import Served


async def _filled(served: Served) -> tuple[int, str, ImapClient]:
    number, address = await served.account()
    client = await served.signed_in(address)
    for n in range(3):
        await client.command(b"APPEND INBOX ", Literal(b"Subject: %d\r\n\r\nbody\r\n" % n))
    await client.command(b"SELECT INBOX")
    return number, address, client


async def _expunge_for_good(served: Served, number: int, uid: int) -> None:
    await served.store.submit(
        Expunge(
            actor=SYSTEM,
            mailbox=inbox(number),
            uids=((uid, uid),),
            marked=False,
            recoverable_until=1,
        )
    )
    await served.store.submit(PurgeRecoverable())


@pytest.mark.parametrize(
    ("items", "left"),
    [
        (b"BODY.PEEK[]", [2, 3]),
        (b"(UID ENVELOPE)", [2, 3]),
        (b"(FLAGS RFC822.SIZE)", [2, 3]),
        (b"(UID FLAGS)", [1, 2, 3]),
    ],
)
async def test_what_is_gone_for_good_cannot_be_shown(
    served: Served, items: bytes, left: list[int]
) -> None:
    """RFC 2180 §4.1.2: the rest is sent, and NO tells that something was missing."""
    number, _, client = await _filled(served)
    await _expunge_for_good(served, number, 1)
    tag = client.send(b"FETCH 1:3 " + items)
    seen = []
    while not (response := await client.response()).startswith(tag):
        seen.append(int(response.split()[1]))
    assert seen == left
    assert response.startswith(tag + (b" OK" if left == [1, 2, 3] else b" NO [EXPUNGEISSUED]"))
    answer = await client.command(b"NOOP")
    assert answer.untagged == [b"* 1 EXPUNGE\r\n"]


async def test_one_that_is_gone_for_good_alone(served: Served) -> None:
    number, _, client = await _filled(served)
    await _expunge_for_good(served, number, 2)
    with pytest.raises(Refused, match="EXPUNGEISSUED"):
        await client.command(b"FETCH 2 BODY.PEEK[]")
    answer = await client.command(b"SEARCH TEXT body")
    assert answer.untagged == [b"* SEARCH 1 3\r\n"]


async def test_a_message_that_goes_while_its_flags_are_stored(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 2180 §4.2.3: what was stored is told; OK would mean that nothing was missing."""
    number, _, client = await _filled(served)
    store = served.store
    submit = store.submit

    async def after_another(command: AnyCommand, fd: int | None = None) -> AnyResult:
        if isinstance(command, StoreFlags):
            monkeypatch.undo()
            await _expunge_for_good(served, number, 2)
        return await submit(command, fd)

    monkeypatch.setattr(type(store), "submit", staticmethod(after_another))
    tag = client.send(b"STORE 1:3 +FLAGS (\\Seen)")
    told = [await client.response() for _ in range(3)]
    assert told[0].startswith(b"* 1 FETCH (FLAGS (\\Recent \\Seen")
    assert told[1].startswith(b"* 3 FETCH (FLAGS (\\Recent \\Seen")
    assert told[2].startswith(tag + b" NO [EXPUNGEISSUED]")
    answer = await client.command(b"NOOP")
    assert answer.untagged == [b"* 2 EXPUNGE\r\n"]


async def test_uids_that_became_invalid_end_the_session(served: Served) -> None:
    """After a restore UIDs mean other messages: a client that went on would act on the wrong ones."""
    number, address, client = await _filled(served)
    answer = await client.command(b"STATUS INBOX (UIDVALIDITY)")
    idling = await served.signed_in(address)
    await idling.command(b"SELECT INBOX")
    idling.send(b"IDLE")
    await idling.response()
    await served.store.submit(RenewUidValidity(account=number))
    served.hub.hint(number)
    assert (await idling.response()).startswith(b"* BYE")
    with pytest.raises(Lost, match="BYE"):
        await client.command(b"UID STORE 1 +FLAGS (\\Deleted)")
    client = await served.signed_in(address)
    again = await client.command(b"STATUS INBOX (UIDVALIDITY)")
    assert again.untagged != answer.untagged
    answer = await client.command(b"SELECT INBOX")
    assert b"* 3 EXISTS\r\n" in answer.untagged
    assert (await client.command(b"FETCH 1:3 FLAGS")).untagged == [
        b"* %d FETCH (FLAGS ())\r\n" % n for n in (1, 2, 3)
    ]


async def test_a_large_mailbox_that_is_deleted_is_nowhere_any_more(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was in it becomes recoverable later; until then as well nobody is shown any of it."""
    monkeypatch.setattr("malleposte.store.execute.deleting.AT_ONCE", 1)
    number, address, client = await _filled(served)
    await client.command(b"CREATE Big")
    await client.command(b"COPY 1:3 Big")
    box = await mailboxes.find(served.store.reader, number, "Big")
    other = await served.signed_in(address)
    await other.command(b"SELECT Big")
    await client.command(b"SELECT Big")
    answer = await client.command(b"DELETE Big")
    assert [line[:13] for line in answer.untagged] == [b"* OK [CLOSED]"]
    with pytest.raises(Lost, match="BYE"):
        await other.command(b"FETCH 1:* FLAGS")
    assert await mailboxes.unswept(served.store.reader, number) == [box]
    answer = await client.command(b'LIST "" * RETURN (STATUS (MESSAGES))')
    assert b"Big" not in b"".join(answer.untagged)
    for command in (b"SELECT Big", b"STATUS Big (MESSAGES)", b"DELETE Big"):
        with pytest.raises(Refused, match="NONEXISTENT"):
            await client.command(command)
    await client.command(b"CREATE Big")
    answer = await client.command(b"SELECT Big")
    assert b"* 0 EXISTS\r\n" in answer.untagged
