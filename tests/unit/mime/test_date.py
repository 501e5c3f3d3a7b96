"""Dates of RFC 5322, RFC 822 and of nobody."""

from __future__ import annotations

import pytest

from malleposte.mime import DateTime, date_time

FIRST = DateTime(2003, 7, 1, 10, 52, 37, 120)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"Tue, 1 Jul 2003 10:52:37 +0200", FIRST),
        (b" Tue,  1 JUL 2003 10:52:37 +0200 (CEST)", FIRST),
        (b"1 July 2003 10:52:37 +0200", FIRST),
        (b"Tue, 1 Jul 2003 (c (d)) 10:52:37 +0200", FIRST),
        (b"Tue, 1-Jul-2003 10:52:37 +0200", FIRST),
        (b"Tue, 1 Jul 03 10:52:37 +0200", FIRST),
        (b"Tue, 1 Jul 103 10:52:37 +0200", FIRST),
        (b"Tue, 1 Jul 2003\r\n 10:52:37 +0200", FIRST),
        (b"2003-07-01T10:52:37+0200", FIRST),
        (b"Tue Jul  1 10:52:37 2003 +0200", FIRST),
        (b"from a by b with c; Tue, 1 Jul 2003 10:52:37 +0200", FIRST),
        (b"1 Jul 2003 10:52:37.123 +0200", FIRST),
        (b"1 Jul 2003 10:52 +0200", FIRST._replace(second=0)),
        (b"Tue Jul  1 10:52:37 2003", FIRST._replace(zone=0)),
        (b"Tue Jul  1 10:52:37 EDT 2003", FIRST._replace(zone=-240)),
        (b"1 Jul 2003 10:52:37 PST", FIRST._replace(zone=-480)),
        (b"1 Jul 2003 10:52:37 GMT", FIRST._replace(zone=0)),
        (b"1 Jul 2003 10:52:37 GMT+2", FIRST),
        (b"1 Jul 2003 10:52:37 UTC-05", FIRST._replace(zone=-300)),
        (b"1 Jul 2003 10:52:37 A", FIRST._replace(zone=0)),
        (b"1 Jul 2003 10:52:37", FIRST._replace(zone=0)),
        (b"1 Jul 2003 10:52:37 +9999", FIRST._replace(zone=0)),
        (b"1 Jul 2003 10:52:37 PM +0200", FIRST._replace(hour=22)),
        (b"1 Jul 49 10:52:37 +0200", FIRST._replace(year=2049)),
        (b"1 Jul 50 10:52:37 +0200", FIRST._replace(year=1950)),
    ],
)
def test_dates_as_they_come(value: bytes, found: DateTime) -> None:
    assert date_time(value) == found


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"yesterday",
        b"31 Feb 2003 10:52:37 +0200",
        b"1 Foo 2003 10:52:37 +0200",
        b"1 Jul 2003 25:52:37 +0200",
        b"1 Jul 2003 10:60:37 +0200",
        b"1 Jul 2003",
        b"0 Jul 2003 10:52:37 +0200",
        b"1 Jul 99999 10:52:37 +0200",
        b"(" * 10_000,
    ],
)
def test_what_is_no_date(value: bytes) -> None:
    assert date_time(value) is None


def test_seconds_of_unix() -> None:
    assert FIRST.timestamp() == 1_057_049_557
    assert FIRST._replace(zone=-330).timestamp() == 1_057_049_557 + 450 * 60
    assert DateTime(1969, 12, 31, 23, 59, 60, 0).timestamp() == 0
    assert DateTime(1, 1, 1, 0, 0, 0, 0).timestamp() == -62_135_596_800
