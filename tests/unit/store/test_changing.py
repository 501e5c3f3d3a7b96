"""ChangeEmails: keywords and mailboxes by email id, with what IMAP and JMAP are told of it."""

from typing import Any

import pytest

from malleposte.store.commands import MAX_ROWS, ChangeEmails, DeleteMailbox, EmailChange, Recover
from malleposte.store.execute import deleting
from malleposte.store.flags import (
    ANSWERED,
    FLAGGED,
    MAX_KEYWORDS_ACCOUNT,
    MAX_KEYWORDS_EMAIL,
    SEEN,
)
from malleposte.store.read import memberships
from malleposte.store.results import Copied, Done, EmailsChanged
from support.store import House, append, inbox


async def change(house: House, account: int, *emails: int, actor: int = 0, **how: Any) -> Any:
    """The answer of one change to emails of an account; those destroyed are gone for good, unless told
    otherwise."""
    command = ChangeEmails(
        actor=actor or account, account=account, changes=(EmailChange(emails=emails, **how),)
    )
    return await house.do(command, EmailsChanged)


async def test_keywords_are_set_and_cleared_at_once(house: House) -> None:
    account = await house.account()
    filed = await house.deliver(account, flags=SEEN, keywords=("old", "kept"))
    answer = await change(
        house,
        account,
        filed.email,
        set_flags=FLAGGED,
        clear_flags=SEEN,
        set_words=("New",),
        clear_words=("old",),
    )
    assert answer.refused == ()
    email = await house.email(inbox(account), filed.uid)
    assert (email["flags"], email["keywords"]) == (FLAGGED, "kept new")
    assert email["modseq"] == answer.modseq == await house.value("SELECT modseq FROM account_head")
    info = await house.info(inbox(account))
    assert (info.unseen, info.message_modseq) == (1, answer.modseq)


async def test_only_these_keywords(house: House) -> None:
    account = await house.account()
    filed = await house.deliver(account, flags=SEEN | ANSWERED, keywords=("old",))
    await change(house, account, filed.email, only_flags=True, set_flags=SEEN, set_words=("new",))
    email = await house.email(inbox(account), filed.uid)
    assert (email["flags"], email["keywords"]) == (SEEN, "new")
    await change(house, account, filed.email, only_flags=True)
    email = await house.email(inbox(account), filed.uid)
    assert (email["flags"], email["keywords"]) == (0, None)


async def test_what_is_so_already_is_no_change(house: House) -> None:
    """A command that comes twice costs no modseq."""
    account = await house.account()
    filed = await house.deliver(account, flags=SEEN, keywords=("word",))
    how: dict[str, Any] = {
        "set_flags": SEEN,
        "set_words": ("word",),
        "enter": (inbox(account),),
    }
    before = await house.snapshot()
    assert (await change(house, account, filed.email, **how)).modseq == 0
    assert await house.snapshot() == before


async def test_a_change_shows_in_every_mailbox_that_holds_it(house: House) -> None:
    account = await house.account()
    archive = await house.standard(account, "archive")
    filed = await house.deliver(account)
    await house.copy(inbox(account), archive)
    answer = await change(house, account, filed.email, set_flags=SEEN)
    for mailbox in (inbox(account), archive):
        info = await house.info(mailbox)
        assert (info.unseen, info.message_modseq) == (0, answer.modseq)


async def test_into_another_mailbox_and_out_again(house: House) -> None:
    account = await house.account()
    archive = await house.standard(account, "archive")
    filed = await house.deliver(account, flags=SEEN)
    await change(house, account, filed.email, enter=(archive,), clear_flags=SEEN)
    assert await memberships.of(house.store.reader, [filed.email]) == {
        filed.email: sorted((inbox(account), archive))
    }
    assert (await house.email(archive, 1))["mailboxes"] == 2
    assert [(await house.info(m)).unseen for m in (inbox(account), archive)] == [1, 1]
    answer = await change(house, account, filed.email, leave=(inbox(account),))
    assert await memberships.of(house.store.reader, [filed.email]) == {filed.email: [archive]}
    assert await house.tombstones(account, "uid") == [
        (inbox(account), answer.modseq, filed.uid, filed.uid)
    ]
    assert await house.tombstones(account, "email") == []


