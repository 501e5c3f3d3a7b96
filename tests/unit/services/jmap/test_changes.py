"""changes of emails, threads and mailboxes, and Thread/get."""

from typing import Any

import pytest

from malleposte.store.flags import SEEN
from malleposte.store.ids import email_text, mailbox_text, thread_text
from support.store import House, inbox, rendered
from unit.services.jmap.harness import Client


@pytest.fixture
async def client(house: House) -> Client:
    return Client(house, await house.account())


async def state(client: Client) -> str:
    found: str = (await client.call("Mailbox/get", ids=[]))["state"]
    return found


async def changes(client: Client, kind: str, since: str, **more: Any) -> dict[str, Any]:
    return await client.call(f"{kind}/changes", sinceState=since, **more)


async def test_what_became_of_emails_and_threads(client: Client) -> None:
    house, account = client.house, client.account
    old = await house.deliver(account, about=rendered(message_id="a@x"))
    gone = await house.deliver(account, about=rendered(message_id="b@x", subject="B"))
    since = await state(client)
    assert (await changes(client, "Email", since))["newState"] == since
    await house.flag(inbox(account), ((1, 1),), flags=SEEN)
    assert (await changes(client, "Email", since))["updated"] == [email_text(old.email)]
    assert (await changes(client, "Thread", since))["updated"] == []
    about = rendered(message_id="c@x", subject="Re: Hello", references=("a@x",))
    new = await house.deliver(account, about=about)
    await house.expunge(inbox(account), ((2, 2),))
    found = await changes(client, "Email", since)
    assert found["created"] == [email_text(new.email)]
    assert found["destroyed"] == [email_text(gone.email)]
    found = await changes(client, "Thread", since)
    assert (found["created"], len(found["updated"]), len(found["destroyed"])) == ([], 1, 1)
    (thread,) = found["updated"]
    got = await client.call("Thread/get", ids=[thread, "Tabc", *found["destroyed"]])
    assert got["list"] == [
        {"id": thread, "emailIds": [email_text(old.email), email_text(new.email)]}
    ]
    assert got["notFound"] == ["Tabc", *found["destroyed"]]
    box = await changes(client, "Mailbox", since)
    assert box["updated"] == [mailbox_text(inbox(account))]


async def test_states_half_way_lead_to_the_end(client: Client) -> None:
    since = await state(client)
    await client.house.fill(client.account, 5)
    await client.house.flag(inbox(client.account), flags=SEEN)
    told: list[str] = []
    for _ in range(20):
        found = await changes(client, "Email", since, maxChanges=2)
        told += found["created"]
        assert len(found["created"]) <= 2
        since = found["newState"]
        if not found["hasMoreChanges"]:
            break
    assert len(told) == len(set(told)) == 5
    assert since == await state(client)


@pytest.mark.parametrize("kind", ["Email", "Thread", "Mailbox"])
@pytest.mark.parametrize("since", ["", "x", "99999", "1-2", "1-2-3-4", "1-99999999999-0", "1-1-9"])
async def test_states_that_never_were_cannot_be_told_of(
    client: Client, kind: str, since: str
) -> None:
    assert await client.error(f"{kind}/changes", sinceState=since) == "cannotCalculateChanges"


async def test_arguments_are_looked_at(client: Client) -> None:
    assert await client.error("Email/changes") == "invalidArguments"
    error = await client.error("Email/changes", sinceState="1", maxChanges=0)
    assert error == "invalidArguments"
    assert await client.error("Thread/get") == "requestTooLarge"
    assert await client.error("Thread/get", ids=[], properties=["colour"]) == "invalidArguments"
    assert await client.error("Thread/get", accountId="A9999", ids=[]) == "accountNotFound"
    other = await client.house.account()
    filed = await client.house.deliver(other)
    row = await client.house.email(inbox(other), filed.uid)
    text = thread_text(row["thread"])
    assert (await client.call("Thread/get", ids=[text]))["notFound"] == [text]
