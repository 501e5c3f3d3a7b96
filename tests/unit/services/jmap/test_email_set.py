"""Email/set: what is made, changed and destroyed, as IMAP sees it too, and what is refused."""

from typing import Any

import pytest

from malleposte.mime import fields
from malleposte.services.jmap.settings import JmapSettings
from malleposte.store import TemporaryFailure
from malleposte.store.flags import ANSWERED, DRAFT, FLAGGED, SEEN
from malleposte.store.ids import EMAIL_LETTER, id_number, mailbox_text
from support.store import House, inbox
from unit.services.jmap.harness import Client
from unit.services.jmap.test_blobs import upload


@pytest.fixture
async def client(house: House) -> Client:
    return Client(house, await house.account("ada"))


def box(client: Client) -> str:
    return mailbox_text(inbox(client.account))


async def archive(client: Client) -> str:
    return mailbox_text(await client.house.standard(client.account, "archive"))


def draft(client: Client, **properties: Any) -> dict[str, Any]:
    """An Email of one line."""
    found: dict[str, Any] = {
        "mailboxIds": {box(client): True},
        "from": [{"name": "Ada", "email": "ada@example.org"}],
        "subject": "Hello",
        "textBody": [{"partId": "t", "type": "text/plain"}],
        "bodyValues": {"t": {"value": "Hello there\n"}},
    }
    found |= properties
    return {name: value for name, value in found.items() if value is not None}


async def made(client: Client, **properties: Any) -> dict[str, Any]:
    answer = await client.call("Email/set", create={"x": draft(client, **properties)})
    assert answer["notCreated"] is None, answer
    created: dict[str, Any] = answer["created"]["x"]
    return created


async def not_made(client: Client, **properties: Any) -> dict[str, Any]:
    before = await client.house.snapshot()
    answer = await client.call("Email/set", create={"x": draft(client, **properties)})
    assert answer["created"] is None, answer
    assert await client.house.snapshot() == before
    error: dict[str, Any] = answer["notCreated"]["x"]
    return error


async def octets_of(client: Client, created: dict[str, Any]) -> bytes:
    return await client.house.bytes_of(id_number(EMAIL_LETTER, created["id"]))


async def shown(client: Client, id_: str, *properties: str, **how: Any) -> dict[str, Any]:
    got = await client.call("Email/get", ids=[id_], properties=list(properties), **how)
    found: dict[str, Any] = got["list"][0]
    return found


# Create -------------------------------------------------------------------------------------------


async def test_a_message_of_one_text(client: Client) -> None:
    created = await made(client, keywords={"$seen": True, "Project": True})
    octets = await octets_of(client, created)
    assert created["size"] == len(octets)
    assert set(created) == {"id", "blobId", "threadId", "size"}
    named = {field.name.lower(): field.value.strip() for field in fields(octets)}
    assert named[b"from"] == b"Ada <ada@example.org>"
    assert named[b"mime-version"] == b"1.0"
    assert named[b"message-id"].endswith(b"@example.org>")
    assert b"date" in named
    assert octets.endswith(b"\r\n\r\nHello there\r\n")
    found = await shown(client, created["id"], "keywords", "threadId", "mailboxIds")
    assert found["keywords"] == {"$seen": True, "project": True}
    assert found["threadId"] == created["threadId"]
    info = await client.house.info(inbox(client.account))
    assert (info.messages, info.unseen) == (1, 0)


async def test_what_the_client_names_is_not_added(client: Client) -> None:
    created = await made(
        client,
        messageId=["mine@example.com"],
        sentAt="2026-03-01T10:00:00+05:30",
        **{"header:MIME-Version:asRaw": " 1.0"},
    )
    names = [field.name.lower() for field in fields(await octets_of(client, created))]
    assert len(names) == len(set(names))
    found = await shown(client, created["id"], "messageId", "sentAt")
    assert found["messageId"] == ["mine@example.com"]
    assert found["sentAt"] == "2026-03-01T10:00:00+05:30"


