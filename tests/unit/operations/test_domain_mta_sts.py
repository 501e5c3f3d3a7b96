"""How others are to encrypt mail to our domains: set, refused where mail would stay away, fetched live."""

import ipaddress
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from malleposte.delivery.tls_policies import StsSettings
from malleposte.operations.domain_mta_sts import PolicyShown, SetPolicy, ShowPolicy
from malleposte.operations.domain_records import DomainRecords, ShowRecords
from malleposte.operations.errors import OperationError
from support.certificates import Issued, issue
from support.https_host import HttpsHost
from support.store import House
from support.zone import SERVFAIL, Zone
from unit.operations.desk import Desk

HOST = "mail.example.org"
POLICY = f"version: STSv1\nmode: testing\nmx: {HOST}\nmax_age: 604800\n".encode()


@pytest.fixture
async def zone() -> AsyncIterator[Zone]:
    zone = Zone()
    await zone.start()
    zone.add("example.org", mx=[f"10 {HOST}."])
    yield zone
    zone.close()


@pytest.fixture
def desk(house: House, zone: Zone) -> Desk:
    return Desk(house.store, resolvers=("127.0.0.1",), resolver_port=zone.port)


async def set_(desk: Desk, mode: str = "", servers: tuple[str, ...] | None = None) -> PolicyShown:
    request = SetPolicy(domain="example.org", mode=mode, servers=servers)
    return await desk.call("domain.mta-sts-set", request, PolicyShown)


async def shown(desk: Desk) -> PolicyShown:
    return await desk.call("domain.mta-sts", ShowPolicy(domain="example.org"), PolicyShown)


async def test_it_is_set_and_shown_and_the_record_follows(desk: Desk) -> None:
    first = await shown(desk)
    assert (first.mode, first.servers, first.max_age) == ("testing", (HOST,), 604_800)
    assert first.url == "https://mta-sts.example.org/.well-known/mta-sts.txt"
    done = await set_(desk, "enforce", ("Backup.Example.NET.", HOST, "*.mx.example.net"))
    assert done == await shown(desk)
    assert (done.mode, done.servers) == (
        "enforce",
        (HOST, "backup.example.net", "*.mx.example.net"),
    )
    assert done.text.startswith("version: STSv1\r\nmode: enforce\r\nmx: mail.example.org\r\n")
    assert done.id != first.id
    records = await desk.call("domain.records", ShowRecords(domain="example.org"), DomainRecords)
    values = {one.name: one.value for one in records.records if one.kind == "TXT"}
    assert values["_mta-sts.example.org"] == f"v=STSv1; id={done.id}"
    # Each by itself.
    assert (await set_(desk, servers=())).text == done.text.replace(
        "mx: backup.example.net\r\nmx: *.mx.example.net\r\n", ""
    )
    assert (await set_(desk, "testing")).id == first.id
    assert [line[1] for line in await desk.audit()] == ["domain.mta-sts-set"] * 3


@pytest.mark.parametrize(
    ("mode", "servers", "words"),
    [
        ("strict", None, "the mode is one of none, testing, enforce"),
        ("testing", ("no name",), "'no name'"),
        ("testing", ("*.*.example.net",), "example.net"),
        ("testing", tuple(f"mx{n}.example.net" for n in range(21)), "at most 20 servers"),
        ("testing", ("a.example\r\nmode: none",), "mode: none"),
    ],
)
async def test_what_is_no_policy_is_refused(
    desk: Desk, mode: str, servers: tuple[str, ...] | None, words: str
) -> None:
    with pytest.raises(OperationError, match="(?s)" + words.replace("*", ".")):
        await set_(desk, mode, servers)
    assert (await shown(desk)).mode == "testing"


async def test_nothing_is_enforced_that_would_keep_mail_away(desk: Desk, zone: Zone) -> None:
    zone.records["example.org", "MX"] = [f"10 {HOST}.", "20 backup.example.net."]
    with pytest.raises(
        OperationError, match=r"name backup\.example\.net, which the policy does not"
    ):
        await set_(desk, "enforce")
    assert (await set_(desk, "testing")).words == ""
    assert (await set_(desk, "enforce", ("*.example.net",))).words == ""
    with pytest.raises(OperationError, match="would not deliver there"):
        await set_(desk, servers=())
    zone.broken["example.org"] = SERVFAIL
    assert "SERVFAIL" in (await set_(desk, servers=())).words


async def test_nothing_is_enforced_with_a_certificate_of_another_name(
    house: House, zone: Zone, tmp_path: Path
) -> None:
    path = tmp_path / "server.pem"
    path.write_bytes(issue("other.example.org").pem)
    desk = Desk(house.store, resolvers=("127.0.0.1",), resolver_port=zone.port, certificate=path)
    with pytest.raises(OperationError, match="the certificate is not for mail"):
        await set_(desk, "enforce")
    path.write_bytes(issue("other.example.org", HOST).pem)
    assert (await set_(desk, "enforce")).mode == "enforce"


