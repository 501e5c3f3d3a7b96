"""The policies of our domains, as other servers ask for them (RFC 8461 §3.3)."""

from collections.abc import AsyncIterator

import pytest

from malleposte.delivery.tls_policies.sts_policy import StsPolicy, read_policy
from malleposte.directory.book import Book
from malleposte.directory.mta_sts import own_policy
from malleposte.services.web.mta_sts import PATH, MtaStsSite
from malleposte.store.commands import CreateDomain, SetDomain
from malleposte.store.results import Created, Done
from support.store import House
from unit.services.web.harness import HOST, Answer, Served, serve

DAY = 86_400


def site(house: House) -> MtaStsSite:
    return MtaStsSite(house.store.reader, HOST)


@pytest.fixture
async def served(house: House) -> AsyncIterator[Served]:
    async with serve(book=Book(house.store), sites=[site(house)]) as served:
        yield served


async def get(served: Served, host: str, path: str = PATH, method: str = "GET") -> Answer:
    client = await served.connect()
    head = method == "HEAD"
    return await client.ask(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode(), head=head)


async def test_a_domain_is_in_testing_until_somebody_says_otherwise(served: Served) -> None:
    answer = await get(served, "mta-sts.example.org")
    assert (answer.status, answer.fields["content-type"]) == (200, "text/plain")
    assert read_policy(answer.body) == StsPolicy("testing", (HOST,), 7 * DAY)
    assert (await get(served, "MTA-STS.Example.Org:443")).body == answer.body
    assert (await get(served, "mta-sts.example.org", method="HEAD")).status == 200
    assert ("mta-sts", 200) in served.seen.requests


@pytest.mark.parametrize(("mode", "days"), [("none", 1), ("enforce", 14)])
async def test_what_is_set_is_served(served: Served, house: House, mode: str, days: int) -> None:
    servers = ("backup.example.net", "*.mx.example.net")
    await house.do(SetDomain(name="example.org", mta_sts=mode, mta_sts_mx=servers), Done)
    answer = await get(served, "mta-sts.example.org")
    assert answer.body.endswith(b"\r\n")
    assert read_policy(answer.body) == StsPolicy(mode, (HOST, *servers), days * DAY)  # type: ignore[arg-type]


async def test_each_name_of_a_domain_has_its_own(served: Served, house: House) -> None:
    """Other servers ask by the domain that stands behind the @."""
    await house.do(CreateDomain(name="xn--bcher-kva.example"), Created)
    await house.do(SetDomain(name="xn--bcher-kva.example", alias_of="example.org"), Done)
    await house.do(SetDomain(name="example.org", mta_sts="enforce"), Done)
    assert b"enforce" in (await get(served, "mta-sts.example.org")).body
    assert b"testing" in (await get(served, "mta-sts.xn--bcher-kva.example")).body


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("example.org", PATH, 404),
        (HOST, PATH, 404),
        ("autoconfig.example.org", PATH, 404),
        ("mta-sts.example.org", "/.well-known/mta-sts.txt/", 404),
        ("mta-sts.example.org", "/.well-known/MTA-STS.txt", 404),
        ("mta-sts.example.net", PATH, 421),
        ("mta-sts.mta-sts.example.org", PATH, 421),
        ("mta-sts", PATH, 421),
        ("mta-sts.", PATH, 421),
    ],
)
async def test_elsewhere_there_is_none(served: Served, host: str, path: str, status: int) -> None:
    assert (await get(served, host, path)).status == status


async def test_it_is_only_read(served: Served) -> None:
    answer = await get(served, "mta-sts.example.org", method="POST")
    assert (answer.status, answer.fields["allow"]) == (405, "GET, HEAD")


async def test_without_tls_there_is_none(house: House) -> None:
    """Whoever can change it on the way could turn it off."""
    async with serve(book=Book(house.store), sites=[site(house)], remote=True) as served:
        answer = await get(served, "mta-sts.example.org")
        assert answer.status == 302
        assert b"STSv1" not in answer.body


async def test_another_policy_has_another_id(house: House) -> None:
    ids = set()
    for mode in ("none", "testing", "enforce"):
        for servers in ((), ("backup.example.net",)):
            await house.do(SetDomain(name="example.org", mta_sts=mode, mta_sts_mx=servers), Done)
            policy = await own_policy(house.store.reader, "example.org")
            assert policy is not None
            ids |= {policy.id(HOST), policy.id("other.example.org")}
    assert len(ids) == 12
    assert all(one.isalnum() and len(one) <= 32 for one in ids), "RFC 8461 \u00a73.1"