FORMS: list[tuple[str, Any]] = [
    (
        "to",
        [
            {"name": "Zoë, the 2nd", "email": "zoe@example.com"},
            {"name": None, "email": "b@example.com"},
        ],
    ),
    ("cc", [{"name": 'say "hi"', "email": "hi@example.com"}]),
    ("bcc", [{"name": None, "email": "hidden@example.com"}]),
    ("sender", [{"name": None, "email": "desk@example.com"}]),
    ("replyTo", [{"name": "日本", "email": "reply@example.com"}]),
    ("subject", "Grüße an alle: " + "sehr " * 40 + "lang"),
    ("inReplyTo", ["a@example.com"]),
    ("references", ["a@example.com", "b@example.com"]),
    ("header:X-Text:asText", "Füße =?utf-8?q?no?= end"),
    ("header:X-Raw", " as it stands\r\n and goes on"),
    ("header:X-When:asDate", "2020-02-29T23:59:59Z"),
    ("header:X-Urls:asURLs", ["https://example.com/a?b=c", "mailto:x@example.com"]),
    ("header:X-Many:asText:all", ["one", "two"]),
    ("header:X-Ids:asMessageIds", ["one@example.com"]),
    ("to", [{"name": "half", "email": "joh"}]),
    (
        "header:Cc:asGroupedAddresses",
        [
            {"name": "Friends, old", "addresses": [{"name": None, "email": "a@example.com"}]},
            {"name": None, "addresses": [{"name": "B", "email": "b@example.com"}]},
        ],
    ),
]


@pytest.mark.parametrize(("name", "value"), FORMS, ids=[f"{n}-{f[0]}" for n, f in enumerate(FORMS)])
async def test_header_fields_come_back_as_they_were_given(
    client: Client, name: str, value: Any
) -> None:
    created = await made(client, **{name: value})
    assert (await shown(client, created["id"], name))[name] == value
    octets = await octets_of(client, created)
    assert octets.isascii()
    assert max(map(len, octets.split(b"\r\n"))) < 998


@pytest.mark.parametrize(
    ("properties", "names"),
    [
        ({"subject": "x\r\nBcc: evil@example.com"}, None),
        ({"from": [{"name": "x\r\nBcc: evil@example.com", "email": "a@b.example"}]}, None),
        ({"to": [{"name": None, "email": "a@b.example>\r\nBcc: evil@example.com"}]}, None),
        ({"header:X-A:asRaw": " x\r\nBcc: evil@example.com"}, ["header:X-A:asRaw"]),
        ({"header:X-A:asRaw": " x\rBcc: evil@example.com"}, ["header:X-A:asRaw"]),
        ({"messageId": ["x>\r\nBcc: evil@example.com"]}, ["messageId"]),
        ({"header:X-A:asURLs": ["x>\r\nBcc: evil@example.com"]}, ["header:X-A:asURLs"]),
    ],
)
async def test_nothing_gets_another_field_into_the_header(
    client: Client, properties: dict[str, Any], names: list[str] | None
) -> None:
    if names is not None:
        assert (await not_made(client, **properties))["properties"] == names
        return
    octets = await octets_of(client, await made(client, **properties))
    assert b"bcc" not in [field.name.lower() for field in fields(octets)]


HTML = {"htmlBody": [{"partId": "h", "type": "text/html"}]}
VALUES = {"t": {"value": "plain"}, "h": {"value": "<p>rich</p>"}}


async def tree(client: Client, id_: str) -> Any:
    """Types of the parts, nested."""
    found = await shown(client, id_, "bodyStructure", bodyProperties=["type"])

    def types(part: dict[str, Any]) -> Any:
        inner = [types(one) for one in part.get("subParts") or ()]
        return [part["type"], *inner] if inner else part["type"]

    return types(found["bodyStructure"])


