"""How sessions went, counted: kept by the store, bounded whatever other servers do."""

import asyncio

import msgspec
import pytest

from malleposte.delivery.outbound.tls import TlsSession, Told
from malleposte.delivery.tls_reports import ledger as module
from malleposte.delivery.tls_reports.ledger import Ledger
from malleposte.store.commands import AddTlsResults, DropTlsResults, SweepTls, TlsCount
from malleposte.store.commands.tls import MOST_FAILURES
from malleposte.store.read import tls as kept
from support.store import House

DAY = 86_400
STS = Told("there.example", "sts", ("version: STSv1", "mode: enforce"), ("mx.there.example",))
GOOD = TlsSession("mx.there.example", "192.0.2.1", "192.0.2.9")


def bad(words: str = "", address: str = "192.0.2.1") -> TlsSession:
    return TlsSession("mx.there.example", address, "192.0.2.9", "certificate-expired", words)


async def results(house: House, day: int, domain: str = "there.example") -> list[kept.TlsResult]:
    return await kept.results(house.store.reader, day, domain)


async def test_sessions_are_summed_over_workers_and_flushes(house: House) -> None:
    today = int(house.clock.time()) // DAY
    for _ in range(2):
        ledger = Ledger(house.store, clock=house.clock.time)
        for session in (GOOD, GOOD, bad("it has run out")):
            ledger.add(STS, session)
        await ledger.flush()
        ledger.add(STS, GOOD)
        await ledger.close()
    good, failed = await results(house, today)
    assert (good.failure, good.sessions) == ("", 6)
    assert failed.sessions == 2
    assert (
        msgspec.json.decode(good.policy)
        == msgspec.json.decode(failed.policy)
        == {
            "policy-type": "sts",
            "policy-domain": "there.example",
            "policy-string": ["version: STSv1", "mode: enforce"],
            "mx-host": ["mx.there.example"],
        }
    )
    assert msgspec.json.decode(failed.failure) == {
        "result-type": "certificate-expired",
        "sending-mta-ip": "192.0.2.9",
        "receiving-mx-hostname": "mx.there.example",
        "receiving-ip": "192.0.2.1",
        "failure-reason-code": "it has run out",
    }


async def test_they_are_kept_by_themselves_after_a_while(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FLUSH_EVERY", 0.0)
    ledger = Ledger(house.store, clock=house.clock.time)
    ledger.add(STS, GOOD)
    async with asyncio.timeout(5):
        while not await results(house, int(house.clock.time()) // DAY):
            await asyncio.sleep(0.01)
    await ledger.close()


async def test_a_day_is_a_day_in_utc(house: House) -> None:
    ledger = Ledger(house.store, clock=house.clock.time)
    today = int(house.clock.time()) // DAY
    ledger.add(STS, GOOD)
    house.clock.turn(DAY)
    ledger.add(STS, GOOD)
    await ledger.close()
    assert [one.sessions for day in (0, 1) for one in await results(house, today + day)] == [1, 1]
    found = await kept.reported_domains(house.store.reader, before=today + 1, limit=10)
    assert found == [(today, "there.example")]


async def test_what_is_told_apart_is_bounded_in_memory(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 10)
    ledger = Ledger(house.store, clock=house.clock.time)
    for number in range(50):
        ledger.add(Told(f"d{number}.example", "no-policy-found"), GOOD)
    await ledger.close()
    count = await house.value("SELECT count(*) FROM tls_result")
    assert count == 10


async def test_failures_of_a_domain_are_bounded_in_the_store(house: House) -> None:
    """The rest is counted without its details."""
    ledger = Ledger(house.store, clock=house.clock.time)
    for number in range(MOST_FAILURES + 50):
        ledger.add(STS, bad(f"reason {number}"))
    await ledger.flush()
    for number in range(500, 600):
        ledger.add(STS, bad(f"reason {number}"))
    await ledger.close()
    found = await results(house, int(house.clock.time()) // DAY)
    assert sum(one.sessions for one in found) == MOST_FAILURES + 150
    assert len(found) == MOST_FAILURES + 1
    (rest,) = [one for one in found if "reason" not in one.failure]
    assert (rest.failure, rest.sessions) == ('{"result-type":"certificate-expired"}', 150)


async def test_policies_of_a_domain_are_bounded_too(house: House) -> None:
    counts = [
        TlsCount(domain="d.example", key=str(n), policy=str(n), failure="", sessions=1)
        for n in range(3 * MOST_FAILURES)
    ]
    for part in (counts[:150], counts[150:]):
        await house.store.submit(AddTlsResults(day=1, counts=tuple(part)))
    assert len(await results(house, 1, "d.example")) == 2 * MOST_FAILURES


async def test_a_policy_as_long_as_they_come_is_cut(house: House) -> None:
    ledger = Ledger(house.store, clock=house.clock.time)
    ledger.add(Told("d.example", "sts", ("x" * 1_000,) * 60, ("mx",)), bad("w" * 5_000))
    await ledger.close()
    (one,) = await results(house, int(house.clock.time()) // DAY, "d.example")
    assert len(one.policy) < 5_000
    assert len(one.failure) < 500


async def test_what_was_reported_is_dropped_and_what_is_old_is_swept(house: House) -> None:
    def count(day: int, domain: str) -> AddTlsResults:
        one = TlsCount(domain=domain, key="k", policy="{}", failure="", sessions=1)
        return AddTlsResults(day=day, counts=(one,))

    for day, domain in ((1, "a.example"), (1, "b.example"), (2, "a.example")):
        await house.store.submit(count(day, domain))
    await house.store.submit(DropTlsResults(day=1, domain="a.example"))
    assert await house.rows("SELECT day, domain FROM tls_result ORDER BY day, domain") == [
        (1, "b.example"),
        (2, "a.example"),
    ]
    await house.store.submit(SweepTls(before=2))
    assert await house.rows("SELECT day, domain FROM tls_result") == [(2, "a.example")]
