"""Mailboxes by the command line: listed, shared, and two made one without losing a message or a flag."""

import pytest

from malleposte.operations.errors import OperationError
from malleposte.operations.mailbox_merge import MailboxesMerged, MergeMailboxes
from malleposte.operations.mailboxes import (
    GiveRights,
    ListMailboxes,
    MailboxPage,
    RightsShown,
    ShowRights,
    TakeRights,
)
from malleposte.operations.registry import Response
from malleposte.store.commands import (
    DeleteMailbox,
    Entry,
    SetAccount,
    SetAlias,
    SetMetadata,
    Subscribe,
)
from malleposte.store.flags import FLAGGED, SEEN
from malleposte.store.read import annotations, mailboxes
from malleposte.store.results import Done
from support.store import House, append, inbox
from unit.operations.desk import Desk, Tape

ADA = "ada@example.org"
BOB = "bob@example.org"


# Listing ------------------------------------------------------------------------------------------


async def listed(desk: Desk, **how: object) -> MailboxPage:
    return await desk.call("mailbox.list", ListMailboxes(address=ADA, **how), MailboxPage)  # type: ignore[arg-type]


async def test_mailboxes_are_listed_with_counts_and_whose_list_counts(
    house: House, desk: Desk
) -> None:
    ada, bob = await house.account("ada"), await house.account("bob")
    top = await house.mailbox(ada, "team")
    await house.mailbox(ada, "team", "plans")
    await house.deliver(ada, data=b"one")
    await house.deliver(ada, data=b"three", flags=SEEN)
    await house.grant(top, bob, "lr")
    await house.grant(top, 0, "l")
    await house.grant(inbox(ada), bob, "lr")
    await house.grant(inbox(ada), bob, "")
    found = {one.path: one for one in (await listed(desk)).mailboxes}
    assert list(found) == [
        "Archive",
        "Drafts",
        "INBOX",
        "Junk",
        "Sent",
        "Trash",
        "team",
        "team/plans",
    ]
    box = found["INBOX"]
    assert (box.role, box.messages, box.unseen, box.size, box.subscribed) == (
        "inbox",
        2,
        1,
        8,
        True,
    )
    shared = {path: (one.shared, one.rights_from) for path, one in found.items()}
    assert shared["team"] == shared["team/plans"] == (2, "team")
    assert shared["INBOX"] == (0, "INBOX"), "an empty list is one"
    assert shared["Sent"] == (0, "")
    assert await desk.audit() == []


