"""What the readers give: messages and what could not be read; and line ends, in and out.

A message in the store has CRLF, as it travels. Files of Unix programs have LF: a message without any
CRLF gets them on the way in, and on the way out into such files they become LF where that can be undone
exactly. A message that mixes line ends is never touched.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

MAX_MESSAGE = 256 * 1024 * 1024
"""Octets of one message that is read; as ``mail_import`` takes it."""

_LONE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


@dataclass(frozen=True, slots=True)
class SourceMessage:
    """``where`` it stands, for people; ``size`` in the file, for progress. ``flags`` are IMAP names;
    ``received_at`` Unix seconds or None. ``read`` gives its octets; it raises ``Unreadable``."""

    folder: str
    where: str
    size: int
    read: Callable[[], bytes]
    flags: tuple[str, ...] = ()
    received_at: int | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that cannot be taken, and why. ``size``: octets passed over."""

    folder: str
    where: str
    reason: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class SourceFolder:
    """A folder of the source. ``messages``: how many it seems to hold; ``octets`` in its files."""

    path: str
    messages: int
    octets: int
    role: str = field(default="")


class Unreadable(Exception):
    """A message cannot be read after all; the text says why."""


def with_crlf(octets: bytes) -> bytes:
    """A message as the store keeps it: CRLF where the file had LF alone."""
    return octets if b"\r\n" in octets else octets.replace(b"\n", b"\r\n")


def with_lf(octets: bytes) -> bytes:
    """A message for a file with LF; unchanged where ``with_crlf`` could not give it back."""
    return octets if _LONE.search(octets) else octets.replace(b"\r\n", b"\n")
