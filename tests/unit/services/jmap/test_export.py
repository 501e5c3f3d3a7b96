"""A mailbox as a file: what comes out is what other programs read."""

import io
import mailbox
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from malleposte.services.web.messages import Response
from support.store import House
from unit.services.jmap.harness import Client

ONE = b"From: a@example.org\r\nSubject: one\r\n\r\nFirst\r\nFrom here on\r\n"
TWO = b"From: b@example.org\r\nSubject: two\r\n\r\nSecond\r\n"


@pytest.fixture
async def client(house: House) -> Client:
    return Client(house, await house.account("ada"))


async def inbox(client: Client) -> str:
    found = await client.call("Mailbox/get", ids=None)
    return next(str(one["id"]) for one in found["list"] if one["role"] == "inbox")


async def octets(response: Response) -> bytes:
    assert response.status == 200, response.body
    assert response.pieces is not None
    return b"".join([piece async for piece in response.pieces])


async def test_an_mbox_is_read_by_other_programs(client: Client, tmp_path: Path) -> None:
    await client.put(ONE)
    await client.put(TWO)
    response = await client.http("GET", f"/jmap/export/{client.id}/{await inbox(client)}")
    fields = dict(response.fields)
    assert fields["Content-Disposition"] == 'attachment; filename="INBOX.mbox"'
    file = tmp_path / "box"
    file.write_bytes(await octets(response))
    with closing(mailbox.mbox(file)) as box:
        first, second = box
        assert (first["subject"], second["subject"]) == ("one", "two")
        assert second.get_payload() == "Second\n"


async def test_a_zip_has_every_message_as_it_came(client: Client) -> None:
    await client.put(ONE)
    await client.put(TWO)
    path = f"/jmap/export/{client.id}/{await inbox(client)}"
    response = await client.http("GET", path, query={"form": "zip"})
    with zipfile.ZipFile(io.BytesIO(await octets(response))) as archive:
        assert archive.testzip() is None
        assert [archive.read(name) for name in archive.namelist()] == [ONE, TWO]


async def test_only_ones_own_mailboxes_are_given_away(client: Client, house: House) -> None:
    eve = Client(house, await house.account("eve"))
    box = await inbox(eve)
    for path in (
        f"/jmap/export/{client.id}/{box}",
        f"/jmap/export/{eve.id}/{box}",
        f"/jmap/export/{client.id}/M1",
        f"/jmap/export/{client.id}/nonsense",
    ):
        assert (await client.http("GET", path)).status == 404
    box = await inbox(client)
    wrong = await client.http("GET", f"/jmap/export/{client.id}/{box}", query={"form": "exe"})
    assert wrong.status == 400
    assert (await client.http("POST", f"/jmap/export/{client.id}/{box}")).status == 405
