"""Dates as JMAP writes them (RFC 8620 §1.4)."""

import re
from datetime import UTC, datetime
from typing import Final

_UTC: Final = re.compile(
    r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](?:\.[0-9]{1,9})?Z"
)


def utc_date(seconds: int) -> str:
    """A UTCDate from Unix seconds; what no calendar holds becomes its first or last second."""
    seconds = min(max(seconds, -62_135_596_800), 253_402_300_799)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def seconds_of(text: str) -> int:
    """Unix seconds of a UTCDate; a fraction is left out, also one of zeros, which browsers write. Raises
    ``ValueError``."""
    if _UTC.fullmatch(text) is None:
        raise ValueError("a date is written as 2026-12-01T08:30:00Z")
    plain = text[:19].replace(":60", ":59")
    return int(datetime.strptime(plain, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp())
