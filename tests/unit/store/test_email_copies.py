"""CopyEmails: emails by id into another account, and what people are told of rights."""

import pytest

from malleposte.store.commands import CopyEmails, DropNotification, EmailCopy, SetRights
from malleposte.store.commands.sharing import MAX_NOTIFICATIONS
from malleposte.store.flags import FLAGGED, SEEN
from malleposte.store.read import notifications, submissions
from malleposte.store.read.mailboxes import keywords
from malleposte.store.results import Done, EmailsCopied, Refused
from support.store import House, inbox


async def copied(
    house: House, source: int, account: int, *copies: EmailCopy, actor: int, **more: int
) -> EmailsCopied:
    command = CopyEmails(actor=actor, source=source, account=account, copies=copies, **more)
    return await house.do(command, EmailsCopied)


async def test_a_copy_shares_content_and_nothing_else(house: House) -> None:
    ada, bob = await house.account("ada"), await house.account("bob")
    filed = await house.deliver(ada, flags=SEEN | FLAGGED, keywords=("Work",), prefix=b"X: y\r\n")
    await house.grant(inbox(ada), bob, "lr")
    other = await house.mailbox(bob, "Other")
    copy = EmailCopy(email=filed.email, mailboxes=(inbox(bob), other, other))
    answer = await copied(house, ada, bob, copy, actor=bob)
    (email,) = answer.emails
    one, two = await house.email(inbox(bob), 1), await house.email(other, 1)
    assert one["id"] == two["id"] == email
    assert (one["flags"], one["keywords"], one["mailboxes"]) == (SEEN | FLAGGED, "work", 2)
    assert one["modseq"] == answer.modseq
    assert await house.bytes_of(email) == await house.bytes_of(filed.email)
    assert await keywords(house.store.reader, bob) == {"work": "Work"}
    # Flags of one are not the other's.
    await house.flag(inbox(bob), mode="-", flags=FLAGGED)
    assert (await house.email(inbox(ada), 1))["flags"] == SEEN | FLAGGED
    assert (await house.info(inbox(bob))).messages == (await house.info(other)).messages == 1
    # A gone original leaves the copy whole.
    await house.expunge(inbox(ada), until=0)
    assert await house.bytes_of(email)


async def test_flags_are_those_the_actor_sees_and_may_set(house: House) -> None:
    ada, bob = await house.account("ada"), await house.account("bob")
    mine = await house.deliver(bob, flags=SEEN | FLAGGED, keywords=("a", "b"))
    for letters, flags, words, marks in (
        ("li", 0, None, []),
        ("lis", 0, None, [1]),
        ("liw", FLAGGED, "a b", []),
    ):
        await house.grant(inbox(ada), bob, letters)
        copy = EmailCopy(email=mine.email, mailboxes=(inbox(ada),))
        (email,) = (await copied(house, bob, ada, copy, actor=bob)).emails
        uid = (await house.uids(inbox(ada)))[-1]
        one = await house.email(inbox(ada), uid)
        assert (one["id"], one["flags"], one["keywords"]) == (email, flags, words)
        rows = await house.rows("SELECT seen FROM reader_seen WHERE email = $1", email)
        assert [row[0] for row in rows] == marks
    given = EmailCopy(
        email=mine.email, mailboxes=(inbox(ada),), flags=0, words=("c",), received_at=1_700_000_000
    )
    await copied(house, bob, ada, given, actor=bob)
    one = await house.email(inbox(ada), 4)
    assert (one["flags"], one["keywords"], one["received_at"]) == (0, "c", 1_700_000_000)


