"""Mailbox/set: what is made, changed and destroyed, what cannot be, and what IMAP sees of it."""

from typing import Any

import pytest

from malleposte.store.flags import SEEN
from malleposte.store.ids import MAILBOX_LETTER, id_number, mailbox_text
from malleposte.store.read import mailboxes
from support.store import House, inbox
from unit.services.jmap.harness import Client

# What the databases do apart is tested with the store.
ONE = pytest.mark.parametrize("place", ["sqlite"], indirect=True)


@pytest.fixture
async def client(house: House) -> Client:
    return Client(house, await house.account("ada"))


async def made(client: Client, **properties: Any) -> str:
    answer = await client.call("Mailbox/set", create={"m": properties})
    assert answer["created"], answer
    found: str = answer["created"]["m"]["id"]
    return found


async def error(client: Client, **how: Any) -> dict[str, Any]:
    """The one error of a call."""
    answer = await client.call("Mailbox/set", **how)
    assert [answer[name] for name in ("created", "updated", "destroyed")] == [None] * 3, answer
    errors = (answer["notCreated"] or {}) | (answer["notUpdated"] or {})
    ((_, found),) = (errors | (answer["notDestroyed"] or {})).items()
    shown: dict[str, Any] = found
    return shown


async def got(client: Client, id_: str, *names: str) -> dict[str, Any]:
    answer = await client.call("Mailbox/get", ids=[id_], properties=list(names) or None)
    found: dict[str, Any] = answer["list"][0]
    return found


async def paths(client: Client) -> list[str]:
    """The names that IMAP lists."""
    boxes = await mailboxes.mailboxes(client.house.store.reader, client.account)
    return sorted(box.path for box in boxes if box.role is None)


async def test_mailboxes_are_made_below_each_other_in_one_call(client: Client) -> None:
    before = await client.call("Mailbox/get", ids=[])
    answer = await client.call(
        "Mailbox/set",
        ifInState=before["state"],
        create={
            "c": {"name": "c", "parentId": "#b", "isSubscribed": False},
            "b": {"name": "b", "parentId": "#a", "sortOrder": 3},
            "a": {"name": "a"},
            "x": {"name": "x", "parentId": "#y"},
            "y": {"name": "y", "parentId": "#x"},
            "z": {"name": "z", "parentId": "#nobody"},
        },
    )
    assert await paths(client) == ["a", "a/b", "a/b/c"]
    ids = {name: one["id"] for name, one in answer["created"].items()}
    assert set(ids) == {"a", "b", "c"}
    whole = await got(client, ids["b"])
    assert answer["created"]["b"] == {
        name: value for name, value in whole.items() if name not in ("name", "sortOrder")
    }
    assert (whole["parentId"], whole["sortOrder"], whole["isSubscribed"]) == (ids["a"], 3, True)
    assert (await got(client, ids["c"], "isSubscribed"))["isSubscribed"] is False
    assert (await got(client, ids["a"], "sortOrder"))["sortOrder"] == 100
    for name in ("x", "y", "z"):
        assert answer["notCreated"][name]["properties"] == ["parentId"]
    assert answer["newState"] != answer["oldState"] == before["state"]


async def test_all_of_a_mailbox_is_changed_at_once(client: Client) -> None:
    top, box = await made(client, name="top"), await made(client, name="box")
    patch = {
        "name": "Cafe\u0301",
        "parentId": top,
        "role": "archive",
        "sortOrder": 9,
        "isSubscribed": False,
    }
    answer = await client.call("Mailbox/set", update={box: patch})
    archive = mailbox_text(await client.house.standard(client.account, "archive"))
    assert archive == box
    # What is other than was said, and who lost the role.
    lost = [id_ for id_ in answer["updated"] if id_ != box]
    assert answer["updated"] == {box: {"name": "Café"}, lost[0]: {"role": None}}
    shown = await got(client, box, *patch)
    assert shown == patch | {"id": box, "name": "Café"}
    assert await paths(client) == ["Archive", "top"]
    assert (await client.call("Mailbox/set", update={box: {"sortOrder": None}}))["updated"] == {
        box: {"sortOrder": 100}
    }
    back = {"parentId": None, "role": None, "isSubscribed": None}
    await client.call("Mailbox/set", update={box: back})
    assert await got(client, box, "parentId", "role") == {"id": box, "parentId": None, "role": None}


