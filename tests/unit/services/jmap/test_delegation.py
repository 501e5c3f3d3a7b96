"""Sending in somebody's name or on somebody's behalf, by JMAP (docs/submission.md)."""

from typing import Any

import msgspec
import pytest

from malleposte.delivery.leaving import Sending
from malleposte.delivery.outbound import Routing
from malleposte.services.jmap.settings import JmapSettings
from malleposte.store.commands import SetAccount, SetSendRight
from malleposte.store.ids import mailbox_text
from malleposte.store.results import Done
from support.store import House, inbox
from unit.services.jmap.harness import Client


@pytest.fixture
async def ada(house: House) -> Client:
    sending = Sending(routing=Routing())
    return Client(house, await house.account("ada"), JmapSettings(), sending)


@pytest.fixture
async def bob(house: House) -> Client:
    return Client(house, await house.account("bob"))


@pytest.fixture
async def boss(house: House) -> Client:
    account = await house.account("boss")
    await house.do(SetAccount(account=account, name="The Boss"), Done)
    return Client(house, account)


async def right(ada: Client, way: str) -> None:
    command = SetSendRight(address="boss@example.org", account=ada.account, way=way)
    await ada.house.do(command, Done)


async def identities(client: Client) -> dict[str, dict[str, Any]]:
    answer = await client.call("Identity/get", ids=None)
    return {one["email"]: one for one in answer["list"]}


async def send(client: Client, identity: str, author: str) -> dict[str, Any]:
    email = {
        "mailboxIds": {mailbox_text(inbox(client.account)): True},
        "from": [{"email": author}],
        "to": [{"email": "bob@example.org"}],
        "subject": "Hello",
        "textBody": [{"partId": "t", "type": "text/plain"}],
        "bodyValues": {"t": {"value": "Hello\n"}},
    }
    answers = await client.calls(
        ("Email/set", {"create": {"d": email}}),
        ("EmailSubmission/set", {"create": {"s": {"identityId": identity, "emailId": "#d"}}}),
    )
    found: dict[str, Any] = answers[1][1]
    return found


async def headers(client: Client) -> list[tuple[str, str | None]]:
    """From and Sender of what is there."""
    ids = (await client.call("Email/query"))["ids"]
    names = ["header:From:asRaw", "header:Sender:asRaw"]
    answer = await client.call("Email/get", ids=ids, properties=names)
    return [
        (one[names[0]].strip(), one[names[1]].strip() if one[names[1]] else None)
        for one in answer["list"]
    ]


async def audit(house: House) -> list[tuple[str, str]]:
    rows = await house.rows(
        "SELECT actor, target FROM audit WHERE operation = 'mail.on-behalf' ORDER BY id"
    )
    return [(row[0], row[1]) for row in rows]


async def test_on_behalf_the_sender_is_named_and_it_stands_in_the_audit(
    ada: Client, bob: Client, boss: Client
) -> None:
    await right(ada, "behalf")
    one = (await identities(ada))["boss@example.org"]
    assert one["name"] == "The Boss"
    answer = await send(ada, one["id"], "boss@example.org")
    assert answer["created"]["s"]["id"]
    assert await headers(bob) == [("<boss@example.org>", "<ada@example.org>")]
    assert await audit(ada.house) == [("ada@example.org", "boss@example.org")]
    # The submission is hers: the boss's account has none, and has no mail of it.
    assert (await boss.call("EmailSubmission/query"))["ids"] == []
    assert await headers(boss) == []


async def test_in_anothers_name_nobody_else_is_named(
    ada: Client, bob: Client, boss: Client
) -> None:
    await right(ada, "as")
    one = (await identities(ada))["boss@example.org"]
    await send(ada, one["id"], "boss@example.org")
    assert await headers(bob) == [("<boss@example.org>", None)]
    assert await audit(ada.house) == []


async def test_a_right_that_was_taken_away_ends_with_the_next_message(
    ada: Client, bob: Client, boss: Client
) -> None:
    await right(ada, "as")
    one = (await identities(ada))["boss@example.org"]
    await right(ada, "")
    answer = await send(ada, one["id"], "boss@example.org")
    assert answer["notCreated"]["s"]["type"].startswith("forbidden")
    assert await headers(bob) == []


async def test_rights_on_mailboxes_are_none_to_send(ada: Client, bob: Client, boss: Client) -> None:
    house = ada.house
    await house.grant(inbox(boss.account), ada.account, "lrswipkxtea")
    assert list(await identities(ada)) == ["ada@example.org"]
    # Nor does her mailbox become a place to send from.
    for method in ("Identity/get", "EmailSubmission/get", "EmailSubmission/query"):
        error = await ada.error(method, accountId=boss.id)
        assert error == "accountNotSupportedByMethod", method
    draft = {
        "mailboxIds": {mailbox_text(inbox(boss.account)): True},
        "from": [{"email": "ada@example.org"}],
        "to": [{"email": "bob@example.org"}],
    }
    made = await ada.call("Email/set", accountId=boss.id, create={"d": draft})
    own = (await identities(ada))["ada@example.org"]["id"]
    answer = await ada.call(
        "EmailSubmission/set",
        create={"s": {"identityId": own, "emailId": made["created"]["d"]["id"]}},
    )
    assert answer["notCreated"]["s"]["type"] == "invalidProperties"
    session = msgspec.json.decode((await ada.http("GET", "/jmap/session")).body)
    capabilities = session["accounts"][boss.id]["accountCapabilities"]
    assert "urn:ietf:params:jmap:submission" not in capabilities