async def test_many_move_in_one_command(house: House) -> None:
    """They keep their order, and nothing else is touched."""
    account = await house.account()
    archive = await house.standard(account, "archive")
    emails = [one.email for one in await house.fill(account, 40)]
    other = await house.deliver(account)
    answer = await change(house, account, *emails, enter=(archive,), only_mailboxes=True)
    assert answer.refused == ()
    rows = await house.rows("SELECT email FROM membership WHERE mailbox = $1 ORDER BY uid", archive)
    assert [row[0] for row in rows] == emails
    assert await house.uids(inbox(account)) == [other.uid]
    assert await house.tombstones(account, "uid") == [(inbox(account), answer.modseq, 1, 40)]


async def test_an_email_is_always_somewhere(house: House) -> None:
    account = await house.account()
    filed = await house.deliver(account)
    before = await house.snapshot()
    answer = await change(house, account, filed.email, leave=(inbox(account),), set_flags=SEEN)
    assert [reason for _, reason, _ in answer.refused] == ["nowhere"]
    assert await house.snapshot() == before


async def test_destroyed_it_leaves_all_and_can_be_brought_back(house: House) -> None:
    account = await house.account()
    archive = await house.standard(account, "archive")
    filed = await house.deliver(account, data=b"come back")
    await house.copy(inbox(account), archive)
    now = house.clock.stop()
    answer = await change(house, account, filed.email, destroy=True, recoverable_until=now + 77)
    assert await memberships.of(house.store.reader, [filed.email]) == {}
    assert await house.rows("SELECT email, mailbox, until FROM recoverable") == [
        (filed.email, inbox(account), now + 77)
    ]
    gone = (0, answer.modseq, filed.email, filed.email)
    assert await house.tombstones(account, "email") == [gone]
    assert len(await house.tombstones(account, "thread")) == 1
    assert await house.value("SELECT used_bytes + used_emails FROM account_head") == 0
    back = Recover(actor=account, target=inbox(account), emails=(filed.email,))
    assert len((await house.do(back, Copied)).uids) == 1


async def test_destroyed_in_several_mailboxes_in_one_command(house: House) -> None:
    """A thread that two of them are of is gone with both."""
    account = await house.account()
    archive = await house.standard(account, "archive")
    one = await house.deliver(account)
    await house.copy(inbox(account), inbox(account))
    twin = (await house.email(inbox(account), 2))["id"]
    await change(house, account, twin, enter=(archive,), only_mailboxes=True)
    until = int(house.clock.time()) + 77
    answer = await change(house, account, one.email, twin, destroy=True, recoverable_until=until)
    assert [row[1:2] for row in await house.tombstones(account, "thread")] == [(answer.modseq,)]
    assert await house.value("SELECT count(*) FROM recoverable") == 2


async def test_destroyed_for_good_it_is_no_recoverable_item(house: House) -> None:
    """A draft that another takes the place of; its content goes with it, where nothing else uses it."""
    account = await house.account()
    gone = await house.deliver(account, data=b"one draft")
    kept = await house.deliver(account, data=b"and another")
    await house.copy(inbox(account), inbox(account), ((kept.uid, kept.uid),))
    answer = await change(house, account, gone.email, kept.email, destroy=True)
    assert await house.value("SELECT count(*) FROM recoverable") == 0
    assert await house.value("SELECT recoverable_bytes FROM account_head") == 0
    assert await house.tombstones(account, "email") == [(0, answer.modseq, gone.email, kept.email)]
    assert await house.value("SELECT count(*) FROM blob") == 1
    assert await house.bytes_of(kept.email + 1) == b"and another"


async def test_a_hold_keeps_even_a_draft(house: House) -> None:
    account = await house.account()
    filed = await house.deliver(account)
    await house.attempt(
        "INSERT INTO hold (id, account, reason, actor, created_at)"
        f" VALUES (1, {account}, 'court', 'admin', 1)"
    )
    await change(house, account, filed.email, destroy=True)
    assert await house.rows("SELECT email FROM recoverable") == [(filed.email,)]


async def test_a_mark_of_deleted_hides_it_and_entering_takes_the_mark_away(house: House) -> None:
    account = await house.account()
    archive = await house.standard(account, "archive")
    filed = await house.deliver(account)
    await house.flag(inbox(account), deleted=True)
    assert (await change(house, account, filed.email, set_flags=SEEN)).refused
    await house.copy(inbox(account), archive)
    await change(house, account, filed.email, enter=(inbox(account),))
    assert (await house.info(inbox(account))).deleted == 0
    assert await memberships.of(house.store.reader, [filed.email]) == {
        filed.email: sorted((inbox(account), archive))
    }


