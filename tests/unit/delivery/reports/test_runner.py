"""Reports written: from an outcome in the queue to a mail in somebody's INBOX or a message that leaves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec
import pytest

from malleposte.delivery.outbound import Settled
from malleposte.delivery.reports import (
    REPORT_JOB,
    Reporter,
    ReporterSettings,
    read_job,
    reports,
)
from malleposte.delivery.reports.original import WHOLE, header_of
from malleposte.delivery.reports.runner import report_number
from malleposte.delivery.spool import Spool, prepare
from malleposte.delivery.srs import Srs
from malleposte.directory.book import Book
from malleposte.mime import body_text, last_values, parse
from malleposte.mime.dsn import read_delivery_report
from malleposte.runtime.jobs import JobRunner
from malleposte.secrets.redaction import Secret
from malleposte.store import Store
from malleposte.store.commands import (
    CreateAccount,
    CreateDomain,
    Deliver,
    GroupEntry,
    Handing,
    PutGroup,
    RecordOutcomes,
    Relay,
    SetAccount,
    SetAlias,
    SetMembers,
    TakeQueued,
)
from malleposte.store.read import emails
from malleposte.store.read.sending import content_of
from malleposte.store.results import LeasedJob, Taken, TakenMessage
from support.store import Place

Settle = Callable[..., Settled]

MAIL = (
    b"From: ada@example.test\r\nSubject: lunch\r\nMessage-ID: <1@a>\r\n%b\r\n"
    b"the body of the mail\r\n%b"
)
HOST = "mail.example.test"


@dataclass(frozen=True, slots=True)
class Filed:
    """A message in somebody's mailbox."""

    account: int
    octets: bytes

    @property
    def text(self) -> str:
        return body_text(self.octets, parse(self.octets)[1])


@dataclass(frozen=True, slots=True)
class Desk:
    """A store with accounts, and who writes reports there."""

    store: Store
    reporter: Reporter
    place: Place

    async def send(
        self, sender: str, *, fields: bytes = b"", ret: str = "", more: bytes = b""
    ) -> TakenMessage:
        """A message that waits in the queue for bob@b.example, under lease."""
        spool = Spool(self.store.incoming)
        spool.write(MAIL % (fields, more))
        message = await prepare(spool)
        spool.close()
        handing = Handing(
            organisation=1,
            account=1 if sender.endswith("@example.test") else 0,
            sender=sender,
            relays=(Relay(address="bob@b.example", route="b.example"),),
            expires_at=2_000_000_000,
            prefix=b"Received: from client by us\r\n",
            ret=ret,
        )
        await self.store.submit(
            Deliver(
                content=message.content,
                rendered=message.rendered,
                filings=(),
                received_at=1,
                trace_id=77,
                handings=(handing,),
            ),
            message.descriptor,
        )
        message.close()
        (taken,) = await self.take()
        return taken

    async def take(self) -> Sequence[TakenMessage]:
        found = await self.store.submit(TakeQueued(routes=10, each=10, seconds=600))
        assert isinstance(found, Taken)
        return found.messages

    async def failed(
        self, message: TakenMessage, settle: Settle, **more: object
    ) -> list[LeasedJob]:
        """Have it fail for good; the jobs that were run, as they stood."""
        (recipient,) = message.recipients
        one = settle("failed", message=message, n=recipient.n, attempt=recipient.attempt, **more)
        outcomes = (one.outcome,)
        await self.store.submit(
            RecordOutcomes(outcomes=outcomes, reports=reports(message, [one], at=1_796_065_000))
        )
        rows = await self.store.reader.rows("SELECT id, kind, key, payload FROM job ORDER BY id")
        found = [
            LeasedJob(id=r[0], kind=r[1], key=r[2], payload=bytes(r[3]), epoch=0, attempts=0)
            for r in rows
        ]
        await JobRunner(self.store, "test", {REPORT_JOB: self.reporter.run}).run_due()
        assert await self.store.reader.rows("SELECT last_error FROM job") == []
        return found

    async def damage(self) -> None:
        """Make what is stored of messages unreadable."""
        async with self.place.raw() as tx:
            await tx.run("UPDATE blob_frame SET data = $1", b"no frame")

    async def filed(self) -> list[Filed]:
        found = []
        for (email,) in await self.store.reader.rows("SELECT id FROM email ORDER BY id"):
            stored = await emails.stored_by_id(self.store.reader, email)
            assert stored is not None
            pieces = emails.read(self.store.reader, self.store.blobs, stored, 0, stored.size)
            found.append(Filed(email >> 32, b"".join([piece async for piece in pieces])))
        return found


@pytest.fixture
async def desk(store: Store, place: Place) -> Desk:
    await store.submit(CreateDomain(name="example.test"))
    for name in ("ada", "bea"):
        await store.submit(
            CreateAccount(
                address=f"{name}@example.test",
                name=name.title(),
                password_hash="",
                quota_bytes=100,
                locale="fr" if name == "bea" else "en",
                role="owner" if name == "ada" else "",
            )
        )
    settings = ReporterSettings(
        hostname=HOST, route_of=lambda recipient, _: recipient.rpartition("@")[2]
    )
    return Desk(store, Reporter(store, Book(store, hostname=HOST), settings), place)


