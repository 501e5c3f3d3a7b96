"""What another server says: replies read off the wire, lenient where real servers are.

RFC 5321 §4.2, RFC 2034. A reply may have lines that differ in code (the last one counts), bare LF at
line ends, no text, or an enhanced code of another class (ignored). What is no reply at all ends the
conversation: nothing after it could be trusted to be in step.
"""

import re
from dataclasses import dataclass
from typing import Self

_LINE = re.compile(rb"([2-5][0-9][0-9])([ -]?)(.*)", re.DOTALL)
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?: |$)")

MOST_LINES = 100
"""Lines of one reply that are read; EHLO of large servers has some 20."""
MOST_OCTETS = 16 * 1024
"""Octets of one reply, also without a line end."""
SHOWN = 1_000
"""Characters of a reply's text that are kept for people: it goes into bounces and the trace."""


class Garbled(Exception):
    """What came is no SMTP reply; the words say what it was."""


@dataclass(frozen=True, slots=True)
class RemoteReply:
    """One reply of a server. ``enhanced`` is '' where it sent none; ``lines`` without codes, at least
    one, control characters as '?'."""

    code: int
    enhanced: str
    lines: tuple[str, ...]

    @property
    def positive(self) -> bool:
        """2yz: done."""
        return self.code < 300

    @property
    def temporary(self) -> bool:
        """4yz: trying again later may help."""
        return 400 <= self.code < 500

    @property
    def permanent(self) -> bool:
        """5yz: trying again will not help."""
        return self.code >= 500

    @property
    def text(self) -> str:
        """Its words in one line."""
        return " ".join(line for line in self.lines if line)[:SHOWN]

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.code), self.enhanced, self.text) if part)

    @classmethod
    def of(cls, code: int, lines: list[bytes]) -> Self:
        """A reply of its lines, without their codes."""
        shown = [_printable(line) for line in lines]
        found = _ENHANCED.match(shown[-1])
        enhanced = found[1] if found and int(found[1][0]) == code // 100 else ""
        if enhanced:
            cut = len(enhanced)
            shown = [text[cut:].lstrip() if text.startswith(enhanced) else text for text in shown]
        return cls(code, enhanced, tuple(shown))


def _printable(line: bytes) -> str:
    text = line.decode("utf-8", "replace").strip()
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


class ReplyReader:
    """Collects octets; gives whole replies. Holds ``MOST_OCTETS`` at most, and what came with them."""

    __slots__ = ("_buffer", "_lines", "_size")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._lines: list[bytes] = []
        self._size = 0

    @property
    def empty(self) -> bool:
        """Whether nothing waits, not even part of a reply."""
        return not self._buffer and not self._lines

    def feed(self, octets: bytes) -> None:
        """Take what came."""
        self._buffer += octets

    def next(self) -> RemoteReply | None:
        """The next reply, None where it is not there whole. Raises ``Garbled``."""
        buffer = self._buffer
        while (end := buffer.find(b"\n")) >= 0:
            line = bytes(buffer[:end]).rstrip(b"\r")
            del buffer[: end + 1]
            found = _LINE.fullmatch(line)
            self._size += len(line)
            if found is None:
                raise Garbled(f"«{_printable(line)[:100]}» is no SMTP reply")
            self._lines.append(found[3])
            if len(self._lines) > MOST_LINES or self._size > MOST_OCTETS:
                raise Garbled("its reply is too long")
            if found[2] != b"-":
                lines, self._lines, self._size = self._lines, [], 0
                return RemoteReply.of(int(found[1]), lines)
        if len(buffer) > MOST_OCTETS:
            raise Garbled("its reply has no end")
        return None
