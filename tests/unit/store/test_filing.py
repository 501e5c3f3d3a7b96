"""Deliver and Append: where a message goes, what it carries, content once, threads."""

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest

from malleposte.store.commands import LATEST, Deliver, Filing
from malleposte.store.execute.filing import thread_hashes
from malleposte.store.flags import FLAGGED, SEEN
from malleposte.store.results import Appended, Delivered
from support.store import House, append, deliver, inbox, rendered, small


async def test_a_delivery_goes_to_the_inbox(house: House) -> None:
    account = await house.account()
    filed = await house.deliver(account, data=b"hello")
    assert (filed.mailbox, filed.uid) == (inbox(account), 1)
    info = await house.info(inbox(account))
    assert (info.messages, info.unseen, info.deleted, info.size, info.uidnext) == (1, 1, 0, 5, 2)
    assert info.message_modseq == info.modseq == filed.modseq
    assert await house.bytes_of(filed.email) == b"hello"
    email = await house.email(inbox(account), 1)
    assert email["received_at"] == 1_790_000_000
    assert email["mailboxes"] == 1


async def test_each_delivery_has_a_modseq_of_its_own(house: House) -> None:
    account = await house.account()
    modseqs = [filed.modseq for filed in await house.fill(account, 3)]
    assert modseqs == sorted(set(modseqs))
    assert await house.value("SELECT modseq FROM account_head WHERE account = $1", account) == max(
        modseqs
    )


async def test_a_filing_names_mailbox_flags_and_keywords(house: House) -> None:
    account = await house.account()
    junk = await house.standard(account, "junk")
    filed = await house.deliver(
        account, mailbox=junk, flags=SEEN | FLAGGED, keywords=("Work", "todo", "WORK")
    )
    assert filed.mailbox == junk
    email = await house.email(junk, 1)
    assert email["flags"] == SEEN | FLAGGED
    assert email["keywords"] == "todo work"
    assert (await house.info(junk)).unseen == 0
    shown = await house.rows("SELECT name, shown FROM keyword WHERE account = $1", account)
    assert sorted(shown) == [("todo", "todo"), ("work", "Work")]


async def test_a_mailbox_that_is_gone_means_the_inbox(house: House) -> None:
    account, other = await house.account(), await house.account()
    for mailbox in (account << 32 | 77, inbox(other)):
        filed = await house.deliver(account, mailbox=mailbox)
        assert filed.mailbox == inbox(account)
    assert await house.uids(inbox(other)) == []


async def test_the_prefix_stands_before_the_content(house: House) -> None:
    account = await house.account()
    filed = await house.deliver(account, data=b"Subject: x\r\n\r\n", prefix=b"Return-Path: <>\r\n")
    assert await house.bytes_of(filed.email) == b"Return-Path: <>\r\nSubject: x\r\n\r\n"
    assert (await house.email(inbox(account), 1))["size"] == 31
    assert (await house.info(inbox(account))).size == 31


async def test_several_accounts_share_the_content(house: House) -> None:
    accounts = [await house.account() for _ in range(3)]
    command = Deliver(
        content=small(b"for all of you"),
        rendered=rendered(),
        filings=tuple(Filing(account=a, prefix=b"To: %d\r\n" % a) for a in accounts),
        received_at=1,
    )
    answer = await house.do(command, Delivered)
    assert [filed.account for filed in answer.filed] == accounts
    for filed in answer.filed:
        assert await house.bytes_of(filed.email) == b"To: %d\r\nfor all of you" % filed.account
    assert await house.value("SELECT count(*) FROM blob") == 1
    assert await house.value("SELECT count(*) FROM blob_frame") == 1


async def test_content_is_stored_once_over_time(house: House) -> None:
    first, second = await house.account(), await house.account()
    await house.deliver(first, data=b"the same")
    await house.deliver(second, data=b"the same")
    await house.append(inbox(first), data=b"the same")
    await house.deliver(second, data=b"another")
    assert await house.value("SELECT count(*) FROM blob") == 2
    assert await house.value("SELECT count(*) FROM email") == 4


async def test_content_used_again_is_touched(house: House) -> None:
    """So that a sweep under way does not take it: it asks for 48 h of peace."""
    account = await house.account()
    house.clock.stop()
    await house.deliver(account, data=b"the same")
    before = await house.value("SELECT touched_at FROM blob")
    house.clock.turn(1000)
    await house.deliver(account, data=b"the same")
    assert await house.value("SELECT touched_at FROM blob") == before + 1000


