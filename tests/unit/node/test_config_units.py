"""Sizes and durations: exact, without guessing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malleposte.node.config_units import (
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("50 MB", 50_000_000),
        ("50mb", 50_000_000),
        ("1.5 GiB", 3 * 2**29),
        ("19 MiB", 19 * 2**20),
        ("64 kB", 64_000),
        ("64 KiB", 65_536),
        ("4096", 4096),
        ("0", 0),
        ("7 B", 7),
        (" 1 TB ", 10**12),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "MB", "-1", "1 XB", "1,5 MB", "1.5", "0.0001 kB", "1 MB 2", "1e3", "９", "1" * 16]
)
def test_no_sizes(text: str) -> None:
    with pytest.raises(ValueError):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("14d", 1_209_600), ("1h30m", 5400), ("1h 30m", 5400), ("0s", 0), ("90m", 5400)],
)
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "s", "30 sec", "1m1h", "1h1h", "-1s", "1.5h", "1w"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError):
        parse_duration(text)


@given(st.integers(0, 10**15))
def test_a_size_comes_back_as_it_was(size: int) -> None:
    assert parse_size(format_size(size)) == size


@given(st.integers(1, 10**6), st.sampled_from([1000, 1024, 1000**2, 1024**2, 1000**3, 1024**3]))
def test_a_round_size_comes_back_as_it_was(count: int, unit: int) -> None:
    assert parse_size(format_size(count * unit)) == count * unit


@given(st.integers(0, 10**12))
def test_a_duration_comes_back_as_it_was(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


def test_the_forms_shown_are_those_people_write() -> None:
    assert [format_size(n) for n in (50_000_000, 19 * 2**20, 0, 8192)] == [
        "50 MB",
        "19 MiB",
        "0 B",
        "8 KiB",
    ]
    assert [format_duration(n) for n in (5400, 14 * 86400, 0)] == ["1h30m", "14d", "0s"]
