"""Several messages at once, one in place of another, and content put before (RFC 3502, RFC 8508)."""

import os

import msgspec
import pytest

from malleposte.store import content
from malleposte.store.commands import (
    MAX_ROWS,
    SYSTEM,
    AppendAll,
    Content,
    DeleteMailbox,
    Enclosed,
    PutContent,
    Replace,
    SweepBlobs,
)
from malleposte.store.errors import StoreError
from malleposte.store.execute.filing import PUT_FOR
from malleposte.store.flags import FLAGGED, SEEN
from malleposte.store.ids import LOW
from malleposte.store.results import Appended, AppendedAll, Done, Swept
from support.store import House, append, inbox, rendered, small

RECEIVED = 1_790_000_000


def enclosed(what: Content | None = None, **how: object) -> Enclosed:
    base = Enclosed(content=what or small(), rendered=rendered(), received_at=RECEIVED)
    return msgspec.structs.replace(base, **how)


def all_of(mailbox: int, *messages: Enclosed, actor: int = SYSTEM) -> AppendAll:
    return AppendAll(actor=actor, mailbox=mailbox, messages=messages)


def in_place(mailbox: int, source: int, uid: int, *, actor: int = SYSTEM, **how: object) -> Replace:
    plain = append(mailbox, actor=actor, **how)  # type: ignore[arg-type]
    fields = {name: getattr(plain, name) for name in plain.__struct_fields__}
    return Replace(**fields, source=source, uid=uid, recoverable_until=RECEIVED + (1 << 30))


def named(what: Content) -> Content:
    """Content by its name alone, as it is given once it was put."""
    return Content(digest=what.digest, size=what.size)


# Several at once --------------------------------------------------------------------------------------


async def test_several_get_uids_in_their_order(house: House) -> None:
    account = await house.account()
    await house.append(inbox(account))
    one = enclosed(flags=SEEN, keywords=("Work", "work"))
    two = enclosed(deleted=True, received_at=RECEIVED + 5)
    answer = await house.do(all_of(inbox(account), one, two), AppendedAll)
    assert answer.uids == (2, 3)
    assert answer.modseq == await house.value(
        "SELECT modseq FROM account_head WHERE account = $1", account
    )
    first, second = [await house.email(inbox(account), uid) for uid in (2, 3)]
    assert answer.emails == (first["id"], second["id"])
    assert (first["flags"], first["keywords"], first["deleted"]) == (SEEN, "work", 0)
    assert (second["flags"], second["deleted"], second["received_at"]) == (0, 1, RECEIVED + 5)
    box = await house.info(inbox(account))
    assert (box.messages, box.unseen, box.deleted) == (3, 2, 1)


async def test_messages_of_one_command_find_each_other(house: House) -> None:
    """The same bytes are one blob, an answer joins the thread of what came before it."""
    account = await house.account()
    what = small(b"the same")
    question = rendered(message_id="q@example.com")
    reply = rendered(subject="Re: Hello", message_id="r@example.com", references=("q@example.com",))
    await house.do(
        all_of(
            inbox(account),
            enclosed(what, rendered=question),
            enclosed(rendered=reply),
            enclosed(what),
        ),
        AppendedAll,
    )
    first, second, third = [await house.email(inbox(account), uid) for uid in (1, 2, 3)]
    assert first["thread"] == second["thread"] != third["thread"]
    assert first["blob"] == third["blob"] != second["blob"]
    assert first["id"] != third["id"]


async def test_all_or_none_by_quota(house: House) -> None:
    account = await house.account(quota=100)
    box = inbox(account)
    half = [enclosed(small(os.urandom(40))) for _ in range(3)]
    assert await house.refused(all_of(box, *half)) == "over-quota"
    await house.do(all_of(box, *half[:2]), AppendedAll)
    assert (
        await house.value("SELECT used_bytes FROM account_head WHERE account = $1", account) == 80
    )


async def test_several_need_the_right_and_the_mailbox(house: House) -> None:
    owner, other = await house.account(), await house.account()
    box = inbox(owner)
    assert await house.refused(all_of(box, enclosed(), actor=other)) == "no-such-mailbox"
    assert await house.refused(all_of(owner << 32 | 99, enclosed())) == "no-such-mailbox"
    many = (enclosed(small(b"x")),) * (MAX_ROWS + 1)
    assert await house.refused(all_of(box, *many)) == "limit"
    await house.grant(box, other, "lrs")
    assert await house.refused(all_of(box, enclosed(), actor=other)) == "no-rights"
    await house.grant(box, other, "lis")
    one = enclosed(flags=SEEN | FLAGGED, keywords=("work",), deleted=True)
    await house.do(all_of(box, one, actor=other), AppendedAll)
    # RFC 4314 §4: flags without a right are left out.
    found = await house.email(box, 1)
    assert (found["flags"], found["keywords"], found["deleted"]) == (0, None, 0)
    seen = await house.rows("SELECT email, reader, seen FROM reader_seen")
    assert seen == [(found["id"], other, 1)], "who put it there has read it, its owner has not"


# Content put before -----------------------------------------------------------------------------------


async def test_content_is_put_first_and_used_by_its_name(house: House) -> None:
    account = await house.account()
    large = os.urandom(content.FRAME + 5)
    in_file, descriptor = content.in_file(memoryview(large), house.store.blobs)
    try:
        await house.do(PutContent(account=account, content=in_file), Done, descriptor)
    finally:
        os.close(descriptor)
    little = small(b"little")
    await house.do(PutContent(account=account, content=little), Done)
    inline = small(b"inline")
    messages = [enclosed(named(in_file)), enclosed(inline), enclosed(named(little))]
    answer = await house.do(all_of(inbox(account), *messages), AppendedAll)
    assert [await house.bytes_of(email) for email in answer.emails] == [large, b"inline", b"little"]


