"""Ratios are made within repetitions, and what weakens a figure is said."""

import math

import msgspec
import pytest

from malleposte.bench.measure import Sample
from malleposte.bench.report import (
    Measure,
    Report,
    SubjectEntry,
    compare,
    doubts,
    measures_of,
    pairs,
)
from malleposte.bench.spread import Spread, ratios, spread


def sample(value: float, *, cpu: float | None = None, unit: str = "/s", note: str = "") -> Sample:
    return Sample("R8", "delivered", unit, "more", value, cpu=cpu, client_share=0.1, note=note)


def measured(subject: str, *values: float, unit: str = "/s") -> Measure:
    samples = {number: [sample(value, unit=unit)] for number, value in enumerate(values)}
    return measures_of(subject, samples)[0]


def test_median_least_and_greatest() -> None:
    assert spread([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0, 3)
    assert spread([4.0, 1.0]) == Spread(2.5, 1.0, 4.0, 2)


def test_ratios_pair_the_same_repetition() -> None:
    """A slow minute slows both: 2 and 2, though the medians' quotient is not 2."""
    ours, theirs = {0: 20.0, 1: 200.0, 2: 1.0}, {0: 10.0, 1: 100.0, 3: 5.0}
    assert ratios(ours, theirs) == Spread(2.0, 2.0, 2.0, 2)


def test_no_ratio_without_a_common_repetition_or_over_zero() -> None:
    assert ratios({0: 1.0}, {1: 1.0}) is None
    assert ratios({0: 1.0}, {0: 0.0}) is None


def test_samples_are_gathered_by_figure() -> None:
    samples = {
        0: [sample(100.0, cpu=0.004, note="a")],
        1: [sample(300.0, cpu=0.002, note="a")],
    }
    (one,) = measures_of("sdbox", samples)
    assert one.values == {0: 100.0, 1: 300.0}
    assert one.cpu is not None
    assert math.isclose(one.cpu.median, 3.0)
    assert one.notes == ("a",)


def test_a_comparison_has_ratios_of_time_and_of_cpu() -> None:
    measures = [measured("ours", 300.0, 900.0), measured("sdbox", 100.0, 300.0)]
    cpu = {
        ("ours", "R8", "delivered"): {0: 1.0, 1: 1.0},
        ("sdbox", "R8", "delivered"): {0: 4.0, 1: 2.0},
    }
    (ratio,) = compare(measures, cpu, [("ours", "sdbox")])
    assert ratio.spread == Spread(3.0, 3.0, 3.0, 2)
    assert ratio.cpu == Spread(0.375, 0.25, 0.5, 2)


def test_a_figure_that_only_one_side_has_is_not_compared() -> None:
    assert compare([measured("ours", 1.0)], {}, [("ours", "sdbox")]) == []


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"a": True, "p": False, "q": False}, [("a", "p"), ("a", "q")]),
        ({"p": False, "q": False}, [("q", "p")]),
        ({"a": True, "b": True}, [("b", "a")]),
        ({"a": True}, []),
    ],
)
def test_ours_are_compared_with_peers(
    names: dict[str, bool], expected: list[tuple[str, str]]
) -> None:
    assert pairs(SubjectEntry(name, name, "", ours) for name, ours in names.items()) == expected


def test_few_repetitions_a_busy_client_and_different_hits_are_said() -> None:
    slow = Sample("I12", "NOOP", "ms", "less", 1.0, client_share=0.9)
    measures = [
        *measures_of("ours", {0: [slow]}),
        measured("ours", 490.0, unit="hits"),
        measured("sdbox", 485.0, unit="hits"),
    ]
    said = "\n".join(doubts(measures, repetitions=1, few=3))
    assert "orientation only" in said
    assert "90 %" in said
    assert "ours 490, sdbox 485" in said
    assert doubts([measured("ours", 1.0)], repetitions=3, few=3) == []


def test_errors_of_a_load_are_named() -> None:
    measures = [
        measured("ours", 0.0, 2.0, 0.0, unit="errors"),
        measured("sdbox", 0.0, unit="errors"),
    ]
    said = doubts(measures, repetitions=3, few=3)
    assert len(said) == 1
    assert "ours: 2 at most" in said[0]


def test_the_report_survives_json() -> None:
    report = Report("2026-01-01", {"kernel": "6"}, measures=[measured("ours", 1.0, 2.0)])
    again = msgspec.json.decode(msgspec.json.encode(report), type=Report)
    assert again == report