async def test_destroyed_where_it_shows_it_is_gone_where_it_was_marked(house: House) -> None:
    account = await house.account()
    archive = await house.standard(account, "archive")
    filed = await house.deliver(account)
    await house.copy(inbox(account), archive)
    await house.flag(inbox(account), deleted=True)
    until = int(house.clock.time()) + 77
    await change(house, account, filed.email, destroy=True, recoverable_until=until)
    assert (await house.info(inbox(account))).messages == 0
    assert await house.value("SELECT count(*) FROM recoverable") == 1


async def test_what_is_not_there_is_refused_and_the_rest_is_done(house: House) -> None:
    account, other = await house.account(), await house.account()
    filed, foreign = await house.deliver(account), await house.deliver(other)
    answer = await change(house, account, filed.email, foreign.email, 7, set_flags=SEEN)
    assert [(email, reason) for email, reason, _ in answer.refused] == [
        (foreign.email, "no-such-email"),
        (7, "no-such-email"),
    ]
    assert (await house.email(inbox(account), filed.uid))["flags"] == SEEN
    assert (await house.email(inbox(other), foreign.uid))["flags"] == 0


@pytest.mark.parametrize("kind", ["foreign", "none"])
async def test_a_mailbox_that_is_not_there(house: House, kind: str) -> None:
    account, other = await house.account(), await house.account()
    filed = await house.deliver(account)
    target = inbox(other) if kind == "foreign" else inbox(account) + 99
    before = await house.snapshot()
    answer = await change(house, account, filed.email, enter=(target,), set_flags=SEEN)
    assert [reason for _, reason, _ in answer.refused] == ["no-such-mailbox"]
    assert await house.snapshot() == before


async def test_only_at_the_modseq_that_was_seen(house: House) -> None:
    account = await house.account()
    filed = await house.deliver(account)
    changes = (EmailChange(emails=(filed.email,), set_flags=SEEN),)
    command = ChangeEmails(
        actor=account, account=account, changes=changes, if_modseq=filed.modseq - 1
    )
    assert await house.refused(command) == "changed"
    command = ChangeEmails(actor=account, account=account, changes=changes, if_modseq=filed.modseq)
    assert (await house.do(command, EmailsChanged)).modseq == filed.modseq + 1


async def test_bounds(house: House) -> None:
    account = await house.account()
    filed = await house.deliver(account)
    many = EmailChange(emails=tuple(range(1, MAX_ROWS + 2)))
    command = ChangeEmails(actor=account, account=account, changes=(many,))
    assert await house.refused(command) == "limit"
    words = tuple(f"w{n}" for n in range(MAX_KEYWORDS_EMAIL + 1))
    answer = await change(house, account, filed.email, set_words=words)
    assert [reason for _, reason, _ in answer.refused] == ["too-many"]
    nobody = ChangeEmails(actor=account, account=99, changes=())
    assert await house.refused(nobody) == "no-such-account"


async def test_keywords_of_an_account_are_bounded(house: House) -> None:
    account = await house.account()
    filed = await house.deliver(account)
    for start in range(0, MAX_KEYWORDS_ACCOUNT, MAX_KEYWORDS_EMAIL):
        words = tuple(f"w{n}" for n in range(start, start + MAX_KEYWORDS_EMAIL))
        await change(house, account, filed.email, only_flags=True, set_words=words)
    one_more = EmailChange(emails=(filed.email,), only_flags=True, set_words=("more",))
    command = ChangeEmails(actor=account, account=account, changes=(one_more,))
    assert await house.refused(command) == "limit"


# Of others ----------------------------------------------------------------------------------------


async def test_rights_are_asked_for_what_changes(house: House) -> None:
    owner, actor = await house.account(), await house.account()
    filed = await house.deliver(owner, flags=FLAGGED)
    box, archive = inbox(owner), await house.standard(owner, "archive")
    await house.grant(box, actor, "lr")
    await house.grant(archive, actor, "lr")

    async def refused(**how: Any) -> list[str]:
        answer = await change(house, owner, filed.email, actor=actor, **how)
        return [text for _, reason, text in answer.refused if reason == "no-rights"]

    assert "right s" in (await refused(set_flags=SEEN))[0]
    assert "right w" in (await refused(set_words=("word",)))[0]
    assert "right i" in (await refused(enter=(archive,)))[0]
    assert "right t" in (await refused(destroy=True))[0]
    # What it has already is no change, and needs none.
    assert await refused(set_flags=FLAGGED) == []
    await house.grant(archive, actor, "lri")
    assert "right t" in (await refused(enter=(archive,), only_mailboxes=True))[0]
    await house.grant(box, actor, "lrte")
    assert await refused(enter=(archive,), only_mailboxes=True) == []
    assert await house.uids(box) == []


