"""Sieve scripts by JMAP (RFC 9661): the same that ManageSieve and delivery have."""

from typing import Any

import msgspec
import pytest

from malleposte.store.commands import ActivateScript, DeleteScript, PutForm, PutScript, RenameScript
from malleposte.store.execute.sieve import MAX_SCRIPT, MAX_SCRIPTS
from malleposte.store.read import sieve
from malleposte.store.results import Done
from support.store import House
from unit.services.jmap.harness import Client

KEEP = b'require "fileinto";\r\nfileinto "Archive";\r\n'


@pytest.fixture
async def client(house: House) -> Client:
    return Client(house, await house.account("ada"))


async def upload(client: Client, octets: bytes = KEEP) -> str:
    response = await client.http(
        "POST", f"/jmap/upload/{client.id}/", octets, kind="application/sieve"
    )
    found: str = msgspec.json.decode(response.body)["blobId"]
    return found


async def scripts(client: Client) -> dict[str, dict[str, Any]]:
    answer = await client.call("SieveScript/get", ids=None)
    return {one["name"]: one for one in answer["list"]}


async def make(client: Client, name: str | None = "main", octets: bytes = KEEP) -> dict[str, Any]:
    new = {"name": name, "blobId": await upload(client, octets)}
    answer = await client.call("SieveScript/set", create={"s": new})
    assert answer["created"], answer
    made: dict[str, Any] = answer["created"]["s"]
    return made


async def content(client: Client, blob: str) -> bytes | int:
    response = await client.http("GET", f"/jmap/download/{client.id}/{blob}/x")
    if response.status != 200:
        return response.status
    assert response.pieces is not None
    return b"".join([piece async for piece in response.pieces])


async def test_a_script_is_made_read_changed_renamed_and_removed(client: Client) -> None:
    made = await make(client)
    assert made["isActive"] is False
    assert await content(client, made["blobId"]) == KEEP
    kept = await sieve.script(client.house.store.reader, client.account, "main")
    assert kept is not None
    assert kept[1] == KEEP
    stop = await upload(client, b"stop;\r\n")
    update = {made["id"]: {"name": "other", "blobId": stop}}
    answer = await client.call("SieveScript/set", update=update)
    now = (await scripts(client))["other"]
    # It is the same script; what names its content is the server's to say.
    assert now["id"] == made["id"]
    assert answer["updated"] == {made["id"]: {"blobId": now["blobId"]}}
    assert await content(client, now["blobId"]) == b"stop;\r\n"
    assert await content(client, made["blobId"]) == 404
    answer = await client.call("SieveScript/set", destroy=[made["id"]])
    assert answer["destroyed"] == [made["id"]]
    assert answer["newState"] != answer["oldState"]
    assert await scripts(client) == {}


async def test_what_managesieve_does_is_seen_and_the_other_way_round(client: Client) -> None:
    house, account = client.house, client.account
    await house.do(PutScript(owner=account, name="mine", content=KEEP, active=True), Done)
    (one,) = (await scripts(client)).values()
    assert (one["name"], one["isActive"]) == ("mine", True)
    await house.do(RenameScript(owner=account, name="mine", to="yours"), Done)
    assert (await scripts(client))["yours"]["id"] == one["id"]
    await house.do(PutScript(owner=account, name="yours", content=b"keep;\r\n"), Done)
    again = (await scripts(client))["yours"]
    assert again["id"] == one["id"]
    assert again["blobId"] != one["blobId"]
    await house.do(ActivateScript(owner=account, name=""), Done)
    await house.do(DeleteScript(owner=account, name="yours"), Done)
    # A script that comes later under the name is another one.
    await house.do(PutScript(owner=account, name="yours", content=KEEP), Done)
    assert (await scripts(client))["yours"]["id"] != one["id"]


