"""INTERNALDATE, the date of APPEND, and the days of SEARCH."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from malleposte.wire.imap.dates import (
    format_date_time,
    format_timestamp,
    parse_date,
    parse_date_time,
)

_PST = timezone(timedelta(hours=-8))


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        (b"17-Jul-1996 02:44:25 -0700", datetime(1996, 7, 17, 9, 44, 25, tzinfo=UTC)),
        (b" 7-Feb-1994 21:52:25 -0800", datetime(1994, 2, 7, 21, 52, 25, tzinfo=_PST)),
        (b"7-feb-1994 21:52:25 -0800", datetime(1994, 2, 7, 21, 52, 25, tzinfo=_PST)),
        (b"29-Feb-2024 00:00:00 +0000", datetime(2024, 2, 29, tzinfo=UTC)),
        (b"31-Dec-2016 23:59:60 +0000", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (b"01-Jan-0001 00:00:00 +0000", datetime(1, 1, 1, tzinfo=UTC)),
        (b"31-Dec-9999 23:59:59 -2359", datetime(9999, 12, 31, 23, 59, 59,
         tzinfo=timezone(-timedelta(hours=23, minutes=59)))),
    ],
)  # fmt: skip
def test_parse_date_time(raw: bytes, moment: datetime) -> None:
    assert parse_date_time(raw) == moment


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"7-Feb-1994", b"30-Feb-1994 00:00:00 +0000", b"00-Jan-2020 00:00:00 +0000"),
        *(b"7-Foo-1994 21:52:25 -0800", b"7-Feb-94 21:52:25 -0800", b"7-Feb-1994 24:00:00 +0000"),
        *(b"7-Feb-1994 21:60:00 +0000", b"7-Feb-1994 21:52:61 +0000", b"7-Feb-0000 00:00:00 +0000"),
        *(b"7-Feb-1994 21:52:25 +2400", b"7-Feb-1994 21:52:25 +0060", b"7-Feb-1994 21:52:25 GMT"),
        *(b"  7-Feb-1994 21:52:25 -0800", b"7-Feb-1994 21:52:25 -0800 "),
    ],
)
def test_parse_date_time_refuses(raw: bytes) -> None:
    assert parse_date_time(raw) is None


def test_format_date_time() -> None:
    assert format_date_time(datetime(1994, 2, 7, 21, 52, 25, tzinfo=_PST)) == (
        b'" 7-Feb-1994 21:52:25 -0800"'
    )
    half = timezone(timedelta(hours=5, minutes=30))
    assert format_date_time(datetime(2026, 11, 25, tzinfo=half)) == (
        b'"25-Nov-2026 00:00:00 +0530"'
    )
    assert format_date_time(datetime(2026, 11, 25)) == b'"25-Nov-2026 00:00:00 +0000"'  # noqa: DTZ001
    odd = timezone(-timedelta(minutes=30))
    assert format_date_time(datetime(2026, 11, 5, tzinfo=odd)) == b'" 5-Nov-2026 00:00:00 -0030"'


def test_format_timestamp() -> None:
    assert format_timestamp(0) == b'" 1-Jan-1970 00:00:00 +0000"'


@pytest.mark.parametrize(
    "seconds", [-(1 << 70), -62_135_596_801, 253_402_300_800, 1 << 70, math.inf]
)
def test_a_timestamp_of_no_calendar_is_shown_all_the_same(seconds: float) -> None:
    """A row that says so must not end every session that lists the mailbox."""
    shown = format_timestamp(seconds)
    assert parse_date_time(shown[1:-1]) is not None


def test_formatted_dates_are_read_again() -> None:
    moment = datetime(2026, 3, 4, 5, 6, 7, tzinfo=_PST)
    assert parse_date_time(format_date_time(moment)[1:-1]) == moment


@pytest.mark.parametrize(
    ("raw", "day"),
    [
        (b"1-Feb-1994", date(1994, 2, 1)),
        (b"01-FEB-1994", date(1994, 2, 1)),
        (b"31-Dec-9999", date(9999, 12, 31)),
        (b"30-Feb-1994", None),
        (b"1-Feb-94", None),
        (b"1-Feb-1994 ", None),
        (b"1 Feb 1994", None),
        (b"1-Foo-1994", None),
    ],
)
def test_parse_date(raw: bytes, day: date | None) -> None:
    assert parse_date(raw) == day


@pytest.mark.parametrize(
    ("raw", "day", "end"),
    [
        (b"21-Nov-2026 08:30:00 +0100", date(2026, 11, 21), date(2026, 11, 22)),
        (b"21-Nov-2026 08:30:00", date(2026, 11, 21), date(2026, 11, 22)),
        (b"21-Nov-2026", date(2026, 11, 21), date(2026, 11, 21)),
        (b"31-Dec-9999 00:00:00 +0000", date(9999, 12, 31), None),
        (b"21-Nov-2026 08:30", None, None),
        (b"21-Nov-2026 ", None, None),
    ],
)
def test_a_time_behind_a_day_is_passed_over(raw: bytes, day: date | None, end: date | None) -> None:
    """As Android's programs send it; what they search up to a moment of a day is not left out."""
    assert parse_date(raw) == day
    assert parse_date(raw, end=True) == end
