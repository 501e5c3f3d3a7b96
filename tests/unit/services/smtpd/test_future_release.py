"""A message that is to be sent later waits for all of its recipients, and goes by the rules of that day."""

import asyncio
import contextlib
import datetime
import time
from collections.abc import AsyncGenerator, AsyncIterator

import msgspec
import pytest

from malleposte.delivery.leaving import Sending
from malleposte.delivery.outbound import (
    HERE,
    Dispatcher,
    DnsSettings,
    OutboundSettings,
    Resolver,
    Routing,
)
from malleposte.delivery.releasing import Releasing
from malleposte.delivery.reports import REPORT_JOB, reporting
from malleposte.delivery.reports.job import read_job
from malleposte.delivery.reports.original import original_of
from malleposte.store.commands import CreateDomain, DeleteAccount, SetAccount, TakeQueued
from malleposte.store.read import emails
from malleposte.store.read.sending import content_of
from malleposte.store.results import Taken
from malleposte.wire.smtp import Mode, Settings
from support.store import Place
from unit.services.smtpd.harness import Client, Served, serve

SETTINGS = Settings("mail.example.org", mode=Mode.SUBMISSION, future_release=3_600, dsn=True)
TEXT = "From: ada@example.org\r\nSubject: later\r\n\r\nx\r\n."


@pytest.fixture
async def later(place: Place) -> AsyncIterator[Served]:
    async with place.open() as store:
        await store.submit(CreateDomain(name="example.org"))
        async with serve(store, sending=Sending(Routing()), settings=SETTINGS) as served:
            await served.account("ada")
            await served.account("bob")
            yield served


async def send(client: Client, hold: str, *recipients: str, notify: str = "") -> str:
    assert (await client.ask(f"MAIL FROM:<ada@example.org> {hold}"))[:3] == "250"
    for one in recipients:
        assert (await client.ask(f"RCPT TO:<{one}>{notify}"))[:3] == "250"
    assert (await client.ask("DATA"))[:3] == "354"
    return await client.ask(TEXT)


def releasing(served: Served) -> Releasing:
    service = served.service
    return Releasing(served.store.reader, service.reception, service.book, "mail.example.org")


@contextlib.asynccontextmanager
async def dispatching(served: Served) -> AsyncIterator[None]:
    settings = OutboundSettings(hello="mail.example.org")
    dispatcher = Dispatcher(
        served.store,
        settings,
        Resolver(DnsSettings(servers=("127.0.0.1",), port=9)),
        reporting=reporting,
    )
    dispatcher.local = releasing(served).file
    running = asyncio.get_running_loop().create_task(dispatcher.run())
    try:
        yield
        await dispatcher.stop(5)
        await asyncio.wait_for(running, 5)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until_done(served: Served) -> None:
    for _ in range(400):
        if await served.store.reader.row("SELECT 1 FROM queue_message") is None:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it still waits")


async def test_nobody_has_it_before_its_time(later: Served) -> None:
    client = await later.signed_in("ada@example.org")
    assert "FUTURERELEASE 3600 " in await client.ask("EHLO client.example")
    reply = await send(client, "HOLDFOR=600", "bob@example.org", "x@there.example")
    assert reply[:3] == "250"
    assert await later.store.reader.row("SELECT 1 FROM email") is None
    rows = await later.store.reader.rows(
        "SELECT r.address, r.route, r.due_at, m.expires_at FROM queue_recipient r"
        " JOIN queue_message m ON m.id = r.message ORDER BY r.address"
    )
    assert [(row[0], row[1]) for row in rows] == [
        ("bob@example.org", HERE),
        ("x@there.example", "there.example"),
    ]
    for _, _, due, expires in rows:
        assert 590 < due - time.time() <= 601
        # It is tried for as long as others, from then on.
        assert expires == due + 5 * 86_400
    taken = await later.store.submit(TakeQueued(routes=9, each=9, seconds=60))
    assert isinstance(taken, Taken)
    assert taken.messages == ()