async def test_scripts_are_activated_when_all_else_went_well(client: Client) -> None:
    first = await make(client, "first")
    answer = await client.call("SieveScript/set", onSuccessActivateScript=first["id"])
    now = (await scripts(client))["first"]
    assert answer["updated"] == {first["id"]: {"isActive": True, "blobId": now["blobId"]}}
    new = {"name": "second", "blobId": await upload(client)}
    answer = await client.call("SieveScript/set", create={"s": new}, onSuccessActivateScript="#s")
    assert answer["created"]["s"]["isActive"] is True
    assert answer["updated"][first["id"]]["isActive"] is False
    assert [one["isActive"] for one in (await scripts(client)).values()] == [False, True]
    # Something that fails leaves what runs.
    answer = await client.call(
        "SieveScript/set", destroy=["Zff"], onSuccessActivateScript=first["id"]
    )
    assert answer["updated"] is None
    for nothing in ("Zff", "#none"):
        answer = await client.call("SieveScript/set", onSuccessActivateScript=nothing)
        assert answer["updated"] is None
    assert (await scripts(client))["second"]["isActive"] is True
    answer = await client.call("SieveScript/set", onSuccessDeactivateScript=True)
    assert [one["isActive"] for one in answer["updated"].values()] == [False]
    assert not any(one["isActive"] for one in (await scripts(client)).values())


async def test_the_active_script_is_not_removed(client: Client) -> None:
    made = await make(client)
    await client.call("SieveScript/set", onSuccessActivateScript=made["id"])
    answer = await client.call("SieveScript/set", destroy=[made["id"], "Zff"])
    assert {id_: error["type"] for id_, error in answer["notDestroyed"].items()} == {
        made["id"]: "sieveIsActive",
        "Zff": "notFound",
    }


async def test_mistakes_are_told_and_nothing_is_kept(client: Client) -> None:
    bad = await upload(client, b"fileinto;\r\n")
    blob = await upload(client)
    big = await upload(client, b"#" * (MAX_SCRIPT + 1))
    first = await make(client, "first")
    cases: dict[str, tuple[dict[str, Any], str]] = {
        "bad": ({"name": "x", "blobId": bad}, "invalidSieve"),
        "none": ({"name": "x", "blobId": "U99"}, "blobNotFound"),
        "without": ({"name": "x"}, "invalidProperties"),
        "big": ({"name": "x", "blobId": big}, "tooLarge"),
        "same": ({"name": "first", "blobId": blob}, "alreadyExists"),
        "odd": ({"name": "a\nb", "blobId": blob}, "invalidProperties"),
        "long": ({"name": "a" * 129, "blobId": blob}, "invalidProperties"),
        "number": ({"name": 1, "blobId": blob}, "invalidProperties"),
        "more": ({"name": "x", "blobId": blob, "isActive": True}, "invalidProperties"),
    }
    answer = await client.call(
        "SieveScript/set", create={id_: properties for id_, (properties, _) in cases.items()}
    )
    found = {id_: error["type"] for id_, error in answer["notCreated"].items()}
    assert found == {id_: error for id_, (_, error) in cases.items()}
    assert "line 1" in answer["notCreated"]["bad"]["description"]
    assert answer["notCreated"]["same"]["existingId"] == first["id"]
    update = {
        first["id"]: {"isActive": True},
        "Zff": {"name": "x"},
    }
    answer = await client.call("SieveScript/set", update=update)
    found = {id_: error["type"] for id_, error in answer["notUpdated"].items()}
    assert found == {first["id"]: "invalidProperties", "Zff": "notFound"}
    for patch, error in (({"blobId": bad}, "invalidSieve"), ({"blobId": "x"}, "blobNotFound")):
        answer = await client.call("SieveScript/set", update={first["id"]: patch})
        assert answer["notUpdated"][first["id"]]["type"] == error
    second = await make(client, "second")
    answer = await client.call("SieveScript/set", update={second["id"]: {"name": "first"}})
    assert answer["notUpdated"][second["id"]]["type"] == "alreadyExists"
    assert list(await scripts(client)) == ["first", "second"]


async def test_a_script_without_a_name_is_given_one(client: Client) -> None:
    assert (await make(client, None))["name"] == "script-1"
    assert (await make(client, None))["name"] == "script-2"


