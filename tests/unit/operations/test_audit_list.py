"""The audit, read: by actor, operation, target, outcome, time; page by page; and that somebody looked."""

import pytest

from malleposte.operations import audit_list
from malleposte.operations.audit_list import AuditPage, AuditShown, ListAudit
from malleposte.store.commands import RecordAudit
from malleposte.store.results import Done
from support.store import House
from unit.operations.desk import Desk

LINES = [
    ("local:0", "domain.add", "example.org", "done", '{"size": 1}'),
    ("ada@example.org", "queue.release", "this server", "done", '{"messages": "17"}'),
    ("ada@example.org", "queue.hold", "this server", "refused", '{"why": "no"}'),
    ("local:1000", "account.add", "Bob@example.org", "failed", "not JSON"),
]


async def written(house: House) -> None:
    for actor, operation, target, outcome, details in LINES:
        command = RecordAudit(
            actor=actor, operation=operation, target=target, outcome=outcome, details=details
        )
        await house.do(command, Done)
        house.clock.turn(100)


async def listed(desk: Desk, **how: object) -> list[AuditShown]:
    page = await desk.call("audit.list", ListAudit(**how), AuditPage)  # type: ignore[arg-type]
    return [line for line in page.lines if line.operation != "audit.list"]


@pytest.mark.parametrize(
    ("how", "found"),
    [
        ({}, ["account.add", "queue.hold", "queue.release", "domain.add"]),
        ({"actor": "ADA@"}, ["queue.hold", "queue.release"]),
        ({"operation": "queue"}, ["queue.hold", "queue.release"]),
        ({"operation": "queue.hold"}, ["queue.hold"]),
        ({"operation": "que"}, []),
        ({"target": "bob@"}, ["account.add"]),
        ({"outcome": "refused"}, ["queue.hold"]),
        ({"actor": "ada", "outcome": "done"}, ["queue.release"]),
    ],
)
async def test_lines_are_found_newest_first(
    house: House, desk: Desk, how: dict[str, object], found: list[str]
) -> None:
    await written(house)
    assert [line.operation for line in await listed(desk, **how)] == found


async def test_within_a_time(house: House, desk: Desk) -> None:
    house.clock.stop()
    now = int(house.clock.time())
    await written(house)
    found = await listed(desk, since=now + 100, until=now + 200)
    assert [line.operation for line in found] == ["queue.hold", "queue.release"]


async def test_details_are_shown_and_what_cannot_be_read_hides_nothing(
    house: House, desk: Desk
) -> None:
    await written(house)
    last, *_, first = await listed(desk)
    assert (first.actor, first.target, first.details) == ("local:0", "example.org", {"size": 1})
    assert last.details == {"unread": "not JSON"}


async def test_page_by_page(house: House, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await written(house)
    seen: list[str] = []
    below, pages = 0, 0
    while pages < 10:
        request = ListAudit(limit=3, below=below, target="e")
        page = await desk.call("audit.list", request, AuditPage)
        seen += [line.operation for line in page.lines if line.operation != "audit.list"]
        below, pages = page.below, pages + 1
        if not below:
            break
    assert seen == ["account.add", "queue.hold", "queue.release", "domain.add"]
    # A call looks through so many, and says where it stopped.
    monkeypatch.setattr(audit_list, "LOOKED_AT", 1)
    page = await desk.call("audit.list", ListAudit(actor="nobody"), AuditPage)
    assert (page.lines, page.below) == ((), 0)


async def test_who_looked_stands_in_it(desk: Desk) -> None:
    await listed(desk, actor="ada")
    ((actor, operation, _, outcome, details),) = await desk.audit()
    assert (actor, operation, outcome, details) == ("local:0", "audit.list", "done", {"of": "ada"})