async def test_plain_stands_before_html(client: Client) -> None:
    created = await made(client, bodyValues=VALUES, **HTML)
    assert await tree(client, created["id"]) == ["multipart/alternative", "text/plain", "text/html"]
    found = await shown(
        client, created["id"], "bodyValues", "textBody", "htmlBody", fetchAllBodyValues=True
    )
    texts = {id_: one["value"] for id_, one in found["bodyValues"].items()}
    assert texts == {"1": "plain", "2": "<p>rich</p>"}


async def test_inline_images_are_with_the_html_and_attachments_beside(client: Client) -> None:
    image = (await upload(client, b"\x89PNG" * 500))["blobId"]
    other = (await upload(client, bytes(range(256)) * 100))["blobId"]
    created = await made(
        client,
        bodyValues=VALUES,
        **HTML,
        attachments=[
            {"blobId": image, "type": "image/png", "cid": "pic@x", "disposition": "inline"},
            {
                "blobId": other,
                "type": "application/pdf",
                "name": "Café.pdf",
                "disposition": "attachment",
            },
        ],
    )
    assert await tree(client, created["id"]) == [
        "multipart/mixed",
        [
            "multipart/alternative",
            "text/plain",
            ["multipart/related", "text/html", "image/png"],
        ],
        "application/pdf",
    ]
    found = await shown(
        client,
        created["id"],
        "attachments",
        "hasAttachment",
        bodyProperties=["name", "cid", "size", "blobId", "disposition"],
    )
    assert found["hasAttachment"]
    by_name = {one["name"]: one for one in found["attachments"]}
    assert by_name["Café.pdf"]["size"] == 25_600
    assert by_name[None]["cid"] == "pic@x"
    response = await client.http(
        "GET", f"/jmap/download/{client.id}/{by_name['Café.pdf']['blobId']}/x"
    )
    assert response.pieces is not None
    assert b"".join([piece async for piece in response.pieces]) == bytes(range(256)) * 100


async def test_attachments_alone(client: Client) -> None:
    blob = (await upload(client, b"x"))["blobId"]
    created = await made(client, textBody=None, attachments=[{"blobId": blob, "type": "image/png"}])
    assert await tree(client, created["id"]) == ["multipart/mixed", "image/png"]


async def test_nothing_at_all_is_an_empty_draft(client: Client) -> None:
    answer = await client.call("Email/set", create={"x": {"mailboxIds": {box(client): True}}})
    octets = await octets_of(client, answer["created"]["x"])
    assert octets.endswith(b"\r\n\r\n")


async def test_a_structure_as_it_is_given(client: Client) -> None:
    blob = (await upload(client, b"data"))["blobId"]
    structure = {
        "type": "multipart/mixed",
        "header:X-Part:asText": "ü",
        "subParts": [
            {
                "type": "text/plain",
                "partId": "t",
                "language": ["en", "fr"],
                "location": "https://x.example/",
            },
            {"type": "text/csv", "blobId": blob, "charset": "iso-8859-1", "name": "a.csv"},
        ],
    }
    created = await made(client, textBody=None, bodyStructure=structure)
    names = ["type", "charset", "language", "location", "name", "header:X-Part:asText"]
    found = await shown(client, created["id"], "bodyStructure", bodyProperties=names)
    whole = found["bodyStructure"]
    assert (whole["type"], whole["header:X-Part:asText"]) == ("multipart/mixed", "ü")
    first, second = whole["subParts"]
    assert (first["language"], first["location"]) == (["en", "fr"], "https://x.example/")
    assert (second["charset"], second["name"]) == ("iso-8859-1", "a.csv")


