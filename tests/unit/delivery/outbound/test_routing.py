"""Which way mail goes when it is queued, and how relays are named."""

import pytest

from malleposte.delivery.outbound import OutboundSettings, RelaySettings, Resolver, Routing
from malleposte.delivery.outbound.route import Ways
from malleposte.delivery.outbound.settings import relay_route
from malleposte.secrets.redaction import Secret

HUB = RelaySettings(host="Hub.example", user="u", password=Secret("p")).route
OTHER = RelaySettings(host="2001:db8::1", port=465).route


def test_routes_of_relays() -> None:
    assert HUB == "relay:hub.example:587"
    assert OTHER == "relay:[2001:db8::1]:465" == relay_route("2001:db8::1", 465)


@pytest.mark.parametrize(
    ("recipient", "sender", "route"),
    [
        ("a@there.example", "me@example.org", HUB),
        ("a@There.Example", "me@example.org", HUB),
        ("a@direct.example", "boss@example.org", "direct.example"),
        ("a@x.example", "boss@example.org", OTHER),
        ("a@x.example", "Me@Sales.Example", OTHER),
        ("a@x.example", "me@plain.example", "x.example"),
        ("a@x.example", "", HUB),
        ("a@x.example", "me@example.org", HUB),
    ],
)
def test_the_recipients_domain_counts_more_than_who_sends(
    recipient: str, sender: str, route: str
) -> None:
    routing = Routing(
        domains={"there.example": HUB, "direct.example": ""},
        senders={"boss@example.org": OTHER, "sales.example": OTHER, "plain.example": ""},
        smart_host=HUB,
    )
    assert routing.route_of(recipient, sender) == route


def test_without_settings_it_goes_to_the_domain() -> None:
    assert Routing().route_of("a@There.example", "me@example.org") == "there.example"


@pytest.mark.parametrize(
    ("route", "name", "port", "addresses"),
    [
        ("host:mail.inner.example:2525", "mail.inner.example", 2525, []),
        ("host:192.0.2.1:25", "192.0.2.1", 25, ["192.0.2.1"]),
        ("host:[2001:db8::1]:25", "2001:db8::1", 25, ["2001:db8::1"]),
    ],
)
async def test_a_domain_of_ours_at_another_server(
    route: str, name: str, port: int, addresses: list[str]
) -> None:
    """No MX is asked for: the domain's would lead back here."""
    way = await Ways(OutboundSettings(hello="mx.example.org"), Resolver()).of(route)
    (exchange,) = way.exchanges
    assert (exchange.name, exchange.port) == (name, port)
    assert [str(one) for one in exchange.addresses] == addresses
