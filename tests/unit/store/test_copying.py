"""Copy, move and recover: memberships where they do, new emails where they must be."""

from typing import Any

import pytest

from malleposte.store.commands import Copy, Recover
from malleposte.store.flags import FLAGGED, SEEN
from malleposte.store.results import Copied
from support.store import ALL, House, append, inbox


async def emails(house: House, mailbox: int) -> list[int]:
    rows = await house.rows("SELECT email FROM membership WHERE mailbox = $1 ORDER BY uid", mailbox)
    return [row[0] for row in rows]


async def counters(house: House, mailbox: int) -> tuple[int, int, int, int]:
    info = await house.info(mailbox)
    return info.messages, info.unseen, info.deleted, info.size


async def test_a_copy_is_another_membership(house: House) -> None:
    account = await house.account()
    box, archive = inbox(account), await house.standard(account, "archive")
    await house.fill(account, 3)
    await house.flag(box, ((2, 2),), flags=SEEN, deleted=True)
    answer = await house.copy(box, archive, ((2, 3),))
    assert answer.uids == ((2, 1), (3, 2))
    assert answer.uidvalidity == (await house.info(archive)).uidvalidity
    assert await emails(house, archive) == (await emails(house, box))[1:]
    assert (await house.email(archive, 1))["mailboxes"] == 2
    assert (await counters(house, archive))[:3] == (2, 1, 0)
    assert (await counters(house, box))[:3] == (3, 2, 1)
    assert await house.value("SELECT count(*) FROM email") == 3
    # mailboxIds changed, so the email did, also where it was.
    assert (await house.email(box, 2))["modseq"] == answer.modseq
    assert (await house.info(box)).message_modseq == answer.modseq


async def test_a_copy_where_it_is_already_is_a_new_email(house: House) -> None:
    account = await house.account()
    box, archive = inbox(account), await house.standard(account, "archive")
    filed = await house.deliver(account, data=b"twin", flags=FLAGGED, keywords=("k",))
    await house.copy(box, archive)
    await house.flag(archive, deleted=True)
    answer = await house.copy(box, archive)
    assert answer.uids == ((1, 2),)
    first, twin = await emails(house, archive)
    assert first == filed.email != twin
    assert await house.bytes_of(twin) == b"twin"
    email = await house.email(archive, 2)
    assert (email["flags"], email["keywords"], email["deleted"]) == (FLAGGED, "k", 0)
    assert email["thread"] == (await house.email(archive, 1))["thread"]
    assert await house.value("SELECT count(*) FROM blob") == 1


async def test_a_copy_inside_a_mailbox(house: House) -> None:
    account = await house.account()
    await house.fill(account, 2)
    answer = await house.copy(inbox(account), inbox(account))
    assert answer.uids == ((1, 3), (2, 4))
    assert len(set(await emails(house, inbox(account)))) == 4


async def test_copies_some_new_some_not(house: House) -> None:
    account = await house.account()
    box, archive = inbox(account), await house.standard(account, "archive")
    await house.fill(account, 3)
    await house.copy(box, archive, ((2, 2),))
    answer = await house.copy(box, archive)
    assert [pair[0] for pair in answer.uids] == [1, 2, 3]
    mine, theirs = await emails(house, box), await emails(house, archive)
    assert theirs[0] == mine[1]
    assert theirs[1] == mine[0]
    assert theirs[2] not in mine
    assert theirs[3] == mine[2]


async def test_a_move_takes_the_membership_along(house: House) -> None:
    account = await house.account()
    box, archive = inbox(account), await house.standard(account, "archive")
    filed = await house.fill(account, 3)
    await house.flag(box, ((1, 1),), deleted=True)
    answer = await house.copy(box, archive, ((1, 2),), move=True)
    assert answer.uids == ((1, 1), (2, 2))
    assert await house.uids(box) == [3]
    assert await emails(house, archive) == [filed[0].email, filed[1].email]
    assert (await counters(house, box))[:3] == (1, 1, 0)
    assert (await counters(house, archive))[:3] == (2, 2, 0)
    assert await house.tombstones(account, "uid") == [(box, answer.modseq, 1, 2)]
    assert await house.tombstones(account, "email") == []
    assert await house.rows("SELECT * FROM recoverable") == []
    assert (await house.email(archive, 1))["modseq"] == answer.modseq


