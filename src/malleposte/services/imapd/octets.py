"""What a body item is answered with, where it is not plain bytes in memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Literal:
    """Octets with NUL among them, for a literal8 (RFC 3516 §4.2)."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Passage:
    """``size`` octets that come in pieces; ``binary``: for a literal8."""

    size: int
    pieces: AsyncIterator[bytes]
    binary: bool = False
