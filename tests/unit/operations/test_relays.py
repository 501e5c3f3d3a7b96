"""Relays by an operator: set with a sealed password, listed in order, tried out, removed."""

import pytest

from malleposte.delivery.outbound import RelaySettings
from malleposte.operations.errors import OperationError
from malleposte.operations.relays import (
    ListRelays,
    RelayRemoved,
    Relays,
    RelayTested,
    RemoveRelay,
    SetRelay,
    TestRelay,
)
from malleposte.secrets.redaction import Secret
from malleposte.secrets.sealing import KeyRing, NodeKey
from malleposte.store.read.relays import relays
from support.scripted_smtp import Manner, ScriptedServer
from support.store import House
from unit.operations.desk import Desk

SMART = RelaySettings(host="smart.example", user="us", password=Secret("hush"))


@pytest.fixture
def desk(house: House) -> Desk:
    ring = KeyRing([NodeKey.random()])
    return Desk(house.store, ring=lambda: ring, smart_host=lambda: SMART)


async def set_(desk: Desk, **how: object) -> Relays:
    return await desk.call("relay.set", SetRelay(**how), Relays)  # type: ignore[arg-type]


async def test_relays_are_listed_in_the_order_in_which_they_count(desk: Desk) -> None:
    await set_(desk, sender="Example.org", host="a.example", tls="implicit")
    await set_(desk, sender="ada@example.org", host="b.example", port=2525, verify=False)
    await set_(desk, to="Far.example", host="2001:db8::1", tls="none")
    await set_(desk, to="direct.example")
    found = (await desk.call("relay.list", ListRelays(), Relays)).relays
    assert [(r.kind, r.name, r.host, r.port, r.tls, r.verify) for r in found] == [
        ("to", "direct.example", "", 0, "", True),
        ("to", "far.example", "2001:db8::1", 25, "none", True),
        ("from", "ada@example.org", "b.example", 2525, "starttls", False),
        ("from", "example.org", "a.example", 465, "implicit", True),
        ("", "", "smart.example", 587, "starttls", True),
    ]


async def test_a_password_is_sealed_kept_and_never_told(house: House, desk: Desk) -> None:
    shown = await set_(desk, to="far.example", host="a.example", user="us", password="secret")
    assert [(r.user, r.password) for r in shown.relays] == [("us", True)]
    (kept,) = await relays(house.store.reader)
    assert b"secret" not in kept.sealed
    shown = await set_(desk, to="far.example", host="b.example", user="us")
    assert shown.relays[0].password
    (again,) = await relays(house.store.reader)
    assert again.sealed == kept.sealed
    assert "secret" not in str(await desk.audit())
    await set_(desk, to="far.example", host="b.example")
    assert await house.rows("SELECT name FROM secret") == []


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"host": "a.example"}, "say for whom"),
        ({"to": "a.example", "sender": "b.example", "host": "c.example"}, "say for whom"),
        ({"to": "a.example", "host": "b.example:25"}, "apart from the name"),
        ({"to": "a.example", "host": "b.example", "port": 99999}, "up to 65535"),
        ({"to": "a.example", "host": "b.example", "user": "us"}, "say the password"),
        ({"to": "a.example", "host": "b.example", "password": "x"}, "needs the name"),
        ({"to": "a.example", "user": "us", "password": "x"}, "name the server"),
        ({"to": "a.example", "host": "b.example", "user": "a\nb", "password": "x"}, "in one line"),
        ({"to": "not a domain", "host": "b.example"}, "not a domain"),
    ],
)
async def test_what_makes_no_sense_is_said(desk: Desk, how: dict[str, object], words: str) -> None:
    with pytest.raises(OperationError, match=words):
        await set_(desk, **how)


async def test_one_is_removed_once(desk: Desk) -> None:
    await set_(desk, sender="ada@example.org", host="a.example")
    gone = RemoveRelay(sender="Ada@example.org")
    assert (await desk.call("relay.remove", gone, RelayRemoved)).name == "ada@example.org"
    with pytest.raises(OperationError, match=r"there is no relay from ada@example\.org"):
        await desk.call("relay.remove", gone, RelayRemoved)
    outcomes = [line[3] for line in await desk.audit() if line[1] == "relay.remove"]
    assert outcomes == ["done", "refused"]


@pytest.mark.parametrize(
    ("answer", "works", "words"),
    [
        ("235 2.7.0 welcome", True, "signed in as us"),
        ("535 5.7.8 who?", False, "refuses our sign-in as us: «535 5.7.8 who?»"),
    ],
    ids=["right", "wrong"],
)
async def test_one_is_tried_out_and_nothing_is_sent(
    desk: Desk, answer: str, works: bool, words: str
) -> None:
    server = ScriptedServer(Manner(can=("AUTH PLAIN",), steps={"AUTH": answer}))
    port = await server.start("127.0.0.1")
    try:
        await set_(
            desk, to="far.example", host="127.0.0.1", port=port, tls="none", user="us", password="x"
        )
        tried = await desk.call("relay.test", TestRelay(to="far.example"), RelayTested)
    finally:
        await server.close()
    assert (tried.works, words in tried.words) == (works, True), tried.words
    assert not [one for one in server.commands if one.startswith("MAIL")]


async def test_there_must_be_one_to_try(house: House) -> None:
    desk = Desk(house.store)
    with pytest.raises(OperationError, match="there is no smart host"):
        await desk.call("relay.test", TestRelay(), RelayTested)
    await set_(desk, to="far.example")
    with pytest.raises(OperationError, match="no server of its own"):
        await desk.call("relay.test", TestRelay(to="far.example"), RelayTested)
