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
from malleposte.store.commands import DeleteMailbox, Expunge
from malleposte.store.ids import frame_id
from malleposte.store.results import Done, Expunged
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


async def test_mail_of_a_mailbox_that_is_gone_comes_back_into_inbox(
    house: House, desk: Desk
) -> None:
    account = await house.account("ada")
    box = await house.mailbox(account, "Box")
    await house.fill(account, 2, box)
    await house.do(DeleteMailbox(actor=0, mailbox=box, recoverable_until=LATER), Done)
    assert [e.mailbox for e in (await listed(desk)).emails] == ["", ""]
    await desk.call("mail.recover", RecoverMail(address=WHERE, every=True), MailRecovered)
    assert await house.value("SELECT messages FROM mailbox WHERE id = $1", inbox(account)) == 2


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
