"""What a key of the configuration is: its words, its kind and its bounds."""

from typing import Final

from msgspec import Meta

DAY: Final = 86_400
KB: Final = 1000
MB: Final = 1000**2
GB: Final = 1000**3
TB: Final = 1000**4


def says(description: str) -> Meta:
    """A key without bounds."""
    return Meta(description=description)


def number(description: str, ge: int, le: int) -> Meta:
    """A whole number from ``ge`` to ``le``."""
    return Meta(description=description, ge=ge, le=le, extra={"kind": "number"})


def size(description: str, ge: int, le: int) -> Meta:
    """Octets, written as "50 MB"."""
    return Meta(description=description, ge=ge, le=le, extra={"kind": "size"})


def duration(description: str, ge: int, le: int) -> Meta:
    """Seconds, written as "14d"."""
    return Meta(description=description, ge=ge, le=le, extra={"kind": "duration"})
