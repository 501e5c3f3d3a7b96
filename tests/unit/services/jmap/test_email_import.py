"""Email/import, Email/parse, Email/copy and Blob/copy: messages that are not emails yet."""

import base64
from typing import Any

import pytest

from malleposte.services.jmap.mail import email_parse
from malleposte.services.jmap.mail.email_import import with_line_ends
from malleposte.services.jmap.settings import JmapSettings
from malleposte.store.flags import FLAGGED, SEEN
from malleposte.store.ids import EMAIL_LETTER, id_number, mailbox_text
from support.corpora import mail, shapes
from support.store import House, inbox
from unit.services.jmap.harness import Client
from unit.services.jmap.test_blobs import content_of, download, upload

LETTER = (
    b"From: Ada <ada@example.com>\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\n"
    b"Date: Tue, 1 Dec 2026 09:30:00 +0100\r\n"
    b"Message-ID: <one@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    b"caf\xc3\xa9\r\n"
)
INNER = base64.encodebytes(LETTER).replace(b"\n", b"\r\n")
OUTER = (
    b"From: bob@example.com\r\nSubject: forwarded\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=m\r\n\r\n"
    b"--m\r\nContent-Type: text/plain\r\n\r\nsee below\r\n"
    b"--m\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + INNER
    + b"--m\r\nContent-Type: message/rfc822\r\n\r\n"
    + LETTER
    + b"\r\n--m--\r\n"
)


@pytest.fixture
async def client(house: House) -> Client:
    return Client(house, await house.account())


def box(client: Client) -> str:
    return mailbox_text(inbox(client.account))


async def imported(client: Client, blob: str, **how: Any) -> dict[str, Any]:
    """The answer of an import of one blob."""
    one = {"blobId": blob, "mailboxIds": {box(client): True}} | how
    return await client.call("Email/import", emails={"x": one})


# Import -------------------------------------------------------------------------------------------


async def test_an_upload_becomes_an_email(house: House, client: Client) -> None:
    blob = (await upload(client, LETTER))["blobId"]
    how = {"keywords": {"$seen": True, "work": True}, "receivedAt": "2026-01-01T12:00:00Z"}
    answer = await imported(client, blob, **how)
    created = answer["created"]["x"]
    assert (answer["oldState"] != answer["newState"], created["size"]) == (True, len(LETTER))
    found = (await client.call("Email/get", ids=[created["id"]]))["list"][0]
    assert (found["subject"], found["keywords"]) == ("café", how["keywords"])
    assert (found["receivedAt"], found["threadId"]) == (how["receivedAt"], created["threadId"])
    assert (await house.email(inbox(client.account), 1))["flags"] == SEEN
    assert await house.bytes_of(id_number(EMAIL_LETTER, created["id"])) == LETTER


async def test_a_message_in_a_message_becomes_an_email(client: Client) -> None:
    email = await client.put(OUTER)
    for part in ("2", "3"):
        created = (await imported(client, f"{email}-{part}"))["created"]["x"]
        found = (await client.call("Email/get", ids=[created["id"]]))["list"][0]
        assert found["subject"] == "café"


async def test_line_ends_of_files_become_those_of_mail(house: House, client: Client) -> None:
    blob = (await upload(client, LETTER.replace(b"\r\n", b"\n")))["blobId"]
    created = (await imported(client, blob))["created"]["x"]
    assert await house.bytes_of(id_number(EMAIL_LETTER, created["id"])) == LETTER
    assert created["size"] == len(LETTER)


def test_line_ends_where_pieces_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    octets = b"a\r\nb\nc\r\r\nd\n\n\re\r"
    for size in range(1, len(octets) + 1):
        monkeypatch.setattr("malleposte.services.jmap.mail.email_import.COPIED", size)
        assert b"".join(with_line_ends(octets)) == b"a\r\nb\r\nc\r\r\nd\r\n\r\n\re\r"


@pytest.mark.parametrize(
    "octets", [b"this is not an email", b"", b"\x00\x01\x02" * 500, b"\r\n\r\nFrom: x\r\n"]
)
async def test_what_is_no_message(client: Client, octets: bytes) -> None:
    blob = (await upload(client, octets))["blobId"]
    assert (await imported(client, blob))["notCreated"]["x"]["type"] == "invalidEmail"
    answer = await client.call("Email/parse", blobIds=[blob])
    assert (answer["parsed"], answer["notParsable"]) == (None, [blob])


@pytest.mark.parametrize(
    ("how", "names"),
    [
        ({"blobId": "nonsense"}, ["blobId"]),
        ({"mailboxIds": {}}, ["mailboxIds"]),
        ({"mailboxIds": {"M5": True}}, ["mailboxIds"]),
        ({"keywords": {"a b": True}}, ["keywords"]),
        ({"receivedAt": "now"}, ["receivedAt"]),
    ],
)
async def test_what_cannot_be_imported(
    client: Client, how: dict[str, Any], names: list[str]
) -> None:
    blob = (await upload(client, LETTER))["blobId"]
    before = await client.house.snapshot()
    error = (await imported(client, blob, **how))["notCreated"]["x"]
    assert (error["type"], error["properties"]) == ("invalidProperties", names)
    assert await client.house.snapshot() == before


