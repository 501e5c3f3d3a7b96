"""Email/get: what of a message is shown, in which form, and what is refused."""

from typing import Any

import pytest

from malleposte.services.jmap.mail import body_parts, contents, plans
from malleposte.store.flags import FLAGGED, SEEN
from malleposte.store.ids import LOW, id_number, mailbox_text
from support.corpora import mail, shapes
from support.store import House, inbox
from unit.services.jmap.harness import Client


def lines(text: str) -> bytes:
    return text.strip("\n").replace("\n", "\r\n").encode() + b"\r\n"


LETTER = lines(
    """
From: =?utf-8?q?Ren=C3=A9e?= <renee@example.com>, "Doe, Joe" <joe@example.com>
Sender: office@example.com
To: Friends: ada@example.org, Bob <bob@example.org>;, eve@example.net
Cc: undisclosed-recipients:;
Subject: =?utf-8?b?w4lj?=
 =?utf-8?b?bGFpcg==?= for lunch
Date: Tue, 1 Dec 2026 09:30:00 +0100
Message-ID: <one@example.com>
In-Reply-To: <zero@example.com>
References: <minus@example.com>
 <zero@example.com>
List-Unsubscribe: <https://example.com/u?1>, <mailto:leave@example.com>
X-Twice: first
X-Twice: second
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=m

--m
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Bonjour Ren=C3=A9e,
soft=
 break
--a
Content-Type: text/html; charset=utf-8
Content-Language: fr, en
Content-Location: https://example.com/letter

<p>Bonjour <b>you</b></p>
--a--
--m
Content-Type: image/png; name="=?utf-8?q?caf=C3=A9.png?="
Content-Disposition: attachment
Content-ID: <pic@example.com>
Content-Transfer-Encoding: base64

aGVsbG8gd29ybGQ=
--m
Content-Type: message/rfc822

Subject: inside
Content-Type: text/plain

within
--m--
"""
)


@pytest.fixture
async def client(house: House) -> Client:
    return Client(house, await house.account())


async def one(client: Client, email: str, *properties: str, **more: Any) -> dict[str, Any]:
    if properties:
        more["properties"] = list(properties)
    found = await client.call("Email/get", ids=[email], **more)
    assert found["notFound"] == []
    (shown,) = found["list"]
    return dict(shown)


async def test_what_a_list_shows_comes_without_the_message(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: Any) -> Any:
        raise AssertionError("content was read")

    email = await client.put(LETTER, flags=SEEN | FLAGGED, keywords=("work",))
    monkeypatch.setattr("malleposte.store.read.emails.stored_of", never)
    shown = await one(
        client,
        email,
        *("threadId", "mailboxIds", "keywords", "size", "receivedAt", "from", "to", "cc", "bcc"),
        *("subject", "sentAt", "hasAttachment", "preview", "blobId"),
    )
    assert shown.pop("threadId").startswith("T")
    assert shown == {
        "id": email,
        "blobId": email,
        "mailboxIds": {mailbox_text(inbox(client.account)): True},
        "keywords": {"$seen": True, "$flagged": True, "work": True},
        "size": len(LETTER),
        "receivedAt": "2026-09-21T14:13:20Z",
        "from": [
            {"name": "Renée", "email": "renee@example.com"},
            {"name": "Doe, Joe", "email": "joe@example.com"},
        ],
        "to": [
            {"name": None, "email": "ada@example.org"},
            {"name": "Bob", "email": "bob@example.org"},
            {"name": None, "email": "eve@example.net"},
        ],
        "cc": None,
        "bcc": None,
        "subject": "Éclair for lunch",
        "sentAt": "2026-12-01T09:30:00+01:00",
        "hasAttachment": True,
        "preview": "Bonjour Renée, soft break",
    }


async def test_the_header_gives_the_same_as_the_columns(client: Client) -> None:
    email = await client.put(LETTER)
    names = ("from", "to", "cc", "bcc", "subject", "sentAt")
    short = await one(client, email, *names)
    whole = await one(client, email, *names, "references")
    assert whole.pop("references") == ["minus@example.com", "zero@example.com"]
    assert short == whole


