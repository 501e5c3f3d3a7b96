"""Contacts (RFC 9610) over JMAP: books, cards, lists, photos, sharing and the directory."""

from typing import Any

import msgspec
import pytest

from malleposte.services.jmap.contacts import card_query
from malleposte.services.jmap.contacts.names import directory_text
from malleposte.store.commands import GroupEntry, PutGroup, SetAccount, SetMembers
from malleposte.store.ids import account_text
from malleposte.store.results import Done
from support.store import House
from unit.services.jmap.harness import Client

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


async def ready(house: House, name: str = "", **how: Any) -> Client:
    return Client(house, await house.account(name, **how))


async def first_book(client: Client) -> str:
    (book,) = (await client.call("AddressBook/get"))["list"]
    found: str = book["id"]
    return found


async def create(client: Client, card: dict[str, Any], **how: Any) -> dict[str, Any]:
    answer = await client.call("ContactCard/set", create={"k": card}, **how)
    assert answer["created"], answer
    made: dict[str, Any] = answer["created"]["k"]
    return made


async def refused(client: Client, card: dict[str, Any]) -> dict[str, Any]:
    answer = await client.call("ContactCard/set", create={"k": card})
    error: dict[str, Any] = answer["notCreated"]["k"]
    return error


def named(book: str, given: str, surname: str, **more: Any) -> dict[str, Any]:
    components = [{"kind": "given", "value": given}, {"kind": "surname", "value": surname}]
    return {"addressBookIds": {book: True}, "name": {"components": components}} | more


async def ids(client: Client, filter_: Any = None, **how: Any) -> list[str]:
    answer = await client.call("ContactCard/query", filter=filter_, **how)
    found: list[str] = answer["ids"]
    return found


async def test_the_session_offers_contacts_and_the_directory(house: House) -> None:
    client = await ready(house)
    session = msgspec.json.decode((await client.http("GET", "/jmap/session")).body)
    contacts = "urn:ietf:params:jmap:contacts"
    assert session["capabilities"][contacts] == {}
    assert session["primaryAccounts"][contacts] == client.id
    own = session["accounts"][client.id]["accountCapabilities"][contacts]
    assert own == {"maxAddressBooksPerCard": 32, "mayCreateAddressBook": True}
    (directory,) = [one for id_, one in session["accounts"].items() if id_ != client.id]
    assert (directory["isReadOnly"], directory["isPersonal"]) == (True, False)


async def test_a_book_is_there_from_the_first_question_on(house: House) -> None:
    client = await ready(house)
    answer = await client.call("AddressBook/get")
    (book,) = answer["list"]
    assert book | {"id": ""} == {
        "id": "",
        "name": "Contacts",
        "description": None,
        "sortOrder": 0,
        "isDefault": True,
        "isSubscribed": True,
        "shareWith": None,
        "myRights": dict.fromkeys(("mayRead", "mayWrite", "mayShare", "mayDelete"), True),
    }
    answer = await client.call("AddressBook/get", ids=[book["id"], "B1"], properties=["name"])
    assert answer["list"] == [{"id": book["id"], "name": "Contacts"}]
    assert answer["notFound"] == ["B1"]
    assert await client.error("AddressBook/get", properties=["colour"]) == "invalidArguments"
    assert await client.error("AddressBook/get", accountId="A999999") == "accountNotFound"