async def test_a_forwarded_message_is_enclosed_as_it_is(client: Client) -> None:
    original = await client.put(b"From: x@example.com\r\nSubject: old\r\n\r\ncaf\xc3\xa9\r\n")
    part = {"blobId": original, "type": "message/rfc822", "disposition": "attachment"}
    created = await made(client, attachments=[part])
    octets = await octets_of(client, created)
    assert b"Subject: old\r\n\r\ncaf\xc3\xa9\r\n" in octets
    assert octets.count(b"Content-Transfer-Encoding: 8bit") == 2


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("short\n", None),
        ("x" * 5_000, b"quoted-printable"),
        ("mostly ASCII, and é", b"quoted-printable"),
        ("日本語の本文", b"base64"),
        ("control \x07 and form feed \x0c", b"quoted-printable"),
        ("ends in spaces   \n  \nFrom here\n.\n", None),
        ("é" * 70_000, b"base64"),
    ],
)
async def test_texts_come_back_whole(client: Client, text: str, encoding: bytes | None) -> None:
    created = await made(client, bodyValues={"t": {"value": text}, "h": {"value": "<p>"}}, **HTML)
    octets = await octets_of(client, created)
    assert octets.isascii()
    assert (encoding is None) == (b"Content-Transfer-Encoding" not in octets)
    found = await shown(client, created["id"], "bodyValues", fetchTextBodyValues=True)
    assert found["bodyValues"]["1"]["value"] == text


async def test_into_several_mailboxes(client: Client) -> None:
    boxes = {box(client): True, await archive(client): True}
    created = await made(client, mailboxIds=boxes)
    assert (await shown(client, created["id"], "mailboxIds"))["mailboxIds"] == boxes


async def test_when_it_was_received(client: Client) -> None:
    created = await made(client, receivedAt="2020-01-02T03:04:05Z")
    assert (await shown(client, created["id"], "receivedAt"))[
        "receivedAt"
    ] == "2020-01-02T03:04:05Z"


LEAF = {"partId": "t", "type": "text/plain"}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"mailboxIds": {}}, "mailboxIds"),
    ({"mailboxIds": None}, "mailboxIds"),
    ({"mailboxIds": {"M5": True}}, "mailboxIds"),
    ({"mailboxIds": {"#nothing": True}}, ""),
    ({"keywords": {"$seen": False}}, "keywords"),
    ({"keywords": {"two words": True}}, "keywords"),
    ({"keywords": ["$seen"]}, "keywords"),
    ({"receivedAt": "yesterday"}, "receivedAt"),
    ({"receivedAt": 5}, "receivedAt"),
    ({"id": "E1"}, "id"),
    ({"threadId": "T1"}, "threadId"),
    ({"size": 5}, "size"),
    ({"headers": [{"name": "X", "value": "y"}]}, "headers"),
    ({"nonsense": 1}, "nonsense"),
    ({"header:Content-Type:asRaw": " text/plain"}, "header:Content-Type:asRaw"),
    ({"header:Subject:asText": "again"}, "header:Subject:asText"),
    ({"header:From:asText": "not a form of it"}, "header:From:asText"),
    ({"header:X-A:asText:all": "no list"}, "header:X-A:asText:all"),
    ({"subject": ["a"]}, "subject"),
    ({"to": "ada@example.org"}, "to"),
    ({"to": [{"name": "x"}]}, "to"),
    ({"to": [{"email": "a@b.example", "extra": 1}]}, "to"),
    ({"to": [{"email": " "}]}, "to"),
    ({"sentAt": "2026-13-01T00:00:00Z"}, "sentAt"),
    ({"sentAt": "Tue, 1 Dec 2026"}, "sentAt"),
    ({"messageId": ["ö@example.com"]}, "messageId"),
    ({"bodyStructure": LEAF}, "textBody"),
    ({"textBody": [LEAF, LEAF]}, "textBody"),
    ({"textBody": [LEAF | {"type": "text/html"}]}, "textBody"),
    ({"textBody": [{"type": "multipart/mixed", "subParts": [LEAF]}]}, "textBody"),
    ({"textBody": [LEAF | {"partId": "nothing"}]}, "textBody/partId"),
    ({"textBody": [LEAF | {"blobId": "U5"}]}, "textBody/partId"),
    ({"textBody": [{"type": "text/plain"}]}, "textBody/partId"),
    ({"textBody": [LEAF | {"charset": "utf-8"}]}, "textBody/charset"),
    ({"textBody": [LEAF | {"size": 5}]}, "textBody/size"),
    ({"textBody": [LEAF | {"subParts": [LEAF]}]}, "textBody/subParts"),
    ({"textBody": [LEAF | {"headers": []}]}, "textBody/headers"),
    ({"textBody": [LEAF | {"nonsense": 1}]}, "textBody/nonsense"),
    ({"textBody": [LEAF | {"header:Content-Transfer-Encoding": " 8bit"}]}, "textBody"),
    ({"textBody": [LEAF | {"cid": "a", "header:Content-Id": " <b>"}]}, "textBody/cid"),
    ({"textBody": [LEAF | {"cid": "a b"}]}, "textBody/cid"),
    ({"textBody": [LEAF | {"disposition": "a\r\nb"}]}, "textBody/disposition"),
    ({"textBody": [LEAF | {"language": ["en us"]}]}, "textBody/language"),
    ({"textBody": [LEAF | {"name": 5}]}, "textBody/name"),
    ({"textBody": "text"}, "textBody"),
    ({"attachments": [{"type": "multipart/mixed", "subParts": [LEAF]}]}, "attachments/0"),
    ({"attachments": [{"partId": "t", "type": "image/png"}]}, "attachments/0/type"),
    ({"attachments": [{"blobId": 5}]}, "attachments/0/blobId"),
    ({"attachments": [{"blobId": "U5", "type": "nonsense"}]}, "attachments/0/type"),
    ({"bodyValues": {"t": {"value": "x", "isTruncated": True}}}, "bodyValues/t"),
    ({"bodyValues": {"t": {"value": "x", "isEncodingProblem": True}}}, "bodyValues/t"),
    ({"bodyValues": {"t": {"value": 5}}}, "bodyValues/t"),
    ({"bodyValues": {"t": {"value": "x", "extra": 1}}}, "bodyValues/t"),
    ({"textBody": None, "bodyStructure": {"type": "multipart/mixed"}}, "bodyStructure/subParts"),
    (
        {
            "textBody": None,
            "bodyStructure": {"type": "multipart/mixed", "partId": "t", "subParts": [LEAF]},
        },
        "bodyStructure/partId",
    ),
    ({"textBody": None, "bodyStructure": LEAF | {"header:Subject": " x"}}, "bodyStructure"),
]