async def test_a_move_to_where_it_is_already(house: House) -> None:
    account = await house.account()
    box, archive = inbox(account), await house.standard(account, "archive")
    await house.fill(account, 2)
    await house.copy(box, archive, ((1, 1),))
    answer = await house.copy(box, archive, move=True)
    assert answer.uids == ((1, 2), (2, 3))
    assert await house.uids(box) == []
    assert await house.uids(archive) == [1, 2, 3]
    assert await house.value("SELECT count(*) FROM email WHERE mailboxes = 1") == 3


async def test_a_move_inside_a_mailbox_renumbers(house: House) -> None:
    """RFC 6851 §3.3 allows it; another mailbox with the email must hear of its new MODSEQ."""
    account = await house.account()
    box, archive = inbox(account), await house.standard(account, "archive")
    filed = await house.fill(account, 2)
    await house.copy(box, archive, ((1, 1),))
    answer = await house.copy(box, box, ((1, 1),), move=True)
    assert answer.uids == ((1, 3),)
    assert await house.uids(box) == [2, 3]
    assert (await emails(house, box))[1] == filed[0].email
    assert (await house.info(archive)).message_modseq == answer.modseq


async def test_into_another_account(house: House) -> None:
    one, two = await house.account(), await house.account()
    await house.deliver(
        one, data=b"for both", flags=SEEN, keywords=("Work", "b"), prefix=b"P: 1\r\n"
    )
    answer = await house.copy(inbox(one), inbox(two))
    assert answer.uids == ((1, 1),)
    (copy,) = await emails(house, inbox(two))
    assert copy >> 32 == two
    assert await house.bytes_of(copy) == b"P: 1\r\nfor both"
    email = await house.email(inbox(two), 1)
    assert (email["flags"], email["keywords"]) == (SEEN, "b work")
    assert email["thread"] >> 32 == two
    shown = await house.rows("SELECT shown FROM keyword WHERE account = $1 ORDER BY name", two)
    assert shown == [("b",), ("Work",)]
    assert await house.value("SELECT count(*) FROM blob") == 1
    assert (await counters(house, inbox(two)))[:2] == (1, 0)
    used = "SELECT used_bytes, used_emails FROM account_head WHERE account = $1"
    assert await house.rows(used, two) == await house.rows(used, one) == [(14, 1)]


@pytest.mark.parametrize(
    ("letters", "flags", "keywords", "seen"),
    [("li", 0, None, []), ("lis", 0, None, [1]), ("liw", FLAGGED, "k", [])],
)
async def test_into_another_account_with_the_flags_one_may_set(
    house: House, letters: str, flags: int, keywords: str | None, seen: list[int]
) -> None:
    r"""RFC 4314 §4 (COPY). ``\Seen`` is the one's who copied: the owner has not read it."""
    one, two = await house.account(), await house.account()
    await house.deliver(one, flags=SEEN | FLAGGED, keywords=("k",))
    await house.grant(inbox(two), one, letters)
    await house.copy(inbox(one), inbox(two), actor=one)
    email = await house.email(inbox(two), 1)
    assert (email["flags"], email["keywords"]) == (flags, keywords)
    marks = await house.rows("SELECT email, reader, seen FROM reader_seen")
    assert marks == [(email["id"], one, n) for n in seen]
    assert (await counters(house, inbox(two)))[:2] == (1, 1)


async def test_a_move_between_accounts_is_a_copy_first(house: House) -> None:
    one, two = await house.account(), await house.account()
    await house.fill(one, 1)
    command = Copy(actor=0, mailbox=inbox(one), uids=ALL, target=inbox(two), move=True)
    assert await house.refused(command) == "bad-name"


