"""The corpora of real mail, read in place (../shared/corpora); skips where they are missing."""

from functools import cache
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "corpora"


def crlf(octets: bytes) -> bytes:
    """A message as it travels: line ends CRLF, the last line ended; a bare CR stays what it is."""
    octets = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return octets if octets.endswith(b"\r\n") else octets + b"\r\n"


def _read(folder: Path) -> tuple[bytes, ...]:
    paths = sorted(folder.rglob("*.eml"))
    if not paths:
        pytest.skip(f"the corpus is not there: {folder}")
    return tuple(path.read_bytes() for path in paths)


@cache
def mail() -> tuple[bytes, ...]:
    """All 3,674 messages, with CRLF."""
    return tuple(crlf(octets) for octets in _read(FOLDER / "spam"))


@cache
def shapes() -> tuple[bytes, ...]:
    """The 107 messages in every charset and shape, with CRLF."""
    return tuple(crlf(octets) for octets in _read(FOLDER / "mime" / "resources" / "eml"))