async def test_books_are_made_changed_and_removed(house: House) -> None:
    client = await ready(house)
    first = await first_book(client)
    state = (await client.call("AddressBook/get", ids=[]))["state"]
    answer = await client.call(
        "AddressBook/set",
        create={"b": {"name": "Work", "description": "d", "sortOrder": 3}, "bad": {"name": ""}},
        onSuccessSetIsDefault="#b",
    )
    made = answer["created"]["b"]
    assert made["isDefault"] is False, "nothing is made the default where something failed"
    assert answer["notCreated"]["bad"]["type"] == "invalidProperties"
    assert answer["oldState"] == state != answer["newState"]
    id_ = made["id"]
    answer = await client.call(
        "AddressBook/set",
        update={id_: {"name": "Firm", "sortOrder": None}},
        onSuccessSetIsDefault=id_,
    )
    assert answer["updated"] == {id_: None}
    books = {one["id"]: one for one in (await client.call("AddressBook/get"))["list"]}
    assert (books[id_]["name"], books[id_]["description"], books[id_]["sortOrder"]) == (
        "Firm",
        "d",
        0,
    )
    assert (books[id_]["isDefault"], books[first]["isDefault"]) == (True, False)
    changes = await client.call("AddressBook/changes", sinceState=state)
    assert changes["created"] == [id_]
    assert changes["updated"] == [first]
    await create(client, named(id_, "Ada", "Lovelace"))
    answer = await client.call("AddressBook/set", destroy=[id_])
    assert answer["notDestroyed"][id_]["type"] == "addressBookHasContents"
    answer = await client.call("AddressBook/set", destroy=[id_], onDestroyRemoveContents=True)
    assert answer["destroyed"] == [id_]
    assert await ids(client) == []
    assert await client.error("AddressBook/set", ifInState=state) == "stateMismatch"


async def test_what_a_book_cannot_be(house: House) -> None:
    client = await ready(house)
    book = await first_book(client)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"isDefault": False}, "isDefault"),
        ({"myRights": {}}, "myRights"),
        ({"name": None}, "name"),
        ({"name": 3}, "name"),
        ({"name": "x" * 300}, "name"),
        ({"sortOrder": -1}, "sortOrder"),
        ({"description": 1}, "description"),
        ({"isSubscribed": 0}, "isSubscribed"),
        ({"shareWith": {"Pffff": {"mayRead": True}}}, "shareWith"),
        ({"shareWith": {"P1": {"mayFly": True}}}, "shareWith"),
    ]
    for patch, wrong in cases:
        answer = await client.call("AddressBook/set", update={book: patch})
        error = answer["notUpdated"][book]
        assert (error["type"], error["properties"]) == ("invalidProperties", [wrong]), patch


async def test_a_card_is_kept_as_it_came(house: House) -> None:
    client = await ready(house)
    book = await first_book(client)
    card = named(
        book,
        "Ada",
        "Lovelace",
        uid="ada",
        emails={"e1": {"address": "ada@example.com", "contexts": {"work": True}, "pref": 1}},
        anniversaries={"b": {"kind": "birth", "date": {"year": 1815, "month": 12, "day": 10}}},
        **{"example.com:shoe": {"size": 42}},
    )
    made = await create(client, card)
    assert set(made) == {"id", "@type", "version", "created", "updated"}
    (found,) = (await client.call("ContactCard/get", ids=[made["id"]]))["list"]
    assert found == card | made
    answer = await client.call("ContactCard/get", properties=["emails", "example.com:shoe"])
    assert answer["list"] == [
        {"id": made["id"], "emails": card["emails"], "example.com:shoe": {"size": 42}}
    ]
    assert await client.error("ContactCard/get", properties=["shoe"]) == "invalidArguments"


async def test_what_a_card_cannot_be(house: House) -> None:
    client = await ready(house)
    card = named(await first_book(client), "A", "B")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"addressBookIds": {}}, "addressBookIds"),
        ({"addressBookIds": {"Bfff": True}}, "addressBookIds"),
        ({"addressBookIds": {"#nothing": True}}, "addressBookIds"),
        ({"addressBookIds": None}, "addressBookIds"),
        ({"id": "C1"}, "id"),
        ({"@type": "Event"}, "@type"),
        ({"emails": {"e": {"address": 3}}}, "emails"),
        ({"emails": {"not an id": {"address": "a@x"}}}, "emails"),
        ({"emails": [1]}, "emails"),
        ({"phones": {"p": {}}}, "phones"),
        ({"anniversaries": {"b": {"kind": "birth", "date": {"month": 13}}}}, "anniversaries"),
        ({"keywords": {"a": False}}, "keywords"),
        ({"media": {"m": {"kind": "photo", "blobId": "U77"}}}, "media"),
        ({"media": {"m": {"kind": "photo", "uri": "data:image/png;base64,AAAA"}}}, "media"),
    ]
    for more, wrong in cases:
        error = await refused(client, card | more)
        assert (error["type"], error.get("properties")) == ("invalidProperties", [wrong]), error


