"""Imports: flags, dates, mailboxes; what is taken up again is neither doubled nor lost; refusals go on."""

import asyncio
from typing import Any

import msgspec
import pytest

from malleposte.delivery.spool import Prepared, Spool, prepare
from malleposte.operations import mail_import
from malleposte.operations.errors import OperationError
from malleposte.operations.mail_import import ImportMail, MailImported
from malleposte.operations.mail_parcels import FolderWanted, ImportAck, ImportItem, ImportPlan
from malleposte.store.commands import LATEST, DeleteMailbox, TakeLease
from malleposte.store.read import emails, mailboxes
from malleposte.store.results import Done
from support.store import House, inbox
from unit.operations.desk import Desk, Tape

WHERE = "ada@example.org"


def message(number: int, size: int = 0) -> bytes:
    return (
        f"From: joe@example.com\r\nSubject: number {number}\r\nDate: Fri, 03 Jul 2026 10:00:00 +0200"
        f"\r\n\r\nHello {number}\r\n{'x' * 70}\r\n" + "y" * size
    ).encode()


def tape(*messages: bytes, folder: int = 0, **item: Any) -> Tape:
    return Tape(
        [(ImportItem(n=n, folder=folder, **item), octets) for n, octets in enumerate(messages)]
    )


async def imported(desk: Desk, tape: Tape, *paths: str, **request: Any) -> MailImported:
    wanted = tuple(FolderWanted(path=path) for path in paths or ("INBOX",))
    return await desk.call(
        "mail.import", ImportMail(address=WHERE, folders=wanted, **request), MailImported, tape
    )


def plan(tape: Tape) -> ImportPlan:
    return msgspec.json.decode(tape.sent[0][0], type=ImportPlan)


def acks(tape: Tape) -> dict[int, ImportAck]:
    found = [msgspec.json.decode(head, type=ImportAck) for head, _ in tape.sent[1:]]
    return {ack.n: ack for ack in found}


async def contents(house: House, mailbox: int) -> list[bytes]:
    store = house.store
    found = []
    for one in await emails.stored(store.reader, mailbox, "[[1,4294967295]]", 1000):
        pieces = emails.read(store.reader, store.blobs, one, 0, one.size)
        found.append(b"".join([piece async for piece in pieces]))
    return found


async def test_octets_flags_and_dates_arrive(house: House, desk: Desk) -> None:
    account = await house.account("ada")
    sent = tape(
        message(1), flags=("\\Seen", "\\Flagged", "$Forwarded", "Work"), received_at=1_700_000_000
    )
    done = await imported(desk, sent)
    assert (done.imported, done.there, done.refused, done.checked) == (1, 0, 0, 1)
    assert await contents(house, inbox(account)) == [message(1)]
    ((flags, keywords, received_at),) = await house.rows(
        "SELECT flags, keywords, received_at FROM email"
    )
    assert (flags, keywords, received_at) == (1 | 4 | 16, "work", 1_700_000_000)
    assert await mailboxes.keywords(house.store.reader, account) == {"work": "Work"}


async def test_deleted_belongs_to_the_membership(house: House, desk: Desk) -> None:
    await house.account("ada")
    await imported(desk, tape(message(1), flags=("\\Deleted",)))
    assert await house.value("SELECT deleted FROM membership") == 1


async def test_without_a_date_the_date_field_counts(house: House, desk: Desk) -> None:
    await house.account("ada")
    await imported(desk, tape(message(1)))
    assert await house.value("SELECT received_at FROM email") == 1_783_065_600


@pytest.mark.parametrize(("claimed", "kept"), [(-(1 << 70), 0), (1 << 70, LATEST)])
async def test_a_date_no_calendar_has_is_no_reason_to_lose_a_message(
    house: House, desk: Desk, claimed: int, kept: int
) -> None:
    await house.account("ada")
    done = await imported(desk, tape(message(1), received_at=claimed))
    assert (done.imported, done.refused) == (1, 0)
    assert await house.value("SELECT received_at FROM email") == kept


@pytest.mark.parametrize("size", [0, 60_000, 70_000, 300_000, 3_000_000])
async def test_any_size_comes_back_as_it_was(house: House, desk: Desk, size: int) -> None:
    account = await house.account("ada")
    await imported(desk, tape(message(1, size)))
    assert await contents(house, inbox(account)) == [message(1, size)]