def with_srs(desk: Desk) -> tuple[Desk, Srs]:
    srs = Srs([Secret(b"0123456789abcdef")], "example.test")
    settings = ReporterSettings(
        hostname=HOST, route_of=lambda recipient, _: recipient.rpartition("@")[2], srs=srs
    )
    return replace(desk, reporter=Reporter(desk.store, Book(desk.store), settings)), srs


async def test_a_sender_of_ours_finds_it_in_the_inbox(desk: Desk, settle: Settle) -> None:
    message = await desk.send("ada@example.test")
    await desk.failed(message, settle)
    (report,) = await desk.filed()  # past the quota of 100 octets: it must be heard
    assert report.account == 1
    fields = {n: v.strip() for n, v in last_values(header_of(report.octets)).items()}
    assert report.octets.startswith(b"Return-Path: <>\r\n")
    assert fields[b"from"] == b"Mail delivery <postmaster@example.test>"
    assert fields[b"to"] == b"Ada <ada@example.test>"
    assert fields[b"references"] == b"<1@a>"
    assert "There is no such address at b.example." in report.text
    status = read_delivery_report(report.octets)
    assert status is not None
    assert status.recipients[0][:3] == ("bob@b.example", "failed", "5.1.1")
    returned = parse(report.octets)[3]
    assert returned.media == "text/rfc822-headers"
    back = report.octets[returned.body_start : returned.body_end]
    assert back.startswith(b"Received: from client by us\r\nFrom: ada")
    assert b"the body" not in back
    assert await desk.take() == ()


async def test_the_whole_message_goes_back_where_that_was_asked(desk: Desk, settle: Settle) -> None:
    await desk.failed(await desk.send("ada@example.test", ret="FULL"), settle)
    (report,) = await desk.filed()
    assert b"Content-Type: message/rfc822\r\n" in report.octets
    assert b"the body of the mail\r\n" in report.octets