async def test_a_card_is_changed_by_patches(house: House) -> None:
    client = await ready(house)
    book = await first_book(client)
    other = await client.call("AddressBook/set", create={"b": {"name": "Work"}})
    work = other["created"]["b"]["id"]
    made = await create(client, named(book, "Ada", "Lovelace", updated="2020-01-01T00:00:00Z"))
    id_, state = made["id"], (await client.call("ContactCard/get", ids=[]))["state"]
    answer = await client.call(
        "ContactCard/set",
        update={id_: {"nicknames": {"n": {"name": "Countess"}}, f"addressBookIds/{work}": True}},
    )
    assert answer["updated"][id_]["updated"] > "2026"
    (card,) = (await client.call("ContactCard/get"))["list"]
    assert card["nicknames"]["n"]["name"] == "Countess"
    assert card["addressBookIds"] == {book: True, work: True}
    assert (await client.call("ContactCard/changes", sinceState=state))["updated"] == [id_]
    answer = await client.call(
        "ContactCard/set",
        update={id_: {f"addressBookIds/{book}": None, f"addressBookIds/{work}": None}},
    )
    assert answer["notUpdated"][id_]["type"] == "invalidProperties"
    answer = await client.call("ContactCard/set", update={id_: {"uid": "new"}, "C1": {}})
    assert answer["notUpdated"][id_]["properties"] == ["uid"]
    assert answer["notUpdated"]["C1"]["type"] == "notFound"
    answer = await client.call("ContactCard/set", destroy=[id_, "C1", "#x"])
    assert answer["destroyed"] == [id_]
    assert {one["type"] for one in answer["notDestroyed"].values()} == {"notFound"}
    assert (await client.call("ContactCard/changes", sinceState=state))["destroyed"] == [id_]


async def test_a_uid_is_one_cards(house: House) -> None:
    client = await ready(house)
    book = await first_book(client)
    made = await create(client, named(book, "Ada", "L", uid="ada"))
    error = await refused(client, named(book, "Ada", "L", uid="ada"))
    assert (error["type"], error["existingId"]) == ("alreadyExists", made["id"])


async def test_if_in_state_holds(house: House) -> None:
    client = await ready(house)
    book = await first_book(client)
    state = (await client.call("ContactCard/get", ids=[]))["state"]
    await create(client, named(book, "Ada", "L"), ifInState=state)
    assert await client.error("ContactCard/set", ifInState=state) == "stateMismatch"
    assert await client.error("ContactCard/changes", sinceState="99999") == "cannotCalculateChanges"


