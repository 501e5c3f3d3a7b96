"""Relays by recipient and sender: who sends by which; what is queued follows a change; none is stranded."""

import base64

import pytest

from malleposte.delivery.outbound import RelaySettings, Routing
from malleposte.delivery.outbound.relays import Relays, mark_of, route_of_rule
from malleposte.delivery.outbound.rerouting import reroute
from malleposte.secrets.redaction import Secret
from malleposte.secrets.sealing import KeyRing, NodeKey
from malleposte.store.commands import DropRelay, PutRelay, RelayRow
from malleposte.store.commands.relays import secret_name
from malleposte.store.results import Done
from support.scripted_smtp import Manner
from support.store import House
from unit.delivery.outbound.outside import Outside

RING = KeyRing([NodeKey.random()])
SMART = RelaySettings(host="smart.example", port=587)


async def put(
    house: House, kind: str, name: str, host: str, password: str = "", **more: object
) -> None:
    sealed = RING.seal(secret_name(kind, name), Secret(password.encode())) if password else b""
    command = PutRelay(kind=kind, name=name, host=host, sealed=sealed, key_id="k", **more)  # type: ignore[arg-type]
    await house.do(command, Done)


async def test_the_recipients_domain_counts_before_the_sender_and_he_before_the_rest(
    house: House,
) -> None:
    relays = Relays(SMART, lambda: RING)
    routing, by_route = relays.routing, relays.by_route
    assert routing.route_of("x@far.example", "ada@ours.example") == "relay:smart.example:587"
    await put(house, "to", "far.example", "to.example", "secret", login="us", port=2525)
    await put(house, "from", "ours.example", "from.example", verify=False, tls="implicit")
    await put(house, "from", "ada@ours.example", "ada.example")
    await put(house, "to", "direct.example", "")
    await relays.refresh(house.store.reader)
    assert [
        routing.route_of(*pair)
        for pair in (
            ("x@Far.example", "ada@ours.example"),
            ("x@else.example", "Ada@ours.example"),
            ("x@else.example", "bob@ours.example"),
            ("x@direct.example", "ada@ours.example"),
            ("x@else.example", "eve@theirs.example"),
        )
    ] == [
        "relay:to.example:2525/to:far.example",
        "relay:ada.example:587/from:ada@ours.example",
        "relay:from.example:587/from:ours.example",
        "direct.example",
        "relay:smart.example:587",
    ]
    known = by_route["relay:to.example:2525/to:far.example"]
    assert (known.host, known.port, known.user) == ("to.example", 2525, "us")
    assert known.password.reveal() == "secret"
    other = by_route["relay:from.example:587/from:ours.example"]
    assert (other.verify, other.implicit, other.tls) == (False, True, True)
    await house.do(DropRelay(kind="to", name="far.example"), Done)
    await relays.refresh(house.store.reader)
    assert "relay:to.example:2525/to:far.example" not in by_route
    assert routing.route_of("x@far.example", "") == "relay:smart.example:587"


async def test_a_password_that_cannot_be_opened_leaves_the_others_alone(house: House) -> None:
    await put(house, "to", "far.example", "to.example", "secret")
    await put(house, "to", "near.example", "near.relay.example")
    relays = Relays(None, lambda: KeyRing([NodeKey.random()]))
    await relays.refresh(house.store.reader)
    assert list(relays.by_route) == ["relay:near.relay.example:587/to:near.example"]


@pytest.mark.parametrize(
    "other",
    [
        Routing(),
        Routing(smart_host="relay:b:587"),
        Routing(smart_host="relay:a:587", domains={"x.example": ""}),
        Routing(smart_host="relay:a:587", senders={"x.example": ""}),
    ],
    ids=["none", "another", "domain", "sender"],
)
def test_routings_are_told_apart(other: Routing) -> None:
    assert mark_of(other) != mark_of(Routing(smart_host="relay:a:587"))
    assert mark_of(other) == mark_of(other)


async def routes(house: House) -> list[str]:
    rows = await house.rows("SELECT route FROM queue_recipient ORDER BY address")
    return [row[0] for row in rows]


async def test_what_is_queued_follows_the_routing_once(outside_both: Outside) -> None:
    house = outside_both.house
    await outside_both.queue("a@far.example", "b@near.example", routes=["far.example", "here:"])
    smart = Routing(smart_host="relay:smart.example:587")
    assert await reroute(house.store, smart) == 1
    assert await routes(house) == ["relay:smart.example:587", "here:"]
    await house.do(PutRelay(kind="to", name="x", host=""), Done)  # anything else that is written
    assert await reroute(house.store, smart) == 0
    assert await reroute(house.store, Routing()) == 1
    assert await routes(house) == ["far.example", "here:"]


async def test_by_a_relay_that_is_gone_it_goes_by_what_there_is(outside_both: Outside) -> None:
    """A smart host that was turned off, or has another port now."""
    server = await outside_both.server()
    outside_both.domain()
    await outside_both.queue("a@there.example", routes=["relay:gone.example:587"])
    (attempt,) = await outside_both.go(routing=Routing())
    assert attempt.outcome == "delivered"
    assert len(server.accepted) == 1


async def test_two_senders_sign_in_each_for_himself_at_one_server(outside: Outside) -> None:
    """And with the password that a rule has now, not that of the connections before."""
    server = await outside.server(1, Manner(can=("AUTH PLAIN",)))
    relays = Relays(None, lambda: RING)
    for who in ("ada", "bob"):
        await put(
            outside.house,
            "from",
            f"{who}@example.org",
            "127.0.0.1",
            "secret",
            login=who,
            port=outside.port,
            tls="none",
        )
    await relays.refresh(outside.house.store.reader)
    for who in ("ada", "bob"):
        await outside.queue("x@far.example", sender=f"{who}@example.org", data=who.encode())
    attempts = await outside.go(routing=relays.routing, relays=relays.by_route)
    assert [one.outcome for one in attempts] == ["delivered", "delivered"]
    signed = [one.split()[2] for one in server.commands if one.startswith("AUTH")]
    assert sorted(base64.b64decode(one) for one in signed) == [
        b"\0ada\0secret",
        b"\0bob\0secret",
    ]


def test_a_rule_is_named_by_what_it_is_for() -> None:
    rule = RelayRow(
        kind="from",
        name="ada@example.org",
        host="2001:db8::1",
        port=25,
        tls="none",
        verify=True,
        login="",
        changed_at=1,
        sealed=b"",
    )
    assert route_of_rule(rule) == "relay:[2001:db8::1]:25/from:ada@example.org"
