"""Blobs (RFC 8620 §6): uploads in, emails and their parts out, and nothing of anybody else's."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any, cast

import msgspec
import pytest

from malleposte.services.jmap.mail.blobs import BlobName, parsed, part_blob
from malleposte.services.jmap.settings import JmapSettings
from malleposte.services.jmap.transfers import disposition
from malleposte.services.web.messages import Request, Response
from malleposte.store.ids import account_text, id_number
from support.store import House, inbox
from unit.services.jmap.harness import Client

LETTER = b"""From: ada@example.com\r
Subject: Parts\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=m\r
\r
--m\r
Content-Type: text/plain; charset=utf-8\r
Content-Transfer-Encoding: quoted-printable\r
\r
caf=C3=A9\r
--m\r
Content-Type: text/plain\r
\r
plain here\r
--m--\r
"""


@pytest.fixture
async def client(house: House) -> Client:
    return Client(house, await house.account())


async def content_of(response: Response) -> bytes:
    if response.pieces is None:
        return response.body
    return b"".join([piece async for piece in response.pieces])


async def upload(client: Client, octets: bytes, **how: Any) -> dict[str, Any]:
    response = await client.http("POST", f"/jmap/upload/{client.id}/", octets, **how)
    assert response.status == 201, response.body
    found: dict[str, Any] = msgspec.json.decode(response.body)
    return found


async def download(client: Client, blob: str, name: str = "a", **how: Any) -> Response:
    return await client.http("GET", f"/jmap/download/{client.id}/{blob}/{name}", **how)


# Up and down --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 5, 300_000, 2_000_000])
async def test_what_goes_up_comes_down(client: Client, size: int) -> None:
    octets = bytes(n % 251 for n in range(size))
    found = await upload(client, octets, kind="image/PNG; name=x")
    blob = found.pop("blobId")
    assert found == {"accountId": client.id, "type": "image/png", "size": size}
    response = await download(client, blob, query={"type": "text/plain"})
    assert (response.status, response.kind, response.length) == (200, "text/plain", size)
    assert await content_of(response) == octets


async def test_a_type_that_is_none_is_octets(client: Client) -> None:
    assert (await upload(client, b"x", kind="nonsense"))["type"] == "application/octet-stream"


async def test_no_page_is_made_of_it(client: Client) -> None:
    """HTML that somebody sent must not run as a page of ours, nor be kept by a proxy."""
    found = await upload(client, b"<script>alert(1)</script>")
    response = await download(client, found["blobId"], "x.html", query={"type": "text/html"})
    fields = dict(response.fields)
    assert fields["Content-Disposition"] == 'attachment; filename="x.html"'
    assert fields["Content-Security-Policy"].startswith("sandbox;")
    assert fields["Cache-Control"] == "private, immutable, max-age=31536000"
    assert fields["Vary"] == "Cookie, Authorization"


@pytest.mark.parametrize("kind", ["text", "text/html\r\nX: y", "text/html; charset=x", "a/b/c"])
async def test_a_type_to_answer_with_is_checked(client: Client, kind: str) -> None:
    found = await upload(client, b"x")
    assert (await download(client, found["blobId"], query={"type": kind})).status == 400


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("report.pdf", 'attachment; filename="report.pdf"'),
        ("café.txt", "attachment; filename=\"caf_.txt\"; filename*=UTF-8''caf%C3%A9.txt"),
        ('a"b\r\nX: y', "attachment; filename=\"a_b X_ y\"; filename*=UTF-8''a%22b%20X%3A%20y"),
        ("../../etc/passwd", 'attachment; filename=".._.._etc_passwd"'),
        ("", "attachment"),
    ],
)
def test_names_of_files(name: str, field: str) -> None:
    assert disposition(name) == field


async def test_an_email_and_its_parts(client: Client) -> None:
    email = await client.put(LETTER)
    whole = await download(client, email)
    assert whole.length == len(await content_of(whole)) == len(LETTER)
    encoded = await download(client, f"{email}-1")
    assert encoded.length == -1
    assert await content_of(encoded) == "café".encode()
    assert await content_of(await download(client, f"{email}-2")) == b"plain here"


async def test_an_email_with_a_prefix_is_both(client: Client) -> None:
    """``size`` counts both, so that what comes has as many octets."""
    email = await client.put(LETTER, prefix=b"Return-Path: <x@example.com>\r\n")
    got = await client.call("Email/get", ids=[email], properties=["size", "blobId"])
    octets = await content_of(await download(client, got["list"][0]["blobId"]))
    assert octets == b"Return-Path: <x@example.com>\r\n" + LETTER
    assert got["list"][0]["size"] == len(octets)
    assert await content_of(await download(client, f"{email}-2")) == b"plain here"


async def test_a_part_of_a_message_that_was_uploaded(client: Client) -> None:
    blob = (await upload(client, LETTER))["blobId"]
    assert await content_of(await download(client, f"{blob}-1")) == "café".encode()
    assert (await download(client, f"{blob}-3")).status == 404
    assert (await download(client, f"{blob}-1-1-1-1")).status == 404


# Ranges -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "octets", "field"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=-99", b"0123456789", "bytes 0-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
    ],
)
async def test_ranges(client: Client, asked: str, octets: bytes, field: str) -> None:
    blob = (await upload(client, b"0123456789"))["blobId"]
    response = await download(client, blob, fields=((b"range", asked.encode()),))
    assert (response.status, dict(response.fields)["Content-Range"]) == (206, field)
    assert response.length == len(octets)
    assert await content_of(response) == octets


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=-0", "bytes=99-100"])
async def test_ranges_past_the_end(client: Client, asked: str) -> None:
    blob = (await upload(client, b"0123456789"))["blobId"]
    response = await download(client, blob, fields=((b"range", asked.encode()),))
    assert (response.status, response.fields) == (416, (("Content-Range", "bytes */10"),))


@pytest.mark.parametrize(
    "asked", ["bytes=3-1", "bytes=0-1,3-4", "lines=1-2", "bytes=", "bytes=a-b"]
)
async def test_what_is_no_range_is_all(client: Client, asked: str) -> None:
    blob = (await upload(client, b"0123456789"))["blobId"]
    response = await download(client, blob, fields=((b"range", asked.encode()),))
    assert (response.status, response.length) == (200, 10)


async def test_a_range_that_depends_on_a_validator_is_all(client: Client) -> None:
    blob = (await upload(client, b"0123456789"))["blobId"]
    fields = ((b"range", b"bytes=0-1"), (b"if-range", b'"x"'))
    assert (await download(client, blob, fields=fields)).status == 200


async def test_no_range_of_what_has_no_length(client: Client) -> None:
    email = await client.put(LETTER)
    response = await download(client, f"{email}-1", fields=((b"range", b"bytes=0-1"),))
    assert (response.status, dict(response.fields)["Accept-Ranges"]) == (200, "none")


# Nobody else's ------------------------------------------------------------------------------------


async def test_what_is_anothers_is_not_there(house: House, client: Client) -> None:
    other = Client(house, await house.account())
    email = await other.put(LETTER)
    blob = (await upload(other, b"secret"))["blobId"]
    for id_ in (email, f"{email}-1", blob, "nonsense", "E", "U0", f"{email}-0", f"{email}-9"):
        response = await download(client, id_)
        assert response.status == 404
        assert response.body == (await download(client, "Uffff")).body
    for method, path in (
        ("GET", f"/jmap/download/{other.id}/{blob}/a"),
        ("POST", f"/jmap/upload/{other.id}/"),
    ):
        assert (await client.http(method, path)).status == 404


async def test_a_destroyed_email_is_not_there(house: House, client: Client) -> None:
    email = await client.put(LETTER)
    await house.expunge(inbox(client.account))
    assert (await download(client, email)).status == 404


async def test_methods(client: Client) -> None:
    blob = (await upload(client, b"x"))["blobId"]
    assert (await client.http("GET", f"/jmap/upload/{client.id}/")).status == 405
    assert (await client.http("POST", f"/jmap/download/{client.id}/{blob}/x")).status == 405
    assert (await client.http("HEAD", f"/jmap/download/{client.id}/{blob}/x")).status == 200


# Bounds -------------------------------------------------------------------------------------------


async def test_what_is_too_large_is_refused_and_leaves_nothing(house: House) -> None:
    client = Client(house, await house.account(), JmapSettings(max_size_upload=1_000_000))
    response = await client.http("POST", f"/jmap/upload/{client.id}/", b"x" * 1_000_001)
    assert response.status == 413
    assert msgspec.json.decode(response.body)["limit"] == "maxSizeUpload"
    assert house.store.incoming.octets == 0
    assert await house.value("SELECT count(*) FROM blob") == 0


async def test_uploads_of_an_account_are_bounded(house: House) -> None:
    client = Client(house, await house.account(), JmapSettings(max_uploads=1))
    await upload(client, b"x")
    response = await client.http("POST", f"/jmap/upload/{client.id}/", b"y")
    assert response.status == 400
    assert msgspec.json.decode(response.body)["limit"] == "uploads"


async def test_uploads_at_a_time_are_bounded(house: House) -> None:
    client = Client(house, await house.account(), JmapSettings(max_concurrent_upload=1))
    begun, go_on = asyncio.Event(), asyncio.Event()

    class Slow:
        async def pieces(self, most: int, seconds: float) -> AsyncGenerator[bytes]:
            begun.set()
            await go_on.wait()
            yield b"x"

    account = await client.book.account(client.account)
    assert account is not None
    request = Request(
        *("POST", "/", "/", "mail.example.org", {}, ()),
        tls=True,
        local=False,
        content=cast(Any, Slow()),
    )
    first = asyncio.create_task(client.site._transfers.upload(account, client.id, request))
    await begun.wait()
    response = await client.http("POST", f"/jmap/upload/{client.id}/", b"y")
    assert msgspec.json.decode(response.body)["limit"] == "maxConcurrentUpload"
    go_on.set()
    assert (await first).status == 201
    await upload(client, b"z")


async def test_an_upload_that_breaks_off_leaves_nothing(house: House, client: Client) -> None:
    class Broken:
        async def pieces(self, most: int, seconds: float) -> AsyncGenerator[bytes]:
            yield b"x" * 600_000
            raise ConnectionResetError

    account = await client.book.account(client.account)
    assert account is not None
    request = Request(
        *("POST", "/", "/", "mail.example.org", {}, ()),
        tls=True,
        local=False,
        content=cast(Any, Broken()),
    )
    with suppress(Exception):
        await client.site._transfers.upload(account, client.id, request)
    assert house.store.incoming.octets == 0
    assert await house.value("SELECT count(*) FROM upload") == 0
    assert not client.site._transfers._under_way


# Names --------------------------------------------------------------------------------------------


def test_names() -> None:
    assert parsed("E100000005") == BlobName(email=0x100000005)
    assert parsed("E100000005-2_1-3") == BlobName(email=0x100000005, sections=("2.1", "3"))
    assert parsed("U5-1") == BlobName(upload=5, sections=("1",))
    assert parsed("U5-1-1").outer == BlobName(upload=5, sections=("1",))  # type: ignore[union-attr]
    for text in (
        "",
        "E",
        "U",
        "M5",
        "U5-",
        "U5--1",
        "U5-0",
        "U5-1_",
        "U5-1-1-1-1",
        "U05",
        "u5",
        "U5-1.2",
    ):
        assert parsed(text) is None, text
    assert part_blob("U5", "1.2") == "U5-1_2"
    assert part_blob("U5-1-1-1", "1") is None
    assert part_blob("U5", ".".join("1" * 300)) is None


async def test_ids_of_uploads_are_not_counted(client: Client) -> None:
    """Who has one cannot tell how many others there are."""
    one, two = [(await upload(client, b"x"))["blobId"] for _ in range(2)]
    assert abs(id_number("U", one) - id_number("U", two)) > 1_000_000
    assert account_text(client.account) not in one


@pytest.mark.parametrize(
    "kind",
    [
        *("text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml"),
        *("text/javascript", "application/x-ecmascript", "text/css", "application/wasm"),
        *("multipart/x-mixed-replace", "text/event-stream", "application/manifest+json"),
    ],
)
async def test_a_blob_is_never_answered_as_what_a_browser_would_run(
    client: Client, kind: str
) -> None:
    blob = (await upload(client, b"alert(1)"))["blobId"]
    response = await download(client, blob, query={"type": kind})
    assert response.kind == "application/octet-stream"
    fields = dict(response.fields)
    assert fields["Content-Disposition"].startswith("attachment")
    assert "sandbox" in fields["Content-Security-Policy"]
