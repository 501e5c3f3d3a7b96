"""Values as vCard writes them: escaped texts, lists and structures, dates (RFC 6350 §3.4, §4)."""

import re
from typing import Any, Final

_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_PLAIN: Final = {"n": "\n", "N": "\n", ",": ",", ";": ";", ":": ":", "\\": "\\"}
_DATE: Final = re.compile(
    r"(?P<year>\d{4})(?:(?P<month>\d{2})(?P<day>\d{2})|-(?P<only>\d{2}))?"
    r"|--(?P<month2>\d{2})(?P<day2>\d{2})?|---(?P<day3>\d{2})"
)
_STAMP: Final = re.compile(
    r"(\d{4})-?(\d{2})-?(\d{2})T(\d{2}):?(\d{2}):?(\d{2})(?:\.\d{1,9})?(Z|[+-]00(?::?00)?)"
)


def text(value: str) -> str:
    """What is meant by an escaped text."""
    return _ESCAPED.sub(lambda one: _PLAIN.get(one[1], one[0]), value)


def escaped(value: str) -> str:
    """A text as it is written, on its own or in a list or structure."""
    value = value.replace("\\", "\\\\").replace("\r\n", "\n").replace("\r", "\n")
    return value.replace("\n", "\\n").replace(",", "\\,").replace(";", "\\;")


def split(value: str, separator: str) -> list[str]:
    """Parts of a value between separators that are not escaped; the parts stay escaped."""
    parts, start, place = [], 0, 0
    while place < len(value):
        if value[place] == "\\":
            place += 2
            continue
        if value[place] == separator:
            parts.append(value[start:place])
            start = place + 1
        place += 1
    return [*parts, value[start:]]


def listed(value: str) -> list[str]:
    """Texts of a list, without empty ones."""
    return [one for one in map(text, split(value, ",")) if one]


def structure(value: str) -> list[list[str]]:
    """Texts of a structure: each component is a list."""
    return [listed(component) for component in split(value, ";")]


def structured(components: list[list[str]]) -> str:
    """The same written."""
    return ";".join(",".join(map(escaped, one)) for one in components)


def stamp(value: str) -> str:
    """A UTCDateTime from a timestamp in UTC; '' from any other."""
    found = _STAMP.fullmatch(value)
    if found is None:
        return ""
    year, month, day, hour, minute, second, _ = found.groups()
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}Z"


def stamped(date: str) -> str:
    """A timestamp from a UTCDateTime."""
    return re.sub(r"\.\d+", "", date).replace("-", "").replace(":", "")


def date(value: str) -> dict[str, Any] | None:
    """A PartialDate or Timestamp (RFC 9553 §2.8.1); None: it is none."""
    at = stamp(value)
    if at:
        return {"@type": "Timestamp", "utc": at}
    found = _DATE.fullmatch(value)
    if found is None:
        return None
    parts = found.groupdict()
    named = {
        "year": parts["year"],
        "month": parts["month"] or parts["only"] or parts["month2"],
        "day": parts["day"] or parts["day2"] or parts["day3"],
    }
    numbers = {name: int(digits) for name, digits in named.items() if digits}
    if not 1 <= numbers.get("month", 1) <= 12 or not 1 <= numbers.get("day", 1) <= 31:
        return None
    return {"@type": "PartialDate", **numbers}


def dated(found: dict[str, Any]) -> str:
    """The same written; '' where that cannot be."""
    utc = found.get("utc")
    if isinstance(utc, str):
        return stamped(utc)
    year, month, day = found.get("year"), found.get("month"), found.get("day")
    if not all(one is None or (isinstance(one, int) and one >= 0) for one in (year, month, day)):
        return ""
    if year is not None:
        if month is None:
            return f"{year:04}"
        return f"{year:04}{month:02}{day:02}" if day is not None else f"{year:04}-{month:02}"
    if month is not None:
        return f"--{month:02}{day:02}" if day is not None else f"--{month:02}"
    return f"---{day:02}" if day is not None else ""
