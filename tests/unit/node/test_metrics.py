"""How the loop's lateness is measured; every figure stands in docs/metrics.md."""

import asyncio
import re
import time
from pathlib import Path

import pytest

from malleposte.node import metrics
from malleposte.node.metrics import Processor, measure_loop

DOCS = Path(__file__).parents[3] / "docs" / "metrics.md"


async def test_what_holds_the_loop_is_seen() -> None:
    """Computing and waiting on a disk are the loop's own doing."""
    delays: list[float] = []
    held: list[float] = []
    measuring = asyncio.create_task(measure_loop(delays.append, held.append, every=0.02))
    await asyncio.sleep(0.1)
    assert delays
    time.sleep(0.2)  # a call that blocks
    await asyncio.sleep(0.05)
    measuring.cancel()
    assert len(delays) == len(held)
    assert max(delays) >= 0.17
    assert all(h <= d for d, h in zip(delays, held, strict=True))
    assert max(held) > 0.05


async def test_what_the_machine_did_not_give_is_taken_off() -> None:
    """Late by 0.3 s of which 0.1 s were spent without a processor: 0.2 s are the loop's own."""
    delays: list[float] = []
    held: list[float] = []
    waited = 5.0
    measuring = asyncio.create_task(
        measure_loop(delays.append, held.append, every=0.02, waited=lambda: waited)
    )
    await asyncio.sleep(0.05)
    before = len(delays)
    time.sleep(0.3)
    waited += 0.1
    while len(delays) == before:
        await asyncio.sleep(0.001)
    measuring.cancel()
    assert delays[before] > 0.2
    assert held[before] == pytest.approx(delays[before] - 0.1)
    assert held[:before] == delays[:before]
    assert all(h <= d for d, h in zip(delays, held, strict=True))


def test_waiting_for_a_processor_is_counted_up() -> None:
    processor = Processor()
    before = processor.waited()
    until = time.monotonic() + 0.05
    while time.monotonic() < until:
        pass
    assert 0 <= processor.waited() - before < 10


def test_every_figure_stands_in_the_documents() -> None:
    made = set(re.findall(r'"(malleposte_[a-z0-9_]+)"', Path(metrics.__file__).read_text()))
    assert len(made) > 10
    assert made <= set(
        re.findall(r"^\| `(malleposte_[a-z0-9_]+)` \| ", DOCS.read_text(), re.MULTILINE)
    )