async def test_mailboxes_are_found_by_role_or_name_or_made(house: House, desk: Desk) -> None:
    account = await house.account("ada")
    sent = Tape()
    request = ImportMail(
        address=WHERE,
        folders=(
            FolderWanted(path="Sent", role="sent"),
            FolderWanted(path="inbox"),
            FolderWanted(path="Projects/Été"),
        ),
    )
    await desk.call("mail.import", request, MailImported, sent)
    one, two, three = plan(sent).folders
    assert (one.path, one.made, one.mailbox) == (
        "Sent",
        False,
        await house.standard(account, "sent"),
    )
    assert (two.mailbox, two.made) == (inbox(account), False)
    assert (three.path, three.made) == ("Projects/Été", True)
    paths = {m.path: m.subscribed for m in await mailboxes.mailboxes(house.store.reader, account)}
    assert paths["Projects/Été"] is True


async def test_a_mailbox_made_for_a_role_has_it(house: House, desk: Desk) -> None:
    """Where the account's own was deleted: else clients would make a second Sent."""
    account = await house.account("ada")
    gone = await house.standard(account, "sent")
    await house.do(DeleteMailbox(actor=account, mailbox=gone), Done)
    tape = Tape()
    request = ImportMail(address=WHERE, folders=(FolderWanted(path="Sent", role="sent"),))
    await desk.call("mail.import", request, MailImported, tape)
    (folder,) = plan(tape).folders
    assert folder.made
    assert await house.standard(account, "sent") == folder.mailbox


async def test_a_dry_run_makes_nothing(house: House, desk: Desk) -> None:
    await house.account("ada")
    before = await house.snapshot()
    sent = Tape()
    done = await imported(desk, sent, "INBOX", "New/One", dry_run=True)
    assert [(f.path, f.made) for f in plan(sent).folders] == [("INBOX", False), ("New/One", True)]
    assert done.imported == 0
    assert await house.snapshot() == before


async def test_a_folder_that_cannot_be_is_refused_and_the_rest_goes_on(
    house: House, desk: Desk
) -> None:
    await house.account("ada")
    sent = Tape(
        [
            (ImportItem(n=0, folder=0), message(0)),
            (ImportItem(n=1, folder=1), message(1)),
            (ImportItem(n=2, folder=7), message(2)),
            (ImportItem(n=3, folder=0), b""),
            (ImportItem(n=4, folder=0), message(4)),
        ]
    )
    done = await imported(desk, sent, "INBOX", "bad\x01name")
    assert (done.imported, done.refused) == (2, 3)
    told = acks(sent)
    assert "no control characters" in told[1].refused
    assert "no such folder" in told[2].refused
    assert "empty" in told[3].refused
    assert told[4].email


async def test_over_quota_is_said_and_smaller_messages_still_fit(house: House, desk: Desk) -> None:
    await house.account("ada", quota=2_000)
    done = await imported(desk, tape(message(1, 1_000), message(2, 5_000), message(3)))
    assert (done.imported, done.refused) == (2, 1)


async def test_a_body_that_breaks_off_is_no_message(house: House, desk: Desk) -> None:
    account = await house.account("ada")
    sent = tape(message(1), message(2), message(3))
    sent.broken = {1}
    done = await imported(desk, sent)
    assert done.imported == 2
    assert sorted(acks(sent)) == [0, 2]
    assert sorted(await contents(house, inbox(account))) == [message(1), message(3)]


async def test_what_was_filed_without_its_acknowledgement_is_not_filed_twice(
    house: House, desk: Desk
) -> None:
    """A run was killed: its messages are there, its journal knows of none. Two are alike."""
    account = await house.account("ada")
    mail = [message(1), message(2), message(2), message(3)]
    first = tape(*mail)
    await imported(desk, first)
    mark = plan(first)
    again = tape(*mail, message(4), doubt=True)
    done = await imported(desk, again, resumed=True, lineage=mark.lineage, since=mark.since)
    assert (done.imported, done.there) == (1, 4)
    assert sorted(await contents(house, inbox(account))) == sorted([*mail, message(4)])
    told = acks(again)
    assert len({told[n].email for n in range(5)}) == 5, "each found another email"