async def test_cards_are_found_by_what_is_in_them(house: House) -> None:
    client = await ready(house)
    book = await first_book(client)
    work = (await client.call("AddressBook/set", create={"b": {"name": "W"}}))["created"]["b"]["id"]
    ada = (
        await create(
            client,
            named(
                book,
                "Ada",
                "Lovelace",
                uid="ada",
                created="2026-01-01T00:00:00Z",
                emails={"e": {"address": "countess@example.com"}},
                phones={"p": {"number": "+33 (1) 23-45"}},
                organizations={"o": {"name": "Analytical Engines"}},
                notes={"n": {"note": "Déjà vu"}},
            ),
        )
    )["id"]
    zoe = (
        await create(
            client,
            named(
                work,
                "Zoé",
                "Ångström",
                uid="zoe",
                created="2026-02-01T00:00:00Z",
                nicknames={"n": {"name": "Zed"}},
                addresses={"a": {"components": [{"kind": "locality", "value": "Paris"}]}},
                onlineServices={"i": {"service": "Mastodon", "user": "@zoe"}},
            ),
        )
    )["id"]
    group = named(book, "All", "", kind="group", uid="all", members={"ada": True})
    team = (await create(client, group))["id"]
    for filter_, found in (
        ({"text": "countess"}, [ada]),
        ({"text": "deja"}, [ada]),
        ({"text": "paris zoe"}, [zoe]),
        ({"text": '"paris zoe"'}, []),
        ({"name": "angstrom"}, [zoe]),
        ({"name/given": "ada"}, [ada]),
        ({"name/surname": "ada"}, []),
        ({"email": "example.com"}, [ada]),
        ({"phone": "3312345"}, [ada]),
        ({"organization": "engines analytical"}, [ada]),
        ({"note": "VU"}, [ada]),
        ({"nickname": "zed"}, [zoe]),
        ({"address": "paris"}, [zoe]),
        ({"onlineService": "mastodon"}, [zoe]),
        ({"uid": "zoe"}, [zoe]),
        ({"kind": "group"}, [team]),
        ({"hasMember": "ada"}, [team]),
        ({"hasMember": "ad"}, []),
        ({"inAddressBook": work}, [zoe]),
        ({"inAddressBook": "B999"}, []),
        ({"createdBefore": "2026-01-15T00:00:00Z"}, [ada]),
        ({"createdAfter": "2026-02-01T00:00:00Z", "kind": "individual"}, [zoe]),
        ({"updatedBefore": "2020-01-01T00:00:00Z"}, []),
        ({"operator": "NOT", "conditions": [{"kind": "group"}, {"uid": "ada"}]}, [zoe]),
    ):
        assert await ids(client, filter_) == found, filter_
    sort = [{"property": "name/surname"}, {"property": "created", "isAscending": False}]
    assert await ids(client, {"kind": "individual"}, sort=sort) == [zoe, ada]
    answer = await client.call("ContactCard/query", limit=1, calculateTotal=True, position=1)
    assert (len(answer["ids"]), answer["total"], answer["position"]) == (1, 3, 1)


async def test_lists_that_cannot_be_made(house: House) -> None:
    client = await ready(house)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"filter": {"colour": "red"}}, "unsupportedFilter"),
        ({"filter": {"text": 3}}, "invalidArguments"),
        ({"filter": {"text": "x" * 1001}}, "unsupportedFilter"),
        ({"filter": {"text": "x " * 41}}, "unsupportedFilter"),
        (
            {"filter": {"operator": "AND", "conditions": [{"text": "x " * 15}] * 3}},
            "unsupportedFilter",
        ),
        ({"filter": {"createdAfter": "yesterday"}}, "invalidArguments"),
        ({"sort": [{"property": "note"}]}, "unsupportedSort"),
        ({"anchor": "C1"}, "anchorNotFound"),
    ]
    for arguments, error in cases:
        assert await client.error("ContactCard/query", **arguments) == error, arguments


async def test_what_moved_in_a_list(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_query, "SLICE", 2)
    client = await ready(house)
    book = await first_book(client)
    made = [(await create(client, named(book, name, "X")))["id"] for name in ("b", "c", "d", "e")]
    how = {"sort": [{"property": "name/given"}]}
    state = (await client.call("ContactCard/query", **how))["queryState"]
    await client.call(
        "ContactCard/set",
        update={made[0]: {"name": {"components": [{"kind": "given", "value": "z"}]}}},
        destroy=[made[1]],
    )
    answer = await client.call("ContactCard/queryChanges", sinceQueryState=state, **how)
    assert sorted(answer["removed"]) == sorted(made[:2])
    assert answer["added"] == [{"id": made[0], "index": 2}]
    few = {"sinceQueryState": state, "maxChanges": 1}
    assert await client.error("ContactCard/queryChanges", **few) == "tooManyChanges"


