"""Who may submit, and as whom: asked again with every message, and written down."""

import asyncio

import msgspec
import pytest
import structlog

from malleposte.policy.connections import ConnectionSettings
from malleposte.store.commands import (
    AnyCommand,
    CreateDomain,
    DeleteAccount,
    SetAccount,
    SetPassword,
)
from support.store import Place
from unit.services.smtpd.harness import TOO_MANY, Client, Served, serve


class TestASessionEndsWithTheRightToIt:
    """A password that was stolen is changed; who signed in with it must not send on."""

    @pytest.mark.parametrize(
        "change",
        [
            SetPassword(account=1, password_hash="$another"),
            SetAccount(account=1, status="suspended"),
            SetAccount(account=1, status="archived"),
            DeleteAccount(account=1),
        ],
        ids=lambda change: type(change).__name__ + str(getattr(change, "status", "")),
    )
    @pytest.mark.parametrize("sender", ["ada@example.org", ""], ids=["own address", "null sender"])
    async def test_it_sends_no_more(self, served: Served, change: AnyCommand, sender: str) -> None:
        await served.account("ada")
        await served.account("bob")
        client, bystander = [
            await served.signed_in(f"{name}@example.org") for name in ("ada", "bob")
        ]
        assert (await client.send(sender, "bob@example.org", "Subject: x\r\n\r\nx"))[:3] == "250"
        await served.store.submit(change)
        reply = await client.ask(f"MAIL FROM:<{sender}>")
        assert reply.startswith("421 4.7.0 ")
        assert await client.reply() == "", "the connection is over"
        sent = await bystander.send("bob@example.org", "bob@example.org", "Subject: x\r\n\r\nx")
        assert sent[:3] == "250"

    async def test_nor_what_was_begun_before(self, served: Served) -> None:
        await served.account("ada")
        await served.account("bob")
        client = await served.signed_in("ada@example.org")
        assert (await client.ask("MAIL FROM:<ada@example.org>"))[:3] == "250"
        assert (await client.ask("RCPT TO:<bob@example.org>"))[:3] == "250"
        await served.store.submit(SetPassword(account=1, password_hash="$another"))
        assert (await client.ask("DATA")).startswith("421 4.7.0 ")
        assert await client.reply() == ""

    async def test_another_change_of_the_directory_disturbs_nobody(self, served: Served) -> None:
        await served.account("ada")
        client = await served.signed_in("ada@example.org")
        await served.account("bob")
        await served.store.submit(SetAccount(account=1, name="Ada Lovelace"))
        sent = await client.send("ada@example.org", "bob@example.org", "Subject: x\r\n\r\nx")
        assert sent[:3] == "250"


async def test_the_log_names_who_signed_in_and_who_was_refused(served: Served) -> None:
    number = await served.account("ada")
    with structlog.testing.capture_logs() as lines:
        client = await served.connect()
        await client.reply()
        assert (await client.sign_in("ada@example.org", "wrong"))[:3] == "535"
        await served.signed_in("ada@example.org")
    refused, good = [line for line in lines if "sign" in line["event"]]
    assert refused["event"] == "submission_sign_in_refused"
    assert (refused["peer"], refused["reason"]) == ("127.0.0.1", "wrong")
    assert good["event"] == "submission_signed_in"
    assert (good["account"], good["peer"], good["tls"]) == (number, "127.0.0.1", False)


@pytest.mark.parametrize("sender", ["ada@example.org", "ada+x@example.org", ""])
async def test_a_message_says_whose_account_sent_it(served: Served, sender: str) -> None:
    """In its Received line by number, in the trace by address."""
    number = await served.account("ada")
    await served.account("bob")
    client = await served.signed_in("ada@example.org")
    content = "From: Ada <ada+y@example.org>\r\nMessage-ID: <a@b>\r\n\r\nx"
    assert (await client.send(sender, "bob@example.org", content))[:3] == "250"
    row = await served.store.reader.row("SELECT prefix FROM email_wide")
    assert row is not None
    assert f"(account {number})" in bytes(row[0]).decode()
    row = await served.store.reader.row("SELECT record FROM trace")
    assert row is not None
    assert msgspec.msgpack.decode(row[0])["login"] == "ada@example.org"