async def test_seen_of_a_reader_is_that_readers(house: House) -> None:
    owner, actor = await house.account(), await house.account()
    filed = await house.deliver(owner)
    await house.grant(inbox(owner), actor, "lrs")
    answer = await change(house, owner, filed.email, actor=actor, set_flags=SEEN)
    assert answer.refused == ()
    assert await house.rows("SELECT email, reader, seen, modseq FROM reader_seen") == [
        (filed.email, actor, 1, answer.modseq)
    ]
    assert (await house.email(inbox(owner), filed.uid))["flags"] == 0
    assert (await house.info(inbox(owner))).message_modseq == answer.modseq
    again = await change(house, owner, filed.email, actor=actor, set_flags=SEEN)
    assert again.modseq == 0


async def test_who_sees_no_mailbox_of_it_has_no_email(house: House) -> None:
    owner, actor = await house.account(), await house.account()
    filed = await house.deliver(owner)
    answer = await change(house, owner, filed.email, actor=actor, set_flags=SEEN)
    assert [reason for _, reason, _ in answer.refused] == ["no-such-email"]


async def test_not_in_two_mailboxes_that_differ_in_who_may_use_them(house: House) -> None:
    """An email has one set of flags: who may set them in one of the two would set them in the other."""
    owner, other = await house.account(), await house.account()
    filed = await house.deliver(owner)
    box, archive = inbox(owner), await house.standard(owner, "archive")
    await house.grant(archive, other, "lrw")
    answer = await change(house, owner, filed.email, enter=(archive,))
    assert [reason for _, reason, _ in answer.refused] == ["shared"]
    assert (await change(house, owner, filed.email, enter=(archive,), leave=(box,))).refused == ()
    assert await memberships.of(house.store.reader, [filed.email]) == {filed.email: [archive]}


async def test_what_a_deleted_mailbox_still_holds(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its emails are gone to JMAP; one that is elsewhere too is destroyed as if it were only there."""
    monkeypatch.setattr(deleting, "AT_ONCE", 1)
    account = await house.account()
    box = await house.mailbox(account, "Old")
    both, only, _ = await house.fill(account, 3, box)
    await change(house, account, both.email, enter=(inbox(account),))
    await house.do(DeleteMailbox(actor=account, mailbox=box, recoverable_until=0), Done)
    assert (await change(house, account, only.email, set_flags=SEEN)).refused
    until = int(house.clock.time()) + 77
    how = {"destroy": True, "recoverable_until": until}
    assert (await change(house, account, both.email, **how)).refused == ()
    assert await house.value("SELECT count(*) FROM recoverable WHERE email = $1", both.email) == 1


# Append, in several mailboxes ---------------------------------------------------------------------


async def test_appended_into_several_mailboxes(house: House) -> None:
    account = await house.account()
    archive, sent = [await house.standard(account, role) for role in ("archive", "sent")]
    command = append(inbox(account), actor=account, flags=FLAGGED)
    command = type(command)(**_fields(command), also=(archive, sent))
    answer: Any = await house.store.submit(command)
    assert await memberships.of(house.store.reader, [answer.email]) == {
        answer.email: sorted((inbox(account), archive, sent))
    }
    for mailbox in (inbox(account), archive, sent):
        info = await house.info(mailbox)
        assert (info.messages, info.unseen, info.message_modseq) == (1, 1, answer.modseq)


async def test_not_appended_where_one_of_several_is_refused(house: House) -> None:
    account, other = await house.account(), await house.account()
    shared = await house.standard(account, "archive")
    await house.grant(shared, other, "lrw")
    command = append(inbox(account), actor=account)
    for also, reason in ((inbox(other), "no-such-mailbox"), (shared, "no-rights")):
        assert await house.refused(type(command)(**_fields(command), also=(also,))) == reason


def _fields(command: Any) -> dict[str, Any]:
    return {name: getattr(command, name) for name in command.__struct_fields__ if name != "also"}
