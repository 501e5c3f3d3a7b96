"""Sending from others' addresses, and devices: by right alone, told in the header and in the audit."""

import email
import email.message

import msgspec
import pytest
import structlog

from malleposte.delivery.leaving import Sending
from malleposte.delivery.outbound import Routing
from malleposte.store.commands import (
    CreateAccount,
    CreateDomain,
    SetAccount,
    SetAlias,
    SetNetworks,
    SetSendRight,
)
from malleposte.store.read import emails
from malleposte.store.results import Created
from malleposte.wire.smtp import Mode, Settings
from support.store import Place
from unit.services.smtpd.harness import Served, serve


async def message(served: Served) -> email.message.Message:
    """The last one that was filed."""
    row = await served.store.reader.row("SELECT id FROM email ORDER BY id DESC LIMIT 1")
    assert row is not None
    stored = await emails.stored_by_id(served.store.reader, row[0])
    assert stored is not None
    reader = emails.read(served.store.reader, served.store.blobs, stored, 0, stored.size)
    return email.message_from_bytes(b"".join([piece async for piece in reader]))


async def audit(served: Served) -> list[tuple[str, str, str]]:
    rows = await served.store.reader.rows(
        "SELECT actor, target, details FROM audit WHERE operation = 'mail.on-behalf' ORDER BY id"
    )
    return [(row[0], row[1], row[2]) for row in rows]


@pytest.fixture
async def people(served: Served) -> Served:
    """ada, who may send as sales and on boss's behalf; bob, who may nothing."""
    for name in ("ada", "bob", "boss"):
        await served.account(name)
    await served.store.submit(SetAlias(address="sales@example.org", accounts_=(3,)))
    await served.store.submit(SetSendRight(address="sales@example.org", account=1, way="as"))
    await served.store.submit(SetSendRight(address="boss@example.org", account=1, way="behalf"))
    return served


async def test_send_as_needs_no_sender(people: Served) -> None:
    client = await people.signed_in("ada@example.org")
    content = "From: Sales <sales@example.org>\r\n\r\nx"
    assert (await client.send("sales+a@example.org", "bob@example.org", content))[:3] == "250"
    assert (await message(people))["Sender"] is None
    assert await audit(people) == []


@pytest.mark.parametrize("given", ["", "Sender: boss@example.org\r\n", "Sender: x@y.example\r\n"])
async def test_on_behalf_sets_sender_and_stands_in_the_audit(people: Served, given: str) -> None:
    client = await people.signed_in("ada@example.org")
    content = f"From: The boss <boss@example.org>\r\n{given}\r\nx"
    reply = await client.send("boss@example.org", "bob@example.org", content)
    assert reply[:3] == "250"
    filed = await message(people)
    assert filed.get_all("Sender") == ["<ada@example.org>"]
    assert filed["From"] == "The boss <boss@example.org>"
    ((actor, target, details),) = await audit(people)
    assert (actor, target) == ("ada@example.org", "boss@example.org")
    assert msgspec.json.decode(details)["trace"] in reply


async def test_of_several_authors_the_one_who_sends_stands_in_sender(people: Served) -> None:
    client = await people.signed_in("ada@example.org")
    content = "From: ada@example.org, sales@example.org\r\n\r\nx"
    await client.send("ada@example.org", "bob@example.org", content)
    assert (await message(people))["Sender"] == "<ada@example.org>"


async def test_a_sender_that_is_anothers_goes_and_ones_own_stays(people: Served) -> None:
    client = await people.signed_in("ada@example.org")
    content = "From: ada@example.org\r\nSender: bob@example.org\r\n\r\nx"
    await client.send("ada@example.org", "bob@example.org", content)
    assert (await message(people))["Sender"] is None
    content = "From: ada@example.org\r\nSender: Ada <ada+work@example.org>\r\n\r\nx"
    await client.send("ada@example.org", "bob@example.org", content)
    assert (await message(people))["Sender"] == "Ada <ada+work@example.org>"


@pytest.mark.parametrize("other", ["sales@example.org", "boss@example.org", "x@there.example"])
async def test_without_a_right_neither_envelope_nor_from(people: Served, other: str) -> None:
    client = await people.signed_in("bob@example.org")
    reply = await client.ask(f"MAIL FROM:<{other}>")
    assert reply == f"553 5.7.1 bob@example.org may not send as <{other}>\r\n"
    content = f"From: {other}\r\n\r\nx"
    reply = await client.send("bob@example.org", "ada@example.org", content)
    assert reply == f"550 5.7.1 bob@example.org may not send as {other}: it stands in From\r\n"


async def test_a_right_taken_away_is_gone_with_the_next_message(people: Served) -> None:
    client = await people.signed_in("ada@example.org")
    await people.store.submit(SetSendRight(address="sales@example.org", account=1, way=""))
    assert (await client.ask("MAIL FROM:<sales@example.org>"))[:9] == "553 5.7.1"