async def test_bounds_of_an_import(house: House) -> None:
    client = Client(house, await house.account(quota=10), JmapSettings(max_objects_in_set=1))
    blob = (await upload(client, LETTER))["blobId"]
    assert (await imported(client, blob))["notCreated"]["x"]["type"] == "overQuota"
    one = {"blobId": blob, "mailboxIds": {box(client): True}}
    assert await client.error("Email/import", emails={"x": one, "y": one}) == "requestTooLarge"
    assert await client.error("Email/import", emails={"x": one}, ifInState="7") == "stateMismatch"
    assert await client.error("Email/import", emails={"x": one | {"z": 1}}) == "invalidArguments"


# Parse --------------------------------------------------------------------------------------------


async def test_an_upload_is_shown_as_an_email(client: Client) -> None:
    blob = (await upload(client, LETTER))["blobId"]
    answer = await client.call("Email/parse", blobIds=[blob, "Uffff"], fetchAllBodyValues=True)
    assert (answer["notFound"], answer["notParsable"]) == (["Uffff"], None)
    found = answer["parsed"][blob]
    assert (found["subject"], found["sentAt"]) == ("café", "2026-12-01T09:30:00+01:00")
    assert found["from"] == [{"name": "Ada", "email": "ada@example.com"}]
    assert found["bodyValues"]["1"]["value"] == "café\n"
    assert (found["preview"], found["hasAttachment"]) == ("café", False)
    assert found["textBody"][0]["blobId"] == f"{blob}-1"
    assert "id" not in found
    names = ["id", "blobId", "threadId", "mailboxIds", "keywords", "receivedAt", "size"]
    answer = await client.call("Email/parse", blobIds=[blob], properties=names)
    assert answer["parsed"][blob] == dict.fromkeys(names) | {"blobId": blob, "size": len(LETTER)}


async def test_a_part_of_what_was_parsed_can_be_read(client: Client) -> None:
    email = await client.put(OUTER)
    blob = (await upload(client, OUTER))["blobId"]
    for id_ in (f"{email}-2", f"{email}-3", f"{blob}-2", f"{blob}-3"):
        answer = await client.call("Email/parse", blobIds=[id_], properties=["textBody"])
        part = answer["parsed"][id_]["textBody"][0]["blobId"]
        assert await content_of(await download(client, part)) == "café\r\n".encode()


async def test_every_message_of_the_corpus_is_parsed_as_it_is_shown(house: House) -> None:
    """What an email shows out of its content is what the same octets show as a blob."""
    client = Client(house, await house.account())
    names = [
        "subject",
        "from",
        "to",
        "sentAt",
        "preview",
        "hasAttachment",
        "attachments",
        "bodyValues",
    ]
    how: dict[str, Any] = {
        "properties": names,
        "bodyProperties": ["partId", "size", "name", "type"],
        "fetchTextBodyValues": True,
    }
    for octets in (*shapes(), *mail()[::100]):
        email = await client.put(octets)
        parsed = (await client.call("Email/parse", blobIds=[email], **how))["parsed"]
        if parsed is None:
            continue  # without a header it is a message only where somebody delivered it
        got = (await client.call("Email/get", ids=[email], **how))["list"][0]
        assert {name: got[name] for name in names} == parsed[email]


async def test_bounds_of_a_parse(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email_parse, "MOST", 1)
    assert await client.error("Email/parse", blobIds=["E1", "E2"]) == "requestTooLarge"
    assert await client.error("Email/parse", blobIds=["E1"], properties=["x"]) == "invalidArguments"


async def test_of_others(house: House, client: Client) -> None:
    other = Client(house, await house.account())
    blob, email = (await upload(other, LETTER))["blobId"], await other.put(LETTER)
    assert (await client.call("Email/parse", blobIds=[blob, email]))["notFound"] == [blob, email]
    for id_ in (blob, email):
        assert (await imported(client, id_))["notCreated"]["x"]["properties"] == ["blobId"]
    assert await client.error("Email/import", accountId=other.id, emails={}) == "accountNotFound"
    assert await client.error("Email/parse", accountId=other.id, blobIds=[]) == "accountNotFound"


# Copy ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["Email/copy", "Blob/copy"])
async def test_nothing_is_copied_within_an_account_or_from_others(
    house: House, client: Client, method: str
) -> None:
    other = Client(house, await house.account())
    what: dict[str, Any] = {"create": {}} if method == "Email/copy" else {"blobIds": []}
    same, theirs = {"fromAccountId": client.id}, {"fromAccountId": other.id}
    assert await client.error(method, **what, **same) == "invalidArguments"
    assert await client.error(method, **what, **theirs) == "fromAccountNotFound"
    assert await client.error(method, **what, **same, accountId=other.id) == "accountNotFound"


async def test_flagged_by_what_imports_it(house: House, client: Client) -> None:
    """In several mailboxes at once, as a label is."""
    archive = await house.standard(client.account, "archive")
    blob = (await upload(client, LETTER))["blobId"]
    boxes = {box(client): True, mailbox_text(archive): True}
    await imported(client, blob, mailboxIds=boxes, keywords={"$flagged": True})
    assert (await house.email(archive, 1))["flags"] == FLAGGED
