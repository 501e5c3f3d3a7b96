"""Contacts from and to vCard files: twice the same brings nothing, what is no card is named."""

import io

import pytest

from malleposte.cli.commands import contacts as command
from malleposte.cli.exit_codes import Trouble
from malleposte.groupware.content_lines import lines
from malleposte.operations.contacts import (
    Cards,
    ContactsExported,
    ContactsImported,
    ExportContacts,
    ImportContacts,
)
from malleposte.operations.errors import OperationError
from malleposte.policy.permissions import Actor
from malleposte.store.read import contacts
from support.store import House
from unit.operations.desk import Desk, Tape

ADA = "ada@example.org"


def card(name: str, *more: str, version: str = "3.0") -> str:
    body = (f"FN:{name}", f"N:{name};;;;", *more)
    return "\r\n".join(("BEGIN:VCARD", f"VERSION:{version}", *body, "END:VCARD", ""))


@pytest.fixture
async def desk(house: House) -> Desk:
    await house.account("ada")
    return Desk(house.store, Actor.local(1000))


async def imported(desk: Desk, *files: str, book: str = "") -> ContactsImported:
    tape = Tape(incoming=[(Cards(), one.encode()) for one in files])
    request = ImportContacts(address=ADA, book=book, source="a.vcf")
    return await desk.call("contacts.import", request, ContactsImported, tape)


async def exported(desk: Desk, version: str = "4.0", book: str = "") -> str:
    tape = Tape()
    request = ExportContacts(address=ADA, version=version, book=book)
    done = await desk.call("contacts.export", request, ContactsExported, tape)
    bodies = b"".join(body or b"" for _, body in tape.sent)
    assert bodies.count(b"BEGIN:VCARD") == done.exported
    return bodies.decode()


async def test_twice_the_same_brings_nothing_new(desk: Desk) -> None:
    photo = "PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgoAAAAA"
    file = card("Ada", "UID:a", photo) + card("Bob", "X-ODD;Y=1:2")
    done = await imported(desk, file)
    assert (done.book, done.made, done.changed, done.same) == ("Contacts", 2, 0, 0)
    done = await imported(desk, file)
    assert (done.made, done.changed, done.same, done.refused) == (0, 0, 2, 0)
    done = await imported(desk, card("Countess", "UID:a", photo))
    assert (done.made, done.changed) == (0, 1)
    done = await imported(desk, card("Countess", "UID:a", photo), book="Friends")
    assert (done.book, done.changed) == ("Friends", 1)
    assert "FN:Countess" in await exported(desk, book="Friends")


async def test_what_is_no_card_is_named_and_the_others_come(desk: Desk) -> None:
    done = await imported(
        desk,
        card("Ada", "UID:a") + card("Old", version="2.1"),
        "no card at all",
        card("Long", "UID:l", f"NOTE:{'x' * 300_000}") + card("Bob", "UID:b"),
    )
    assert (done.made, done.refused) == (2, 3)
    assert any("version" in words for words in done.wrong)
    assert any(words.startswith("Long: ") for words in done.wrong)


async def test_what_came_goes_out_again(desk: Desk) -> None:
    file = card("Ada", "UID:a", "item1.TEL;X=1:1", "item1.X-ABLABEL:Boat", "X-SHOE:42")
    await imported(desk, file)
    given = {one.key for one in lines(file)}
    assert {one.key for one in lines(await exported(desk, "3.0"))} == given
    assert "VERSION:4.0" in await exported(desk)
    for version, book in (("2.1", ""), ("4.0", "None")):
        with pytest.raises(OperationError):
            await exported(desk, version, book)


async def test_many_cards_come_and_go_in_pieces(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malleposte.operations.contacts.TOGETHER", 2)
    monkeypatch.setattr("malleposte.operations.contacts.SLICE", 2)
    done = await imported(desk, "".join(card(f"N{n}", f"UID:{n}") for n in range(5)))
    assert done.made == 5
    text = await exported(desk)
    assert all(f"FN:N{n}\r\n" in text for n in range(5))
    (_, operation, target, outcome, details) = (await desk.audit())[-1]
    assert (operation, target, outcome) == ("contacts.export", ADA, "done")
    assert details["exported"] == 5


async def test_nothing_of_it_is_anybody_else_s(desk: Desk, house: House) -> None:
    bob = await house.account("bob")
    await imported(desk, card("Ada", "UID:a"))
    assert await contacts.books(house.store.reader, bob, bob) == []


def test_a_file_is_sent_in_pieces_that_end_with_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "PARCEL", 10)
    one, other = card("Ada").encode(), card("Bob").encode()
    assert list(command.parcels(io.BytesIO(one + other + b"\r\n"))) == [one, other]
    assert list(command.parcels(io.BytesIO(one + b"BEGIN:VCARD"))) == [one, b"BEGIN:VCARD"]
    monkeypatch.setattr(command, "MOST", 40)
    with pytest.raises(Trouble):
        list(command.parcels(io.BytesIO(b"NOTE:" + b"x" * 100)))