async def test_there_are_as_many_as_by_managesieve(client: Client) -> None:
    for n in range(MAX_SCRIPTS):
        await client.house.do(PutScript(owner=client.account, name=f"s{n}", content=b"keep;"), Done)
    new = {"name": "one more", "blobId": await upload(client)}
    answer = await client.call("SieveScript/set", create={"s": new})
    assert answer["notCreated"]["s"]["type"] == "overQuota"


async def test_content_is_checked_without_being_kept(client: Client) -> None:
    good, bad = await upload(client), await upload(client, b"redirect;\r\n")
    answer = await client.call("SieveScript/validate", blobId=good)
    assert answer == {"accountId": client.id, "error": None}
    for blob, error in ((bad, "invalidSieve"), ("U99", "blobNotFound"), ("", "blobNotFound")):
        answer = await client.call("SieveScript/validate", blobId=blob)
        assert answer["error"]["type"] == error
    assert await scripts(client) == {}


async def test_scripts_are_listed(client: Client) -> None:
    ids = {name: (await make(client, name))["id"] for name in ("work", "Fun", "away")}
    await client.call("SieveScript/set", onSuccessActivateScript=ids["Fun"])
    for arguments, found in (
        ({"sort": [{"property": "name"}]}, ["away", "Fun", "work"]),
        ({"filter": {"isActive": True}}, ["Fun"]),
        ({"filter": {"name": "W"}, "sort": [{"property": "name"}]}, ["away", "work"]),
        ({"sort": [{"property": "name"}], "position": 1, "limit": 1}, ["Fun"]),
    ):
        answer = await client.call("SieveScript/query", **arguments)
        assert answer["ids"] == [ids[name] for name in found], arguments
        assert answer["canCalculateChanges"] is False
    assert await client.error("SieveScript/query", filter={"name": 1}) == "invalidArguments"
    assert await client.error("SieveScript/query", filter={"x": 1}) == "unsupportedFilter"


async def test_states_and_what_others_have_are_kept_apart(client: Client) -> None:
    house = client.house
    state = (await client.call("SieveScript/get", ids=[]))["state"]
    await make(client)
    assert await client.error("SieveScript/set", ifInState=state) == "stateMismatch"
    bob = Client(house, await house.account("bob"))
    theirs = (await scripts(client))["main"]
    got = await bob.call("SieveScript/get", ids=[theirs["id"]])
    assert got["notFound"] == [theirs["id"]]
    assert await content(bob, theirs["blobId"]) == 404
    assert await bob.error("SieveScript/get", accountId=client.id) == "accountNotFound"
    answer = await bob.call("SieveScript/set", destroy=[theirs["id"]])
    assert answer["notDestroyed"][theirs["id"]]["type"] == "notFound"
    # What the forms of the user interface keep is no script.
    form = PutForm(account=bob.account, kind="filters", state=b"{}", content=KEEP)
    await house.do(form, Done)
    assert await scripts(bob) == {}


async def test_each_change_is_in_the_audit(client: Client) -> None:
    made = await make(client)
    await client.call("SieveScript/set", onSuccessActivateScript=made["id"])
    await client.call("SieveScript/set", update={made["id"]: {"name": "x"}})
    await client.call("SieveScript/set", onSuccessDeactivateScript=True)
    await client.call("SieveScript/set", destroy=[made["id"]])
    rows = await client.house.rows("SELECT actor, operation FROM audit ORDER BY id")
    assert rows == [
        ("ada@example.org", f"sieve.{what}")
        for what in ("put", "activate", "rename", "activate", "delete")
    ]


async def test_the_capability_says_what_there_is(client: Client) -> None:
    session = msgspec.json.decode((await client.http("GET", "/jmap/session")).body)
    name = "urn:ietf:params:jmap:sieve"
    assert session["capabilities"][name]["implementation"]
    found = session["accounts"][client.id]["accountCapabilities"][name]
    assert found["maxNumberScripts"] == MAX_SCRIPTS
    assert "fileinto" in found["sieveExtensions"]
    assert found["notificationMethods"] is None