async def test_an_unknown_account_is_refused_and_the_others_are_served(house: House) -> None:
    account = await house.account()
    answer = await house.do(deliver(account + 50, account), Delivered)
    assert [filed.refused for filed in answer.filed] == ["no-such-account", ""]
    assert await house.uids(inbox(account)) == [1]


async def test_an_empty_message_is_kept(house: House) -> None:
    account = await house.account()
    filed = await house.deliver(account, data=b"")
    assert await house.bytes_of(filed.email) == b""


async def test_the_trace_is_kept_once(house: House) -> None:
    """A delivery that is tried again under another key brings its trace again: mail counts more."""
    account = await house.account()
    for _ in range(2):
        await house.do(deliver(account, trace_id=4711), Delivered)
    assert await house.rows("SELECT id, direction FROM trace") == [(4711, "in")]
    assert len(await house.uids(inbox(account))) == 2


async def test_deliveries_of_one_turn_share_a_batch(house: House) -> None:
    """Many at once, the same content and thread among them: each is answered for itself."""
    accounts = [await house.account() for _ in range(3)]
    about = rendered(message_id="same@example.com")
    answers = await asyncio.gather(
        *(
            house.do(deliver(accounts[n % 3], data=b"c%d" % (n % 2), about=about), Delivered)
            for n in range(30)
        )
    )
    for account in accounts:
        mine = [a.filed[0] for a in answers if a.filed[0].account == account]
        assert sorted(f.uid for f in mine) == list(range(1, 11))
        assert len({f.email for f in mine}) == 10
    assert await house.value("SELECT count(*) FROM blob") == 2
    assert await house.value("SELECT count(DISTINCT thread) FROM email") == 3


# Append -------------------------------------------------------------------------------------------


async def test_append_answers_with_uid_and_uidvalidity(house: House) -> None:
    account = await house.account()
    await house.fill(account, 2)
    answer = await house.append(
        inbox(account), actor=account, flags=SEEN, keywords=("a",), deleted=True
    )
    info = await house.info(inbox(account))
    assert (answer.uid, answer.uidvalidity) == (3, info.uidvalidity)
    assert (info.messages, info.unseen, info.deleted) == (3, 2, 1)
    email = await house.email(inbox(account), 3)
    assert (email["flags"], email["keywords"], email["deleted"]) == (SEEN, "a", 1)


async def test_append_of_the_same_bytes_is_a_new_email(house: House) -> None:
    account = await house.account()
    one = await house.append(inbox(account), data=b"twice")
    two = await house.append(inbox(account), data=b"twice")
    assert one.email != two.email
    assert await house.uids(inbox(account)) == [1, 2]
    assert await house.value("SELECT count(*) FROM blob") == 1


async def test_append_needs_the_right_to_insert(house: House) -> None:
    owner, other = await house.account(), await house.account()
    assert await house.refused(append(inbox(owner), actor=other)) == "no-such-mailbox"
    await house.grant(inbox(owner), other, "lrswpkxtea")
    assert await house.refused(append(inbox(owner), actor=other)) == "no-rights"
    assert await house.refused(append(owner << 32 | 99, actor=owner)) == "no-such-mailbox"
    assert await house.refused(append((owner + 9) << 32 | 1)) == "no-such-mailbox"


@pytest.mark.parametrize(
    ("letters", "flags", "keywords", "deleted"),
    [("li", 0, None, 0), ("lis", 0, None, 0), ("liw", FLAGGED, "k", 0), ("lit", 0, None, 1)],
)
async def test_append_keeps_the_flags_its_actor_may_set(
    house: House, letters: str, flags: int, keywords: str | None, deleted: int
) -> None:
    r"""RFC 4314 §4: flags without their right are left out, the message is not. ``\Seen`` is one's own."""
    owner, other = await house.account(), await house.account()
    await house.grant(inbox(owner), other, letters)
    await house.append(
        inbox(owner), actor=other, flags=SEEN | FLAGGED, keywords=("k",), deleted=True
    )
    email = await house.email(inbox(owner), 1)
    assert (email["flags"], email["keywords"], email["deleted"]) == (flags, keywords, deleted)
    seen = await house.rows("SELECT seen FROM reader_seen WHERE reader = $1", other)
    assert seen == ([(1,)] if "s" in letters else [])