async def test_a_photo_is_an_image_brought_as_a_blob(house: House) -> None:
    client = await ready(house)
    book = await first_book(client)

    async def upload(octets: bytes) -> str:
        response = await client.http("POST", f"/jmap/upload/{client.id}/", octets, kind="image/png")
        found: str = msgspec.json.decode(response.body)["blobId"]
        return found

    no_image = {"m": {"kind": "photo", "blobId": await upload(b"<svg/>")}}
    error = await refused(client, named(book, "A", "B", media=no_image))
    assert error["properties"] == ["media"]
    image = {"m": {"kind": "photo", "blobId": await upload(PNG)}}
    made = await create(client, named(book, "A", "B", media=image))
    (card,) = (await client.call("ContactCard/get"))["list"]
    medium = card["media"]["m"]
    assert "uri" not in medium
    assert medium["mediaType"] == "image/png"
    path = f"/jmap/download/{client.id}/{medium['blobId']}/photo"
    response = await client.http("GET", path)
    assert (response.status, response.body, response.kind) == (200, PNG, "image/png")
    stranger = await ready(house)
    assert (await stranger.http("GET", path)).status == 404
    other = f"/jmap/download/{stranger.id}/{medium['blobId']}/photo"
    assert (await stranger.http("GET", other)).status == 404
    patch = {"nicknames": {"n": {"name": "x"}}}
    await client.call("ContactCard/set", update={made["id"]: patch})
    (again,) = (await client.call("ContactCard/get"))["list"]
    assert again["media"] == card["media"], "what did not change keeps its name"
    twin = named(book, "C", "D", media={"m": {"kind": "photo", "blobId": medium["blobId"]}})
    await create(client, twin)
    await client.call("ContactCard/set", update={made["id"]: {"media": None}})
    assert (await client.http("GET", path)).status == 404


async def share(house: House, rights: dict[str, bool]) -> tuple[Client, Client, str, str]:
    """(owner, the other, a book shared with him, one that is not)."""
    owner, other = await ready(house, "owner"), await ready(house, "other")
    hidden = await first_book(owner)
    answer = await owner.call(
        "AddressBook/set",
        create={"b": {"name": "Team", "shareWith": {f"P{other.account:x}": rights}}},
    )
    return owner, other, answer["created"]["b"]["id"], hidden


async def test_who_gets_a_book_stands_in_the_audit(house: House) -> None:
    owner, other, team, _ = await share(house, {"mayRead": True})
    await owner.call("AddressBook/set", update={team: {"name": "Staff"}})
    await owner.call("AddressBook/set", update={team: {"shareWith": None}})
    rows = await house.rows(
        "SELECT actor, target, details FROM audit WHERE operation = 'contacts.share' ORDER BY id"
    )
    told = [(row[0], row[1], msgspec.json.decode(row[2])) for row in rows]
    reader = await other.book.account(other.account)
    assert reader is not None
    address = reader.address
    assert told == [
        ("owner@example.org", "owner@example.org", {"book": "Team", "who": f"{address} r"}),
        ("owner@example.org", "owner@example.org", {"book": "Staff", "who": f"{address} -"}),
    ]


async def test_gifts_of_books_are_rationed(house: House) -> None:
    owner, other, team, _ = await share(house, {"mayRead": True})
    owner.site._changes_of_rights._most = 2
    path = f"shareWith/P{other.account:x}"
    grant = {path: {"mayRead": True, "mayWrite": True}}
    assert "updated" in await owner.call("AddressBook/set", update={team: grant})
    answer = await owner.call("AddressBook/set", update={team: {path: None}})
    assert answer["notUpdated"][team]["type"] == "rateLimit"
    assert await owner.call("AddressBook/set", update={team: {"name": "Still"}})