async def test_a_long_list_comes_in_pages(
    house: House, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By number, and by octets: an answer is one line of the socket."""
    ada = await house.account("ada")
    await house.mailbox(ada, "Sent", "old")
    every = [one.path for one in (await listed(desk)).mailboxes]
    for limit, octets in ((3, 1 << 20), (500, 12)):
        monkeypatch.setattr("malleposte.operations.mailboxes.MAX_OCTETS", octets)
        found: list[str] = []
        pages = 0
        while True:
            page = await listed(desk, after=found[-1] if found else "", limit=limit)
            found += [one.path for one in page.mailboxes]
            pages += 1
            if not page.more:
                break
        assert found == every
        assert pages > 1


# Rights -------------------------------------------------------------------------------------------


async def rights(desk: Desk, mailbox: str) -> RightsShown:
    return await desk.call("mailbox.rights", ShowRights(address=ADA, mailbox=mailbox), RightsShown)


async def give(desk: Desk, mailbox: str, who: str, letters: str) -> RightsShown:
    request = GiveRights(address=ADA, mailbox=mailbox, who=who, rights=letters)
    return await desk.call("mailbox.give", request, RightsShown)


async def take(desk: Desk, mailbox: str, who: str, letters: str = "") -> RightsShown:
    request = TakeRights(address=ADA, mailbox=mailbox, who=who, rights=letters)
    return await desk.call("mailbox.take", request, RightsShown)


async def test_rights_are_given_and_taken_with_a_line_each(house: House, desk: Desk) -> None:
    """RFC 4314 §2.1.1: c and d stand for what they were divided into."""
    ada, bob = await house.account("ada"), await house.account("bob")
    await house.mailbox(ada, "team", "plans")
    await house.do(SetAlias(address="b@example.org", accounts_=(bob,)), Done)
    done = await give(desk, "team", "B@example.org", "lrsd")
    assert [(one.who, one.rights) for one in done.granted] == [(BOB, "lrste")]
    assert (done.mailbox, done.seen_as) == ("team", f"Other Users/{ADA}/team")
    assert await mailboxes.subscriptions(house.store.reader, bob) == [done.seen_as]
    below = await rights(desk, "team/plans")
    assert (below.rights_from, below.granted) == ("team", done.granted)
    for _ in range(2):
        done = await give(desk, "team", "Anyone", "l")
    assert [(one.who, one.rights) for one in done.granted] == [("anyone", "l"), (BOB, "lrste")]
    done = await take(desk, "team", BOB, "d")
    assert [(one.who, one.rights) for one in done.granted] == [("anyone", "l"), (BOB, "lrs")]
    await take(desk, "team", "anyone")
    done = await take(desk, "team", BOB)
    assert done.granted == ()
    assert await mailboxes.subscriptions(house.store.reader, bob) == []
    lines = [(line[1], line[2], line[3], line[4]) for line in await desk.audit()]
    team = {"mailbox": "team"}
    assert lines == [
        (name, ADA, "done", team | details)
        for name, details in [
            ("mailbox.give", {"who": "B@example.org", "before": "", "after": "lrste"}),
            ("mailbox.give", {"who": "Anyone", "before": "", "after": "l"}),
            ("mailbox.give", {"who": "Anyone", "before": "l", "after": "l"}),
            ("mailbox.take", {"who": BOB, "before": "lrste", "after": "lrs"}),
            ("mailbox.take", {"who": "anyone", "before": "l", "after": ""}),
            ("mailbox.take", {"who": BOB, "before": "lrs", "after": ""}),
        ]
    ]


async def test_a_shared_accounts_inbox_as_others_see_it(house: House, desk: Desk) -> None:
    ada = await house.account("ada")
    await house.account("bob")
    await house.damage("UPDATE account SET kind = 'shared' WHERE id = $1", ada)
    assert (await give(desk, "inbox", BOB, "lr")).seen_as == f"Shared Folders/{ADA}"


@pytest.mark.parametrize(
    ("mailbox", "who", "letters", "words"),
    [
        ("INBOX", "nobody@example.org", "l", "name one account of this server"),
        ("INBOX", "two@example.org", "l", "name one account of this server"),
        ("INBOX", ADA, "l", "holds all rights, always"),
        ("INBOX", BOB, "lq", "rights are letters of lrswipkxtea"),
        ("INBOX", BOB, "", "say which rights"),
        ("nowhere", BOB, "l", "there is no mailbox 'nowhere'"),
    ],
)
async def test_what_cannot_be_given_is_refused_in_words(
    house: House, desk: Desk, mailbox: str, who: str, letters: str, words: str
) -> None:
    ada, bob = await house.account("ada"), await house.account("bob")
    await house.do(SetAlias(address="two@example.org", accounts_=(ada, bob)), Done)
    before = await house.snapshot()
    with pytest.raises(OperationError, match=words):
        await give(desk, mailbox, who, letters)
    assert await house.snapshot() == before
    assert [line[3] in ("refused", "failed") for line in await desk.audit()] == [True]


# Two made one -------------------------------------------------------------------------------------


async def merge(
    desk: Desk, source: str, target: str, *, keep: bool = False, tape: Tape | None = None
) -> MailboxesMerged:
    request = MergeMailboxes(address=ADA, source=source, target=target, keep=keep)
    return await desk.call("mailbox.merge", request, MailboxesMerged, tape)


async def content(house: House, mailbox: int) -> list[tuple[object, ...]]:
    """Messages with all that must come along."""
    rows = await house.rows(
        "SELECT e.id, e.flags, e.keywords, e.received_at, m.deleted FROM membership m"
        " JOIN email e ON e.id = m.email WHERE m.mailbox = $1 ORDER BY e.id",
        mailbox,
    )
    return [tuple(row) for row in rows]


async def test_two_sent_folders_become_one(
    house: House, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.operations.mailbox_merge.STEP", 2)
    ada = await house.account("ada")
    old, sent = await house.mailbox(ada, "Gesendet"), await house.standard(ada, "sent")
    await house.append(sent)
    for n in range(5):
        await house.append(old, flags=SEEN * (n % 2) | FLAGGED, keywords=("k",), deleted=n == 3)
    expected = sorted(await content(house, old) + await content(house, sent), key=repr)
    used = "SELECT used_bytes, used_emails FROM account_head WHERE account = $1"
    before = await house.rows(used, ada)
    tape = Tape()
    done = await merge(desk, "Gesendet", "Sent", tape=tape)
    assert (done.moved, done.messages, done.kept) == (5, 6, "")
    assert sorted(await content(house, sent), key=repr) == expected
    assert await house.rows(used, ada) == before
    info = await house.info(sent)
    assert (info.messages, info.deleted, info.subscribed, info.role) == (6, 1, True, "sent")
    paths = [one.path for one in await mailboxes.mailboxes(house.store.reader, ada)]
    assert "Gesendet" not in paths
    assert await mailboxes.subscriptions(house.store.reader, ada) == [], "no name of nothing"
    assert [report[:2] for report in tape.reports] == [(2, 5), (4, 5), (5, 5)]
    details = {"from": "Gesendet", "into": "Sent"}
    assert [line[3:] for line in await desk.audit()] == [
        ("begun", details),
        ("done", details | {"moved": 5}),
    ]
    with pytest.raises(OperationError, match="there is no mailbox 'Gesendet'"):
        await merge(desk, "Gesendet", "Sent")


async def test_the_use_goes_along(house: House, desk: Desk) -> None:
    """Sent into one that has no use: programs go on finding where sent mail is."""
    ada = await house.account("ada")
    target = await house.mailbox(ada, "Gesendet")
    await merge(desk, "Sent", "Gesendet")
    assert (await house.info(target)).role == "sent"


@pytest.mark.parametrize("first", [True, False])
async def test_so_does_its_being_subscribed_to(house: House, desk: Desk, first: bool) -> None:
    """The mail stays where its owner's programs show it; and is not shown where it was not."""
    ada = await house.account("ada")
    old, target = await house.mailbox(ada, "old"), await house.mailbox(ada, "new")
    for box, subscribed in ((old, first), (target, False)):
        await house.do(Subscribe(account=ada, name="", mailbox=box, subscribed=subscribed), Done)
    below = await house.mailbox(ada, "old", "below")
    assert (await merge(desk, "old", "new")).kept == "has-children"
    assert not (await house.info(target)).subscribed, "the first one is still there"
    await house.do(DeleteMailbox(actor=ada, mailbox=below), Done)
    await house.do(Subscribe(account=ada, name="old/below", subscribed=False), Done)
    assert (await merge(desk, "old", "new")).kept == ""
    assert (await house.info(target)).subscribed is first
    assert await mailboxes.subscriptions(house.store.reader, ada) == []


async def test_so_does_what_is_noted_on_it(house: House, desk: Desk) -> None:
    """Entries of METADATA, each reader's own too; what is noted on the target stays as it is."""
    ada, bob = await house.account("ada"), await house.account("bob")
    old, target = await house.mailbox(ada, "old"), await house.mailbox(ada, "new")
    for box in (old, target):
        await house.grant(box, bob, "lr")

    async def note(actor: int, box: int, name: str, value: bytes, *, private: bool = True) -> None:
        entry = Entry(name=name, private=private, value=value)
        await house.do(SetMetadata(actor=actor, mailbox=box, entries=(entry,)), Done)

    async def noted(actor: int) -> set[tuple[str, bool, bytes | None]]:
        found = await annotations.annotations(house.store.reader, actor, target)
        return {(one.name, one.private, one.value) for one in found}

    await note(ada, old, "/comment", b"all see it", private=False)
    await note(ada, old, "/color", b"red")
    await note(ada, old, "/sort", b"by date")
    await note(bob, old, "/color", b"green")
    await note(ada, target, "/color", b"blue")
    before = await annotations.kept(house.store.reader, ada)
    below = await house.mailbox(ada, "old", "below")
    assert (await merge(desk, "old", "new")).kept == "has-children"
    assert await noted(ada) == {("/color", True, b"blue")}, "the first one is still there"
    await house.do(DeleteMailbox(actor=ada, mailbox=below), Done)
    assert (await merge(desk, "old", "new")).kept == ""
    assert await noted(ada) == {
        ("/comment", False, b"all see it"),
        ("/color", True, b"blue"),
        ("/sort", True, b"by date"),
    }
    assert await noted(bob) == {("/comment", False, b"all see it"), ("/color", True, b"green")}
    assert (await annotations.kept(house.store.reader, ada))[0] == before[0] - 1


async def test_broken_off_it_is_taken_up_again(
    house: House, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.operations.mailbox_merge.STEP", 2)
    ada = await house.account("ada")
    old, sent = await house.mailbox(ada, "old"), await house.standard(ada, "sent")
    for _ in range(5):
        await house.append(old)

    class Leaving(Tape):
        def report(self, done: int, total: int, words: str = "") -> None:
            self.gone = True

    with pytest.raises(OperationError, match="went away"):
        await merge(desk, "old", "Sent", tape=Leaving())
    assert ((await house.info(old)).messages, (await house.info(sent)).messages) == (3, 2)
    assert (await merge(desk, "old", "Sent")).moved == 3
    assert (await house.info(sent)).messages == 5


async def test_what_stays_and_why(house: House, desk: Desk) -> None:
    ada = await house.account("ada")
    await house.deliver(ada)
    old = await house.mailbox(ada, "old")
    await house.append(old)
    assert (await merge(desk, "old", "Sent", keep=True)).kept == "asked"
    assert (await merge(desk, "INBOX", "Sent")).kept == "inbox"
    await house.mailbox(ada, "old", "below")
    assert (await merge(desk, "old", "Sent")).kept == "has-children"
    assert (await house.info(await house.standard(ada, "sent"))).messages == 2


async def test_mail_that_comes_meanwhile_is_not_removed(
    house: House, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes between the last look and the removal, each time."""
    monkeypatch.setattr("malleposte.operations.mailbox_merge.TRIES", 2)
    ada = await house.account("ada")
    old, sent = await house.mailbox(ada, "old"), await house.standard(ada, "sent")
    look = mailboxes.mailboxes

    async def late(*how: object) -> object:
        await house.store.submit(append(old))
        return await look(*how)  # type: ignore[arg-type]

    monkeypatch.setattr("malleposte.store.read.mailboxes.mailboxes", late)
    assert (await merge(desk, "old", "Sent")).kept == "not-empty"
    monkeypatch.undo()
    assert [(await house.info(box)).messages for box in (old, sent)] == [1, 1]
    done = await merge(desk, "old", "Sent")
    assert (done.moved, done.messages, done.kept) == (1, 2, "")


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("Sent", "sent", "there is no mailbox 'sent'"),
        ("Sent", "Sent", "one mailbox"),
        ("Inbox", "INBOX", "one mailbox"),
        ("Sent", "team", "not shared with the same people"),
        ("team", "Sent", "not shared with the same people"),
    ],
)
async def test_what_is_no_pair_is_refused(
    house: House, desk: Desk, source: str, target: str, words: str
) -> None:
    """Mail must not come before other eyes by the way."""
    ada, bob = await house.account("ada"), await house.account("bob")
    await house.grant(await house.mailbox(ada, "team"), bob, "lr")
    before = await house.snapshot()
    with pytest.raises(OperationError, match=words):
        await merge(desk, source, target)
    assert await house.snapshot() == before


async def test_a_suspended_accounts_mailboxes_can_be_put_in_order(house: House, desk: Desk) -> None:
    ada = await house.account("ada")
    await house.mailbox(ada, "old")
    await house.account("eve", role="owner")
    await house.do(SetAccount(account=ada, status="suspended"), Done)
    assert (await merge(desk, "old", "Sent")).kept == ""
    assert len((await listed(desk)).mailboxes) == 6


async def test_an_account_that_is_not_there(desk: Desk) -> None:
    for name, request in (
        ("mailbox.list", ListMailboxes(address=ADA)),
        ("mailbox.rights", ShowRights(address=ADA, mailbox="INBOX")),
        ("mailbox.take", TakeRights(address=ADA, mailbox="INBOX", who=BOB)),
        ("mailbox.merge", MergeMailboxes(address=ADA, source="a", target="b")),
    ):
        with pytest.raises(OperationError, match="there is no account"):
            await desk.call(name, request, Response)
