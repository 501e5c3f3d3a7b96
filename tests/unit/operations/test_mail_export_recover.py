"""Exports stream every message with flags and date, pass over what is damaged and what the caller has;
expunged mail is listed and comes back."""

from typing import Any

import msgspec
import pytest

from malleposte.operations.errors import OperationError
from malleposte.operations.mail_export import ExportMail, MailExported
from malleposte.operations.mail_import import ImportMail, MailImported
from malleposte.operations.mail_parcels import (
    ExportHave,
    ExportItem,
    ExportPlan,
    FolderWanted,
    ImportItem,
)
from malleposte.operations.mail_recover import (
    ListRecoverable,
    MailRecovered,
    RecoverablePage,
    RecoverMail,
)
from malleposte.store.commands import CreateMailbox, DeleteMailbox, Expunge
from malleposte.store.ids import frame_id
from malleposte.store.read import mailboxes
from malleposte.store.results import Created, Done, Expunged
from support.store import ALL, House, inbox
from unit.operations.desk import Desk, Tape

WHERE = "ada@example.org"
LATER = 4_000_000_000


async def exported(
    desk: Desk, tape: Tape, **request: Any
) -> tuple[MailExported, ExportPlan, list[tuple[ExportItem, bytes | None]]]:
    done = await desk.call("mail.export", ExportMail(address=WHERE, **request), MailExported, tape)
    plan = msgspec.json.decode(tape.sent[0][0], type=ExportPlan)
    items = [(msgspec.json.decode(head, type=ExportItem), body) for head, body in tape.sent[1:]]
    return done, plan, items


async def test_every_message_comes_with_flags_and_date(house: House, desk: Desk) -> None:
    account = await house.account("ada")
    await house.append(inbox(account), data=b"a\r\n", flags=1 | 2, keywords=("Work",), deleted=True)
    await house.deliver(account, data=b"b\r\n", prefix=b"Return-Path: <>\r\n")
    box = await house.mailbox(account, "Projects", "Été")
    large = b"Subject: c\r\n\r\n" + b"c" * 600_000
    await desk.call(
        "mail.import",
        ImportMail(address=WHERE, folders=(FolderWanted(path="Projects/Été"),)),
        MailImported,
        Tape([(ImportItem(n=0, folder=0, received_at=1_790_000_000), large)]),
    )
    assert box
    done, plan, items = await exported(desk, Tape())
    assert (done.exported, done.damaged) == (3, 0)
    paths = [folder.path for folder in plan.folders]
    found = [(paths[i.folder], i.uid, set(i.flags), body) for i, body in items]
    assert found == [
        ("INBOX", 1, {"\\Seen", "\\Answered", "\\Deleted", "Work"}, b"a\r\n"),
        ("INBOX", 2, set(), b"Return-Path: <>\r\nb\r\n"),
        ("Projects/Été", 1, set(), large),
    ]
    assert {i.received_at for i, _ in items} == {1_790_000_000}


async def test_what_the_caller_has_is_left_out(house: House, desk: Desk) -> None:
    account = await house.account("ada")
    await house.fill(account, 120)
    tape = Tape([(ExportHave(folder=0, uids=((1, 40), (50, 119))), None)])
    done, _, items = await exported(desk, tape)
    assert [i.uid for i, _ in items] == [*range(41, 50), 120]
    assert (done.exported, done.there) == (10, 110)


async def test_only_the_mailboxes_named_and_those_below(house: House, desk: Desk) -> None:
    account = await house.account("ada")
    await house.mailbox(account, "A", "B")
    await house.mailbox(account, "AB")
    _, plan, _ = await exported(desk, Tape(), mailboxes=("A",))
    assert [folder.path for folder in plan.folders] == ["A", "A/B"]
    with pytest.raises(OperationError, match="there is no mailbox 'C'"):
        await exported(desk, Tape(), mailboxes=("C",))


async def test_a_damaged_message_is_named_and_the_rest_goes_on(house: House, desk: Desk) -> None:
    account = await house.account("ada")
    for n in range(3):
        await house.append(inbox(account), data=b"message %d\r\n" % n)
    house.damaged = True
    async with house.place.raw() as tx:
        row = await tx.row("SELECT blob FROM email ORDER BY id LIMIT 1 OFFSET 1")
        assert row is not None
        await tx.run(
            "UPDATE blob_frame SET data = $1 WHERE id = $2", b"rubbish", frame_id(row[0], 0)
        )
    tape = Tape()
    done, _, items = await exported(desk, tape)
    assert (done.exported, done.damaged) == (2, 1)
    assert [i.uid for i, _ in items if i.damaged] == [2]
    assert [body for i, body in items if not i.damaged] == [b"message 0\r\n", b"message 2\r\n"]