async def uid_of(client: Client, id_: str) -> str:
    (card,) = (await client.call("ContactCard/get", ids=[id_]))["list"]
    found: str = card["uid"]
    return found


async def test_a_shared_book_is_read_in_its_owners_account(house: House) -> None:
    owner, other, team, hidden = await share(house, {"mayRead": True})
    seen = (await create(owner, named(team, "Ada", "L")))["id"]
    unseen = (await create(owner, named(hidden, "Bob", "M")))["id"]
    session = msgspec.json.decode((await other.http("GET", "/jmap/session")).body)
    account = session["accounts"][owner.id]
    assert account["isReadOnly"]
    assert account["accountCapabilities"]["urn:ietf:params:jmap:contacts"] == {
        "maxAddressBooksPerCard": 32,
        "mayCreateAddressBook": False,
    }
    theirs = {"accountId": owner.id}
    (book,) = (await other.call("AddressBook/get", **theirs))["list"]
    assert (book["id"], book["shareWith"], book["isSubscribed"]) == (team, None, False)
    assert book["myRights"] == {
        "mayRead": True,
        "mayWrite": False,
        "mayShare": False,
        "mayDelete": False,
    }
    await other.call("AddressBook/set", update={team: {"isSubscribed": True}}, **theirs)
    assert (await other.call("AddressBook/get", **theirs))["list"][0]["isSubscribed"]
    answer = await other.call("ContactCard/get", ids=[seen, unseen], **theirs)
    assert [one["id"] for one in answer["list"]] == [seen]
    assert answer["notFound"] == [unseen]
    assert await ids(other, **theirs) == [seen]
    assert await ids(other, {"inAddressBook": hidden}, **theirs) == []
    answer = await other.call("ContactCard/set", destroy=[seen, unseen], **theirs)
    kinds = {key: one["type"] for key, one in answer["notDestroyed"].items()}
    assert kinds == {seen: "forbidden", unseen: "notFound"}
    answer = await other.call(
        "AddressBook/set",
        update={team: {"name": "Mine"}},
        destroy=[hidden],
        create={"b": {"name": "New"}},
        **theirs,
    )
    assert answer["notUpdated"][team]["type"] == "forbidden"
    assert answer["notDestroyed"][hidden]["type"] == "notFound"
    assert answer["notCreated"]["b"]["type"] == "forbidden"
    grant = {f"shareWith/P{other.account:x}": {"mayRead": True, "mayWrite": True}}
    answer = await owner.call("AddressBook/set", update={team: grant})
    assert answer["updated"] == {team: None}
    made = await other.call("ContactCard/set", create={"k": named(team, "Eve", "N")}, **theirs)
    assert made["created"]
    twin = {"k": named(team, "Bob", "M", uid=await uid_of(owner, unseen))}
    (error,) = (await other.call("ContactCard/set", create=twin, **theirs))["notCreated"].values()
    assert error["type"] == "alreadyExists"
    assert "existingId" not in error, "he does not see the card that is in the way"
    await owner.call("AddressBook/set", update={team: {"shareWith": None}})
    assert await other.error("AddressBook/get", **theirs) == "accountNotFound"


