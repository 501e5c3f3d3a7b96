"""Sizes and durations as people write them: "50 MB", "14d", "1h30m".

Invariant: `parse_x(format_x(n)) == n` for every n in range. Sizes are whole bytes, durations whole
seconds. kB, MB, GB and TB are powers of 1,000, KiB, MiB, GiB and TiB powers of 1,024, as their
names say; case and the space before the unit do not matter. A number without a unit is a number of
bytes; for a duration it is refused: nobody can tell seconds from minutes by looking at it."""

import re
from fractions import Fraction

SIZE_UNITS = {
    "B": 1,
    "kB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "TB": 1000**4,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
    "TiB": 1024**4,
}
DURATION_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}

_SIZES_BY_FOLDED = {name.lower(): factor for name, factor in SIZE_UNITS.items()}
# 15 digits: more than any disk, less than what would make arithmetic slow.
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) *([A-Za-z]{0,3})")
_DURATION_PART = re.compile(r"([0-9]{1,9}) *([dhms]) *")


def parse_size(text: str) -> int:
    """Bytes of a text such as "50 MB", "1.5 GiB" or "4096".

    Raises ValueError for another form or a broken number of bytes."""
    match = _SIZE.fullmatch(text.strip())
    factor = _SIZES_BY_FOLDED.get(match[2].lower() or "b") if match else None
    if match is None or factor is None:
        raise ValueError(f"not a size: {text!r}")
    size = Fraction(match[1]) * factor
    if size.denominator != 1:
        raise ValueError(f"not a whole number of bytes: {text!r}")
    return int(size)


def format_size(size: int) -> str:
    """The shortest exact form: 50000000 is "50 MB", 20971520 "20 MiB", 1000001 "1000001 B"."""
    forms = (
        f"{size // factor} {name}"
        for name, factor in SIZE_UNITS.items()
        if size % factor == 0 and (size or factor == 1)
    )
    return min(forms, key=len)


def parse_duration(text: str) -> int:
    """Seconds of a text such as "30s", "14d" or "1h30m" (larger units first, each once).

    Raises ValueError for another form."""
    rest, seconds, smallest = text.strip(), 0, DURATION_UNITS["d"] + 1
    while rest:
        match = _DURATION_PART.match(rest)
        unit = DURATION_UNITS[match[2]] if match else smallest
        if match is None or unit >= smallest:
            raise ValueError(f"not a duration: {text!r}")
        seconds += int(match[1]) * unit
        smallest = unit
        rest = rest[match.end() :]
    if smallest > DURATION_UNITS["d"]:
        raise ValueError(f"not a duration: {text!r}")
    return seconds


def format_duration(seconds: int) -> str:
    """The exact form in the largest units: 5400 is "1h30m", 0 is "0s"."""
    text = ""
    for name, unit in DURATION_UNITS.items():
        count, seconds = divmod(seconds, unit)
        if count:
            text += f"{count}{name}"
    return text or "0s"
