"""What was destroyed is listed, and brought back to where it was."""

from typing import Any

import pytest

from malleposte.store.commands import SetAccount
from support.store import House
from unit.services.jmap.harness import Client


@pytest.fixture
async def client(house: House) -> Client:
    return Client(house, await house.account("ada"))


def message(subject: str) -> bytes:
    return f"From: Bob <bob@example.net>\r\nSubject: {subject}\r\n\r\nHello\r\n".encode()


async def listed(client: Client, **how: Any) -> list[str]:
    return [one["subject"] for one in (await client.call("Email/recoverable", **how))["list"]]


async def mailbox(client: Client, name: str) -> str:
    answer = await client.call("Mailbox/set", create={"m": {"name": name}})
    found: str = answer["created"]["m"]["id"]
    return found


async def test_it_comes_back_with_its_flags_to_where_it_was(client: Client) -> None:
    work = await mailbox(client, "Work")
    email = await client.put(message("Plans"))
    await client.call(
        "Email/set", update={email: {"mailboxIds": {work: True}, "keywords/$x": True}}
    )
    await client.call("Email/set", destroy=[email])
    (one,) = (await client.call("Email/recoverable"))["list"]
    assert (one["id"], one["mailboxId"], one["subject"]) == (email, work, "Plans")
    assert "Bob" in one["from"]
    assert one["destroyedAt"] < one["until"]
    answer = await client.call("Email/recover", ids=[email, "Effffff"])
    assert answer["recovered"] == [email]
    assert answer["notRecovered"] == {"Effffff": {"type": "notFound"}}
    (found,) = (await client.call("Email/get", ids=[email]))["list"]
    assert (found["mailboxIds"], found["keywords"]) == ({work: True}, {"$x": True})
    assert await listed(client) == []
    assert (await client.call("Email/recover", ids=[email]))["recovered"] == []


async def test_of_a_mailbox_that_is_gone_it_comes_back_to_the_inbox(client: Client) -> None:
    work = await mailbox(client, "Work")
    email = await client.put(message("Plans"))
    await client.call("Email/set", update={email: {"mailboxIds": {work: True}}})
    await client.call("Mailbox/set", destroy=[work], onDestroyRemoveEmails=True)
    (one,) = (await client.call("Email/recoverable"))["list"]
    assert one["mailboxId"] is None
    assert (await client.call("Email/recover", ids=[email]))["recovered"] == [email]
    (inbox,) = (await client.call("Mailbox/query", filter={"role": "inbox"}))["ids"]
    (found,) = (await client.call("Email/get", ids=[email]))["list"]
    assert found["mailboxIds"] == {inbox: True}


async def test_pages_begin_with_what_went_last_and_leave_nothing_out(
    client: Client, house: House
) -> None:
    for n in range(5):
        email = await client.put(message(f"{n}"))
        await client.call("Email/set", destroy=[email])
        if n % 2:
            house.clock.turn(10)
    found, after = [], None
    while True:
        answer = await client.call("Email/recoverable", limit=2, after=after)
        found += [one["subject"] for one in answer["list"]]
        after = answer["next"]
        if after is None:
            break
    assert found == ["4", "3", "2", "1", "0"]
    for wrong in ("x", "1-M1", "1-E" + "f" * 30):
        assert await client.error("Email/recoverable", after=wrong) == "invalidArguments"


async def test_nobody_sees_or_takes_what_is_anothers(client: Client, house: House) -> None:
    email = await client.put(message("Secret"))
    await client.call("Email/set", destroy=[email])
    eve = Client(house, await house.account("eve"))
    assert await listed(eve) == []
    assert (await eve.call("Email/recover", ids=[email]))["notRecovered"] == {
        email: {"type": "notFound"}
    }
    assert await eve.error("Email/recoverable", accountId=client.id) == "accountNotFound"
    assert await listed(client) == ["Secret"]


async def test_a_full_account_is_told_so_and_keeps_it_recoverable(
    client: Client, house: House
) -> None:
    email = await client.put(message("Plans"))
    await client.call("Email/set", destroy=[email])
    await house.store.submit(SetAccount(account=client.account, quota_bytes=10))
    answer = await client.call("Email/recover", ids=[email])
    assert answer["notRecovered"][email]["type"] == "overQuota"
    assert await listed(client) == ["Plans"]