async def test_each_copy_is_made_or_refused_by_itself(house: House) -> None:
    ada, bob, eve = [await house.account(name) for name in ("ada", "bob", "eve")]
    team, shut = await house.mailbox(ada, "Team"), await house.mailbox(ada, "Shut")
    await house.grant(team, bob, "lr")
    await house.grant(shut, bob, "l")
    seen, marked = [await house.deliver(ada, mailbox=team) for _ in range(2)]
    await house.flag(team, ((2, 2),), deleted=True)
    hidden, unread = await house.deliver(ada), await house.deliver(ada, mailbox=shut)
    elsewhere = await house.deliver(eve)
    private = await house.mailbox(bob, "Private")
    shared = await house.mailbox(bob, "Shared")
    await house.grant(shared, eve, "lr")
    box = inbox(bob)
    copies = [
        EmailCopy(email=email, mailboxes=(box,))
        for email in (
            seen.email,
            marked.email,
            hidden.email,
            unread.email,
            elsewhere.email,
        )
    ]
    copies += [
        EmailCopy(email=seen.email, mailboxes=mailboxes)
        for mailboxes in ((), (box | 99,), (team,), (private, shared), (private,))
    ]
    answer = await copied(house, ada, bob, *copies, actor=bob)
    assert [bool(email) for email in answer.emails] == [True, *[False] * 8, True]
    assert [(at, reason) for at, reason, _ in answer.refused] == [
        *((at, "no-such-email") for at in range(1, 5)),
        (5, "nowhere"),
        (6, "no-such-mailbox"),
        (7, "no-such-mailbox"),
        (8, "shared"),
    ]


async def test_an_account_that_is_full_or_moved_on_takes_nothing(house: House) -> None:
    ada, bob = await house.account("ada"), await house.account("bob", quota=1)
    filed = await house.deliver(ada)
    await house.grant(inbox(ada), bob, "lr")
    copy = EmailCopy(email=filed.email, mailboxes=(inbox(bob),))
    answer = await copied(house, ada, bob, copy, actor=bob)
    assert (answer.modseq, [one[1] for one in answer.refused]) == (0, ["over-quota"])
    for wrong, reason in (
        ({"if_modseq": 99}, "changed"),
        ({"if_source_modseq": 99}, "source-changed"),
    ):
        command = CopyEmails(actor=bob, source=ada, account=bob, copies=(copy,), **wrong)
        assert await house.refused(command) == reason
    command = CopyEmails(actor=bob, source=77, account=bob, copies=(copy,))
    assert await house.refused(command) == "no-such-account"


async def test_rights_that_others_change_are_told_and_can_be_dismissed(house: House) -> None:
    ada, bob = await house.account("ada"), await house.account("bob")
    reader = house.store.reader
    before = await submissions.modseq(reader, notifications.TABLE, bob)
    give = SetRights(actor=ada, mailbox=inbox(ada), grantee=bob, letters="lra")
    await house.do(give, Done)
    await house.do(give, Done)  # changes nothing
    own = SetRights(actor=bob, mailbox=inbox(ada), grantee=bob, letters="lrsa")
    await house.do(own, Done)
    (one,) = await notifications.every(reader, bob)
    assert (one.owner, one.object, one.had, one.has, one.by) == (ada, inbox(ada), "", "lra", ada)
    moved = await submissions.moved(reader, notifications.TABLE, bob, before, 10)
    assert moved.created == [one.n]
    assert await house.refused(DropNotification(account=ada, n=one.n)) == "no-such-notification"
    await house.do(DropNotification(account=bob, n=one.n), Done)
    await house.do(DropNotification(account=bob, n=one.n), Refused)
    assert await notifications.every(reader, bob) == []


@pytest.mark.parametrize("more", [3])
async def test_nobody_is_flooded_by_what_others_give_and_take(house: House, more: int) -> None:
    ada, bob = await house.account("ada"), await house.account("bob")
    for n in range(MAX_NOTIFICATIONS + more):
        letters = "lr" if n % 2 == 0 else ""
        command = SetRights(actor=ada, mailbox=inbox(ada), grantee=bob, letters=letters)
        await house.do(command, Done)
    rows = await notifications.every(house.store.reader, bob)
    assert len(rows) == MAX_NOTIFICATIONS
    assert rows[-1].has == "lr"