async def test_a_whole_object_may_be_given_back_but_not_other_figures(client: Client) -> None:
    await client.house.fill(client.account, 2)
    box = mailbox_text(inbox(client.account))
    whole = await got(client, box)
    state = (await client.call("Mailbox/get", ids=[]))["state"]
    answer = await client.call("Mailbox/set", update={box: whole})
    assert (answer["updated"], answer["newState"]) == ({box: None}, state)
    found = await error(client, update={box: {"totalEmails": 3, "myRights/mayDelete": False}})
    assert (found["type"], found["properties"]) == (
        "invalidProperties",
        ["totalEmails", "myRights"],
    )
    right = {"myRights/mayDelete": whole["myRights"]["mayDelete"], "unreadEmails": 2}
    assert (await client.call("Mailbox/set", update={box: right}))["updated"] == {box: None}
    found = await error(client, create={"m": {"name": "x", "totalEmails": 0}})
    assert found["properties"] == ["totalEmails"]


@ONE
@pytest.mark.parametrize(
    ("given", "properties"),
    [
        ({}, ["name"]),
        ({"name": None}, ["name"]),
        ({"name": ""}, ["name"]),
        ({"name": "a/b"}, ["name"]),
        ({"name": "a\x00b"}, ["name"]),
        ({"name": "\u202egnp.exe"}, ["name"]),
        ({"name": "é" * 128}, ["name"]),
        ({"name": ["x"]}, ["name"]),
        ({"name": "x", "parentId": "M1"}, ["parentId"]),
        ({"name": "x", "parentId": 7}, ["parentId"]),
        ({"name": "x", "role": "inbox"}, ["role"]),
        ({"name": "x", "role": "sent"}, ["role"]),
        ({"name": "x", "role": "king"}, ["role"]),
        ({"name": "x", "sortOrder": -1}, ["sortOrder"]),
        ({"name": "x", "sortOrder": 2**31}, ["sortOrder"]),
        ({"name": "x", "sortOrder": True}, ["sortOrder"]),
        ({"name": "x", "isSubscribed": "yes", "role": 1}, ["isSubscribed", "role"]),
        ({"name": "x", "colour": "red"}, ["colour"]),
    ],
)
async def test_what_a_mailbox_cannot_be_is_named(
    client: Client, given: dict[str, Any], properties: list[str]
) -> None:
    found = await error(client, create={"m": given})
    assert (found["type"], found["properties"]) == ("invalidProperties", properties)
    assert await paths(client) == []


async def test_a_name_is_had_once_below_one_parent(client: Client) -> None:
    box, other = await made(client, name="box"), await made(client, name="other")
    found = await error(client, create={"m": {"name": "box"}})
    assert (found["type"], found["existingId"]) == ("alreadyExists", box)
    found = await error(client, update={other: {"name": "box"}})
    assert (found["type"], found["existingId"]) == ("alreadyExists", box)
    found = await error(client, create={"m": {"name": "iNbOx"}})
    assert found["existingId"] == mailbox_text(inbox(client.account))
    await made(client, name="box", parentId=other)
    assert await paths(client) == ["box", "other", "other/box"]


async def test_names_and_roles_pass_on_within_a_call(client: Client) -> None:
    a, b, c = [await made(client, name=name) for name in "abc"]
    archive = mailbox_text(await client.house.standard(client.account, "archive"))
    answer = await client.call(
        "Mailbox/set",
        create={"n": {"name": "c"}, "r": {"name": "Old", "role": "archive"}},
        update={a: {"name": "b"}, b: {"name": "d"}, archive: {"role": None}},
        destroy=[c],
    )
    assert answer["notCreated"] is answer["notUpdated"] is answer["notDestroyed"] is None
    assert await paths(client) == ["Archive", "b", "c", "d"]
    assert (await got(client, a, "name"))["name"] == "b"
    assert (await got(client, answer["created"]["r"]["id"], "role"))["role"] == "archive"