async def test_a_large_message_goes_back_by_its_header(desk: Desk, settle: Settle) -> None:
    more = b"".join(b"%060d\r\n" % n for n in range(WHOLE // 60))  # it stands in a file
    await desk.failed(await desk.send("ada@example.test", ret="FULL", more=more), settle)
    (report,) = await desk.filed()
    assert parse(report.octets)[3].media == "text/rfc822-headers"
    assert len(report.octets) < 10_000


async def test_a_damaged_message_is_reported_on_without_it(desk: Desk, settle: Settle) -> None:
    message = await desk.send("ada@example.test")
    await desk.damage()
    await desk.failed(message, settle)
    (report,) = await desk.filed()
    assert [part.media for part in parse(report.octets)[1:]] == [
        "text/plain",
        "message/delivery-status",
    ]


async def test_an_account_is_told_in_its_language(desk: Desk, settle: Settle) -> None:
    await desk.failed(await desk.send("bea@example.test"), settle)
    (report,) = await desk.filed()
    assert report.account == 2
    assert "Cette adresse n’existe pas" in report.text


async def test_run_twice_it_is_written_once(desk: Desk, settle: Settle) -> None:
    for sender in ("ada@example.test", "carl@c.example"):
        jobs = await desk.failed(await desk.send(sender), settle)
        for job in jobs:
            await desk.reporter.run(job)
    assert len(await desk.filed()) == 1
    queued = await desk.store.reader.rows("SELECT sender FROM queue_message")
    assert [tuple(row) for row in queued] == [("",)]
    assert len(await desk.take()) == 1


async def test_a_sender_elsewhere_gets_it_from_the_null_sender(desk: Desk, settle: Settle) -> None:
    message = await desk.send("carl@c.example", fields=b"Content-Language: de, fr\r\n")
    await desk.failed(message, settle)
    (report,) = await desk.take()
    assert (report.sender, report.account, report.needs) == ("", 0, 0)
    (recipient,) = report.recipients
    assert (recipient.address, recipient.route) == ("carl@c.example", "c.example")
    assert recipient.notify == "NEVER"
    rows = await desk.store.reader.rows(
        "SELECT direction, sender, message_id FROM trace WHERE id = $1", report.trace
    )
    (row,) = rows
    assert row[:2] == ("out", "")
    assert row[2].startswith("report.")
    assert row[2].endswith(f"@{HOST}")
    # It fails as well: that is the end of it.
    assert await desk.failed(report, settle) == []
    assert await desk.take() == ()
    assert await desk.filed() == []


async def test_a_stranger_is_told_in_the_messages_language(desk: Desk, settle: Settle) -> None:
    message = await desk.send("carl@c.example", fields=b"Content-Language: de, fr\r\n")
    await desk.failed(message, settle)
    (report,) = await desk.take()
    stored = await content_of(desk.store.reader, report)
    pieces = emails.read(desk.store.reader, desk.store.blobs, stored, 0, report.size)
    octets = b"".join([piece async for piece in pieces])
    assert "Cette adresse n’existe pas" in body_text(octets, parse(octets)[1])
    assert b"postmaster@mail.example.test" in last_values(header_of(octets))[b"from"]


async def test_nothing_is_told_about_a_report(desk: Desk, settle: Settle) -> None:
    fields = b"Content-Type: multipart/report; report-type=delivery-status; boundary=B\r\n"
    await desk.failed(await desk.send("ada@example.test", fields=fields), settle)
    assert await desk.filed() == []
    assert await desk.take() == ()


async def test_an_alias_of_several_tells_them_all(desk: Desk, settle: Settle) -> None:
    await desk.store.submit(SetAlias(address="team@example.test", accounts_=(1, 2)))
    await desk.failed(await desk.send("team@example.test"), settle)
    assert [report.account for report in await desk.filed()] == [1, 2]


async def test_who_sent_it_hears_it_where_the_address_is_gone(desk: Desk, settle: Settle) -> None:
    await desk.failed(await desk.send("gone@example.test"), settle)
    (report,) = await desk.filed()
    assert report.account == 1


async def test_who_wrote_as_a_group_hears_it_and_what_the_group_sent_its_owners(
    desk: Desk, settle: Settle
) -> None:
    await desk.store.submit(PutGroup(address="team@example.test", fresh=True, senders="anyone"))
    owner = SetMembers(address="team@example.test", entries=(GroupEntry(account=2),), owner=True)
    await desk.store.submit(owner)
    await desk.failed(await desk.send("team@example.test"), settle)
    assert [one.account for one in await desk.filed()] == [1]
    await desk.failed(await desk.send("team+bounces@example.test"), settle)
    assert [one.account for one in await desk.filed()] == [1, 2]


async def test_who_is_not_there_any_more_hears_nothing(desk: Desk, settle: Settle) -> None:
    message = await desk.send("ada@example.test")
    await desk.store.submit(SetAccount(account=1, status="suspended"))
    await desk.failed(message, settle)
    assert await desk.filed() == []
    assert await desk.take() == ()


async def test_of_what_went_on_for_a_stranger_the_owner_is_told(desk: Desk, settle: Settle) -> None:
    """The stranger may be forged; and the copy may be the only one, so it comes whole."""
    desk, srs = with_srs(desk)
    await desk.store.submit(SetAccount(account=1, quota_bytes=100_000))
    message = await desk.send(srs.encode("carl@c.example"), ret="HDRS")
    await desk.failed(message, settle)
    assert await desk.take() == ()
    (report,) = await desk.filed()
    assert report.account == 1
    text = " ".join(report.text.split())
    assert "from carl@c.example was to be sent on, and could not be delivered" in text
    assert "The sender is not told" in text
    assert b"the body of the mail\r\n" in report.octets


async def test_strangers_fill_no_mailbox_past_its_quota_by_what_cannot_go_on(
    desk: Desk, settle: Settle
) -> None:
    desk, srs = with_srs(desk)
    await desk.failed(await desk.send(srs.encode("carl@c.example")), settle)
    assert await desk.filed() == []
    assert await desk.take() == ()


async def test_of_what_an_alias_led_on_for_a_stranger_the_postmaster_is_told(
    desk: Desk, settle: Settle
) -> None:
    desk, srs = with_srs(desk)
    await desk.store.submit(SetAccount(account=1, quota_bytes=100_000))
    message = await desk.send(srs.encode("carl@c.example"))
    message = msgspec.structs.replace(message, account=-1)
    await desk.failed(message, settle)
    assert await desk.take() == ()
    (report,) = await desk.filed()
    assert report.account == 1  # it has a role of an administrator
    assert b"To: postmaster@example.test" in report.octets.replace(b"Ada <", b"").replace(b">", b"")


async def test_behind_a_forged_one_nobody_elsewhere_is_told(desk: Desk, settle: Settle) -> None:
    desk, _ = with_srs(desk)
    sender = "SRS0=AAAAAAAA=AA=victim.example=carl@example.test"
    await desk.failed(await desk.send(sender), settle)
    assert await desk.take() == ()


async def test_without_the_content_the_sender_hears_all_the_same(
    desk: Desk, settle: Settle
) -> None:
    message = await desk.send("ada@example.test")
    gone = msgspec.structs.replace(message, blob=999)
    await desk.failed(gone, settle)
    (report,) = await desk.filed()
    assert "bob@b.example" in report.text


async def test_a_report_has_one_number_for_ever(desk: Desk, settle: Settle) -> None:
    message = await desk.send("ada@example.test")
    (job,) = await desk.failed(message, settle)
    known = read_job(job.payload)
    later = msgspec.structs.replace(known, at=known.at + 1)
    assert report_number(known) == report_number(later)
    assert report_number(known) >> 31 == message.created_at
