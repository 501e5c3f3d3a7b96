"""The text of one script, and which line an offset in it is on."""

from __future__ import annotations

from bisect import bisect_right

from .errors import Mistake, SieveError
from .limits import Limits


class Source:
    """A script as text with LF for line ends; offsets count its characters."""

    def __init__(self, text: str, name: str = "") -> None:
        self.text = text
        self.name = name
        self._starts: list[int] = []

    def place(self, at: int) -> tuple[int, int]:
        """Line and column, both from 1."""
        if not self._starts:
            starts, found = [0], self.text.find("\n")
            while found >= 0:
                starts.append(found + 1)
                found = self.text.find("\n", found + 1)
            self._starts = starts
        line = bisect_right(self._starts, at)
        return line, at - self._starts[line - 1] + 1

    def mistake(self, at: int, text: str) -> Mistake:
        """A mistake at an offset."""
        return Mistake(*self.place(at), text, self.name)


def read_source(script: bytes, limits: Limits, name: str = "") -> Source:
    """The script as text (RFC 5228 §2.1: UTF-8); raises SieveError."""
    size = len(script)
    if size > limits.script_bytes:
        text = f"the script has {size} octets; at most {limits.script_bytes} are allowed"
        raise SieveError((Mistake(1, 1, text, name),))
    try:
        text = script.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        before = script[: error.start]
        line_start = before.rfind(b"\n") + 1
        column = len(before[line_start:].decode("utf-8", "replace")) + 1
        what = f"the octet 0x{script[error.start]:02X} is no UTF-8; save the script as UTF-8"
        raise SieveError((Mistake(before.count(b"\n") + 1, column, what, name),)) from None
    return Source(text.replace("\r\n", "\n"), name)
