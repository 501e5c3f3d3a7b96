"""What is pushed to clients that are not connected, by whom, and when it is tried again or given up."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from malleposte.directory.book import Book
from malleposte.egress.settings import EgressPolicy
from malleposte.secrets.sealing import KeyRing, NodeKey
from malleposte.services.jmap.webpush import PushSender, SenderSettings, VapidKept, sender
from malleposte.services.web import credential
from malleposte.store.commands import (
    AddPush,
    ChangePush,
    CloseWebSessions,
    OpenWebSession,
    SetAccount,
)
from malleposte.store.ids import account_text
from malleposte.store.read import push
from malleposte.store.results import Done
from support.certificates import Issued, issue
from support.store import House
from unit.services.jmap.webpush.receiver import Reader, Service
from unit.services.jmap.webpush.test_encryption import claims_of

TOKEN = b"t" * 32
# What the databases do apart is tested with the store.
pytestmark = pytest.mark.parametrize("place", ["sqlite"], indirect=True)


@dataclass
class Side:
    """The store, a push service, and clients behind it."""

    house: House
    service: Service
    folder: Path
    authority: Issued
    ring: KeyRing

    def worker(self, holder: str = "one", **policy: Any) -> PushSender:
        kept = VapidKept(self.house.store, lambda: self.ring, "mailto:x@mail.example.org")
        values: dict[str, Any] = {
            "allowed": (ipaddress.ip_network("127.0.0.0/8"),),
            "ports": frozenset((self.service.port,)),
            "plain_http": False,
            "authorities": self.authority.trusted(self.folder),
        }

        async def resolver(host: str, port: int) -> list[str]:
            return ["127.0.0.1"]

        settings = SenderSettings(
            EgressPolicy(**(values | policy)), self.house.clock.time, resolver
        )
        return PushSender(self.house.store, Book(self.house.store), kept, holder, settings)

    async def account(self, name: str) -> int:
        """One with a session of the web."""
        account = await self.house.account(name)
        command = OpenWebSession(
            token=TOKEN, account=account, version=1, idle=9_999_999, lasts=9_999_999, way="password"
        )
        await self.house.do(command, Done)
        return account

    async def subscribe(
        self, account: int, n: int = 7, *, types: str = "", keys: bool = True, proved: bool = True
    ) -> None:
        reader = self.service.reads.setdefault(f"/{n}", Reader())
        command = AddPush(
            account=account,
            n=n,
            credential=credential.of_session(int.from_bytes(TOKEN[:6])),
            device="phone",
            url=self.service.url(f"/{n}"),
            p256dh=reader.point if keys else b"",
            auth=reader.auth if keys else b"",
            code=f"code{n}",
            types=types,
            expires_at=int(self.house.clock.time()) + 30 * 86_400,
        )
        await self.house.do(command, Done)
        if proved:
            prove = ChangePush(
                account=account, n=n, credential=command.credential, code=command.code
            )
            await self.house.do(prove, Done)

    async def kept(self) -> list[push.Push]:
        """All there are."""
        rows = await self.house.rows("SELECT account, n, credential FROM push_subscription")
        found = []
        for account, n, by in rows:
            of = await push.subscriptions(self.house.store.reader, account, by, 0)
            found += [one for one in of if one.n == n]
        return sorted(found, key=lambda one: one.n)

    async def pushed(self, worker: PushSender) -> list[dict[str, Any]]:
        """What one look of a worker pushes."""
        await worker.look()
        await worker.settle()
        return self.service.messages()


@pytest.fixture
async def side(house: House, tmp_path: Path) -> AsyncIterator[Side]:
    authority = issue("authority", authority=True)
    service = Service()
    await service.start(issue("push.example.net", by=authority).context(tmp_path))
    yield Side(house, service, tmp_path, authority, KeyRing([NodeKey.random()]))
    await service.close()


async def test_the_code_is_pushed_first_and_nothing_else_until_it_came_back(side: Side) -> None:
    account, worker = await side.account("ada"), side.worker()
    await side.subscribe(account, proved=False)
    await side.house.deliver(account)
    assert await side.pushed(worker) == [
        {
            "@type": "PushVerification",
            "pushSubscriptionId": "P7",
            "verificationCode": "code7",
        }
    ]
    assert await side.pushed(worker) == []
    (one,) = await side.kept()
    change = ChangePush(account=account, n=7, credential=one.credential, code="code7")
    await side.house.do(change, Done)
    assert await side.pushed(worker) == []
    await side.house.deliver(account)
    (message,) = await side.pushed(worker)
    assert message["@type"] == "StateChange"


async def test_what_changed_is_pushed_as_the_rfcs_want_it(side: Side) -> None:
    account, worker = await side.account("ada"), side.worker()
    await side.subscribe(account)
    await side.house.deliver(account)
    await worker.look()
    await worker.settle()
    (taken,) = side.service.taken
    fields = taken.fields
    assert fields["content-type"] == "application/json"
    assert fields["content-encoding"] == "aes128gcm"
    assert (fields["ttl"], fields["urgency"]) == (str(7 * 86_400), "normal")
    assert 0 < len(fields["topic"]) <= 32
    claims, _ = claims_of(fields["authorization"])
    assert claims["aud"] == f"https://push.example.net:{side.service.port}"
    (message,) = side.service.messages()
    assert message["@type"] == "StateChange"
    kinds = {"Email", "Thread", "Mailbox", "EmailDelivery"}
    assert message["changed"][account_text(account)].keys() == kinds
    # Told once.
    side.house.clock.turn(60)
    assert await side.pushed(worker) == []


async def test_without_keys_it_is_pushed_as_it_is(side: Side) -> None:
    account, worker = await side.account("ada"), side.worker()
    await side.subscribe(account, keys=False, types='["EmailDelivery"]')
    await side.house.deliver(account)
    await worker.look()
    await worker.settle()
    assert "content-encoding" not in side.service.taken[0].fields
    (message,) = side.service.messages()
    assert message["changed"][account_text(account)].keys() == {"EmailDelivery"}


async def test_only_the_types_that_are_wanted_are_pushed(side: Side) -> None:
    account, worker = await side.account("ada"), side.worker()
    await side.subscribe(account, types='["EmailDelivery"]')
    await side.house.deliver(account)
    assert len(await side.pushed(worker)) == 1
    side.house.clock.turn(60)
    await side.house.flag((account << 32) | 1, flags=1)
    assert await side.pushed(worker) == []
    side.house.clock.turn(60)
    await side.house.deliver(account)
    assert len(await side.pushed(worker)) == 1


async def test_what_comes_soon_after_is_pushed_together(side: Side) -> None:
    account, worker = await side.account("ada"), side.worker()
    await side.subscribe(account)
    side.house.clock.stop()
    await side.house.deliver(account)
    assert len(await side.pushed(worker)) == 1
    await side.house.fill(account, 5)
    assert await side.pushed(worker) == []
    side.house.clock.turn(sender.PAUSE)
    assert len(await side.pushed(worker)) == 1


async def test_one_worker_pushes_and_another_goes_on_where_it_is_gone(side: Side) -> None:
    account = await side.account("ada")
    await side.subscribe(account)
    first, second = side.worker("one"), side.worker("two")
    await side.house.deliver(account)
    assert len(await side.pushed(first)) == 1
    side.house.clock.turn(sender.PAUSE)
    await side.house.deliver(account)
    assert await side.pushed(second) == []
    # The lease runs by the database's clock.
    await side.house.damage("UPDATE lease SET until = 0 WHERE name = 'web-push'")
    third = side.worker("three")
    assert len(await side.pushed(third)) == 1


async def test_what_was_not_noted_is_pushed_again(side: Side) -> None:
    """A worker that dies between a push and its note leaves nothing untold."""
    account, worker = await side.account("ada"), side.worker()
    await side.subscribe(account)
    await side.house.deliver(account)
    reached = asyncio.Event()

    async def stay() -> None:
        reached.set()
        await asyncio.sleep(60)

    side.service.before = stay
    await worker.look()
    await asyncio.wait_for(reached.wait(), 10)
    tasks = list(worker._busy.values())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    side.service.before = None
    side.service.taken.clear()
    assert len(await side.pushed(worker)) == 1


@pytest.mark.parametrize("status", [404, 410])
async def test_one_that_the_service_has_not_is_removed(side: Side, status: int) -> None:
    account, worker = await side.account("ada"), side.worker()
    await side.subscribe(account)
    await side.house.deliver(account)
    side.service.status = status
    await side.pushed(worker)
    assert await side.kept() == []


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_service_in_trouble_is_tried_later_and_later(side: Side, status: int) -> None:
    account, worker = await side.account("ada"), side.worker()
    await side.subscribe(account)
    now = side.house.clock.stop()
    await side.house.deliver(account)
    side.service.status = status
    waits = []
    for _ in range(12):
        assert len(await side.pushed(worker)) == 1
        (one,) = await side.kept()
        waits.append(one.due_at - now)
        now += waits[-1]
        side.house.clock.turn(waits[-1])
    assert waits[:3] == [30, 60, 120]
    assert waits[-1] == sender.LAST_RETRY
    assert str(status) in one.said
    side.service.status = 201
    assert len(await side.pushed(worker)) == 1
    (one,) = await side.kept()
    assert (one.failures, one.said) == (0, "")


@pytest.mark.parametrize(
    ("after", "wait"),
    [("120", 120), ("99999999999", 3_600), ("soon", 30), ("Fri, 01 Jan 2100 00:00:00 GMT", 3_600)],
)
async def test_a_service_says_when(side: Side, after: str, wait: int) -> None:
    account, worker = await side.account("ada"), side.worker()
    await side.subscribe(account)
    now = side.house.clock.stop()
    await side.house.deliver(account)
    side.service.status = 429
    side.service.fields = [("Retry-After", after)]
    await side.pushed(worker)
    (one,) = await side.kept()
    assert one.due_at - now == wait


@pytest.mark.parametrize("status", [302, 400, 401, 403, 413])
async def test_what_is_refused_for_good_is_given_up(side: Side, status: int) -> None:
    account, worker = await side.account("ada"), side.worker()
    await side.subscribe(account)
    await side.house.deliver(account)
    side.service.status = status
    side.service.fields = [("Location", side.service.url("/elsewhere"))]
    for _ in range(sender.GIVE_UP):
        assert len(await side.kept()) == 1
        assert len(await side.pushed(worker)) == 1
        side.house.clock.turn(3_600)
    assert await side.kept() == []


async def test_inner_networks_are_not_pushed_to(side: Side) -> None:
    account, worker = await side.account("ada"), side.worker(allowed=())
    await side.subscribe(account, proved=False)
    assert await side.pushed(worker) == []
    (one,) = await side.kept()
    assert "is in this machine" in one.said


async def test_a_certificate_that_is_none_is_not_pushed_to(side: Side) -> None:
    account, worker = await side.account("ada"), side.worker(authorities=None)
    await side.subscribe(account)
    await side.house.deliver(account)
    assert await side.pushed(worker) == []
    (one,) = await side.kept()
    assert "certificate" in one.said


async def test_a_session_that_ended_takes_its_subscriptions_along(side: Side) -> None:
    account, worker = await side.account("ada"), side.worker()
    await side.subscribe(account)
    await side.house.do(CloseWebSessions(account=account), Done)
    await side.house.deliver(account)
    assert await side.pushed(worker) == []
    assert await side.kept() == []


async def test_who_is_suspended_is_told_nothing_until_it_is_over(side: Side) -> None:
    account, worker = await side.account("ada"), side.worker()
    await side.subscribe(account)
    await side.house.do(SetAccount(account=account, status="suspended"), Done)
    await side.house.deliver(account)
    assert await side.pushed(worker) == []
    assert len(await side.kept()) == 1


async def test_time_takes_them_away(side: Side) -> None:
    account, worker = await side.account("ada"), side.worker()
    await side.subscribe(account)
    side.house.clock.turn(31 * 86_400)
    assert await side.pushed(worker) == []
    assert await side.kept() == []


async def test_one_account_does_not_take_all_places(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, worker = await side.account("ada"), side.worker()
    monkeypatch.setattr(sender, "EACH_AT_ONCE", 1)
    for n in (1, 2, 3):
        await side.subscribe(ada, n)
    await side.house.deliver(ada)
    assert len(await side.pushed(worker)) == 1
    assert len(await side.pushed(worker)) == 1
    monkeypatch.setattr(sender, "AT_ONCE", 0)
    assert await side.pushed(worker) == []


async def test_one_that_fails_does_not_hold_up_another(side: Side) -> None:
    account, worker = await side.account("ada"), side.worker()
    await side.subscribe(account, 1)
    await side.subscribe(account, 2)
    await side.house.deliver(account)
    side.service.by_path["/1"] = 500
    assert len(await side.pushed(worker)) == 2
    bad, good = await side.kept()
    assert (bad.failures, good.failures) == (1, 0)
    assert good.told > bad.told


async def test_a_worker_looks_by_itself(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "LOOK_EVERY", 0.02)
    account = await side.account("ada")
    await side.subscribe(account)
    task = asyncio.create_task(side.worker().run())
    try:
        await side.house.deliver(account)
        async with asyncio.timeout(10):
            while not side.service.taken:
                await asyncio.sleep(0.02)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert side.service.messages()[0]["@type"] == "StateChange"
