"""What ``doctor`` says of the resolver: whether mail can leave, and whether DANE is on."""

import ipaddress
import time
from collections.abc import Iterator

import pytest

from malleposte.cli.doctor import sending
from malleposte.cli.doctor.check import Check
from malleposte.delivery.outbound.resolver import Resolver
from malleposte.node.config import Configuration
from malleposte.node.config_sending import Sending
from malleposte.operations.queue import QueuePage
from malleposte.operations.registry import Request, Response
from malleposte.operations.relays import Relays, RelayShown, RelayTested, TestRelay
from malleposte.operations.tls import Exceptions, TlsExceptionShown
from support.zone import SERVFAIL, Zone, serving


@pytest.fixture
def zone() -> Iterator[Zone]:
    zone = Zone()
    zone.add("org", soa="a.example. b.example. 1 2 3 4 5")
    with serving(zone):
        yield zone


def looked(
    zone: Zone, *, enabled: bool = True, dane: bool = True, ipv6: str = "", smart_host: str = ""
) -> list[Check]:
    """``ipv6``: our address."""
    wanted = Sending(
        enabled=enabled,
        dane=dane,
        resolvers="127.0.0.1",
        resolver_port=zone.port,
        ipv6=bool(ipv6),
        source_ipv6=ipv6,
        smart_host=smart_host,
    )
    return list(sending.checks(Configuration(sending=wanted)))


def test_a_validating_resolver_on_loopback_is_right(zone: Zone) -> None:
    zone.secure = {"org"}
    (check,) = looked(zone)
    assert (check.state, "DANE is on" in check.text) == ("ok", True)


def test_one_that_does_not_validate_is_told(zone: Zone) -> None:
    (check,) = looked(zone)
    assert check.state == "warn"
    assert "does not validate: DANE is off" in check.text
    assert "unbound" in check.remedy


def test_one_elsewhere_is_told_whatever_it_says(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone.secure = {"org"}
    monkeypatch.setattr(Resolver, "validating", False)
    (check,) = looked(zone)
    assert check.state == "warn"
    assert "not on this machine's loopback" in check.text
    assert "DANE is off" in check.text


def test_one_that_does_not_answer_is_wrong(zone: Zone) -> None:
    zone.broken["org"] = SERVFAIL
    (check,) = looked(zone)
    assert check.state == "wrong"
    assert "SERVFAIL: no mail can leave" in check.text


def test_who_does_not_want_dane_is_not_warned(zone: Zone) -> None:
    (check,) = looked(zone, dane=False)
    assert (check.state, check.text) == ("ok", "it answers; DANE is turned off (sending.dane)")


OURS = "2a0e:aaaa::1"


def test_an_ipv6_address_without_a_name_is_told(zone: Zone) -> None:
    _, check = looked(zone, ipv6=OURS)
    assert (check.name, check.state) == ("ipv6", "warn")
    assert check.text == f"nothing is sent by IPv6: our address {OURS} has no PTR record"
    assert "sending.ipv6" in check.remedy
    zone.add(ipaddress.ip_address(OURS).reverse_pointer, ptr="mail.here.example.")
    _, check = looked(zone, ipv6=OURS)
    assert "does not lead back to it" in check.text
    zone.add("mail.here.example", aaaa=OURS)
    assert [check.name for check in looked(zone, ipv6=OURS)] == ["resolver"]


def test_a_smart_host_asks_for_no_name(zone: Zone) -> None:
    assert len(looked(zone, ipv6=OURS, smart_host="relay.example")) == 1


def test_who_sends_nothing_needs_none(zone: Zone) -> None:
    assert looked(zone, enabled=False) == []


class Asked:
    """A caller that knows of some exceptions."""

    def __init__(self, *names: str, over: bool = False) -> None:
        self.found = tuple(
            TlsExceptionShown(
                destination=name, until=1_800_000_000, why="", made_at=0, made_by="", over=over
            )
            for name in names
        )

    async def call(self, name: str, *_: object) -> Exceptions:
        assert name == "tls.exceptions"
        return Exceptions(exceptions=self.found)


async def test_exceptions_are_told_so_that_nobody_forgets_them() -> None:
    names = [f"d{number}.example" for number in range(7)]
    (check,) = await sending.exceptions(Asked(*names))  # type: ignore[arg-type]
    assert check.state == "warn"
    assert "to d0.example until 2027-01-1" in check.text
    assert check.text.endswith(" and 2 more")
    assert await sending.exceptions(Asked("d.example", over=True)) == []  # type: ignore[arg-type]
    assert await sending.exceptions(Asked()) == []  # type: ignore[arg-type]


NOW = int(time.time())


class Queue:
    """A caller that knows a queue, and relays."""

    def __init__(
        self, *, waiting: int = 0, held: int = 0, oldest: int = 0, rests: bool = False
    ) -> None:
        self.page = QueuePage(
            messages=(), more=False, waiting=waiting, held=held, oldest=oldest, rests=rests
        )
        self.tried: list[TestRelay] = []

    async def call(self, name: str, request: Request, *_: object) -> Response:
        if name == "queue.list":
            return self.page
        if name == "relay.list":
            hosts = (
                ("to", "far.example", "good.example"),
                ("", "", "bad.example"),
                ("to", "x", ""),
            )
            return Relays(
                relays=tuple(
                    RelayShown(
                        kind=kind,
                        name=name,
                        host=host,
                        port=587,
                        tls="starttls",
                        verify=True,
                        user="",
                        password=False,
                    )
                    for kind, name, host in hosts
                ),
                sends=True,
            )
        assert isinstance(request, TestRelay)
        self.tried.append(request)
        return RelayTested(works=bool(request.to), words="535 who?")


@pytest.mark.parametrize(
    ("queue", "states", "words"),
    [
        (Queue(waiting=3, oldest=NOW), ["ok"], "3 recipients on their way"),
        (Queue(waiting=1, oldest=NOW, rests=True), ["warn"], "does not send"),
        (Queue(rests=True), ["ok"], "nothing is held"),
        (Queue(held=2, oldest=NOW), ["warn"], "2 recipients held"),
        (Queue(waiting=1, oldest=NOW - 50 * 3_600), ["warn"], "50 hours old"),
    ],
    ids=["fine", "rests", "rests-empty", "held", "old"],
)
async def test_the_queue_is_told_of(queue: Queue, states: list[str], words: str) -> None:
    found = await sending.queue(queue)  # type: ignore[arg-type]
    assert [check.state for check in found] == states
    assert words in found[0].text


async def test_each_relay_is_tried() -> None:
    queue = Queue()
    good, bad = await sending.relays(queue)  # type: ignore[arg-type]
    assert (good.state, bad.state) == ("ok", "wrong")
    assert "mail to far.example goes by good.example:587" in good.text
    assert "all other mail goes by bad.example:587, which does not work: 535 who?" in bad.text
    assert [one.to for one in queue.tried] == ["far.example", ""]
