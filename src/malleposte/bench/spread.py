"""Median, least and greatest of a few repetitions, and ratios made within one repetition."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """What the repetitions gave, in the unit of the values."""

    median: float
    least: float
    greatest: float
    count: int


def spread(values: Sequence[float]) -> Spread:
    """Summarise at least one value."""
    return Spread(statistics.median(values), min(values), max(values), len(values))


def ratios(values: dict[int, float], others: dict[int, float]) -> Spread | None:
    """`values` / `others`, repetition by repetition; None when no repetition has both.

    Ratios are formed inside a repetition (same minute, same state of the machine) and only then
    summarised. A zero below the line (CPU under one clock tick) gives no ratio.
    """
    pairs = [
        value / others[repetition]
        for repetition, value in values.items()
        if others.get(repetition, 0.0) > 0.0
    ]
    return spread(pairs) if pairs else None
