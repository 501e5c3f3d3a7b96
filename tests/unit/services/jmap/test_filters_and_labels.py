"""Extensions of this server: the filters of an account as one object, labels as keywords with a colour."""

from typing import Any

import pytest

from malleposte.store.commands import PutForm
from malleposte.store.read import sieve
from malleposte.store.results import Done
from support.store import House
from unit.services.jmap.harness import Client

NEWS: dict[str, Any] = {
    "id": "r1",
    "name": "News",
    "enabled": True,
    "match": "all",
    "conditions": [
        {"field": "from", "relation": "contains", "value": "news@", "name": "", "negated": False}
    ],
    "actions": [
        {
            "does": "mark",
            "mailbox": "",
            "name": "",
            "flags": ["\\Seen"],
            "address": "",
            "text": "",
            "keeps": False,
        }
    ],
    "stop": True,
}
FOREIGN = b'{ "id":"r9", "weather" : 1.50, "sieve":"keep;" }'


@pytest.fixture
async def client(house: House) -> Client:
    return Client(house, await house.account("ada"))


async def rules(client: Client) -> tuple[str, list[dict[str, Any]]]:
    answer = await client.call("Filters/get", ids=None)
    (one,) = answer["list"]
    return answer["state"], one["rules"]


async def save(client: Client, state: str, *wanted: dict[str, Any]) -> dict[str, Any]:
    return await client.call(
        "Filters/set", ifInState=state, update={"singleton": {"rules": list(wanted)}}
    )


async def kept(client: Client) -> sieve.Form:
    form = await sieve.form(client.house.store.reader, client.account, "filters")
    assert form is not None
    return form


async def test_rules_run_as_soon_as_they_are_saved(client: Client) -> None:
    assert await rules(client) == ("0", [])
    answer = await save(client, "0", NEWS)
    assert answer["updated"] == {"singleton": None}
    assert await rules(client) == (answer["newState"], [NEWS])
    assert b'header :contains "from" "news@"' in (await kept(client)).content
    await save(client, answer["newState"], NEWS | {"enabled": False})
    assert (await kept(client)).content == b""


async def test_rules_are_not_saved_over_what_somebody_else_saved(client: Client) -> None:
    await save(client, "0", NEWS)
    none: dict[str, Any] = {"singleton": {"rules": []}}
    assert await client.error("Filters/set", ifInState="0", update=none) == "stateMismatch"
    assert await client.error("Filters/set", update=none) == "invalidArguments"
    assert (await rules(client))[1] == [NEWS]


async def test_a_rule_of_a_newer_version_is_kept_to_the_octet(client: Client) -> None:
    state = b'{"rules":[' + FOREIGN + b'],"more":[1, 2]}'
    await client.house.do(PutForm(account=client.account, kind="filters", state=state), Done)
    version, (foreign,) = await rules(client)
    assert foreign == {"raw": FOREIGN.decode()}
    await save(client, version, NEWS, foreign)
    form = await kept(client)
    assert FOREIGN in form.state
    assert b'"more":[1, 2]' in form.state
    assert b"keep;" in form.content
    refused = await save(client, str(form.version), {"raw": '{"sieve":"discard;"}'})
    assert refused["notUpdated"]["singleton"]["type"] == "invalidProperties"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"actions": [{"does": "forward", "address": "nobody"}]}, "is no mail address"),
        ({"actions": [{"does": "move"}]}, "names no mailbox"),
        ({"conditions": [{"field": "weather"}]}, "Rule 1: "),
        ({"conditions": [{"field": "size", "relation": "larger", "value": "much"}]}, "octets"),
        ({"more": 1}, "Rule 1: "),
    ],
    ids=["address", "mailbox", "field", "size", "member"],
)
async def test_a_rule_that_could_not_run_is_refused_in_words(
    client: Client, change: dict[str, Any], words: str
) -> None:
    answer = await save(client, "0", NEWS | change)
    assert words in answer["notUpdated"]["singleton"]["description"]
    assert (await rules(client))[1] == []


async def labels(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.call("Label/get", ids=None))["list"]
    return found


async def test_a_label_is_a_keyword_with_a_name_and_a_colour(client: Client) -> None:
    answer = await client.call(
        "Label/set", create={"a": {"name": " Été à  Paris", "colour": "red"}}
    )
    assert answer["created"]["a"] == {"id": "ete_a_paris", "sortOrder": 0}
    assert await labels(client) == [
        {"id": "ete_a_paris", "name": "Été à Paris", "colour": "red", "sortOrder": 0}
    ]
    patch = {"ete_a_paris": {"name": "Paris", "colour": "blue"}}
    changed = await client.call("Label/set", ifInState=answer["newState"], update=patch)
    assert changed["updated"] == {"ete_a_paris": None}
    assert changed["newState"] != changed["oldState"] == answer["newState"]
    assert [(one["name"], one["colour"]) for one in await labels(client)] == [("Paris", "blue")]


async def test_labels_that_nobody_could_tell_apart_are_refused(client: Client) -> None:
    await client.call("Label/set", create={"a": {"name": "Work"}})
    answer = await client.call(
        "Label/set",
        create={
            "same": {"name": "work"},
            "named": {"id": "work", "name": "Other"},
            "bit": {"id": "$seen", "name": "Seen"},
            "none": {"name": " "},
            "lines": {"name": "a\nb"},
            "colour": {"name": "c", "colour": "#f00"},
            "like": {"name": "Work!"},
        },
    )
    assert {id_: one["type"] for id_, one in answer["notCreated"].items()} == {
        "same": "alreadyExists",
        "named": "alreadyExists",
        "bit": "invalidProperties",
        "none": "invalidProperties",
        "lines": "invalidProperties",
        "colour": "invalidProperties",
    }
    assert answer["created"]["like"]["id"] == "work_2"


async def test_a_label_that_is_gone_is_not_shown_and_comes_back(client: Client) -> None:
    await client.call("Label/set", create={"a": {"name": "Work", "colour": "teal"}})
    assert (await client.call("Label/set", destroy=["work"]))["destroyed"] == ["work"]
    assert await labels(client) == []
    again = await client.call("Label/set", destroy=["work"], update={"work": {"name": "x"}})
    assert again["notDestroyed"]["work"]["type"] == "notFound"
    assert again["notUpdated"]["work"]["type"] == "notFound"
    await client.call("Label/set", create={"b": {"name": "Work"}})
    assert [(one["id"], one["colour"]) for one in await labels(client)] == [("work", "")]