async def test_an_export_is_in_the_audit(house: House, desk: Desk) -> None:
    await house.fill(await house.account("ada"), 2)
    await exported(desk, Tape(), target="mbox:/tmp/x")
    begun, (_, operation, target, outcome, details) = await desk.audit()
    assert begun[1:] == ("mail.export", WHERE, "begun", {"target": "mbox:/tmp/x"})
    assert (operation, target, outcome) == ("mail.export", WHERE, "done")
    assert (details["exported"], details["target"]) == (2, "mbox:/tmp/x")


async def expunge(house: House, mailbox: int, uids: Any = ALL) -> None:
    await house.do(
        Expunge(actor=0, mailbox=mailbox, uids=uids, marked=False, recoverable_until=LATER),
        Expunged,
    )


async def listed(desk: Desk, **how: Any) -> RecoverablePage:
    return await desk.call(
        "mail.recoverable", ListRecoverable(address=WHERE, **how), RecoverablePage
    )


async def test_expunged_mail_is_listed_and_comes_back_where_it_was(
    house: House, desk: Desk
) -> None:
    account = await house.account("ada")
    box = await house.mailbox(account, "Box")
    await house.fill(account, 3)
    await house.fill(account, 2, box)
    await expunge(house, inbox(account), ((1, 2),))
    await expunge(house, box)
    page = await listed(desk)
    assert sorted(e.mailbox for e in page.emails) == ["Box", "Box", "INBOX", "INBOX"]
    assert {e.until for e in page.emails} == {LATER}
    request = RecoverMail(address=WHERE, every=True)
    done = await desk.call("mail.recover", request, MailRecovered)
    assert (done.recovered, done.missing) == (4, 0)
    assert await house.value("SELECT messages FROM mailbox WHERE id = $1", inbox(account)) == 3
    assert await house.value("SELECT messages FROM mailbox WHERE id = $1", box) == 2
    assert (await listed(desk)).emails == ()
    again = await desk.call("mail.recover", request, MailRecovered)
    assert (again.recovered, again.missing) == (0, 0)


async def test_some_come_back_into_another_mailbox(house: House, desk: Desk) -> None:
    account = await house.account("ada")
    box = await house.mailbox(account, "Rescued")
    await house.fill(account, 5)
    await expunge(house, inbox(account))
    numbers = [e.number for e in (await listed(desk)).emails]
    request = RecoverMail(address=WHERE, numbers=(*numbers[1:3], 99_999), into="Rescued")
    done = await desk.call("mail.recover", request, MailRecovered)
    assert (done.recovered, done.missing) == (2, 1)
    assert await house.value("SELECT messages FROM mailbox WHERE id = $1", box) == 2


async def boxes(house: House, account: int) -> dict[str, tuple[int, str | None]]:
    """Messages and role of each mailbox that has any, by its full name."""
    found = await mailboxes.mailboxes(house.store.reader, account)
    return {one.path: (one.messages, one.role) for one in found if one.messages}


async def remove(house: House, mailbox: int) -> None:
    await house.do(DeleteMailbox(actor=0, mailbox=mailbox, recoverable_until=LATER), Done)


async def test_deleted_mailboxes_come_back_as_they_were(house: House, desk: Desk) -> None:
    """Sent, a tree of two, and what was expunged before its mailbox went."""
    account = await house.account("ada")
    below = await house.mailbox(account, "Box", "Below")
    box = (await house.info(below)).parent
    sent = await mailboxes.find(house.store.reader, account, "Sent")
    for at, mailbox in enumerate((below, box, sent), 1):
        await house.fill(account, at, mailbox)
    await expunge(house, box)
    for mailbox in (below, box, sent):
        await remove(house, mailbox)
    page = await listed(desk)
    assert sorted((e.mailbox, e.gone) for e in page.emails) == [
        *[("Box", True)] * 2,
        ("Box/Below", True),
        *[("Sent", True)] * 3,
    ]
    done = await desk.call("mail.recover", RecoverMail(address=WHERE, every=True), MailRecovered)
    assert (done.recovered, done.missing) == (6, 0)
    assert done.made == ("Box", "Box/Below", "Sent")
    assert await boxes(house, account) == {
        "Box": (2, None),
        "Box/Below": (1, None),
        "Sent": (3, "sent"),
    }
    again = await desk.call("mail.recover", RecoverMail(address=WHERE, every=True), MailRecovered)
    assert (again.recovered, again.made) == (0, ())


