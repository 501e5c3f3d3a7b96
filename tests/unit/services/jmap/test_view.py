"""Messages as they may be shown: safe HTML with its pictures, and pictures of the web by the server."""

import base64
from typing import Any

import pytest

from malleposte.egress import fetch as egress
from malleposte.egress.settings import EgressError, EgressPolicy
from malleposte.services.jmap.view.images import Images
from malleposte.services.jmap.view.names import VIEW
from malleposte.services.jmap.view.raster import raster_kind
from support.store import House
from unit.services.jmap.harness import Client

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 24
LETTER = b"""From: ada@example.com\r
Subject: Pictures\r
MIME-Version: 1.0\r
Content-Type: multipart/related; boundary=m\r
\r
--m\r
Content-Type: text/html; charset=utf-8\r
\r
<style>p{color:red}</style><p onclick=x>Hi <img src="cid:logo@x"><img\r
src=https://img.example.net/a.png></p><script>alert(1)</script><img width=1 src=https://t.example/>\r
--m\r
Content-Type: image/png\r
Content-ID: <logo@x>\r
Content-Transfer-Encoding: base64\r
\r
iVBORw0KGgo=\r
--m--\r
"""


class Web:
    """The web: answers by address, and what was asked for."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, bytes] | EgressError] = {}
        self.asked: list[str] = []

    async def fetch(self, url: str, policy: EgressPolicy) -> egress.Response:
        self.asked.append(url)
        found = self.answers.get(url, (404, b""))
        if isinstance(found, EgressError):
            raise found
        return egress.Response(url, found[0], ((b"content-type", b"text/html"),), found[1])


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def web() -> Web:
    return Web()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def client(house: House, web: Web, clock: Clock) -> Client:
    found = Client(house, await house.account())
    found.site.images.keys = lambda: (b"k" * 32,)
    found.site.images.fetch = web.fetch
    found.site.images.clock = clock
    return found


async def value_of(client: Client, id_: str, **how: Any) -> dict[str, Any]:
    answer = await client.call(
        "Email/get",
        ids=[id_],
        properties=["bodyValues"],
        fetchHTMLBodyValues=True,
        **{"makeHTMLSafe": True, **how},
    )
    found: dict[str, Any] = next(iter(answer["list"][0]["bodyValues"].values()))
    return found


async def test_html_is_safe_and_its_pictures_stand_beside(client: Client) -> None:
    id_ = await client.put(LETTER)
    value = await value_of(client, id_)
    assert value["value"] == (
        '<p style="color:red">Hi <img data-picture="0"><img data-picture="1"></p>'
    )
    assert value["pictures"][0] == {"blobId": f"{id_}-2"}
    assert value["pictures"][1]["host"] == "img.example.net"
    assert value["pictures"][1]["url"].startswith("/jmap/image/")
    assert value["trackers"] == 1
    assert not value["isTruncated"]


async def test_without_being_asked_html_is_as_it_was_sent(client: Client) -> None:
    value = await value_of(client, await client.put(LETTER), makeHTMLSafe=False)
    assert "<script>" in value["value"]
    assert "pictures" not in value


async def test_it_is_for_requests_that_use_the_extension(client: Client) -> None:
    call = ("Email/get", {"accountId": client.id, "ids": [], "makeHTMLSafe": True}, "0")
    _, answer = await client.request(
        {"using": ["urn:ietf:params:jmap:mail"], "methodCalls": [call]}
    )
    assert answer["methodResponses"][0][1]["type"] == "invalidArguments"
    response = await client.http("GET", "/jmap/session")
    assert VIEW.encode() in response.body


async def test_a_message_within_another_is_made_safe_as_well(client: Client) -> None:
    outer = (
        b"From: a@b\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n"
        b"--o\r\nContent-Type: message/rfc822\r\n\r\n" + LETTER + b"\r\n--o--\r\n"
    )
    blob = f"{await client.put(outer)}-1"
    answer = await client.call(
        "Email/parse", blobIds=[blob], fetchHTMLBodyValues=True, makeHTMLSafe=True
    )
    (value,) = answer["parsed"][blob]["bodyValues"].values()
    assert "alert" not in value["value"]
    assert value["pictures"][0] == {"blobId": f"{blob}-2"}


async def test_long_html_is_cut_and_says_so(client: Client) -> None:
    letter = b"Content-Type: text/html\r\n\r\n" + b"<p>words words</p>\r\n" * 2_000
    id_ = await client.put(letter)
    assert (await value_of(client, id_, maxBodyValueBytes=5_000))["isTruncated"]
    assert not (await value_of(client, id_))["isTruncated"]


# Pictures of the web ------------------------------------------------------------------------------


async def picture(client: Client, path: str, **how: Any) -> Any:
    return await client.http("GET", path, **how)


async def signed(client: Client) -> str:
    value = await value_of(client, await client.put(LETTER))
    found: str = value["pictures"][1]["url"]
    return found


async def test_a_picture_of_a_message_is_fetched_as_what_it_is(client: Client, web: Web) -> None:
    web.answers["https://img.example.net/a.png"] = 200, PNG
    response = await picture(client, await signed(client))
    assert (response.status, response.kind, response.body) == (200, "image/png", PNG)
    fields = dict(response.fields)
    assert fields["Content-Disposition"] == "attachment"
    assert fields["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert fields["Cache-Control"].startswith("private")
    assert fields["Vary"] == "Cookie, Authorization"


async def test_it_is_fetched_once(client: Client, web: Web) -> None:
    web.answers["https://img.example.net/a.png"] = 200, PNG
    path = await signed(client)
    for _ in range(3):
        assert (await picture(client, path)).status == 200
    assert web.asked == ["https://img.example.net/a.png"]


@pytest.mark.parametrize(
    "octets",
    [b"<html>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<?xml?><svg/>", b"", b"%PDF-1.7"],
)
async def test_what_is_no_picture_made_of_points_is_not_passed_on(
    client: Client, web: Web, octets: bytes
) -> None:
    web.answers["https://img.example.net/a.png"] = 200, octets
    assert (await picture(client, await signed(client))).status == 404


async def test_what_cannot_be_fetched_is_said(client: Client, web: Web) -> None:
    web.answers["https://img.example.net/a.png"] = EgressError("refused", "it is in this machine")
    response = await picture(client, await signed(client))
    assert response.status == 404
    assert b"it is in this machine" in response.body


async def test_only_addresses_of_ones_own_messages_are_fetched(
    client: Client, house: House, web: Web, clock: Clock
) -> None:
    path = await signed(client)
    other = Client(house, await house.account())
    other.site.images.keys = client.site.images.keys
    assert (await picture(other, path)).status == 403
    _, _, _, until, mac, url = path.split("/")
    elsewhere = base64.urlsafe_b64encode(b"https://evil.example/").rstrip(b"=").decode()
    for tried in (
        f"/jmap/image/{until}/{mac}/{elsewhere}",
        f"/jmap/image/{int(until) + 1}/{mac}/{url}",
        f"/jmap/image/{until}/{'A' * len(mac)}/{url}",
        f"/jmap/image/-1/{mac}/{url}",
        f"/jmap/image/{until}//{url}",
        f"/jmap/image/{until}",
        "/jmap/image/",
        "/jmap/image/x/y/%",
        f"/jmap/image/{until}/{mac}/{url}/more",
    ):
        assert (await picture(client, tried)).status in (403, 404), tried
    clock.now += 9 * 86_400
    assert (await picture(client, path)).status == 403
    assert web.asked == []


async def test_a_key_that_was_replaced_still_opens(client: Client, web: Web) -> None:
    web.answers["https://img.example.net/a.png"] = 200, PNG
    path = await signed(client)
    client.site.images.keys = lambda: (b"n" * 32, b"k" * 32)
    assert (await picture(client, path)).status == 200


async def test_without_a_key_no_picture_is_on_offer(client: Client) -> None:
    client.site.images.keys = lambda: ()
    value = await value_of(client, await client.put(LETTER))
    assert value["pictures"][1] == {"url": None, "host": "img.example.net"}


async def test_a_page_or_script_is_not_made_of_a_picture(client: Client, web: Web) -> None:
    path = await signed(client)
    for wanted in (b"document", b"script", b"style", b"iframe"):
        response = await picture(client, path, fields=((b"sec-fetch-dest", wanted),))
        assert response.status == 403
    assert web.asked == []


async def test_what_is_kept_is_bounded(web: Web) -> None:
    images = Images(lambda: (b"k" * 32,))
    for n in range(100):
        images._keep((1, f"https://x.example/{n}"), "image/png", b"x" * 900_000)
    assert sum(len(octets) for _, octets in images._kept.values()) <= 32_000_000
    assert (1, "https://x.example/99") in images._kept


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0\0", "image/jpeg"),
        (b"GIF89a\1\0\1\0", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x1cftypavif", "image/avif"),
        (b"<svg", None),
        (b" \x89PNG\r\n\x1a\n", None),
    ],
    ids=range(7),
)
def test_a_picture_is_known_by_how_it_begins(octets: bytes, kind: str | None) -> None:
    assert raster_kind(octets) == kind