async def test_it_is_filed_when_its_time_has_come_and_its_sender_told(later: Served) -> None:
    client = await later.signed_in("ada@example.org")
    started = time.time()
    await send(client, "HOLDFOR=1", "bob@example.org", notify=" NOTIFY=SUCCESS")
    async with dispatching(later):
        await until_done(later)
    assert time.time() - started >= 1
    assert await later.store.reader.rows("SELECT account FROM email") == [(2,)]
    row = await later.store.reader.row("SELECT prefix FROM email_wide")
    assert row is not None
    assert bytes(row[0]).startswith(b"Return-Path: <ada@example.org>\r\n")
    jobs = await later.store.reader.rows("SELECT payload FROM job WHERE kind = $1", REPORT_JOB)
    assert [msgspec.msgpack.decode(row[0])[2] for row in jobs] == ["delivered"]


async def test_a_crash_after_it_was_filed_files_it_no_second_time(later: Served) -> None:
    """What files it takes it out of the queue; whoever comes again with the same try does nothing."""
    client = await later.signed_in("ada@example.org")
    await send(client, "HOLDFOR=1", "bob@example.org")
    await asyncio.sleep(2.1)
    taken = await later.store.submit(TakeQueued(routes=9, each=9, seconds=60))
    assert isinstance(taken, Taken)
    (message,) = taken.messages

    async def content() -> AsyncGenerator[bytes, None]:
        stored = await content_of(later.store.reader, message)
        async for piece in emails.read(
            later.store.reader, later.store.blobs, stored, 0, stored.size
        ):
            yield piece

    for _ in range(2):
        verdict = await releasing(later).file(message, message.recipients[0], content)
        assert verdict.good
    assert await later.store.reader.rows("SELECT account FROM email") == [(2,)]
    assert await later.store.reader.row("SELECT 1 FROM queue_message") is None
    assert await later.store.reader.rows("SELECT address, outcome, said FROM trace_attempt") == [
        ("bob@example.org", "delivered", "filed here: Message accepted")
    ]


async def test_reports_name_the_time_that_was_asked_for(later: Served) -> None:
    client = await later.signed_in("ada@example.org")
    at = int(time.time()) + 1
    until = f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
    await send(client, f"HOLDUNTIL={until}", "bob@example.org", notify=" NOTIFY=SUCCESS")
    async with dispatching(later):
        await until_done(later)
    row = await later.store.reader.row("SELECT payload FROM job WHERE kind = $1", REPORT_JOB)
    assert row is not None
    original = await original_of(later.store, read_job(row[0]))
    assert original.release == at


async def test_a_time_that_is_over_holds_nothing(later: Served) -> None:
    client = await later.signed_in("ada@example.org")
    await send(client, "HOLDUNTIL=2001-01-01T00:00:00Z", "bob@example.org")
    assert await later.store.reader.rows("SELECT account FROM email") == [(2,)]


async def test_who_is_gone_by_then_is_told_of_to_the_sender(later: Served) -> None:
    client = await later.signed_in("ada@example.org")
    await send(client, "HOLDFOR=1", "bob@example.org", "ada@example.org")
    await later.store.submit(DeleteAccount(account=2))
    async with dispatching(later):
        await until_done(later)
    assert (1,) in await later.store.reader.rows("SELECT DISTINCT account FROM email")
    rows = await later.store.reader.rows("SELECT address, outcome FROM trace_attempt ORDER BY 1")
    assert rows == [("ada@example.org", "delivered"), ("bob@example.org", "failed")]
    jobs = await later.store.reader.rows("SELECT payload FROM job WHERE kind = $1", REPORT_JOB)
    assert [msgspec.msgpack.decode(row[0])[2] for row in jobs] == ["failed"]


async def test_a_full_mailbox_is_tried_again(later: Served) -> None:
    client = await later.signed_in("ada@example.org")
    await send(client, "HOLDFOR=1", "bob@example.org")
    await later.store.submit(SetAccount(account=2, quota_bytes=1))
    async with dispatching(later):
        for _ in range(400):
            row = await later.store.reader.row("SELECT attempts, said FROM queue_recipient")
            if row is not None and row[1]:
                break
            await asyncio.sleep(0.02)
    assert row == (1, "The mailbox is full; please try again later")


async def test_without_sending_it_is_not_offered(served: Served) -> None:
    await served.account("ada")
    client = await served.signed_in("ada@example.org")
    assert "FUTURERELEASE" not in await client.ask("EHLO client.example")
    reply = await client.ask("MAIL FROM:<ada@example.org> HOLDFOR=60")
    assert reply == "555 5.5.4 Parameter HOLDFOR is not supported\r\n"
