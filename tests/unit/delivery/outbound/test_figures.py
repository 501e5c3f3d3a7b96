"""What is told of the queue: outcomes as they are recorded, and how much waits."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from malleposte.delivery.outbound.outcome import Settled
from malleposte.node import metrics
from malleposte.node.queue_figures import QueueFigures
from malleposte.store.commands import DELIVERED, FAILED, WAITS, ChangeQueued, Outcome
from malleposte.store.results import Done, TakenMessage, TakenRecipient
from support.store import House
from unit.delivery.outbound.outside import Outside

NOW = 1_800_000_000


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def figures(registry: CollectorRegistry) -> QueueFigures:
    """Figures of their own, away from other tests'."""
    made = SimpleNamespace(
        outcomes=Counter("deliveries", "x", ["outcome"], registry=registry),
        delivery=Histogram("delivery_seconds", "x", registry=registry),
        queued=Gauge("queue", "x", ["state"], registry=registry),
        queue_oldest=Gauge("oldest", "x", registry=registry),
    )
    return QueueFigures(cast(metrics.Figures, made), clock=lambda: float(NOW))


def settled(state: int, said: str = "250 ok", age: int = 3) -> Settled:
    recipient = TakenRecipient(
        n=0,
        address="a@b.example",
        route="b.example",
        notify="",
        original="",
        attempt=1,
        warned=False,
    )
    values: dict[str, Any] = dict.fromkeys(("id", "trace", "account", "blob", "size", "needs"), 1)
    message = TakenMessage(
        **values,
        sender="",
        prefix=b"",
        ret="",
        envelope="",
        created_at=NOW - age,
        expires_at=NOW,
        recipients=(recipient,),
    )
    outcome = Outcome(message=1, n=0, attempt=1, state=state, said=said)
    return Settled(message, recipient, outcome)


def test_each_try_counts_once_and_what_was_not_tried_never(
    figures: QueueFigures, registry: CollectorRegistry
) -> None:
    figures.told([settled(DELIVERED), settled(WAITS, "450 later"), settled(FAILED, "550 no")])
    figures.told([settled(DELIVERED, age=-5), settled(WAITS, "")])
    value = registry.get_sample_value
    found = {
        outcome: value("deliveries_total", {"outcome": outcome})
        for outcome in ("delivered", "deferred", "failed")
    }
    assert found == {"delivered": 2, "deferred": 1, "failed": 1}
    assert value("delivery_seconds_count") == 2
    assert value("delivery_seconds_sum") == 3, "clocks that differ make no negative time"


async def test_what_waits_is_counted(
    figures: QueueFigures, registry: CollectorRegistry, outside_both: Outside
) -> None:
    house: House = outside_both.house
    await figures.look(house.store)
    value = registry.get_sample_value
    assert value("queue", {"state": "waiting"}) == value("oldest") == 0
    first = await outside_both.queue("a@there.example", "b@there.example")
    await outside_both.queue("c@there.example")
    number = await house.value("SELECT id FROM queue_message WHERE trace = $1", first)
    await house.do(ChangeQueued(messages=(number,), act="hold"), Done)
    await figures.look(house.store)
    assert value("queue", {"state": "waiting"}) == 1
    assert value("queue", {"state": "held"}) == 2
    made = await house.value("SELECT min(created_at) FROM queue_message")
    assert value("oldest") == max(0, NOW - made)