@pytest.mark.parametrize(("properties", "named"), REFUSED, ids=map(str, range(len(REFUSED))))
async def test_what_is_no_email(client: Client, properties: dict[str, Any], named: str) -> None:
    error = await not_made(client, **properties)
    assert error["type"] == "invalidProperties"
    assert error.get("properties", [""]) == [named]


async def test_deep_and_many_parts_are_refused(client: Client) -> None:
    part: dict[str, Any] = dict(LEAF)
    for _ in range(50):
        part = {"type": "multipart/mixed", "subParts": [part]}
    assert (await not_made(client, textBody=None, bodyStructure=part))[
        "type"
    ] == "invalidProperties"
    many = {"type": "multipart/mixed", "subParts": [LEAF] * 1_001}
    assert (await not_made(client, textBody=None, bodyStructure=many))[
        "type"
    ] == "invalidProperties"


async def test_content_that_is_not_there(client: Client) -> None:
    blob = (await upload(client, b"x"))["blobId"]
    parts = [{"blobId": one, "type": "image/png"} for one in (blob, "Uffff", "nonsense")]
    error = await not_made(client, attachments=parts)
    assert (error["type"], error["notFound"]) == ("blobNotFound", ["Uffff", "nonsense"])


async def test_attachments_are_bounded_together(house: House) -> None:
    client = Client(house, await house.account(), JmapSettings(max_size_upload=1_000))
    blob = (await upload(client, b"x" * 600))["blobId"]
    part = {"blobId": blob, "type": "image/png"}
    await made(client, attachments=[part])
    assert (await not_made(client, attachments=[part, part]))["type"] == "tooLarge"


async def test_a_full_mailbox(house: House) -> None:
    client = Client(house, await house.account(quota=10))
    assert (await not_made(client))["type"] == "overQuota"