async def test_nothing_to_copy(house: House) -> None:
    account = await house.account()
    archive = await house.standard(account, "archive")
    before = await house.snapshot()
    answer = await house.copy(inbox(account), archive)
    assert (answer.uids, answer.modseq) == ((), 0)
    assert await house.snapshot() == before


@pytest.mark.parametrize(
    ("move", "source", "target", "reason"),
    [
        (False, "lr", "li", ""),
        (False, "lswipkxtea", "li", "no-rights"),
        (False, "lr", "lrswpkxtea", "no-rights"),
        (False, "rswipkxtea", "li", "no-such-mailbox"),
        (False, "lr", "rswipkxtea", "no-such-mailbox"),
        (True, "lrte", "li", ""),
        (True, "lrt", "li", "no-rights"),
        (True, "lre", "li", "no-rights"),
    ],
)
async def test_rights(house: House, move: bool, source: str, target: str, reason: str) -> None:
    owner, other = await house.account(), await house.account()
    archive = await house.standard(owner, "archive")
    await house.fill(owner, 1)
    await house.grant(inbox(owner), other, source)
    await house.grant(archive, other, target)
    command = Copy(actor=other, mailbox=inbox(owner), uids=ALL, target=archive, move=move)
    if reason:
        assert await house.refused(command) == reason
    else:
        await house.do(command, Copied)


