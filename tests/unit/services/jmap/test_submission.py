"""Identities and submissions: who is written as, what goes where, what is undone, what is refused."""

from typing import Any

import pytest

from malleposte.delivery.leaving import Sending
from malleposte.delivery.outbound import Routing
from malleposte.services.jmap.settings import JmapSettings
from malleposte.store.ids import mailbox_text
from support.store import House, inbox
from unit.services.jmap.harness import Client

DAY = 86_400


@pytest.fixture
async def client(house: House) -> Client:
    settings = JmapSettings(max_delayed_send=DAY, max_recipients=5)
    sending = Sending(routing=Routing())
    return Client(house, await house.account("ada"), settings, sending)


@pytest.fixture
async def bob(house: House) -> Client:
    return Client(house, await house.account("bob"))


async def identity(client: Client) -> str:
    answer = await client.call("Identity/get", ids=None)
    found: str = answer["list"][0]["id"]
    return found


async def draft(client: Client, **properties: Any) -> str:
    email: dict[str, Any] = {
        "mailboxIds": {mailbox_text(inbox(client.account)): True},
        "keywords": {"$draft": True},
        "from": [{"email": "ada@example.org"}],
        "to": [{"email": "bob@example.org"}],
        "subject": "Hello",
        "textBody": [{"partId": "t", "type": "text/plain"}],
        "bodyValues": {"t": {"value": "Hello there\n"}},
    }
    answer = await client.call("Email/set", create={"d": email | properties})
    assert answer["created"], answer
    made: str = answer["created"]["d"]["id"]
    return made


async def submit(client: Client, email: str, **more: Any) -> dict[str, Any]:
    who = more.pop("identityId", None) or await identity(client)
    return await client.call(
        "EmailSubmission/set", create={"s": {"identityId": who, "emailId": email} | more}
    )


async def sent(client: Client, email: str, **more: Any) -> dict[str, Any]:
    answer = await submit(client, email, **more)
    assert answer["created"], answer
    made: dict[str, Any] = answer["created"]["s"]
    return made


async def not_sent(client: Client, email: str, **more: Any) -> dict[str, Any]:
    answer = await submit(client, email, **more)
    assert answer["created"] is None, answer
    error: dict[str, Any] = answer["notCreated"]["s"]
    return error


async def arrived(client: Client) -> list[dict[str, Any]]:
    found = await client.call("Email/query")
    answer = await client.call(
        "Email/get", ids=found["ids"], properties=["subject", "bcc", "to", "header:Bcc:asRaw"]
    )
    emails: list[dict[str, Any]] = answer["list"]
    return emails


async def test_an_account_has_an_identity_from_the_start(client: Client) -> None:
    answer = await client.call("Identity/get", ids=None)
    (one,) = answer["list"]
    assert (one["email"], one["mayDelete"]) == ("ada@example.org", False)
    assert (one["textSignature"], one["replyTo"], one["bcc"]) == ("", None, None)
    again = await client.call("Identity/get", ids=[one["id"], "I999"])
    assert again["list"] == [one]
    assert again["notFound"] == ["I999"]
    assert again["state"] == answer["state"]


async def test_a_message_reaches_who_is_here_without_its_bcc(client: Client, bob: Client) -> None:
    email = await draft(client, bcc=[{"email": "bob@example.org"}])
    made = await sent(client, email)
    assert made["undoStatus"] == "final"
    (one,) = await arrived(bob)
    assert one["subject"] == "Hello"
    assert one["header:Bcc:asRaw"] is None
    kept = await client.call("EmailSubmission/get", ids=[made["id"]])
    (shown,) = kept["list"]
    assert shown["emailId"] == email
    assert [to["email"] for to in shown["envelope"]["rcptTo"]] == ["bob@example.org"]
    status = shown["deliveryStatus"]["bob@example.org"]
    assert status["delivered"] == "yes"
    assert status["smtpReply"].startswith("250 ")
