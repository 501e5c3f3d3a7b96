"""What senders ask of delivery reports is kept with the message's trace (RFC 3461 §4)."""

import email
import email.message

import msgspec
import pytest

from malleposte.delivery.reports import REPORT_JOB, Reporter, ReporterSettings
from malleposte.directory.book import Book
from malleposte.store.commands import CreateDomain, LeaseJobs
from malleposte.store.read import emails
from malleposte.store.results import Leased
from malleposte.wire.smtp import Mode, Settings
from support.store import Place
from unit.services.smtpd.harness import Served, serve


async def test_the_parameters_are_kept(place: Place) -> None:
    async with place.open() as store:
        await store.submit(CreateDomain(name="example.org"))
        settings = Settings("mail.example.org", mode=Mode.SUBMISSION, dsn=True)
        async with serve(store, settings=settings) as served:
            await served.account("ada")
            bob, carol = [await served.account(name) for name in ("bob", "carol")]
            client = await served.signed_in("ada@example.org")
            for command in (
                "MAIL FROM:<ada@example.org> RET=HDRS ENVID=QQ+20314159",
                "RCPT TO:<bob@example.org> NOTIFY=DELAY,SUCCESS ORCPT=rfc822;Bob+2Bx@Example.ORG",
                "RCPT TO:<carol@example.org>",
                "DATA",
            ):
                assert (await client.ask(command))[0] in "23", command
            assert (await client.ask("Subject: x\r\n\r\nx\r\n."))[:3] == "250"
            (row,) = await store.reader.rows("SELECT record FROM trace")
    record = msgspec.msgpack.decode(bytes(row[0]))
    assert record["ret"] == "HDRS"
    assert record["envid"] == "QQ 314159"
    assert record["to"] == [
        ["bob@example.org", [bob], "SUCCESS,DELAY", "rfc822;Bob+x@Example.ORG"],
        ["carol@example.org", [carol], "", ""],
    ]


async def run_reports(served: Served) -> list[email.message.Message]:
    """Run the jobs that wait; the mail that ada (1) has then."""
    reporter = Reporter(
        served.store, Book(served.store), ReporterSettings("mail.example.org", lambda r, s: "x")
    )
    leased = await served.store.submit(
        LeaseJobs(holder="test", kinds=(REPORT_JOB,), limit=9, seconds=60)
    )
    assert isinstance(leased, Leased)
    for job in leased.jobs:
        await reporter.run(job)
        await reporter.run(job)
    rows = await served.store.reader.rows("SELECT id FROM email WHERE account = 1 ORDER BY id")
    found = []
    for row in rows:
        stored = await emails.stored_by_id(served.store.reader, row[0])
        assert stored is not None
        pieces = emails.read(served.store.reader, served.store.blobs, stored, 0, stored.size)
        found.append(email.message_from_bytes(b"".join([piece async for piece in pieces])))
    return found


async def test_who_asks_is_told_that_it_arrived(place: Place) -> None:
    """RFC 3461 §5.2.1: for those recipients that he asked about, once; offered in submission."""
    async with place.open() as store:
        await store.submit(CreateDomain(name="example.org"))
        settings = Settings("mail.example.org", mode=Mode.SUBMISSION, dsn=True)
        async with serve(store, settings=settings) as served:
            for name in ("ada", "bob", "carol"):
                await served.account(name)
            client = await served.signed_in("ada@example.org")
            assert "DSN" in (await client.ask("EHLO client.example")).split("250 ")[1]
            for command in (
                "MAIL FROM:<ada@example.org> RET=FULL ENVID=QQ1",
                "RCPT TO:<bob@example.org> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Bob@Example.ORG",
                "RCPT TO:<carol@example.org> NOTIFY=FAILURE",
                "DATA",
            ):
                assert (await client.ask(command))[0] in "23", command
            reply = await client.ask("Subject: Plans\r\nFrom: ada@example.org\r\n\r\nbody\r\n.")
            assert reply[:3] == "250"
            (report,) = await run_reports(served)
    assert report["Subject"] == "Delivered: Plans"
    parts = report.get_payload()
    assert isinstance(parts, list)
    first = parts[0]
    assert isinstance(first, email.message.Message)
    words = first.get_payload(decode=True)
    assert isinstance(words, bytes)
    assert b"arrived in the mailbox of 1 recipient" in b" ".join(words.split())
    fields, returned = map(str, parts[1:])
    assert "Action: delivered" in fields
    assert "Original-Envelope-Id: QQ1" in fields
    assert "Original-Recipient: rfc822; Bob@Example.ORG" in fields
    assert "carol" not in fields
    assert "Subject: Plans" in returned
    assert "body" not in returned


async def test_who_does_not_ask_is_told_nothing(served: Served) -> None:
    await served.account("ada")
    client = await served.signed_in("ada@example.org")
    content = "From: ada@example.org\r\n\r\nx"
    assert (await client.send("ada@example.org", "ada@example.org", content))[:3] == "250"
    assert await served.store.reader.row("SELECT 1 FROM job") is None


@pytest.mark.parametrize("mode", [Mode.SMTP, Mode.LMTP])
async def test_strangers_are_told_nothing(place: Place, mode: Mode) -> None:
    """Their address may be forged: the report would go to somebody who never wrote."""
    async with place.open() as store:
        await store.submit(CreateDomain(name="example.org"))
        async with serve(store, settings=Settings("mail.example.org", mode=mode)) as served:
            await served.account("ada")
            client = await served.connect()
            await client.reply()
            hello = "LHLO x.example" if mode is Mode.LMTP else "EHLO x.example"
            assert "DSN" not in await client.ask(hello)
            for asked in ("RET=FULL", "ENVID=x"):
                assert (await client.ask(f"MAIL FROM:<x@there.example> {asked}"))[:3] == "555"
            assert (await client.ask("MAIL FROM:<x@there.example>"))[:3] == "250"
            for asked in ("NOTIFY=SUCCESS", "ORCPT=rfc822;x@there.example"):
                assert (await client.ask(f"RCPT TO:<ada@example.org> {asked}"))[:3] == "555"
            for command in ("RCPT TO:<ada@example.org>", "DATA"):
                assert (await client.ask(command))[0] in "23", command
            assert (await client.ask("Subject: x\r\n\r\nx\r\n."))[:3] == "250"
            assert await store.reader.row("SELECT 1 FROM job") is None
