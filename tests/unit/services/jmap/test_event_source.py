"""The event source: what changed is told, at once and once; who may not be told any more is not."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from malleposte.services.jmap.push import event_source, streams
from malleposte.services.jmap.push.names import places_of, places_text
from malleposte.store.ids import account_text
from support.store import House, inbox
from unit.services.jmap.harness import Client
from unit.services.jmap.told import Told, telling

# What the databases do apart is tested with the store.
ONE = pytest.mark.parametrize("place", ["sqlite"], indirect=True)


@pytest.fixture
async def told(house: House) -> AsyncIterator[Told]:
    async with telling(house, Client(house, await house.account("ada"))) as told:
        yield told


def changed(event: dict[str, Any], told: Told) -> dict[str, str]:
    assert event["event"] == "state"
    assert event["data"]["@type"] == "StateChange"
    found: dict[str, str] = event["data"]["changed"][told.client.id]
    return found


async def test_new_mail_is_told_at_once(told: Told) -> None:
    source = await told.source()
    assert "content-type: text/event-stream\r\n" in source.head
    assert "cache-control: no-store\r\n" in source.head
    first = await source.event()
    assert first.keys() == {"retry", "id"}
    await told.client.put(b"Subject: x\r\n\r\nx\r\n")
    # A tenth of a second on SQLite, a second on PostgreSQL without hints; and a machine that is busy.
    async with asyncio.timeout(5):
        event = await source.event()
    states = changed(event, told)
    assert states.keys() == {"Email", "Thread", "Mailbox", "EmailDelivery"}
    got = await told.client.call("Email/get", ids=[])
    assert states["Email"] == got["state"]
    assert event["id"] == f"{told.client.id}={got['state']}"


@ONE
async def test_only_the_types_that_are_wanted_are_told(told: Told) -> None:
    source = await told.source("types=EmailDelivery,Unheard")
    await source.event()
    await told.client.call("Identity/get", ids=None)  # makes one
    await told.client.put(b"Subject: x\r\n\r\nx\r\n")
    assert changed(await source.event(), told).keys() == {"EmailDelivery"}


@ONE
async def test_others_changes_are_not_told(told: Told, house: House) -> None:
    source = await told.source()
    await source.event()
    await house.deliver(await house.account("bob"))
    await told.client.put(b"Subject: x\r\n\r\nx\r\n")
    assert list((await source.event())["data"]["changed"]) == [told.client.id]


@ONE
async def test_of_others_only_who_sees_their_mail_is_told_and_of_mail_alone(
    told: Told, house: House
) -> None:
    bob = await house.account("bob")
    await house.grant(inbox(bob), told.client.account, "lr")
    source = await told.source()
    await source.event()
    await house.deliver(bob)
    await Client(house, bob).call("Identity/get", ids=None)  # makes one
    event = await source.event()
    kinds = event["data"]["changed"][account_text(bob)]
    assert {"Email", "Mailbox"} <= kinds.keys()
    for kind in ("Email", "Mailbox"):
        got = await told.client.call(f"{kind}/get", accountId=account_text(bob), ids=[])
        assert kinds[kind] == got["state"]
    assert "Identity" not in kinds
    await house.grant(inbox(bob), told.client.account, "")
    await house.deliver(bob)
    await told.client.put(b"Subject: x\r\n\r\nx\r\n")
    while told.client.id not in event["data"]["changed"]:
        event = await source.event()
        assert account_text(bob) not in event["data"]["changed"]


async def test_what_was_missed_is_told_after_connecting_again(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_source, "LEAST_PING", 1)
    source = await told.source()
    last = (await source.event())["id"]
    source.connection.cut()
    await told.client.put(b"Subject: x\r\n\r\nx\r\n")
    again = await told.source("types=*", f"Last-Event-ID: {last}")
    assert (await again.event())["id"] == last
    event = await again.event()
    assert "EmailDelivery" in changed(event, told)
    # Nothing was missed after that.
    third = await told.source("types=*&ping=1", f"Last-Event-ID: {event['id']}")
    assert (await third.event())["id"] == event["id"]
    assert (await third.event())["event"] == "ping"


@ONE
async def test_of_a_place_that_is_none_of_ours_everything_is_told(told: Told) -> None:
    await told.client.put(b"Subject: x\r\n\r\nx\r\n")
    for last in ("x", "A1", "A1=x", "=7", "A1=5," * 2_000):
        source = await told.source("types=*", f"Last-Event-ID: {last}")
        await source.event()
        assert "Email" in changed(await source.event(), told), last


@ONE
async def test_much_at_once_is_told_together(told: Told) -> None:
    source = await told.source()
    await source.event()
    for _ in range(20):
        await told.client.put(b"Subject: x\r\n\r\nx\r\n")
    events = 0
    state = (await told.client.call("Email/get", ids=[]))["state"]
    while changed(await source.event(), told)["Email"] != state:
        events += 1
    assert events < 5


@ONE
async def test_it_ends_after_one_change_where_that_is_wanted(told: Told) -> None:
    source = await told.source("types=*&closeafter=state&ping=0")
    await source.event()
    await told.client.put(b"Subject: x\r\n\r\nx\r\n")
    changed(await source.event(), told)
    assert await source.text() == ""
    # The connection goes on.
    answer = await source.connection.get("/jmap/session")
    assert answer.status == 200
    assert not told.streams._open


@ONE
async def test_a_ping_comes_as_often_as_is_wanted_within_bounds(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_source, "LEAST_PING", 1)
    source = await told.source("types=*&ping=1")
    await source.event()
    for _ in range(2):
        ping = await source.event()
        assert ping == {"event": "ping", "data": {"interval": 1}}


@pytest.mark.parametrize(
    ("ping", "seconds"), [("1", 5), ("30", 30), ("300", 300), ("999999999", 300), ("0", 0)]
)
def test_bounds_of_pings(ping: str, seconds: int) -> None:
    """RFC 8620 §7.3: at least 30 and at most 300 seconds can be had."""

    class Asked:
        query: dict[str, str] = {"ping": ping}  # noqa: RUF012 - read only

        def field(self, name: bytes) -> str:
            return ""

    found = event_source.asked(Asked())  # type: ignore[arg-type]
    assert (found.ping, found.told, found.close_after_state) == (seconds, None, False)


WRONG = [
    "ping=-1",
    "ping=x",
    "ping=1.5",
    "ping=9999999999",
    "closeafter=never",
    "types=" + "x," * 200,
]


@ONE
async def test_what_is_asked_for_wrongly_is_refused(told: Told) -> None:
    connection = await told.served.connect()
    for query in WRONG:
        assert (await connection.get(f"/jmap/events?{query}")).status == 400, query
    assert not told.streams._open


@ONE
async def test_it_is_asked_for_with_get_and_head_opens_nothing(told: Told) -> None:
    connection = await told.served.connect()
    assert (await connection.post("/jmap/events", b"")).status == 405
    connection = await told.served.connect()
    connection.send(b"HEAD /jmap/events HTTP/1.1\r\nHost: mail.example.org\r\n\r\n")
    async with asyncio.timeout(10):
        assert b"text/event-stream" in await connection.reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(0.05)
    assert not told.streams._open


@ONE
async def test_who_may_not_go_on_is_told_no_more(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = await told.source()
    await source.event()
    await told.streams.look()
    told.refuse("The session has ended; sign in again")
    monkeypatch.setattr(streams, "LOOK_EVERY", 0.0)
    assert await source.text() == ""
    assert not told.streams._open


@ONE
async def test_it_ends_when_the_server_stops(told: Told) -> None:
    source = await told.source()
    await source.event()
    told.stop()
    assert await source.text() == ""


@ONE
async def test_whoever_has_gone_is_noticed(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_source, "STILL_THERE", 0.05)
    source = await told.source()
    await source.event()
    assert told.streams._open
    source.connection.cut()
    async with asyncio.timeout(5):
        while told.streams._open:
            await asyncio.sleep(0.02)


@ONE
async def test_an_account_has_only_so_many(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PER_ACCOUNT", 2)
    for _ in range(2):
        await (await told.source()).event()
    connection = await told.served.connect()
    answer = await connection.get("/jmap/events")
    assert (answer.status, answer.fields["retry-after"]) == (429, "60")


def test_a_place_is_read_as_it_was_written() -> None:
    places = {1: 5, 0x1A: 1 << 40}
    assert places_of(places_text(places)) == places
    assert places_text(places) == "A1=5,A1a=1099511627776"