async def test_content_that_nobody_used_goes_with_time(house: House) -> None:
    account = await house.account()
    await house.do(PutContent(account=account, content=small(b"given up")), Done)
    swept = await house.do(SweepBlobs(idle=3600), Swept)
    assert swept.count == 0, "what is new must be left to a command that is under way"
    house.clock.turn(PUT_FOR + 3601)
    swept = await house.do(SweepBlobs(idle=3600), Swept)
    assert swept.count == 1
    assert await house.value("SELECT count(*) FROM blob_frame") == 0


async def test_content_that_is_not_there_fails_the_whole_command(house: House) -> None:
    account = await house.account()
    before = await house.snapshot()
    command = all_of(inbox(account), enclosed(), enclosed(named(small(b"never put"))))
    with pytest.raises(StoreError):
        await house.store.submit(command)
    assert await house.snapshot() == before


async def test_content_is_found_by_who_shares_the_store_of_it_only(house: House) -> None:
    """An account's organisation is where it is looked for; nobody else's has it by its name."""
    account = await house.account()
    assert await house.refused(PutContent(account=account + 77, content=small())) == (
        "no-such-account"
    )


# One in place of another ------------------------------------------------------------------------------


async def test_a_draft_is_replaced_by_the_next(house: House) -> None:
    account = await house.account()
    drafts = await house.standard(account, "drafts")
    old = await house.append(drafts, data=b"one")
    answer = await house.do(in_place(drafts, drafts, old.uid, data=b"three", flags=SEEN), Appended)
    assert answer.uid == old.uid + 1
    assert await house.uids(drafts) == [answer.uid]
    assert await house.bytes_of(answer.email) == b"three"
    box = await house.info(drafts)
    assert (box.messages, box.unseen, box.size, box.uidnext) == (1, 0, 5, 3)
    # Told as any expunge is, and recoverable like it.
    (gone,) = await house.tombstones(account, "uid")
    assert gone[0] == drafts
    assert gone[2:] == (old.uid, old.uid)
    assert await house.value("SELECT email FROM recoverable") == old.email


async def test_what_was_a_draft_appears_in_another_mailbox(house: House) -> None:
    account = await house.account()
    drafts = await house.standard(account, "drafts")
    sent = await house.standard(account, "sent")
    old = await house.append(drafts)
    answer = await house.do(in_place(sent, drafts, old.uid), Appended)
    assert (await house.uids(drafts), await house.uids(sent)) == ([], [answer.uid])


async def test_what_lies_elsewhere_too_stays_there(house: House) -> None:
    account = await house.account()
    drafts = await house.standard(account, "drafts")
    old = await house.append(drafts)
    await house.copy(drafts, inbox(account))
    await house.do(in_place(drafts, drafts, old.uid), Appended)
    assert (await house.email(inbox(account), 1))["id"] == old.email


async def test_into_another_account_with_rights_on_both_sides(house: House) -> None:
    owner, other = await house.account(), await house.account()
    old = await house.append(inbox(owner))
    for letters in ("lr", "lte", "li", "rte"):
        await house.grant(inbox(owner), other, letters)
        command = in_place(inbox(other), inbox(owner), old.uid, actor=other)
        if letters == "lte":
            answer = await house.do(command, Appended)
            assert answer.email >> 32 == other
            assert await house.uids(inbox(owner)) == []
            old = await house.append(inbox(owner))
        else:
            seen = "l" in letters
            assert await house.refused(command) == ("no-rights" if seen else "no-such-email")
    await house.grant(inbox(owner), other, "li")
    # And back: the right to insert is the target's.
    mine = await house.append(inbox(other))
    await house.do(in_place(inbox(owner), inbox(other), mine.uid, actor=other), Appended)
    assert mine.uid not in await house.uids(inbox(other))


async def test_neither_happens_where_one_cannot(house: House) -> None:
    account = await house.account(quota=100)
    drafts = await house.standard(account, "drafts")
    old = await house.append(drafts, data=os.urandom(60))
    twin = await house.append(drafts, data=os.urandom(30))
    too_much = in_place(drafts, drafts, old.uid, data=os.urandom(71))
    assert await house.refused(too_much) == "over-quota"
    assert await house.refused(in_place(account << 32 | 99, drafts, old.uid)) == "no-such-mailbox"
    assert await house.refused(in_place(drafts, account << 32 | 99, old.uid)) == "no-such-email"
    assert await house.refused(in_place(drafts, drafts, twin.uid + 1)) == "no-such-email"
    # The room of the one that goes is the other's.
    await house.do(in_place(drafts, drafts, old.uid, data=os.urandom(70)), Appended)
    # Not so where it stays in another mailbox.
    await house.copy(drafts, inbox(account), ((twin.uid, twin.uid),))
    assert await house.refused(in_place(drafts, drafts, twin.uid, data=b"x")) == "over-quota"


async def test_a_large_message_takes_the_place_too(house: House) -> None:
    account = await house.account()
    box = await house.mailbox(account, "large")
    old = await house.append(box)
    data = os.urandom(content.FRAME * 2)
    what, descriptor = content.in_file(memoryview(data), house.store.blobs)
    try:
        command = msgspec.structs.replace(in_place(box, box, old.uid), content=what)
        answer = await house.do(command, Appended, descriptor)
    finally:
        os.close(descriptor)
    assert await house.bytes_of(answer.email) == data
    await house.do(DeleteMailbox(actor=account, mailbox=box, recoverable_until=1 << 40), Done)
    assert answer.email & LOW == 2