async def test_header_fields_in_every_form(client: Client) -> None:
    email = await client.put(LETTER)
    shown = await one(
        client,
        email,
        *(
            "messageId",
            "inReplyTo",
            "sender",
            "replyTo",
            "header:X-Twice",
            "header:x-twice:asText:all",
        ),
        *("header:To:asGroupedAddresses", "header:List-Unsubscribe:asURLs", "header:Date:asDate"),
        *(
            "header:X-None",
            "header:X-None:all",
            "header:Subject:asText",
            "header:Message-ID:asMessageIds",
        ),
        *("header:References:all", "header:From:asAddresses"),
    )
    assert shown["messageId"] == ["one@example.com"]
    assert shown["inReplyTo"] == ["zero@example.com"]
    assert shown["sender"] == [{"name": None, "email": "office@example.com"}]
    assert shown["replyTo"] is None
    assert shown["header:X-Twice"] == " second"
    assert shown["header:x-twice:asText:all"] == ["first", "second"]
    ada, bob = (
        {"name": None, "email": "ada@example.org"},
        {"name": "Bob", "email": "bob@example.org"},
    )
    assert shown["header:To:asGroupedAddresses"] == [
        {"name": "Friends", "addresses": [ada, bob]},
        {"name": None, "addresses": [{"name": None, "email": "eve@example.net"}]},
    ]
    assert shown["header:List-Unsubscribe:asURLs"] == [
        "https://example.com/u?1",
        "mailto:leave@example.com",
    ]
    assert shown["header:Date:asDate"] == "2026-12-01T09:30:00+01:00"
    assert shown["header:X-None"] is None
    assert shown["header:X-None:all"] == []
    assert shown["header:Subject:asText"] == "Éclair for lunch"
    assert shown["header:References:all"] == [" <minus@example.com>\r\n <zero@example.com>"]
    assert len(shown["header:From:asAddresses"]) == 2
    headers = (await one(client, email, "headers"))["headers"]
    assert headers[1] == {"name": "Sender", "value": " office@example.com"}


async def test_parts_and_texts(client: Client) -> None:
    email = await client.put(LETTER)
    shown = await one(
        client, email, fetchTextBodyValues=True, fetchHTMLBodyValues=True, bodyProperties=None
    )
    (text,), (html,), (picture, letter) = shown["textBody"], shown["htmlBody"], shown["attachments"]
    assert text == {
        "partId": "1.1",
        "blobId": f"{email}-1_1",
        "size": len("Bonjour Renée,\r\nsoft break".encode()),
        "name": None,
        "type": "text/plain",
        "charset": "utf-8",
        "disposition": None,
        "cid": None,
        "language": None,
        "location": None,
    }
    assert (html["language"], html["location"]) == (["fr", "en"], "https://example.com/letter")
    assert (picture["name"], picture["cid"], picture["size"]) == ("café.png", "pic@example.com", 11)
    assert (picture["disposition"], picture["charset"]) == ("attachment", None)
    assert (letter["type"], letter["partId"]) == ("message/rfc822", "3")
    assert shown["bodyValues"] == {
        "1.1": {
            "value": "Bonjour Renée,\nsoft break",
            "isEncodingProblem": False,
            "isTruncated": False,
        },
        "1.2": {
            "value": "<p>Bonjour <b>you</b></p>",
            "isEncodingProblem": False,
            "isTruncated": False,
        },
    }
    every = await one(client, email, "bodyValues", fetchAllBodyValues=True)
    assert set(every["bodyValues"]) == {"1.1", "1.2"}  # not what is in the message inside


async def test_the_structure_is_a_tree(client: Client) -> None:
    email = await client.put(LETTER)
    asked = ["partId", "type", "subParts", "header:Content-Type"]
    tree = (await one(client, email, "bodyStructure", bodyProperties=asked))["bodyStructure"]
    assert (tree["partId"], tree["type"]) == (None, "multipart/mixed")
    alternative, picture, letter = tree["subParts"]
    assert [part["partId"] for part in alternative["subParts"]] == ["1.1", "1.2"]
    assert (letter["partId"], letter["subParts"]) == ("3", None)
    assert picture["header:Content-Type"].startswith(" image/png")


async def test_a_message_that_is_one_text_has_a_part(client: Client) -> None:
    email = await client.put(
        b"Subject: x\r\n\r\nhello\r\nworld\r\n", prefix=b"Delivered-To: a@b\r\n"
    )
    shown = await one(client, email, "textBody", "bodyValues", "headers", fetchTextBodyValues=True)
    assert shown["textBody"][0]["partId"] == "1"
    assert shown["textBody"][0]["charset"] == "us-ascii"
    assert shown["bodyValues"]["1"]["value"] == "hello\nworld\n"
    assert [field["name"] for field in shown["headers"]] == ["Delivered-To", "Subject"]