async def test_a_tree_goes_in_one_call_but_nothing_with_something_below(client: Client) -> None:
    top = await made(client, name="top")
    middle = await made(client, name="middle", parentId=top)
    low = await made(client, name="low", parentId=middle)
    await client.house.fill(client.account, 1, id_number(MAILBOX_LETTER, middle))
    found = await error(client, destroy=[middle], onDestroyRemoveEmails=True)
    assert found["type"] == "mailboxHasChild"
    assert await client.house.value("SELECT mailboxes FROM email") == 1
    answer = await client.call("Mailbox/set", destroy=[top, middle, low])
    assert answer["destroyed"] == [low]
    assert {id_: one["type"] for id_, one in answer["notDestroyed"].items()} == {
        middle: "mailboxHasEmail",
        top: "mailboxHasChild",
    }
    answer = await client.call(
        "Mailbox/set", destroy=[top, middle, low], onDestroyRemoveEmails=True
    )
    assert answer["destroyed"] == [middle, top]
    assert answer["notDestroyed"] == {low: {"type": "notFound"}}
    assert await paths(client) == []
    changes = await client.call("Mailbox/changes", sinceState=answer["oldState"])
    assert sorted(changes["destroyed"]) == sorted([middle, top])


async def test_what_imap_marked_does_not_keep_a_mailbox(client: Client) -> None:
    box = await made(client, name="box")
    number = id_number(MAILBOX_LETTER, box)
    filed = await client.house.deliver(client.account, mailbox=number)
    await client.house.copy(number, inbox(client.account))
    await client.house.flag(number, deleted=True)
    assert (await got(client, box, "totalEmails"))["totalEmails"] == 0
    assert (await client.call("Mailbox/set", destroy=[box]))["destroyed"] == [box]
    # It stays where else it is.
    rows = await client.house.rows("SELECT mailboxes FROM email WHERE id = $1", filed.email)
    assert rows == [(1,)]


async def test_emails_only_there_can_be_brought_back(client: Client) -> None:
    box = await made(client, name="box")
    await client.house.fill(client.account, 2, id_number(MAILBOX_LETTER, box))
    await client.call("Mailbox/set", destroy=[box], onDestroyRemoveEmails=True)
    now = int(client.house.clock.time())
    rows = await client.house.rows("SELECT until FROM recoverable")
    assert len(rows) == 2
    assert all(until > now + 29 * 86_400 for (until,) in rows)


@ONE
async def test_inbox_stays_what_it_is(client: Client) -> None:
    box = mailbox_text(inbox(client.account))
    assert (await error(client, update={box: {"name": "In"}}))["type"] == "forbidden"
    assert (await error(client, update={box: {"role": "junk"}}))["type"] == "forbidden"
    assert (await error(client, destroy=[box]))["type"] == "forbidden"
    assert (await client.call("Mailbox/set", update={box: {"sortOrder": 0}}))["updated"]


@ONE
async def test_a_tree_is_as_deep_as_the_session_says(client: Client) -> None:
    ids = {f"m{n}": {"name": str(n), "parentId": f"#m{n - 1}"} for n in range(2, 33)}
    answer = await client.call("Mailbox/set", create={"m1": {"name": "1"}} | ids)
    last = answer["created"]["m32"]["id"]
    found = await error(client, create={"m": {"name": "33", "parentId": last}})
    assert (found["type"], found["properties"]) == ("invalidProperties", ["parentId"])
    loop = {answer["created"]["m1"]["id"]: {"parentId": last}}
    assert (await error(client, update=loop))["properties"] == ["parentId"]


