"""Dates of the protocol: `date-time` of INTERNALDATE and APPEND, `date` of SEARCH (RFC 9051 §9)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)
_MONTH: Final = {name.lower().encode("ascii"): n for n, name in enumerate(_MONTHS, 1)}
# One digit days are written " 1" (date-day-fixed); clients that write "1" or "01" are understood.
_DATE_TIME: Final = re.compile(
    rb" ?([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])"
    rb"([0-9]{2})([0-9]{2})"
)
# The seconds of the years 1 to 9999.
_FIRST: Final = -62_135_596_800
_LAST: Final = 253_402_300_799
# Android's mail program, and what phone makers made of it, put a time behind the day.
_DATE: Final = re.compile(
    rb"([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})( [0-9]{2}:[0-9]{2}:[0-9]{2}(?: [+-][0-9]{4})?)?"
)
_DAY: Final = timedelta(days=1)


def parse_date_time(raw: bytes) -> datetime | None:
    """An aware datetime in the zone given; None where the text is no possible moment.

    A leap second (`:60`) is taken as `:59`; a zone past 23:59 is refused.
    """
    match = _DATE_TIME.fullmatch(raw)
    if not match:
        return None
    day, month, year, hour, minute, second, sign, zone_h, zone_m = match.groups()
    number = _MONTH.get(month.lower())
    if number is None or int(zone_m) > 59 or int(zone_h) > 23:
        return None
    offset = timedelta(hours=int(zone_h), minutes=int(zone_m))
    try:
        return datetime(
            int(year),
            number,
            int(day),
            int(hour),
            int(minute),
            min(int(second), 59) if second == b"60" else int(second),
            tzinfo=timezone(-offset if sign == b"-" else offset),
        )
    except ValueError:
        return None


def format_date_time(moment: datetime) -> bytes:
    """`" 1-Feb-2026 03:04:05 +0100"` with its quotes. A naive datetime is UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    offset = moment.utcoffset() or timedelta(0)
    minutes = int(offset.total_seconds() // 60)
    sign = b"-" if minutes < 0 else b"+"
    hours, minutes = divmod(abs(minutes), 60)
    return b'"%2d-%b-%04d %02d:%02d:%02d %b%02d%02d"' % (
        moment.day,
        _MONTHS[moment.month - 1].encode("ascii"),
        moment.year,
        moment.hour,
        moment.minute,
        moment.second,
        sign,
        hours,
        minutes,
    )


def format_timestamp(seconds: float) -> bytes:
    """INTERNALDATE of a Unix time, in UTC, with its quotes; the nearest one that a calendar has."""
    return format_date_time(datetime.fromtimestamp(min(max(_FIRST, seconds), _LAST), UTC))


def parse_date(raw: bytes, *, end: bool = False) -> date | None:
    """A search date (`1-Feb-2026`); None where the text is no possible day.

    A time of day behind it is passed over (§6.4.4: times are disregarded). `end`: the days before it are
    meant, and the part of its own before the time with them, so that nothing searched for is missing.
    """
    match = _DATE.fullmatch(raw)
    if not match:
        return None
    number = _MONTH.get(match[2].lower())
    if number is None:
        return None
    try:
        day = date(int(match[3]), number, int(match[1]))
        return day + _DAY if end and match[4] else day
    except (ValueError, OverflowError):
        return None
