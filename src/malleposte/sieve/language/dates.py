"""Tests of dates: date and currentdate (RFC 5260 §4, §5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Final

from malleposte.mime import date_time
from malleposte.sieve.header_names import INDEX_TAGS, chosen_fields, field_names
from malleposte.sieve.matching import MATCH_TAGS, matching
from malleposte.sieve.run import Run
from malleposte.sieve.scope import Asks, CommandRule, Scope, TestRule
from malleposte.sieve.signature import STRING, STRINGS, Bound, Signature, TagRule
from malleposte.sieve.text import Text
from malleposte.sieve.tree import Test

_ZONE: Final = re.compile(r"([+-])([0-9]{2})([0-5][0-9])\Z")
_JULIAN: Final = 678_576
"""Day 0 of the Modified Julian Day (17 November 1858), in Python's days."""


def _zone(when: datetime) -> str:
    minutes = int((when.utcoffset() or timedelta()).total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"


def _iso(when: datetime) -> str:
    zone = _zone(when)
    shown = "Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}"  # §4.2
    return f"{when.year:04}-{when:%m-%dT%H:%M:%S}{shown}"


def _std11(when: datetime) -> str:
    """RFC 5322 §3.3. The wall time alone is formatted there: a zone may have seconds."""
    return format_datetime(when.replace(tzinfo=UTC)).removesuffix("+0000") + _zone(when)


_PARTS: Final[dict[str, Callable[[datetime], str]]] = {
    "year": lambda when: f"{when.year:04}",
    "month": lambda when: f"{when.month:02}",
    "day": lambda when: f"{when.day:02}",
    "date": lambda when: f"{when.year:04}-{when.month:02}-{when.day:02}",
    "julian": lambda when: str(when.toordinal() - _JULIAN),
    "hour": lambda when: f"{when.hour:02}",
    "minute": lambda when: f"{when.minute:02}",
    "second": lambda when: f"{when.second:02}",
    "time": lambda when: f"{when:%H:%M:%S}",
    "iso8601": _iso,
    "std11": _std11,
    "zone": _zone,
    "weekday": lambda when: str(when.isoweekday() % 7),
}


def _part(scope: Scope, text: Text) -> Callable[[Run], Callable[[datetime], str] | None]:
    """The part of a date that is asked for (§4.2); a name that is none matches nothing."""
    if text.constant is None:
        return lambda run: _PARTS.get(text.get(run).lower())
    part = _PARTS.get(text.constant.lower())
    if part is None:
        scope.wrong(text.at, f"{text.constant[:60]!r} is no part of a date: {', '.join(_PARTS)}")
    return lambda run: part


Shift = Callable[[Run, datetime], datetime]


def _shift(scope: Scope, bound: Bound) -> Shift:
    """Into the zone that is asked for; without one, the account's."""
    if "originalzone" in bound.tags:
        return lambda run, when: when
    if "zone" not in bound.tags:
        return lambda run, when: _in_zone(when, run)
    zone = scope.text(bound.tags["zone"])
    if zone.constant is not None and _offset(zone.constant) is None:
        scope.wrong(zone.at, f'{zone.constant[:20]!r} is no time zone such as "+0100"')

    def shifted(run: Run, when: datetime) -> datetime:
        offset = _offset(zone.get(run))
        if offset is None:
            run.note(f"{zone.get(run)[:20]!r} is no time zone; the account's was taken")
            return _in_zone(when, run)
        return _moved(when, timezone(offset))

    return shifted


def _in_zone(when: datetime, run: Run) -> datetime:
    try:
        return when.astimezone(run.delivery.zone)
    except OverflowError:
        return when


def _moved(when: datetime, zone: timezone) -> datetime:
    try:
        return when.astimezone(zone)
    except OverflowError:  # a day before the year 1 or after 9999
        return when


def _offset(zone: str) -> timedelta | None:
    match = _ZONE.match(zone)
    if match is None or int(match[2]) > 23:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return -offset if match[1] == "-" else offset


def _parsed(value: bytes) -> datetime | None:
    """The date of a field; in a trace it stands behind the last semicolon (§4)."""
    found = date_time(value.rpartition(b";")[2])
    if found is None:
        return None
    try:
        return datetime(
            *found[:5],
            min(found.second, 59),
            tzinfo=timezone(timedelta(minutes=found.zone)),
        )
    except ValueError:
        return None


def _date(scope: Scope, node: Test, bound: Bound) -> Asks:
    name, part_name, keys = bound.positional
    fields = chosen_fields(scope, bound, field_names(scope, scope.texts(name)))
    part = _part(scope, scope.text(part_name))
    shift = _shift(scope, bound)
    matches = matching(scope, bound, scope.texts(keys))
    indexed = "index" in bound.tags

    def values(run: Run) -> Iterator[str]:
        shown = part(run)
        for field in fields(run):
            run.charge(2)
            when = _parsed(field.value)
            if when is not None and shown is not None:
                yield shown(shift(run, when))
            if not indexed:
                return  # §4: of several fields the first

    return lambda run: matches(run, values(run))


def _currentdate(scope: Scope, node: Test, bound: Bound) -> Asks:
    part = _part(scope, scope.text(bound.positional[0]))
    shift = _shift(scope, bound)
    matches = matching(scope, bound, scope.texts(bound.positional[1]))

    def values(run: Run) -> Iterator[str]:
        shown = part(run)
        if shown is not None:
            yield shown(shift(run, run.delivery.now))

    return lambda run: matches(run, values(run))


_ZONE_TAG: Final = {"zone": TagRule(STRING, group="zone")}

COMMANDS: Final[dict[str, CommandRule]] = {}
TESTS: Final = {
    "date": TestRule(
        Signature(
            (STRING, STRING, STRINGS),
            {
                **MATCH_TAGS,
                **_ZONE_TAG,
                **INDEX_TAGS,
                "originalzone": TagRule(group="zone"),
            },
        ),
        _date,
        "date",
    ),
    "currentdate": TestRule(
        Signature((STRING, STRINGS), {**MATCH_TAGS, **_ZONE_TAG}), _currentdate, "date"
    ),
}