async def test_a_state_that_passed_stops_the_call(client: Client) -> None:
    state = (await client.call("Mailbox/get", ids=[]))["state"]
    box = await made(client, name="box")
    calls: list[dict[str, Any]] = [
        {"create": {"m": {"name": "x"}}},
        {"destroy": [box]},
        {"update": {box: {}}},
    ]
    for how in calls:
        assert await client.error("Mailbox/set", ifInState=state, **how) == "stateMismatch"
    assert await paths(client) == ["box"]


@ONE
async def test_nobody_touches_what_is_not_his(client: Client) -> None:
    other = Client(client.house, await client.house.account("bob"))
    box = await made(other, name="box")
    for how in ({"update": {box: {"name": "x"}}}, {"destroy": [box]}):
        assert (await error(client, **how))["type"] == "notFound"
    found = await error(client, create={"m": {"name": "x", "parentId": box}})
    assert found["properties"] == ["parentId"]
    assert await other.error("Mailbox/set", accountId=client.id) == "accountNotFound"
    for id_ in ("x", "M", "#m", "E1", "M" + "f" * 20):
        assert (await error(client, destroy=[id_]))["type"] == "notFound"
    answer = await client.call("Mailbox/set", update={box: {}}, destroy=[box])
    assert answer["notUpdated"][box]["type"] == "willDestroy"


async def test_mail_is_put_into_a_mailbox_of_the_same_request(client: Client) -> None:
    answers = await client.calls(
        ("Mailbox/set", {"create": {"m": {"name": "new"}}}),
        (
            "Email/set",
            {"create": {"e": {"mailboxIds": {"#m": True}, "subject": "Hello", "keywords": {}}}},
        ),
    )
    box = answers[0][1]["created"]["m"]["id"]
    assert answers[1][1]["created"], answers
    assert (await got(client, box, "totalEmails"))["totalEmails"] == 1


async def test_a_count_that_another_mailbox_moves_is_told(client: Client) -> None:
    house, account = client.house, client.account
    box = id_number(MAILBOX_LETTER, await made(client, name="box"))
    header = b"Subject: Hello\r\nMessage-ID: <%s@x>\r\nReferences: <a@x>\r\n\r\n"
    await client.put(header % b"a", flags=SEEN)
    await client.put(header % b"b", box)
    here = mailbox_text(inbox(account))
    assert (await got(client, here, "unreadThreads"))["unreadThreads"] == 1
    state = (await client.call("Mailbox/get", ids=[]))["state"]
    await house.flag(box, flags=SEEN)
    found = await client.call("Mailbox/changes", sinceState=state)
    assert sorted(found["updated"]) == sorted([here, mailbox_text(box)])
    assert (await got(client, here, "unreadThreads"))["unreadThreads"] == 0
    # In pieces it comes to the same.
    told: set[str] = set()
    while True:
        found = await client.call("Mailbox/changes", sinceState=state, maxChanges=1)
        told.update(found["updated"])
        state = found["newState"]
        if not found["hasMoreChanges"]:
            break
    assert told == {here, mailbox_text(box)}


async def test_two_have_each_others_name_in_one_call(client: Client) -> None:
    a, b, c = [await made(client, name=name) for name in "abc"]
    low = await made(client, name="low", parentId=a)
    swap = {a: {"name": "b", "sortOrder": 5}, b: {"name": "a"}}
    answer = await client.call("Mailbox/set", update=swap | {c: {"name": "low", "parentId": a}})
    assert set(answer["updated"]) == {a, b}
    assert answer["notUpdated"][c]["existingId"] == low
    assert await paths(client) == ["a", "b", "b/low", "c"]
    assert await got(client, a, "name", "sortOrder") == {"id": a, "name": "b", "sortOrder": 5}
    # One that cannot be changed gives up nothing.
    answer = await client.call(
        "Mailbox/set", update={a: {"name": "a"}, b: {"name": "x", "role": "king"}}
    )
    assert answer["updated"] is None
    assert await paths(client) == ["a", "b", "b/low", "c"]
