"""INTERNALDATE as the wire writes it, quickly: a list of 20,000 messages has as many (RFC 9051 §9)."""

from functools import lru_cache

from malleposte.wire.imap.dates import format_timestamp

_DAY = 86_400


@lru_cache(maxsize=4_096)
def _day(day: int) -> bytes:
    """`"17-Jul-1996 ` of a day since 1970."""
    return format_timestamp(day * _DAY)[:13]


def internal_date(seconds: int) -> bytes:
    """A Unix time in UTC, with its quotes."""
    day, rest = divmod(seconds, _DAY)
    minutes, second = divmod(rest, 60)
    hour, minute = divmod(minutes, 60)
    return b'%b%02d:%02d:%02d +0000"' % (_day(day), hour, minute, second)