async def test_refusals(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await house.account(quota=100)
    await house.deliver(account, data=b"x" * 60)
    box = inbox(account)

    def command(**how: Any) -> Copy:
        return Copy(**{"actor": 0, "mailbox": box, "uids": ALL, "target": box, **how})

    assert await house.refused(command()) == "over-quota"
    assert await house.refused(command(target=box + 90)) == "no-such-mailbox"
    assert await house.refused(command(mailbox=box + 90)) == "no-such-mailbox"
    monkeypatch.setattr("malleposte.store.execute.copying.MAX_ROWS", 0)
    assert await house.refused(command()) == "limit"


async def test_a_refused_copy_leaves_no_keywords_behind(house: House) -> None:
    one, two = await house.account(), await house.account(quota=10)
    await house.deliver(one, data=b"x" * 60, keywords=("k",))
    command = Copy(actor=0, mailbox=inbox(one), uids=ALL, target=inbox(two))
    assert await house.refused(command) == "over-quota"


# Recover ------------------------------------------------------------------------------------------


async def test_recovered_emails_come_back_as_they_were(house: House) -> None:
    account = await house.account()
    await house.deliver(account, data=b"one", keywords=("k",), flags=FLAGGED)
    await house.deliver(account, data=b"two")
    gone = await emails(house, inbox(account))
    expunged = await house.expunge(inbox(account))
    trash = await house.standard(account, "trash")
    answer = await house.do(Recover(actor=account, target=trash, emails=tuple(gone)), Copied)
    assert answer.uids == ((0, 1), (0, 2))
    assert await emails(house, trash) == gone
    email = await house.email(trash, 1)
    assert (email["flags"], email["keywords"], email["mailboxes"]) == (FLAGGED, "k", 1)
    assert (await counters(house, trash)) == (2, 2, 0, 6)
    assert await house.rows("SELECT * FROM recoverable") == []
    # JMAP was told that they are destroyed: they come as created ones.
    created = await house.rows("SELECT DISTINCT created_modseq FROM email")
    assert created == [(answer.modseq,)]
    assert answer.modseq > expunged.modseq
    used = await house.rows("SELECT used_bytes, used_emails FROM account_head")
    assert used == [(6, 2)]


async def test_what_is_not_recoverable_is_left_out(house: House) -> None:
    one, two = await house.account(), await house.account()
    living = await house.deliver(one)
    foreign = await house.deliver(two)
    await house.expunge(inbox(two))
    before = await house.snapshot()
    command = Recover(actor=one, target=inbox(one), emails=(living.email, foreign.email, 4711))
    assert (await house.do(command, Copied)).uids == ()
    assert await house.snapshot() == before


async def test_recovery_does_not_open_private_mailboxes(house: House) -> None:
    """Whoever may insert into one mailbox must not fetch what was expunged from another."""
    owner, other = await house.account(), await house.account()
    shared = await house.mailbox(owner, "shared")
    await house.grant(shared, other, "lrswipte")
    private = await house.deliver(owner)
    public = await house.append(shared)
    await house.expunge(inbox(owner))
    await house.expunge(shared)

    def command(*which: int) -> Recover:
        return Recover(actor=other, target=shared, emails=which)

    assert await house.refused(command(public.email, private.email)) == "no-rights"
    assert (await house.do(command(public.email), Copied)).uids == ((0, 2),)


async def test_recovery_refusals(house: House) -> None:
    account = await house.account(quota=100)
    filed = await house.deliver(account, data=b"x" * 60)
    await house.expunge(inbox(account))
    await house.do(append(inbox(account), data=b"y" * 60), object)

    def command(**how: Any) -> Recover:
        return Recover(
            **{"actor": account, "target": inbox(account), "emails": (filed.email,), **how}
        )

    assert await house.refused(command()) == "over-quota"
    assert await house.refused(command(target=inbox(account) + 90)) == "no-such-mailbox"
    assert await house.refused(command(actor=account + 1)) == "no-such-mailbox"
    assert await house.refused(command(emails=tuple(range(5001)))) == "limit"


# Between mailboxes that are shared differently ----------------------------------------------------


async def shared(house: House) -> tuple[int, int, int, int]:
    """An owner with a message in INBOX, a mailbox in which a reader may change flags: owner, reader,
    INBOX, the mailbox."""
    owner, reader = await house.account(), await house.account()
    box = await house.mailbox(owner, "team")
    await house.grant(box, reader, "lrswite")
    await house.deliver(owner, data=b"plan", flags=SEEN, keywords=("k",))
    return owner, reader, inbox(owner), box


async def test_an_owners_copy_into_a_shared_mailbox_has_flags_of_its_own(house: House) -> None:
    """Whoever may change flags there changed those of the private one too."""
    owner, reader, private, box = await shared(house)
    answer = await house.copy(private, box, actor=owner)
    assert answer.uids == ((1, 1),)
    await house.flag(box, actor=reader, flags=FLAGGED, keywords=("theirs",))
    mine, theirs = await house.email(private, 1), await house.email(box, 1)
    assert (mine["flags"], mine["keywords"], mine["mailboxes"]) == (SEEN, "k", 1)
    assert (theirs["flags"], theirs["keywords"]) == (SEEN | FLAGGED, "k theirs")
    assert (theirs["thread"], theirs["blob"]) == (mine["thread"], mine["blob"])
    assert await house.bytes_of(theirs["id"]) == b"plan"
    used = "SELECT used_bytes, used_emails FROM account_head WHERE account = $1"
    assert await house.rows(used, owner) == [(8, 2)]
    await house.flag(private, actor=owner, mode="-", flags=SEEN)
    assert (await house.email(box, 1))["flags"] == SEEN | FLAGGED


async def test_a_copy_that_takes_room_is_asked_for_it(house: House) -> None:
    owner, reader = await house.account(quota=9), await house.account()
    box = await house.mailbox(owner, "team")
    await house.deliver(owner, data=b"plans")
    await house.grant(box, reader, "lr")
    command = Copy(actor=owner, mailbox=inbox(owner), uids=ALL, target=box)
    assert await house.refused(command) == "over-quota"
    await house.grant(box, reader, "")
    await house.copy(inbox(owner), box, actor=owner)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("lr", "lr", False),
        ("lr", "lrw", True),
        ("", "lr", True),
        ("lr", "", True),
        ("", "", False),
    ],
)
async def test_one_email_only_where_the_same_people_may_the_same(
    house: House, one: str, other: str, apart: bool
) -> None:
    """Lists are compared by what they say, not by whose they are."""
    owner, reader = await house.account(), await house.account()
    boxes = [await house.mailbox(owner, name) for name in ("one", "other")]
    for box, letters in zip(boxes, (one, other), strict=True):
        await house.grant(box, reader, "p")
        await house.grant(box, reader, letters)
    await house.append(boxes[0])
    await house.copy(boxes[0], boxes[1], actor=owner)
    assert (await emails(house, boxes[0]) != await emails(house, boxes[1])) is apart