@pytest.fixture
async def scanner(served: Served) -> Served:
    """A scanner, known by this machine's address, that sends as itself and as office."""
    await served.account("ada")
    done = await served.store.submit(
        CreateAccount(
            address="scanner@example.org", name="", password_hash="$secret", kind="device"
        )
    )
    assert isinstance(done, Created)
    await served.store.submit(SetAlias(address="office@example.org", accounts_=(1,)))
    await served.store.submit(SetSendRight(address="office@example.org", account=2, way="as"))
    await served.store.submit(SetNetworks(account=2, networks=("127.0.0.1/32",)))
    return served


@pytest.mark.parametrize("sender", ["scanner@example.org", "office@example.org"])
async def test_a_device_sends_by_its_network(scanner: Served, sender: str) -> None:
    await scanner.service.book.fresh()
    client = await scanner.connect()
    await client.reply()
    await client.ask("EHLO scanner")
    with structlog.testing.capture_logs() as lines:
        reply = await client.send(sender, "ada@example.org", f"From: {sender}\r\n\r\nx")
    assert reply[:3] == "250"
    row = await scanner.store.reader.row("SELECT record FROM trace")
    assert row is not None
    record = msgspec.msgpack.decode(bytes(row[0]))
    assert (record["login"], record["device"]) == ("scanner@example.org", True)
    assert "(device 2)" in (await message(scanner))["Received"]
    (line,) = [line for line in lines if line["event"] == "submission_message"]
    assert (line["device"], line["account"]) == ("scanner@example.org", 2)


async def test_everything_else_from_there_is_a_strangers(scanner: Served) -> None:
    await scanner.service.book.fresh()
    client = await scanner.connect()
    await client.reply()
    await client.ask("EHLO scanner")
    for sender in ("ada@example.org", "x@there.example", ""):
        reply = await client.ask(f"MAIL FROM:<{sender}>")
        assert reply.startswith("550 5.7.1 No device of your network may send as "), sender
    content = "From: ada@example.org\r\n\r\nx"
    reply = await client.send("scanner@example.org", "ada@example.org", content)
    assert reply.startswith("550 5.7.1 scanner@example.org may not send as ada@example.org")


async def test_a_device_that_is_disabled_sends_no_more(scanner: Served) -> None:
    await scanner.service.book.fresh()
    client = await scanner.connect()
    await client.reply()
    await client.ask("EHLO scanner")
    assert (await client.ask("MAIL FROM:<scanner@example.org>"))[:3] == "250"
    assert (await client.ask("RCPT TO:<ada@example.org>"))[:3] == "250"
    await scanner.store.submit(SetAccount(account=2, status="suspended"))
    assert (await client.ask("DATA"))[:3] == "421"


async def test_a_device_signs_in_with_its_password(scanner: Served) -> None:
    await scanner.store.submit(SetNetworks(account=2, networks=()))
    await scanner.service.book.fresh()
    client = await scanner.connect()
    await client.reply()
    assert (await client.ask("MAIL FROM:<scanner@example.org>"))[:3] == "503"
    await client.ask("EHLO scanner")
    assert (await client.ask("MAIL FROM:<scanner@example.org>"))[:3] == "530"
    assert (await client.sign_in("scanner@example.org"))[:3] == "235"
    content = "From: office@example.org\r\n\r\nx"
    assert (await client.send("office@example.org", "ada@example.org", content))[:3] == "250"
    # But for submission alone: nobody reads mail as a device.
    result = await scanner.service.door.sign_in(
        "scanner@example.org", "secret", "127.0.0.1", protocol="imap"
    )
    assert result.account is None
    assert "device" in result.text


async def test_on_port_25_a_device_is_known_by_its_network_as_well(place: Place) -> None:
    """Many can speak there alone; whoever else comes from its network is a stranger."""
    async with place.open() as store:
        await store.submit(CreateDomain(name="example.org"))
        mx = Settings("mail.example.org", mode=Mode.SMTP)
        async with serve(store, sending=Sending(Routing()), settings=mx) as served:
            await served.account("ada")
            await store.submit(
                CreateAccount(
                    address="scanner@example.org", name="", password_hash="", kind="device"
                )
            )
            await store.submit(SetNetworks(account=2, networks=("127.0.0.1/32",)))
            await served.service.book.fresh()
            client = await served.connect()
            await client.reply()
            await client.ask("EHLO scanner")
            content = "From: scanner@example.org\r\n\r\nx"
            reply = await client.send("scanner@example.org", "x@there.example", content)
            assert reply[:3] == "250"
            rows = await store.reader.rows("SELECT account FROM queue_message")
            assert rows == [(2,)]
            for stranger in ("x@far.example", "ada@example.org", ""):
                assert (await client.ask(f"MAIL FROM:<{stranger}>"))[:3] == "250"
                assert (await client.ask("RCPT TO:<x@there.example>"))[:9] == "550 5.7.1"
                assert (await client.ask("RCPT TO:<ada@example.org>"))[:3] == "250"
                await client.ask("RSET")
            # The device before it left nothing behind.
            reply = await client.send(
                "x@far.example", "ada@example.org", "From: x@far.example\r\n\r\nx"
            )
            assert reply[:3] == "250"
            row = await store.reader.row("SELECT direction FROM trace ORDER BY id DESC LIMIT 1")
            assert row == ("in",)