async def test_a_large_mailbox_deleted_just_now_comes_back_whole(
    house: House, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether or not the job came to it."""
    monkeypatch.setattr("malleposte.store.execute.deleting.AT_ONCE", 1)
    account = await house.account("ada")
    for name, mail in (("Box", 3), ("Other", 2)):
        box = await house.mailbox(account, name)
        await house.fill(account, mail, box)
        await remove(house, box)
    assert len((await listed(desk)).emails) == 5
    request = RecoverMail(address=WHERE, every=True, mailbox="Box")
    done = await desk.call("mail.recover", request, MailRecovered)
    assert (done.recovered, done.missing, done.made) == (3, 0, ("Box",))
    assert await house.fsck() == []


async def test_a_name_that_is_there_again_is_taken_and_a_role_is_not_taken_away(
    house: House, desk: Desk
) -> None:
    account = await house.account("ada")
    sent = await mailboxes.find(house.store.reader, account, "Sent")
    box = await house.mailbox(account, "Box")
    await house.fill(account, 1, sent)
    await house.fill(account, 2, box)
    for mailbox in (sent, box):
        await remove(house, mailbox)
    await house.mailbox(account, "Box")
    command = CreateMailbox(actor=0, account=account, parent=0, path=("Other",), role="sent")
    await house.do(command, Created)
    assert {(e.mailbox, e.gone) for e in (await listed(desk)).emails} == {
        ("Sent", True),
        ("Box", False),
    }
    done = await desk.call("mail.recover", RecoverMail(address=WHERE, every=True), MailRecovered)
    assert done.made == ("Sent",)
    assert await boxes(house, account) == {"Sent": (1, None), "Box": (2, None)}


async def test_one_mailbox_is_chosen_with_what_was_below_it(house: House, desk: Desk) -> None:
    account = await house.account("ada")
    below = await house.mailbox(account, "Box", "Été")
    box = (await house.info(below)).parent
    boxes_ = [below, box, await house.mailbox(account, "Boxer")]
    for mailbox in (*boxes_, inbox(account)):
        await house.fill(account, 1, mailbox)
    for mailbox in boxes_:
        await remove(house, mailbox)
    await expunge(house, inbox(account))
    assert [e.mailbox for e in (await listed(desk, mailbox="Box")).emails] == ["Box/Été", "Box"]
    assert [e.mailbox for e in (await listed(desk, mailbox="Box/E\u0301te\u0301")).emails] == [
        "Box/Été"
    ]
    assert [e.mailbox for e in (await listed(desk, mailbox="inbox")).emails] == ["INBOX"]
    request = RecoverMail(address=WHERE, every=True, mailbox="Box")
    done = await desk.call("mail.recover", request, MailRecovered)
    assert (done.recovered, done.missing, done.made) == (2, 0, ("Box", "Box/Été"))
    assert {e.mailbox for e in (await listed(desk)).emails} == {"Boxer", "INBOX"}
    for call in (
        desk.call(
            "mail.recover", RecoverMail(address=WHERE, every=True, mailbox="x"), MailRecovered
        ),
        listed(desk, mailbox="x"),
    ):
        with pytest.raises(OperationError, match="there is no mailbox 'x', nor was there one"):
            await call


async def test_the_mailbox_to_put_it_into_is_made(house: House, desk: Desk) -> None:
    account = await house.account("ada")
    await house.fill(account, 2)
    await expunge(house, inbox(account))
    request = RecoverMail(address=WHERE, every=True, into="Rescued/Of today")
    done = await desk.call("mail.recover", request, MailRecovered)
    assert (done.recovered, done.made) == (2, ("Rescued/Of today",))
    assert await boxes(house, account) == {"Rescued/Of today": (2, None)}


async def test_a_mailbox_that_cannot_be_made_is_said(house: House, desk: Desk) -> None:
    account = await house.account("ada")
    await house.fill(account, 1)
    await expunge(house, inbox(account))
    request = RecoverMail(address=WHERE, every=True, into="a\x00b")
    with pytest.raises(OperationError, match="a mailbox cannot be named"):
        await desk.call("mail.recover", request, MailRecovered)
    assert len((await listed(desk)).emails) == 1


async def test_mail_of_a_mailbox_whose_name_is_not_known_comes_back_into_inbox(
    house: House, desk: Desk
) -> None:
    """As of mailboxes deleted before their names were kept."""
    account = await house.account("ada")
    box = await house.mailbox(account, "Box")
    await house.fill(account, 2, box)
    await remove(house, box)
    await house.attempt("DELETE FROM gone_mailbox")
    assert [(e.mailbox, e.gone) for e in (await listed(desk)).emails] == [("", True)] * 2
    await desk.call("mail.recover", RecoverMail(address=WHERE, every=True), MailRecovered)
    assert await boxes(house, account) == {"INBOX": (2, "inbox")}


async def test_the_list_comes_in_pages_and_by_time(house: House, desk: Desk) -> None:
    account = await house.account("ada")
    await house.fill(account, 5)
    start = house.clock.stop()
    await expunge(house, inbox(account), ((1, 2),))
    house.clock.turn(100)
    await expunge(house, inbox(account), ((3, 5),))
    assert len((await listed(desk, since=start + 50)).emails) == 3
    first = await listed(desk, limit=4)
    assert first.more
    rest = await listed(desk, after=first.emails[-1].number)
    assert len(first.emails) + len(rest.emails) == 5


@pytest.mark.parametrize("how", [{}, {"numbers": (1,), "every": True}])
async def test_which_ones_must_be_said(house: House, desk: Desk, how: dict[str, Any]) -> None:
    await house.account("ada")
    with pytest.raises(OperationError, match="name the messages"):
        await desk.call("mail.recover", RecoverMail(address=WHERE, **how), MailRecovered)
