"""Date-times of header fields (RFC 5322 §3.3, §4.3) as senders write them.

Reads obsolete and military zones, two- and three-digit years, missing seconds, comments, months
as numbers, a trace in front (`…; date`). What is no date is None; nothing raises.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final, NamedTuple

from .headers import collapse
from .parameters import skip_comment

_EPOCH: Final = date(1970, 1, 1).toordinal()
DATE_BYTES: Final = 1_000  # of a field that are looked at; a date has 31, a trace before it 300


class DateTime(NamedTuple):
    """A date-time as written; `zone` is minutes east of Greenwich."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    zone: int

    def timestamp(self) -> int:
        """Unix seconds; a leap second counts as the one after it."""
        days = date(self.year, self.month, self.day).toordinal() - _EPOCH
        return days * 86_400 + self.hour * 3_600 + (self.minute - self.zone) * 60 + self.second


_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        b"jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1
    )
}
# RFC 5322 §4.3; of the military zones only Z can be trusted, the others are read as +0000.
_ZONES: Final = {
    b"edt": -240,
    b"est": -300,
    b"cdt": -300,
    b"cst": -360,
    b"mdt": -360,
    b"mst": -420,
    b"pdt": -420,
    b"pst": -480,
    # Not in the RFC, frequent in old mail.
    b"bst": 60,
    b"cet": 60,
    b"met": 60,
    b"mez": 60,
    b"cest": 120,
    b"mest": 120,
    b"mesz": 120,
    b"eet": 120,
    b"eest": 180,
    b"msk": 180,
    b"jst": 540,
    b"kst": 540,
    b"aest": 600,
    b"aedt": 660,
    b"hst": -600,
}
_USUAL: Final = re.compile(
    rb"\s*(?:[A-Za-z]{3},)?\s*(\d{1,2})\s+([A-Za-z]{3})\s+(\d{4})\s+"
    rb"(\d{1,2}):(\d\d)(?::(\d\d))?\s+([+-])(\d\d)(\d\d)(?!\d)"
)


def date_time(value: bytes) -> DateTime | None:
    """The date-time of a raw field value."""
    match = _USUAL.match(value)
    if match is not None:
        day, name, year, hour, minute, second, sign, zone_hour, zone_minute = match.groups()
        month = _MONTHS.get(name.lower())
        if month is None:
            return None
        zone = int(zone_hour) * 60 + int(zone_minute)
        return _checked(
            int(year),
            month,
            int(day),
            int(hour),
            int(minute),
            int(second) if second is not None else 0,
            -zone if sign == b"-" else zone,
        )
    return _loose(value[:DATE_BYTES])


def _checked(
    year: int, month: int, day: int, hour: int, minute: int, second: int, zone: int
) -> DateTime | None:
    if hour > 23 or minute > 59 or second > 60:
        return None
    if not -1_440 < zone < 1_440:
        zone = 0  # nonsense for a zone: the rest of the date still stands
    try:
        date(year, month, day)
    except ValueError:
        return None
    return DateTime(year, month, day, hour, minute, second, zone)


_ISO: Final = re.compile(rb"\s*(\d{4})-(\d\d)-(\d\d)[Tt ](.*)", re.DOTALL)
_FRACTION: Final = re.compile(rb"(:\d\d)\.\d{1,9}")
_PIECE: Final = re.compile(rb"[A-Za-z][A-Za-z0-9]*+|[+-]?\d+")


def _loose(value: bytes) -> DateTime | None:
    """Pieces in the usual order: day, month, year, hour, minute, second, zone.

    A month's name may stand anywhere; in front of all numbers it announces the form of ctime,
    with the year at the end.
    """
    text = _without_comments(collapse(value))
    text = _FRACTION.sub(rb"\1", text[text.rfind(b";") + 1 :])
    iso = _ISO.match(text)
    if iso is not None:
        text = b" ".join((iso[3], iso[2], iso[1], iso[4]))
    numbers: list[int] = []  # day, (month,) year, hour, minute, second
    month = zone = 0
    ctime = False
    twelve = 0  # hours to add for PM
    for piece in _PIECE.findall(text):
        wanted = 6 - (month != 0)
        if piece[:1].isalpha():
            word = piece.lower()
            known = _MONTHS.get(word[:3], 0)
            if known and not month and len(numbers) < 2:
                month, ctime = known, not numbers
            elif len(numbers) > 2 and word == b"pm":
                twelve = 12
            elif len(numbers) > 2:
                zone = _ZONES.get(word) or _ZONES.get(word[:3], zone)
        elif len(piece) > 5:
            break
        elif len(numbers) < wanted and (piece[:1].isdigit() or len(numbers) < 3):
            numbers.append(int(piece.lstrip(b"+-")))
        else:
            amount = int(piece.lstrip(b"+-"))
            zone = amount // 100 * 60 + amount % 100
            if len(piece) < 4 and not piece[:1].isdigit():
                zone = amount * 60  # GMT+1
            zone = -zone if piece.startswith(b"-") else zone
            if not ctime:
                break
    if month:
        if ctime and len(numbers) == 5:
            numbers = [numbers[0], numbers[4], *numbers[1:4]]
        numbers.insert(1, month)
    if len(numbers) < 5:
        return None
    day, month, year, hour, minute = numbers[:5]
    second = numbers[5] if len(numbers) > 5 else 0
    if hour < 12:
        hour += twelve
    return _checked(_whole_year(year), month, day, hour, minute, second, zone)


def _whole_year(year: int) -> int:
    """RFC 5322 §4.3: two digits are 1950 to 2049, three count from 1900."""
    if year < 50:
        return year + 2000
    return year + 1900 if year < 1000 else year


def _without_comments(text: bytes) -> bytes:
    kept: list[bytes] = []
    at = 0
    while (start := text.find(b"(", at)) >= 0:
        kept.append(text[at:start])
        at = skip_comment(text, start)
    kept.append(text[at:])
    return b" ".join(kept)