async def test_cards_are_copied_between_accounts_and_from_the_directory(house: House) -> None:
    owner, other, team, _ = await share(house, {"mayRead": True, "mayWrite": True})
    book = await first_book(other)
    mine = (await create(other, named(book, "Ada", "L", uid="ada")))["id"]
    (answer,) = await other.calls(
        (
            "ContactCard/copy",
            {
                "fromAccountId": other.id,
                "accountId": owner.id,
                "create": {"k": {"id": mine, "addressBookIds": {team: True}}},
            },
        )
    )
    assert answer[1]["created"]["k"]["id"]
    again = {
        "fromAccountId": other.id,
        "accountId": owner.id,
        "create": {"k": {"id": mine, "addressBookIds": {team: True}}, "l": {"id": "C1"}},
    }
    answer = (await other.calls(("ContactCard/copy", again)))[0]
    kinds = {key: one["type"] for key, one in answer[1]["notCreated"].items()}
    assert kinds == {"k": "alreadyExists", "l": "notFound"}
    directory = directory_text(1)
    (person,) = await ids(other, {"email": "owner@example.org"}, accountId=directory)
    moved = {
        "fromAccountId": directory,
        "create": {"k": {"id": person, "addressBookIds": {book: True}}},
        "onSuccessDestroyOriginal": True,
    }
    copied, destroyed = await other.calls(("ContactCard/copy", moved))
    assert copied[1]["created"]
    assert destroyed[1]["type"] == "accountReadOnly"
    same = {"fromAccountId": other.id, "create": {}}
    assert await other.error("ContactCard/copy", **same) == "invalidArguments"
    nowhere = {"fromAccountId": "A99999", "create": {}}
    assert await other.error("ContactCard/copy", **nowhere) == "fromAccountNotFound"


async def test_the_directory_lists_people_and_groups_and_stays_as_it_is(house: House) -> None:
    client = await ready(house, "ada")
    bob = await house.account("bob")
    await house.do(SetAccount(account=bob, name="Bob Builder"), Done)
    await house.do(
        PutGroup(address="team@example.org", name="Team", fresh=True, senders="anyone", archive=0),
        Done,
    )
    entry = GroupEntry(account=bob)
    await house.do(SetMembers(address="team@example.org", entries=(entry,)), Done)
    theirs = {"accountId": directory_text(1)}
    (book,) = (await client.call("AddressBook/get", **theirs))["list"]
    assert book["myRights"]["mayWrite"] is False
    answer = await client.call("ContactCard/get", **theirs)
    names = {one["emails"]["EMAIL-1"]["address"]: one["name"]["full"] for one in answer["list"]}
    assert names == {
        "ada@example.org": "ada@example.org",
        "bob@example.org": "Bob Builder",
        "team@example.org": "Team",
    }
    uids = {one["emails"]["EMAIL-1"]["address"]: one["uid"] for one in answer["list"]}
    (found,) = await ids(client, {"hasMember": uids["bob@example.org"]}, **theirs)
    assert found.startswith("G")
    assert await ids(client, {"text": "build"}, **theirs) == [f"D{bob:x}"]
    assert await ids(client, {"inAddressBook": book["id"], "name": "bob"}, **theirs)
    state = answer["state"]
    same = await client.call("ContactCard/changes", sinceState=state, **theirs)
    assert (same["newState"], same["created"]) == (state, [])
    await house.do(SetAccount(account=bob, name="Robert"), Done)
    unknown = {"sinceState": state} | theirs
    assert await client.error("ContactCard/changes", **unknown) == "cannotCalculateChanges"
    assert await client.error("ContactCard/set", destroy=["D1"], **theirs) == "accountReadOnly"
    assert await client.error("AddressBook/set", **theirs) == "accountReadOnly"
    assert await client.error("AddressBook/get", accountId=directory_text(2)) == "accountNotFound"
    assert account_text(bob) not in (await client.call("ContactCard/get", **theirs))["list"]


async def test_who_is_given_a_book_is_told_so(house: House) -> None:
    owner, other, team, _ = await share(house, {"mayRead": True})
    (told,) = (await other.call("ShareNotification/get"))["list"]
    read = {"mayRead": True, "mayWrite": False, "mayShare": False, "mayDelete": False}
    assert (told["objectType"], told["objectId"], told["name"]) == ("AddressBook", team, "Team")
    assert (told["objectAccountId"], told["oldRights"], told["newRights"]) == (owner.id, None, read)
    await owner.call("AddressBook/set", update={team: {"shareWith": None}})
    *_, told = (await other.call("ShareNotification/get"))["list"]
    assert (told["oldRights"], told["newRights"]) == (read, None)
    assert (await owner.call("ShareNotification/get"))["list"] == []