async def test_keywords_no_client_could_write_are_left_out(house: House) -> None:
    account = await house.account()
    bad = ("", "two words", "back\\slash", "\\System", "(", "ä", "x" * 256, "a]", "nul\0")
    await house.deliver(account, keywords=("good", *bad, "$label1"))
    assert (await house.email(inbox(account), 1))["keywords"] == "$label1 good"


async def test_keywords_of_an_email_and_of_an_account_are_bounded(house: House) -> None:
    account = await house.account()
    for n in range(12):
        await house.deliver(account, keywords=tuple(f"k{n:02}x{i:03}" for i in range(150)))
    rows = await house.rows("SELECT keywords FROM email ORDER BY id")
    assert [len((row[0] or "").split()) for row in rows] == [100] * 10 + [0, 0]
    assert await house.value("SELECT count(*) FROM keyword") == 1000


# Threads ------------------------------------------------------------------------------------------


async def thread_of(house: House, account: int, *args: object, **about: object) -> int:
    filed = await house.deliver(account, about=rendered(*args, **about))  # type: ignore[arg-type]
    return int(await house.value("SELECT thread FROM email WHERE id = $1", filed.email))


async def test_a_reply_joins_the_thread(house: House) -> None:
    account = await house.account()
    first = await thread_of(house, account, message_id="a", subject="Hi")
    reply = await thread_of(house, account, message_id="b", references=("a",), subject="Re: Hi")
    third = await thread_of(house, account, message_id="c", references=("b",), subject="Re: Hi")
    assert first == reply == third


async def test_replies_that_come_first_meet_in_one_thread(house: House) -> None:
    account = await house.account()
    late = await thread_of(house, account, message_id="c", references=("a", "b"), subject="Re: Hi")
    first = await thread_of(house, account, message_id="a", subject="Hi")
    between = await thread_of(house, account, message_id="b", references=("a",), subject="Re: Hi")
    assert late == first == between


async def test_another_subject_is_another_thread(house: House) -> None:
    """RFC 8621 §3: a reply that changed the subject starts a thread."""
    account = await house.account()
    first = await thread_of(house, account, message_id="a", subject="Hi")
    other = await thread_of(house, account, message_id="b", references=("a",), subject="New matter")
    assert first != other


async def test_threads_are_an_accounts_own(house: House) -> None:
    one, two = await house.account(), await house.account()
    thread = await thread_of(house, one, message_id="a")
    other = await thread_of(house, two, message_id="b", references=("a",))
    assert thread >> 32 == one
    assert other >> 32 == two


async def test_messages_without_ids_stand_alone(house: House) -> None:
    account = await house.account()
    threads = {await thread_of(house, account) for _ in range(3)}
    assert len(threads) == 3


def test_a_message_that_names_itself_counts_once() -> None:
    hashes = thread_hashes(rendered(message_id="a", references=("a", "b")))
    assert len(hashes) == len(set(hashes)) == 2
    assert all(-(1 << 63) <= value < 1 << 63 for value in hashes)


async def test_two_answers_of_one_kind(house: House) -> None:
    """Deliveries and appends of one turn are filed together, each answered in its own words."""
    account = await house.account()
    answers = await asyncio.gather(
        house.do(deliver(account), Delivered),
        house.do(append(inbox(account)), Appended),
        house.do(deliver(account), Delivered),
    )
    uids = [answers[0].filed[0].uid, answers[1].uid, answers[2].filed[0].uid]
    assert sorted(uids) == [1, 2, 3]


@pytest.mark.parametrize("sent", [-(1 << 62), -62_135_683_140, -1, 253_402_387_199, 1 << 62])
async def test_a_date_no_calendar_has_is_brought_into_one(house: House, sent: int) -> None:
    """APPEND's `01-Jan-0001 00:00:00 +2359` is a moment of the year 0: whoever shows it would fail."""
    account = await house.account()
    one = msgspec.structs.replace(append(inbox(account)), received_at=sent)
    assert (await house.do(one, Appended)).uid == 1
    other = msgspec.structs.replace(deliver(account), received_at=sent)
    await house.do(other, Delivered)
    for uid in (1, 2):
        kept = (await house.email(inbox(account), uid))["received_at"]
        assert kept == (0 if sent < 0 else LATEST)
        assert datetime.fromtimestamp(kept, UTC).year == (1970 if sent < 0 else 9998)