async def test_too_many_keywords(client: Client) -> None:
    words = {f"w{n}": True for n in range(200)}
    assert (await not_made(client, keywords=words))["type"] == "tooManyKeywords"


async def test_one_that_fails_leaves_the_next_alone(client: Client) -> None:
    create = {"bad": draft(client, nonsense=1), "good": draft(client)}
    answer = await client.call("Email/set", create=create)
    assert (list(answer["created"]), list(answer["notCreated"])) == (["good"], ["bad"])


# Update -------------------------------------------------------------------------------------------


async def update(client: Client, id_: str, patch: dict[str, Any]) -> dict[str, Any] | None:
    """Update one email; the error, if any."""
    answer = await client.call("Email/set", update={id_: patch})
    if answer["notUpdated"] is None:
        assert answer["updated"] == {id_: None}
        return None
    assert answer["updated"] is None
    error: dict[str, Any] = answer["notUpdated"][id_]
    return error


async def test_keywords_by_patch_as_imap_sees_them(house: House, client: Client) -> None:
    id_ = await client.put(b"Subject: x\r\n\r\n", flags=SEEN | ANSWERED)
    patch = {"keywords/$flagged": True, "keywords/$seen": None, "keywords/Work": True}
    assert await update(client, id_, patch) is None
    email = await house.email(inbox(client.account), 1)
    assert (email["flags"], email["keywords"]) == (FLAGGED | ANSWERED, "work")


async def test_a_flag_set_by_imap_is_seen(house: House, client: Client) -> None:
    id_ = await client.put(b"Subject: x\r\n\r\n")
    await house.flag(inbox(client.account), flags=FLAGGED, keywords=("Work",))
    assert (await shown(client, id_, "keywords"))["keywords"] == {"$flagged": True, "work": True}


async def test_keywords_as_a_whole(house: House, client: Client) -> None:
    id_ = await client.put(b"Subject: x\r\n\r\n", flags=SEEN, keywords=("old",))
    assert await update(client, id_, {"keywords": {"$draft": True, "new": True}}) is None
    email = await house.email(inbox(client.account), 1)
    assert (email["flags"], email["keywords"]) == (DRAFT, "new")
    assert await update(client, id_, {"keywords": None}) is None
    assert (await house.email(inbox(client.account), 1))["flags"] == 0


async def test_mailboxes_by_patch_and_as_a_whole(client: Client) -> None:
    id_, other = await client.put(b"Subject: x\r\n\r\n"), await archive(client)
    assert await update(client, id_, {f"mailboxIds/{other}": True}) is None
    found = await shown(client, id_, "mailboxIds")
    assert found["mailboxIds"] == {box(client): True, other: True}
    assert await update(client, id_, {f"mailboxIds/{box(client)}": None}) is None
    assert (await shown(client, id_, "mailboxIds"))["mailboxIds"] == {other: True}
    assert await update(client, id_, {"mailboxIds": {box(client): True}}) is None
    assert (await shown(client, id_, "mailboxIds"))["mailboxIds"] == {box(client): True}


async def test_what_is_given_as_it_is_is_no_error(client: Client) -> None:
    """RFC 8620 §5.3: a client may send the object whole."""
    id_ = await client.put(b"Subject: x\r\n\r\n")
    whole = (await client.call("Email/get", ids=[id_]))["list"][0]
    assert await update(client, id_, whole | {"keywords": {"$seen": True}}) is None
    assert (await shown(client, id_, "keywords"))["keywords"] == {"$seen": True}
    error = await update(client, id_, {"subject": "y", "keywords/$flagged": True})
    assert error is not None
    assert (error["type"], error["properties"]) == ("invalidProperties", ["subject"])
    assert (await shown(client, id_, "keywords"))["keywords"] == {"$seen": True}


