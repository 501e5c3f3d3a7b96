"""PushSubscription/get and /set: what a client says of where it is pushed to, and what it is told again."""

import base64
import time
from typing import Any

import pytest

from malleposte.policy.hourly import Hourly
from malleposte.services.jmap.core.names import CORE
from malleposte.services.jmap.push import subscriptions
from malleposte.services.jmap.times import seconds_of, utc_date
from malleposte.services.jmap.webpush.encryption import point_of, text_of
from malleposte.services.jmap.webpush.vapid import new_key, read_key
from support.store import House
from unit.services.jmap.harness import Client

POINT = point_of(read_key(new_key()).public_key())
KEYS = {"p256dh": text_of(POINT), "auth": text_of(bytes(16))}
NEW: dict[str, Any] = {"deviceClientId": "phone", "url": "https://push.example.net/x", "keys": KEYS}

# What the databases do apart is tested with the store.
pytestmark = pytest.mark.parametrize("place", ["sqlite"], indirect=True)


@pytest.fixture
async def client(house: House, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(subscriptions, "_made", Hourly(subscriptions.EACH_HOUR))
    return Client(house, await house.account("ada"), credential="password:1")


async def call(client: Client, name: str, **arguments: Any) -> dict[str, Any]:
    """Of no account: the harness would add one."""
    request = {"using": [CORE], "methodCalls": [[name, arguments, "0"]]}
    status, answer = await client.request(request)
    assert status == 200, answer
    ((said, found, _),) = answer["methodResponses"]
    assert said in (name, "error")
    assert isinstance(found, dict)
    return found


async def make(client: Client, **other: Any) -> str:
    answer = await call(client, "PushSubscription/set", create={"x": NEW | other})
    assert answer["notCreated"] is None, answer
    made: str = answer["created"]["x"]["id"]
    return made


async def code_of(client: Client) -> str:
    (row,) = await client.house.rows("SELECT code FROM push_subscription")
    code: str = row[0]
    return code


async def test_one_is_made_and_shown_without_its_secrets(client: Client) -> None:
    answer = await call(client, "PushSubscription/set", create={"x": NEW})
    assert answer.keys() == {
        "created",
        "updated",
        "destroyed",
        "notCreated",
        "notUpdated",
        "notDestroyed",
    }
    made = answer["created"]["x"]
    assert made.keys() == {"id", "expires", "verificationCode", "types"}
    left = seconds_of(made["expires"]) - time.time()
    assert 29 * 86_400 < left <= 30 * 86_400
    found = await call(client, "PushSubscription/get")
    shown = {
        "id": made["id"],
        "deviceClientId": "phone",
        "verificationCode": None,
        "expires": made["expires"],
        "types": None,
    }
    assert found == {"list": [shown], "notFound": []}
    some = await call(client, "PushSubscription/get", ids=["P1", made["id"]], properties=["types"])
    assert some == {"list": [{"id": made["id"], "types": None}], "notFound": ["P1"]}


async def test_what_only_the_server_needs_is_never_told(client: Client) -> None:
    for name in ("url", "keys"):
        found = await call(client, "PushSubscription/get", properties=["id", name])
        assert found["type"] == "forbidden"


async def test_there_is_no_account_to_name(client: Client) -> None:
    for name in ("PushSubscription/get", "PushSubscription/set"):
        assert (await call(client, name, accountId=client.id))["type"] == "invalidArguments"


async def test_the_code_that_was_pushed_makes_it_good(client: Client) -> None:
    made, code = await make(client), await code_of(client)
    for wrong in ("other", 7, ""):
        patch: dict[str, Any] = {"verificationCode": wrong}
        answer = await call(client, "PushSubscription/set", update={made: patch})
        assert answer["notUpdated"][made]["properties"] == ["verificationCode"]
    patch = {"verificationCode": code, "types": ["Email", "Mailbox"]}
    answer = await call(client, "PushSubscription/set", update={made: patch})
    assert answer["updated"] == {made: None}
    found = await call(client, "PushSubscription/get")
    assert found["list"][0]["verificationCode"] == code
    assert found["list"][0]["types"] == ["Email", "Mailbox"]
    again = await call(client, "PushSubscription/set", update={made: {"types": None}})
    assert again["updated"] == {made: None}
    back = await call(client, "PushSubscription/set", update={made: {"verificationCode": None}})
    assert back["notUpdated"][made]["type"] == "invalidProperties"


async def test_how_long_it_lasts_is_asked_for_within_a_bound(client: Client) -> None:
    made = await make(client)
    soon = utc_date(int(time.time()) + 3_600)
    answer = await call(client, "PushSubscription/set", update={made: {"expires": soon}})
    assert answer["updated"] == {made: None}
    far = utc_date(int(time.time()) + 90 * 86_400)
    answer = await call(client, "PushSubscription/set", update={made: {"expires": far}})
    came = answer["updated"][made]["expires"]
    assert soon < came < far
    found = await call(client, "PushSubscription/get")
    assert found["list"][0]["expires"] == came
    answer = await call(client, "PushSubscription/set", update={made: {"expires": None}})
    assert answer["updated"][made]["expires"] >= came


async def test_what_ends_by_itself_needs_no_bound(client: Client) -> None:
    """RFC 8620 §7.2: of a session, whose end is the subscription's."""
    client.credential = "session:1"
    answer = await call(client, "PushSubscription/set", create={"x": NEW})
    made = answer["created"]["x"]
    assert made["expires"] is None
    far = "2099-01-01T00:00:00Z"
    update = {made["id"]: {"expires": far}}
    assert (await call(client, "PushSubscription/set", update=update))["updated"] == {
        made["id"]: None
    }
    assert (await call(client, "PushSubscription/get"))["list"][0]["expires"] == far


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"url": "http://push.example.net/x"}, "url"),
    ({"url": "https://user:secret@push.example.net/"}, "url"),
    ({"url": "https://push.example.net/\\x"}, "url"),
    ({"url": "https://push.example.net/" + "x" * 5_000}, "url"),
    ({"url": 7}, "url"),
    ({"deviceClientId": ""}, "deviceClientId"),
    ({"deviceClientId": "x" * 256}, "deviceClientId"),
    ({"deviceClientId": None}, "deviceClientId"),
    ({"keys": {"p256dh": KEYS["p256dh"]}}, "keys"),
    ({"keys": KEYS | {"auth": "AAAA"}}, "keys"),
    ({"keys": KEYS | {"auth": "!"}}, "keys"),
    ({"keys": KEYS | {"auth": None}}, "keys"),
    ({"keys": KEYS | {"p256dh": text_of(b"\x04" + bytes(64))}}, "keys"),
    ({"keys": "none"}, "keys"),
    ({"expires": "2020-01-01T00:00:00Z"}, "expires"),
    ({"expires": "tomorrow"}, "expires"),
    ({"expires": 7}, "expires"),
    ({"types": []}, "types"),
    ({"types": "Email"}, "types"),
    ({"types": [""]}, "types"),
    ({"types": ["x" * 200] * 99 + [7]}, "types"),
    ({"types": [f"{n}{'x' * 200}" for n in range(90)]}, "types"),
    ({"verificationCode": "mine"}, "verificationCode"),
    ({"id": "P1"}, "id"),
    ({"colour": "red"}, "colour"),
]