async def test_a_list_from_above_counts_for_copies(house: House) -> None:
    owner, reader, private, box = await shared(house)
    below = await house.mailbox(owner, "below", parent=box)
    await house.copy(private, box, actor=owner)
    await house.copy(box, below, actor=owner)
    assert await emails(house, box) == await emails(house, below)
    await house.grant(below, reader, "lr")
    await house.copy(box, below, actor=owner)
    assert (await house.email(below, 2))["mailboxes"] == 1


async def test_who_may_change_flags_in_both_changes_none_that_a_third_one_sees_elsewhere(
    house: House,
) -> None:
    owner, actor, _, box = await shared(house)
    other, third = await house.mailbox(owner, "other"), await house.account()
    await house.grant(other, actor, "lrswite")
    await house.grant(other, third, "lrw")
    await house.append(box)
    await house.copy(box, other, actor=actor)
    assert await emails(house, box) != await emails(house, other)


async def test_who_may_set_no_flags_brings_none_by_a_copy(house: House) -> None:
    """RFC 4314 §4, though the two mailboxes are shared alike: else they would be one email with one set of
    flags. What its owner copies is one."""
    owner, actor, _, box = await shared(house)
    other = await house.mailbox(owner, "other")
    for mailbox in (box, other):
        await house.grant(mailbox, actor, "lrsi")
    await house.append(box, flags=FLAGGED, keywords=("k",))
    await house.copy(box, other, actor=actor)
    mine, theirs = await house.email(box, 1), await house.email(other, 1)
    assert (mine["flags"], mine["keywords"], mine["mailboxes"]) == (FLAGGED, "k", 1)
    assert (theirs["flags"], theirs["keywords"], theirs["mailboxes"]) == (0, None, 1)
    await house.copy(box, other, actor=owner)
    assert (await house.email(other, 2))["id"] == mine["id"]


async def test_a_move_into_a_shared_mailbox_is_the_same_email(house: House) -> None:
    """It has one membership, before and after; what is in a third mailbox too stays behind there."""
    owner, reader, private, box = await shared(house)
    filed = await emails(house, private)
    await house.copy(private, box, actor=owner, move=True)
    assert await emails(house, box) == filed
    assert await house.uids(private) == []
    await house.copy(box, private, actor=owner, move=True)
    archive = await house.standard(owner, "archive")
    await house.copy(private, archive, actor=owner)
    await house.copy(private, box, actor=owner, move=True)
    await house.flag(box, actor=reader, mode="-", flags=SEEN)
    assert await house.uids(private) == []
    assert await emails(house, archive) == filed
    assert (await house.email(archive, 1))["mailboxes"] == 1
    await house.flag(box, actor=reader, flags=FLAGGED)
    assert (await house.email(archive, 1))["flags"] == SEEN
    assert await house.value("SELECT count(*) FROM email") == 2


@pytest.mark.parametrize("move", [True, False])
async def test_the_mark_deleted_goes_along_where_it_is_asked_for(house: House, move: bool) -> None:
    account = await house.account()
    box, archive = inbox(account), await house.standard(account, "archive")
    await house.fill(account, 3)
    await house.flag(box, ((2, 2),), deleted=True)
    command = Copy(actor=account, mailbox=box, uids=ALL, target=archive, move=move, deleted=True)
    await house.do(command, Copied)
    marked = "SELECT uid FROM membership WHERE mailbox = $1 AND deleted = 1"
    assert await house.rows(marked, archive) == [(2,)]
    assert (await counters(house, archive))[:3] == (3, 3, 1)
