"""TLS towards other servers by the command line: what a domain wants, exceptions until a date; audited."""

from collections.abc import AsyncIterator

import pytest

from malleposte.operations.errors import OperationError
from malleposte.operations.tls import (
    EndException,
    ExceptionEnded,
    Exceptions,
    ListExceptions,
    MakeException,
    ShowTls,
    TlsShown,
)
from malleposte.store.commands import MarkStsPolicy, PutStsPolicy, SetTlsException
from support.certificates import issue
from support.store import House
from support.zone import SERVFAIL, Zone
from unit.operations.desk import Desk

DAY = 86_400


@pytest.fixture
async def zone() -> AsyncIterator[Zone]:
    zone = Zone()
    await zone.start()
    zone.add("there.example", mx=["10 a.there.example.", "20 b.there.example."])
    for host in ("a", "b"):
        zone.add(f"{host}.there.example", a="192.0.2.1")
    yield zone
    zone.close()


@pytest.fixture
def desk(house: House, zone: Zone) -> Desk:
    return Desk(house.store, resolvers=("127.0.0.1",), resolver_port=zone.port)


async def listed(desk: Desk) -> Exceptions:
    return await desk.call("tls.exceptions", ListExceptions(), Exceptions)


async def make(desk: Desk, destination: str = "There.Example.", days: int = 7) -> Exceptions:
    request = MakeException(destination=destination, days=days, why="their key is over")
    return await desk.call("tls.except", request, Exceptions)


async def test_an_exception_has_an_end_and_can_be_ended_before(house: House, desk: Desk) -> None:
    now = house.clock.time()
    (made,) = (await make(desk)).exceptions
    assert (made.destination, made.why, made.over) == ("there.example", "their key is over", False)
    assert now + 7 * DAY - 60 < made.until <= now + 7 * DAY + 60
    assert (await listed(desk)).exceptions == (made,)
    (again,) = (await make(desk, days=30)).exceptions
    assert again.until > made.until
    ended = await desk.call("tls.end", EndException(destination="there.example"), ExceptionEnded)
    assert ended.destination == "there.example"
    assert (await listed(desk)).exceptions == ()
    with pytest.raises(OperationError, match=r"there is no exception for there\.example"):
        await desk.call("tls.end", EndException(destination="there.example"), ExceptionEnded)
    rows = await house.rows("SELECT operation, target, outcome FROM audit ORDER BY id")
    assert [row[0] for row in rows] == ["tls.except", "tls.except", "tls.end", "tls.end"]
    outcomes = await house.rows("SELECT outcome FROM audit ORDER BY id")
    assert [row[0] for row in outcomes[2:]] == ["done", "refused"]
    assert rows[0][1] == "There.Example."


async def test_one_that_is_over_is_shown_as_such(house: House, desk: Desk) -> None:
    command = SetTlsException(destination="there.example", until=1_000, why="", by="x")
    await house.store.submit(command)
    (one,) = (await listed(desk)).exceptions
    assert one.over


@pytest.mark.parametrize(
    ("destination", "days", "words"),
    [
        ("there.example", 0, "lasts 1 to 366 days"),
        ("there.example", 367, "lasts 1 to 366 days"),
        ("not a domain", 7, "is no domain name"),
        ("", 7, "is no domain name"),
        ("example.org", 7, "its mail does not leave it"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    desk: Desk, destination: str, days: int, words: str
) -> None:
    with pytest.raises(OperationError, match=words):
        await make(desk, destination, days)
    assert (await listed(desk)).exceptions == ()


async def shown(desk: Desk) -> TlsShown:
    return await desk.call("tls.show", ShowTls(domain="there.example"), TlsShown)


async def test_what_a_domain_wants_is_shown_for_each_server(
    house: House, desk: Desk, zone: Zone
) -> None:
    found = await shown(desk)
    assert found.validating
    assert found.policy is None
    assert [(one.host, one.wants) for one in found.servers] == [
        ("a.there.example", "nothing"),
        ("b.there.example", "nothing"),
    ]
    policy = "version: STSv1\nmode: enforce\nmx: a.there.example\nmax_age: 604800\n"
    await house.store.submit(
        PutStsPolicy(domain="there.example", id="1", policy=policy, seconds=604_800)
    )
    zone.add("_smtp._tls.there.example", txt='"v=TLSRPTv1; rua=mailto:tls@there.example"')
    found = await shown(desk)
    assert [one.wants for one in found.servers] == ["mta-sts", "refused"]
    assert "not among the servers" in found.servers[1].words
    assert found.reports == ("mailto:tls@there.example",)
    assert found.policy is not None
    assert (found.policy.mode, found.policy.hosts) == ("enforce", ("a.there.example",))
    assert found.policy.failed == ""
    await house.store.submit(MarkStsPolicy(domain="there.example", failed="answered 500"))
    found = await shown(desk)
    assert found.policy is not None
    assert found.policy.failed == "answered 500"


async def test_dane_is_shown_and_what_keeps_it_from_being_known(desk: Desk, zone: Zone) -> None:
    zone.secure = {"there.example"}
    zone.add("_25._tcp.a.there.example", tlsa=issue("a.there.example").tlsa(3))
    zone.broken["_25._tcp.b.there.example"] = SERVFAIL
    found = await shown(desk)
    assert [one.wants for one in found.servers] == ["dane", "refused"]
    assert "SERVFAIL" in found.servers[1].words


async def test_an_exception_is_shown_in_place_of_what_is_wanted(desk: Desk, zone: Zone) -> None:
    zone.secure = {"there.example"}
    zone.add("_25._tcp.a.there.example", tlsa=issue("a.there.example").tlsa(3))
    await make(desk)
    found = await shown(desk)
    assert {one.wants for one in found.servers} == {"exception"}


async def test_a_domain_that_is_not_there_is_told(desk: Desk) -> None:
    with pytest.raises(OperationError, match=r"there is no domain gone\.example"):
        await desk.call("tls.show", ShowTls(domain="gone.example"), TlsShown)
