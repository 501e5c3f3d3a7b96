"""VacationResponse: the form that becomes Sieve, as a client of JMAP sees it."""

from typing import Any

import pytest

from malleposte.sieve.forms import Vacation
from malleposte.store.commands import PutForm
from malleposte.store.read import sieve
from malleposte.store.results import Done
from support.store import House
from unit.services.jmap.harness import Client


@pytest.fixture
async def client(house: House) -> Client:
    return Client(house, await house.account("ada"))


async def shown(client: Client) -> dict[str, Any]:
    (one,) = (await client.call("VacationResponse/get", ids=None))["list"]
    found: dict[str, Any] = one
    return found


async def script(client: Client) -> bytes:
    form = await sieve.form(client.house.store.reader, client.account, "vacation")
    return b"" if form is None else form.content


async def change(client: Client, **patch: Any) -> dict[str, Any]:
    return await client.call("VacationResponse/set", update={"singleton": patch})


async def test_there_is_one_from_the_start(client: Client) -> None:
    answer = await client.call("VacationResponse/get", ids=["singleton", "x"])
    assert answer["list"] == [
        {
            "id": "singleton",
            "isEnabled": False,
            "fromDate": None,
            "toDate": None,
            "subject": None,
            "textBody": None,
            "htmlBody": None,
        }
    ]
    assert answer["notFound"] == ["x"]
    refused = await client.call(
        "VacationResponse/set", create={"a": {"isEnabled": True}}, destroy=["singleton"]
    )
    assert refused["notCreated"]["a"]["type"] == "singleton"
    assert refused["notDestroyed"]["singleton"]["type"] == "singleton"


async def test_what_is_set_runs_and_what_others_set_stays(client: Client) -> None:
    kept = Vacation(days=3, addresses=("ada+x@example.org",))
    await client.house.do(
        PutForm(account=client.account, kind="vacation", state=kept.write()), Done
    )
    patch = {
        "isEnabled": True,
        "fromDate": "2026-12-01T00:00:00Z",
        "toDate": "2026-12-24T00:00:00Z",
        "subject": "Away",
        "textBody": "Back soon",
    }
    answer = await change(client, **patch)
    assert answer["updated"] == {"singleton": None}
    assert answer["newState"] != answer["oldState"]
    assert await shown(client) == patch | {"id": "singleton", "htmlBody": None}
    runs = await script(client)
    assert b"Back soon" in runs
    assert b":days 3" in runs
    await change(client, isEnabled=False)
    assert await script(client) == b""


async def test_a_reply_without_words_says_the_least(client: Client) -> None:
    await change(client, isEnabled=True)
    assert b"away" in await script(client)
    assert (await shown(client))["textBody"] is None


@pytest.mark.parametrize(
    "patch",
    [
        {"isEnabled": "yes"},
        {"fromDate": "tomorrow"},
        {"toDate": 5},
        {"textBody": ["x"]},
        {"textBody": "x" * 60_001},
        {"fromDate": "2026-12-24T00:00:00Z", "toDate": "2026-12-01T00:00:00Z"},
        {"days": 5},
        {"id": "other"},
    ],
)
async def test_what_cannot_be_is_refused(client: Client, patch: dict[str, Any]) -> None:
    before = await shown(client)
    answer = await change(client, **patch)
    assert answer["notUpdated"]["singleton"]["type"] == "invalidProperties"
    assert await shown(client) == before