@pytest.mark.parametrize(
    "author",
    ["bob@example.org", "ada@example.org, bob@example.org", "ada@example.org <bob@example.org>"],
)
async def test_nobody_writes_in_anothers_name(served: Served, author: str) -> None:
    """RFC 6409 §6.1: who signed in owns each address of From."""
    await served.account("ada")
    await served.account("bob")
    client = await served.signed_in("ada@example.org")
    content = f"From: {author}\r\n\r\nx"
    reply = await client.send("ada@example.org", "bob@example.org", content)
    assert reply.startswith("550 5.7.1 ada@example.org may not send as ")
    assert await served.store.reader.row("SELECT 1 FROM email") is None


class TestConnectionsOfOneAccount:
    """One account does not take all of them."""

    async def test_so_many_and_then_the_newest_is_refused(self, place: Place) -> None:
        async with place.open() as store:
            await store.submit(CreateDomain(name="example.org"))
            async with serve(store, ConnectionSettings(per_account=3)) as served:
                await served.account("ada")
                await served.account("bob")
                first = [await served.signed_in("ada@example.org") for _ in range(3)]
                one_more = await served.connect()
                await one_more.reply()
                reply = await one_more.sign_in("ada@example.org")
                assert reply.startswith("454 4.7.0 ")
                assert "3 connections" in reply
                assert (await one_more.ask("MAIL FROM:<ada@example.org>"))[:3] == "530"
                await served.signed_in("bob@example.org")
                assert (await first[0].ask("MAIL FROM:<ada@example.org>"))[:3] == "250"
                first[1].close()
                assert await self._at_last(served) == "235"

    async def _at_last(self, served: Served) -> str:
        for _ in range(100):
            client: Client = await served.connect()
            await client.reply()
            reply = await client.sign_in("ada@example.org")
            if not reply.startswith("454"):
                return reply[:3]
            client.close()
            await asyncio.sleep(0.01)
        return "never"

    async def test_who_was_refused_still_counts_for_his_network(self, place: Place) -> None:
        """Else a thousand refused connections of one account would count nowhere."""
        async with place.open() as store:
            await store.submit(CreateDomain(name="example.org"))
            settings = ConnectionSettings(per_account=1, per_network=2)
            async with serve(store, settings) as served:
                await served.account("ada")
                await served.signed_in("ada@example.org")
                for _ in range(2):
                    client = await served.connect()
                    await client.reply()
                    assert (await client.sign_in("ada@example.org"))[:3] == "454"
                turned_away = await served.connect()
                assert (await turned_away.reply()).encode() == TOO_MANY


async def test_the_log_says_what_came_and_what_was_refused(served: Served) -> None:
    ada = await served.account("ada")
    client = await served.signed_in("ada@example.org")
    with structlog.testing.capture_logs() as lines:
        reply = await client.send("ada@example.org", "ada@example.org", "Subject: s\r\n\r\nsecret")
        await client.ask("MAIL FROM:<ada@example.org>")
        await client.ask("RCPT TO:<nobody@example.org>")
        await asyncio.sleep(0)
    message, refused = [line for line in lines if line["event"].startswith("submission_")]
    assert message["event"] == "submission_message"
    assert message["id"] in reply
    assert (message["sender"], message["recipients"]) == ("ada@example.org", ["ada@example.org"])
    assert (message["codes"], message["account"]) == ([250], ada)
    assert (refused["event"], refused["recipient"]) == ("submission_refused", "nobody@example.org")
    assert refused["code"] == 550
    assert "secret" not in str(lines)