# Live ---------------------------------------------------------------------------------------------


@dataclass
class Live:
    desk: Desk
    zone: Zone
    web: HttpsHost

    async def looked_at(self) -> tuple[str, str, bool] | None:
        """State, words, whether it counts; None: it was not looked at."""
        request = ShowRecords(domain="example.org", check=True)
        found = await self.desk.call("domain.records", request, DomainRecords)
        rows = [one for one in found.records if one.kind == "HTTPS"]
        assert all(not one.publish and one.purpose == "mta-sts" for one in rows)
        return (rows[0].state, rows[0].words, rows[0].needed) if rows else None


@pytest.fixture
async def live(house: House, zone: Zone, tmp_path: Path) -> AsyncIterator[Live]:
    authority: Issued = issue("authority", authority=True)
    web = HttpsHost(POLICY)
    await web.start("127.0.0.1", issue("mta-sts.example.org", by=authority).context(tmp_path))
    settings = StsSettings(
        port=web.port,
        authorities=authority.trusted(tmp_path),
        allowed=(ipaddress.ip_network("127.0.0.0/8"),),
    )
    desk = Desk(house.store, resolvers=("127.0.0.1",), resolver_port=zone.port, policies=settings)
    zone.add("mta-sts.example.org", a="127.0.0.1")
    zone.add("_mta-sts.example.org", txt='"v=STSv1; id=1"')
    yield Live(desk, zone, web)
    await web.close()


async def test_what_is_served_is_fetched_as_others_do(live: Live) -> None:
    assert await live.looked_at() == ("right", "", False)
    assert live.web.asked == 1
    live.web.body = POLICY.replace(b"604800", b"86400") + b"mx: more.example.net\n"
    assert (await live.looked_at() or "")[0] == "right", "served elsewhere, it may say more"


async def test_without_its_record_nobody_asks_for_it(live: Live) -> None:
    del live.zone.records["_mta-sts.example.org", "TXT"]
    assert await live.looked_at() is None
    assert live.web.asked == 0


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        ({"status": 404}, "different", "the policy could not be had: its web server answered 404"),
        (
            {"kind": "text/html"},
            "different",
            "no policy: it is \u00abtext/html\u00bb and not text/plain",
        ),
        ({"body": b"hello"}, "different", "no policy: line 1 is not of the form"),
        (
            {"body": POLICY.replace(b"testing", b"enforce")},
            "different",
            "its mode is enforce and not testing",
        ),
        ({"body": POLICY.replace(b"mail.", b"mx.")}, "different", f"it does not name {HOST}"),
        (
            {"status": 302, "headers": {"Location": "/policy"}},
            "different",
            "redirects elsewhere, which is not followed",
        ),
    ],
)
async def test_what_is_wrong_with_it_is_said(
    live: Live, change: dict[str, object], state: str, words: str
) -> None:
    for name, value in change.items():
        setattr(live.web, name, value)
    found = await live.looked_at()
    assert found is not None
    assert (found[0], found[2]) == (state, False)
    assert words in found[1]


async def test_a_server_that_the_policy_forgets_counts_once_it_is_enforced(live: Live) -> None:
    await set_(live.desk, "enforce")
    live.web.body = POLICY.replace(b"testing", b"enforce")
    assert await live.looked_at() == ("right", "", False)
    live.zone.add("example.org", mx="20 backup.example.net.")
    found = await live.looked_at()
    assert found is not None
    assert (found[0], found[2]) == ("different", True)
    assert "it does not name backup.example.net, which the MX records do" in found[1]
    live.zone.broken["example.org"] = SERVFAIL
    found = await live.looked_at()
    assert found is not None
    assert (found[0], found[2]) == ("unasked", False)


async def test_a_certificate_that_others_do_not_believe(
    live: Live, house: House, zone: Zone, tmp_path: Path
) -> None:
    settings = live.desk.context.settings.policies
    assert settings is not None
    other = issue("other", authority=True).trusted(tmp_path)
    strict = StsSettings(port=settings.port, authorities=other, allowed=settings.allowed)
    live.desk = Desk(
        house.store, resolvers=("127.0.0.1",), resolver_port=zone.port, policies=strict
    )
    found = await live.looked_at()
    assert found is not None
    assert found[0] == "different"
    assert "certificate" in found[1]


async def test_a_web_server_that_does_not_answer_is_no_verdict(live: Live) -> None:
    """The way from inside to one's own address is often closed."""
    await live.web.close()
    found = await live.looked_at()
    assert found is not None
    assert found[0] == "unasked"
    assert "does not answer" in found[1]