async def test_what_is_wrong_is_said_and_nothing_is_made(client: Client) -> None:
    create = {f"n{n}": NEW | other for n, (other, _) in enumerate(WRONG)}
    answer = await call(client, "PushSubscription/set", create=create)
    assert answer["created"] is None
    for n, (other, name) in enumerate(WRONG):
        error = answer["notCreated"][f"n{n}"]
        assert (error["type"], error["properties"]) == ("invalidProperties", [name]), other
    assert (await call(client, "PushSubscription/get"))["list"] == []


async def test_where_and_for_whom_cannot_be_changed(client: Client) -> None:
    made = await make(client)
    for patch in (
        {"url": "https://other.example.net/"},
        {"keys": None},
        {"deviceClientId": "other"},
        {"id": "P1"},
        {"colour": "red"},
    ):
        answer = await call(client, "PushSubscription/set", update={made: patch})
        assert answer["notUpdated"][made]["type"] == "invalidProperties"


async def test_another_way_to_sign_in_sees_none_of_it(client: Client) -> None:
    made = await make(client)
    client.credential = "password:2"
    assert (await call(client, "PushSubscription/get"))["list"] == []
    answer = await call(
        client, "PushSubscription/set", update={made: {"types": None}}, destroy=[made]
    )
    assert answer["notUpdated"][made]["type"] == "notFound"
    assert answer["notDestroyed"][made]["type"] == "notFound"
    client.credential = "password:1"
    answer = await call(client, "PushSubscription/set", destroy=[made, "P1", "x"])
    assert answer["destroyed"] == [made]
    assert {one["type"] for one in answer["notDestroyed"].values()} == {"notFound"}


async def test_one_may_be_made_and_changed_in_one_call(client: Client) -> None:
    answer = await call(
        client,
        "PushSubscription/set",
        create={"x": NEW},
        update={"#x": {"types": ["Email"]}, "#y": {}},
    )
    assert answer["updated"] == {"#x": None}
    assert answer["notUpdated"]["#y"]["type"] == "invalidProperties"
    assert (await call(client, "PushSubscription/get"))["list"][0]["types"] == ["Email"]


async def test_an_account_has_only_so_many_codes_pushed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "_made", Hourly(1))
    await make(client)
    answer = await call(client, "PushSubscription/set", create={"x": NEW})
    assert answer["notCreated"]["x"]["type"] == "rateLimit"


async def test_padding_of_keys_does_not_matter(client: Client) -> None:
    padded = {"p256dh": base64.urlsafe_b64encode(POINT).decode(), "auth": "A" * 22 + "=="}
    await make(client, keys=padded)
    await make(client, keys=None)
    rows = await client.house.rows("SELECT p256dh, auth FROM push_subscription ORDER BY p256dh")
    assert [tuple(map(bytes, row)) for row in rows] == [(b"", b""), (POINT, bytes(16))]