async def test_what_is_known_to_be_another_message_is_not_taken_for_it(
    house: House, desk: Desk
) -> None:
    """Of two alike one was acknowledged; the other was never sent: it must be filed."""
    account = await house.account("ada")
    first = tape(message(2))
    await imported(desk, first)
    known = acks(first)[0].email
    mark = plan(first)
    again = tape(message(2), doubt=True, known=(known,))
    done = await imported(desk, again, resumed=True, lineage=mark.lineage, since=mark.since)
    assert (done.imported, done.there) == (1, 0)
    assert await contents(house, inbox(account)) == [message(2), message(2)]


async def test_older_mail_with_the_same_content_is_no_answer(house: House, desk: Desk) -> None:
    """What was there before the first run is somebody else's, and so is what was delivered since."""
    account = await house.account("ada")
    await house.deliver(account, data=message(1))
    first = Tape()
    await imported(desk, first)
    mark = plan(first)
    await house.deliver(account, data=message(2), prefix=b"Return-Path: <>\r\n")
    again = tape(message(1), message(2), doubt=True)
    done = await imported(desk, again, resumed=True, lineage=mark.lineage, since=mark.since)
    assert (done.imported, done.there) == (2, 0)


async def test_in_a_store_put_back_from_a_copy_everything_is_looked_for(
    house: House, desk: Desk
) -> None:
    await house.account("ada")
    first = tape(message(1))
    await imported(desk, first)
    again = tape(message(1), message(2), doubt=True)
    done = await imported(desk, again, resumed=True, lineage="another", since=4_000)
    assert (done.imported, done.there) == (1, 1)


async def test_one_import_an_account_at_a_time(house: House, desk: Desk) -> None:
    await house.account("ada")
    account = await house.value("SELECT id FROM account")
    await house.store.submit(TakeLease(name=f"import:{account}", holder="other", seconds=60))
    sent = tape(message(1))
    task = asyncio.create_task(imported(desk, sent))
    while not sent.reports:
        await asyncio.sleep(0.01)
    assert "waiting for another import" in sent.reports[0][2]
    assert await house.value("SELECT count(*) FROM email") == 0
    await house.store.submit(TakeLease(name=f"import:{account}", holder="other", seconds=0))
    assert (await task).imported == 1


async def test_a_caller_that_goes_away_leaves_whole_messages_and_no_lease(
    house: House, desk: Desk
) -> None:
    account = await house.account("ada")
    sent = tape(*(message(n) for n in range(50)))
    sent.lost_after = 30
    with pytest.raises(OperationError, match="went away") as error:
        await imported(desk, sent)
    assert error.value.kind == "unavailable"
    assert len(await contents(house, inbox(account))) == 30
    again = tape(message(99))
    assert (await imported(desk, again)).imported == 1
    assert again.reports == []


async def test_a_defect_with_one_message_does_not_stop_the_others(
    house: House, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.account("ada")

    async def failing(spool: Spool) -> Prepared:
        with spool.buffer() as octets:
            if b"number 2" in bytes(octets):
                raise RuntimeError("a defect")
        return await prepare(spool)

    monkeypatch.setattr(mail_import, "prepare", failing)
    sent = tape(message(1), message(2), message(3))
    done = await imported(desk, sent)
    assert (done.imported, done.refused) == (2, 1)
    assert "went wrong in the server" in acks(sent)[1].refused


async def test_an_account_that_is_none_is_refused(desk: Desk) -> None:
    with pytest.raises(OperationError, match="there is no account"):
        await imported(desk, tape(message(1)))


async def test_the_audit_says_how_much(house: House, desk: Desk) -> None:
    await house.account("ada")
    await imported(desk, tape(message(1), message(2)), source="maildir:/home/ada/Maildir")
    begun, (_, operation, target, outcome, details) = await desk.audit()
    assert begun[1:4] == ("mail.import", target, "begun")
    assert (operation, target, outcome) == ("mail.import", WHERE, "done")
    assert details["imported"] == 2
    assert details["source"] == "maildir:/home/ada/Maildir"