async def test_texts_are_cut_where_they_may_be(client: Client) -> None:
    email = await client.put("Content-Type: text/plain; charset=utf-8\r\n\r\néééé".encode())
    shown = await one(client, email, "bodyValues", fetchTextBodyValues=True, maxBodyValueBytes=5)
    assert shown["bodyValues"]["1"] == {
        "value": "éé",
        "isEncodingProblem": False,
        "isTruncated": True,
    }
    html = b"Content-Type: text/html\r\n\r\n<p>one</p><a href=x>two &amp; three</a>"
    email = await client.put(html)
    for most in range(1, 60):
        shown = await one(
            client, email, "bodyValues", fetchHTMLBodyValues=True, maxBodyValueBytes=most
        )
        value = shown["bodyValues"]["1"]["value"]
        assert value.count("<") == value.count(">")
        assert "&" not in value or "&amp;" in value


async def test_texts_that_cannot_be_read_say_so(client: Client) -> None:
    for octets in (
        b"Content-Type: text/plain; charset=klingon\r\n\r\nhello",
        b"Content-Type: text/plain; charset=utf-8\r\n\r\nhell\xff\xfe\xfa",
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: x-zip\r\n\r\nhello",
    ):
        email = await client.put(octets)
        shown = await one(client, email, "bodyValues", fetchTextBodyValues=True)
        assert shown["bodyValues"]["1"]["isEncodingProblem"], octets


async def test_the_texts_of_an_answer_are_bounded_together(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_parts, "TEXT", 1_500)
    monkeypatch.setattr(
        contents, "BodyValues", lambda most: body_parts.BodyValues(most, left=2_000)
    )
    emails = [await client.put(b"Subject: x\r\n\r\n" + b"x" * 100_000) for _ in range(3)]
    found = await client.call(
        "Email/get", ids=emails, properties=["bodyValues"], fetchTextBodyValues=True
    )
    lengths = [len(shown["bodyValues"]["1"]["value"]) for shown in found["list"]]
    assert lengths == [1_500, 500, 0]


@pytest.mark.parametrize(
    "property_",
    [
        *("colour", "header:", "header:a b", "header:From:asDate", "header:Date:asText"),
        *("header:Subject:asAddresses", "header:X:asNothing", "header:X:all:asText", "header:X:"),
        *("header:Received:asText", "body"),
    ],
)
async def test_a_property_that_cannot_be_is_refused(client: Client, property_: str) -> None:
    email = await client.put(LETTER)
    error = await client.error("Email/get", ids=[email], properties=[property_])
    assert error == "invalidArguments"
    error = await client.error("Email/get", ids=[email], bodyProperties=[property_])
    assert error == "invalidArguments"


async def test_ids_that_are_nobodys_or_somebody_elses_are_not_found(client: Client) -> None:
    other = Client(client.house, await client.house.account())
    theirs = await other.put(LETTER)
    mine = await client.put(LETTER)
    gone = await client.put(LETTER)
    await client.house.expunge(inbox(client.account), ((2, 2),))
    marked = await client.put(LETTER)
    await client.house.flag(inbox(client.account), ((3, 3),), deleted=True)
    asked = [mine, theirs, gone, marked, "Mabc", "x", mine]
    found = await client.call("Email/get", ids=asked, properties=["subject"])
    assert [shown["id"] for shown in found["list"]] == [mine]
    assert found["notFound"] == [theirs, gone, marked, "Mabc", "x"]
    assert await client.error("Email/get") == "requestTooLarge"
    many = [f"E{n:x}" for n in range(1, 1_100)]
    assert await client.error("Email/get", ids=many) == "requestTooLarge"


async def test_what_is_damaged_is_shown_as_far_as_it_can_be(client: Client) -> None:
    email = await client.put(LETTER)
    number = id_number("E", email) & LOW
    assert number
    await client.house.damage("DELETE FROM blob_frame")
    shown = await one(client, email)
    assert (shown["id"], shown["textBody"], shown["bodyValues"]) == (email, [], {})


async def test_every_message_of_the_corpus_is_shown(house: House) -> None:
    client = Client(house, await house.account())
    emails = [await client.put(octets) for octets in (*shapes(), *mail()[::25])]
    for start in range(0, len(emails), 50):
        some = emails[start : start + 50]
        found = await client.call(
            "Email/get",
            ids=some,
            properties=[*plans.KNOWN],
            bodyProperties=[*body_parts.KNOWN_PROPERTIES],
            fetchAllBodyValues=True,
        )
        assert [shown["id"] for shown in found["list"]] == some
        names = ["from", "to", "cc", "bcc", "sentAt"]
        short = await client.call("Email/get", ids=some, properties=names)
        for whole, columns in zip(found["list"], short["list"], strict=True):
            assert {name: whole[name] for name in names} == {name: columns[name] for name in names}
