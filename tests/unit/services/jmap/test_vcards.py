"""vCard files of one's own contacts, in and out over HTTP."""

from typing import Any

import msgspec
import pytest

from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.own import vcards
from malleposte.services.web.messages import Response
from support.store import House
from unit.services.jmap.harness import Client

ADA = (
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:ada\r\nFN:Ada Lovelace\r\nN:Lovelace;Ada;;;\r\n"
    b"EMAIL:ada@example.org\r\nX-SHOE-SIZE:37\r\nEND:VCARD\r\n"
)
BOB = b"BEGIN:VCARD\nVERSION:4.0\nUID:bob\nFN:Bob\nNOTE:END:VCARD is no end\nEND:VCARD\n"


@pytest.fixture
async def client(house: House) -> Client:
    return Client(house, await house.account("ada"))


async def book(client: Client) -> str:
    (found,) = (await client.call("AddressBook/get"))["list"]
    return str(found["id"])


async def brought(client: Client, octets: bytes, into: str) -> dict[str, Any]:
    path = f"/jmap/upload/{client.id}"
    uploaded = msgspec.json.decode((await client.http("POST", path, octets)).body)
    return await client.call("ContactCard/import", blobId=uploaded["blobId"], addressBookId=into)


async def text(client: Client, what: str) -> str:
    path = f"/jmap/export/{client.id}/{what}"
    response: Response = await client.http("GET", path, query={"form": "vcard"})
    assert response.status == 200, response.body
    assert response.pieces is not None
    return b"".join([piece async for piece in response.pieces]).decode()


async def test_a_file_is_taken_in_and_brings_nothing_new_again(client: Client) -> None:
    into = await book(client)
    answer = await brought(client, ADA + BOB, into)
    assert (len(answer["created"]), answer["refused"]) == (2, 0)
    cards = (await client.call("ContactCard/get", ids=answer["created"]))["list"]
    assert sorted(one["name"]["full"] for one in cards) == ["Ada Lovelace", "Bob"]
    assert all(one["addressBookIds"] == {into: True} for one in cards)
    again = await brought(client, ADA.replace(b"37", b"38") + BOB, into)
    assert (again["created"], again["updated"], again["same"]) == ([], 1, 1)


async def test_what_is_no_card_is_told_and_the_rest_taken(client: Client) -> None:
    answer = await brought(
        client, b"BEGIN:VCARD\r\nthis is none\r\nEND:VCARD\r\n" + ADA, await book(client)
    )
    assert (len(answer["created"]), answer["refused"]) == (1, 1)
    assert len(answer["problems"]) == 1


async def test_only_files_and_books_that_are_there(client: Client) -> None:
    into = await book(client)
    assert (
        await client.error("ContactCard/import", blobId="U1f", addressBookId=into)
        == "invalidArguments"
    )
    assert (
        await client.error("ContactCard/import", blobId="U1f", addressBookId="B1")
        == "invalidArguments"
    )


async def test_a_long_file_is_read_card_by_card(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vcards, "PARCEL", 1)
    cards = b"".join(ADA.replace(b"UID:ada", b"UID:%d" % n) for n in range(5))
    answer = await brought(client, cards + BOB, await book(client))
    assert (len(answer["created"]), answer["refused"]) == (6, 0)


async def test_a_card_without_an_end_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vcards, "PARCEL", 10)
    monkeypatch.setattr(vcards, "MOST", 100)

    async def pieces() -> Any:
        while True:
            yield b"NOTE:x\n"

    with pytest.raises(MethodError, match="no end"):
        [one async for one in vcards.parcels(pieces())]


async def test_cards_go_out_as_they_came_whole_by_book_and_alone(client: Client) -> None:
    into = await book(client)
    made = await brought(client, ADA + BOB, into)
    for what in ("all", into):
        found = await text(client, what)
        assert found.count("BEGIN:VCARD") == 2
        assert "X-SHOE-SIZE:37" in found
    alone = await text(client, made["created"][0])
    assert alone.count("BEGIN:VCARD") == 1


async def test_nobody_takes_out_cards_of_others(house: House, client: Client) -> None:
    into = await book(client)
    made = await brought(client, ADA, into)
    other = Client(house, await house.account("bob"))
    for account, what in (
        (client.id, "all"),
        (client.id, into),
        (other.id, into),
        (other.id, made["created"][0]),
    ):
        path = f"/jmap/export/{account}/{what}"
        assert (await other.http("GET", path, query={"form": "vcard"})).status == 404