@pytest.mark.parametrize(
    ("patch", "kind"),
    [
        ({"keywords/$seen": False}, "invalidProperties"),
        ({"keywords/two words": True}, "invalidProperties"),
        ({"keywords/a/b": True}, "invalidPatch"),
        ({"keywords": {}, "keywords/$seen": True}, "invalidPatch"),
        ({"mailboxIds": {}}, "invalidProperties"),
        ({"mailboxIds": None}, "invalidProperties"),
        ({"mailboxIds/M5": True}, "invalidProperties"),
        ({"mailboxIds/#nothing": True}, "invalidProperties"),
        ({"nonsense": 1}, "invalidProperties"),
        ({"subject/x": 1}, "invalidProperties"),
        ({"": 1}, "invalidProperties"),
    ],
)
async def test_what_is_no_update(
    house: House, client: Client, patch: dict[str, Any], kind: str
) -> None:
    id_ = await client.put(b"Subject: x\r\n\r\n")
    before = await house.snapshot()
    error = await update(client, id_, patch)
    assert error is not None
    assert error["type"] == kind
    assert await house.snapshot() == before


async def test_the_last_mailbox_cannot_be_left(client: Client) -> None:
    id_ = await client.put(b"Subject: x\r\n\r\n")
    error = await update(client, id_, {f"mailboxIds/{box(client)}": None})
    assert error is not None
    assert error["properties"] == ["mailboxIds"]


async def test_a_thousand_are_few_statements(house: House, client: Client) -> None:
    """An action on a selection must not be a command for each message."""
    ids = [await client.put(b"Subject: x\r\n\r\n") for _ in range(60)]
    submitted: list[Any] = []
    submit = house.store.writer.submit

    async def counted(command: Any, fd: int | None = None) -> Any:
        submitted.append(command)
        return await submit(command, fd)

    house.store.writer.submit = counted  # type: ignore[method-assign]
    other = await archive(client)
    answer = await client.call(
        "Email/set",
        update={id_: {"mailboxIds": {other: True}} for id_ in ids[:30]},
        destroy=ids[30:],
    )
    assert len(submitted) == 1
    assert (len(answer["updated"]), len(answer["destroyed"])) == (30, 30)


# Destroy ------------------------------------------------------------------------------------------


async def test_destroyed_it_can_be_brought_back(house: House, client: Client) -> None:
    id_ = await client.put(b"Subject: x\r\n\r\n")
    answer = await client.call("Email/set", destroy=[id_, "E1", "nonsense", id_])
    assert answer["destroyed"] == [id_]
    assert {name: one["type"] for name, one in answer["notDestroyed"].items()} == {
        "E1": "notFound",
        "nonsense": "notFound",
    }
    assert (await client.call("Email/get", ids=[id_]))["notFound"] == [id_]
    assert await house.uids(inbox(client.account)) == []
    now = int(house.clock.time())
    assert await house.value("SELECT until FROM recoverable") > now + 29 * 86_400


async def test_updated_and_destroyed_at_once(client: Client) -> None:
    id_ = await client.put(b"Subject: x\r\n\r\n")
    answer = await client.call("Email/set", update={id_: {"keywords/a": True}}, destroy=[id_])
    assert (answer["notUpdated"][id_]["type"], answer["destroyed"]) == ("willDestroy", [id_])


async def test_a_saved_draft_takes_the_place_of_the_last(house: House, client: Client) -> None:
    """What somebody typed a second ago is nothing to be recovered."""
    drafts = mailbox_text(await house.standard(client.account, "drafts"))
    how = {"mailboxIds": {drafts: True}, "keywords": {"$draft": True}}
    first = await made(client, **how)
    mail = await client.put(b"Subject: x\r\n\r\n")
    answer = await client.call(
        "Email/set", create={"new": draft(client, **how)}, destroy=[first["id"], mail]
    )
    assert sorted(answer["destroyed"]) == sorted([first["id"], mail])
    assert await house.rows("SELECT email FROM recoverable") == [(id_number(EMAIL_LETTER, mail),)]
    # A draft that is deleted by hand can be brought back.
    await client.call("Email/set", destroy=[answer["created"]["new"]["id"]])
    assert await house.value("SELECT count(*) FROM recoverable") == 2


