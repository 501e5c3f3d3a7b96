"""Dates as JMAP writes them (RFC 8620 §1.4)."""

import pytest

from malleposte.services.jmap.times import seconds_of, utc_date


@pytest.mark.parametrize("fraction", ["", ".5", ".120", ".000", ".123456789"])
def test_a_date_with_a_fraction(fraction: str) -> None:
    """Those of zeros should not be written (and browsers do): who asks is not refused for them."""
    assert seconds_of(f"2026-12-01T08:30:00{fraction}Z") == 1_796_113_800


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-12-01",
        "2026-12-01T08:30:00",
        "2026-12-01T08:30:00+01:00",
        "2026-12-01t08:30:00z",
        "2026-13-01T08:30:00Z",
        "2026-02-30T08:30:00Z",
        "2026-12-01T25:30:00Z",
        "2026-12-01T08:30:00.Z",
        "2026-12-01T08:30:00Z\n",
        "٢٠٢٦-12-01T08:30:00Z",
    ],
)
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        seconds_of(text)


def test_there_and_back() -> None:
    for seconds in (0, 1, 1_796_113_800, 253_402_300_799, -62_135_596_800):
        assert seconds_of(utc_date(seconds)) == seconds
    assert seconds_of(utc_date(1 << 60)) == 253_402_300_799