# The call -----------------------------------------------------------------------------------------


async def test_states(client: Client) -> None:
    first = await client.call("Email/set", create={"x": draft(client)})
    assert first["oldState"] != first["newState"]
    id_ = first["created"]["x"]["id"]
    patch = {id_: {"keywords/$seen": True}}
    answer = await client.call("Email/set", ifInState=first["newState"], update=patch)
    assert answer["updated"] == {id_: None}
    assert (
        await client.error("Email/set", ifInState=first["newState"], update=patch)
        == "stateMismatch"
    )
    found = await client.call("Email/changes", sinceState=first["newState"])
    assert (found["updated"], found["newState"]) == ([id_], answer["newState"])


async def test_a_change_between_the_look_and_the_command(house: House, client: Client) -> None:
    """ifInState holds in the transaction, not only before it."""
    id_ = await client.put(b"Subject: x\r\n\r\n")
    state = (await client.call("Email/get", ids=[]))["state"]
    submit = house.store.writer.submit

    async def late(command: Any, fd: int | None = None) -> Any:
        house.store.writer.submit = submit  # type: ignore[method-assign]
        await house.flag(inbox(client.account), flags=FLAGGED)
        return await submit(command, fd)

    house.store.writer.submit = late  # type: ignore[method-assign]
    how = {"ifInState": state, "update": {id_: {"keywords/$seen": True}}}
    assert await client.error("Email/set", **how) == "stateMismatch"
    assert (await house.email(inbox(client.account), 1))["flags"] == FLAGGED


async def test_creation_ids(client: Client) -> None:
    """An id of an email that the same request makes, in a later call and in the same one."""
    answers = await client.calls(
        ("Email/set", {"create": {"k": draft(client)}}),
        ("Email/set", {"update": {"#k": {"keywords/$flagged": True}}}),
        ("Email/set", {"create": {"two": draft(client)}, "destroy": ["#k", "#two", "#nothing"]}),
    )
    id_ = answers[0][1]["created"]["k"]["id"]
    assert answers[1][1]["updated"] == {id_: None}
    two = answers[2][1]["created"]["two"]["id"]
    assert answers[2][1]["destroyed"] == [id_, two]
    assert answers[2][1]["notDestroyed"]["#nothing"]["type"] == "notFound"


async def test_too_many_at_once(house: House) -> None:
    client = Client(house, await house.account(), JmapSettings(max_objects_in_set=2))
    assert await client.error("Email/set", destroy=["E1", "E2", "E3"]) == "requestTooLarge"


async def test_what_fails_in_the_middle_is_told_with_what_was_done(
    house: House, client: Client
) -> None:
    submit = house.store.writer.submit
    left = 1

    async def failing(command: Any, fd: int | None = None) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise TemporaryFailure("the writer is away")
        return await submit(command, fd)

    house.store.writer.submit = failing  # type: ignore[method-assign]
    id_ = await client.put(b"Subject: x\r\n\r\n")
    left = 1
    create = {"a": draft(client), "b": draft(client)}
    answer = await client.call("Email/set", create=create, destroy=[id_])
    assert list(answer["created"]) == ["a"]
    assert answer["notCreated"]["b"]["type"] == "serverUnavailable"
    assert answer["notDestroyed"][id_]["type"] == "serverUnavailable"


async def test_of_others(house: House, client: Client) -> None:
    other = Client(house, await house.account())
    id_ = await other.put(b"Subject: x\r\n\r\n")
    theirs = mailbox_text(inbox(other.account))
    before = await house.snapshot()
    answer = await client.call(
        "Email/set",
        create={"x": draft(client, mailboxIds={theirs: True})},
        update={id_: {"keywords/$seen": True}},
        destroy=[id_],
    )
    assert answer["notCreated"]["x"]["properties"] == ["mailboxIds"]
    assert answer["notDestroyed"][id_]["type"] == "notFound"
    assert await client.error("Email/set", accountId=other.id, destroy=[id_]) == "accountNotFound"
    assert await house.snapshot() == before
