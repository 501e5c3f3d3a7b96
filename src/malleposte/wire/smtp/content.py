"""Message content off the wire: dot-stuffing removed, the end found, bare newlines seen.

Works on whole received pieces with C primitives (`find`, `replace`, `count`), so that a message
in one or two reads costs microseconds. Holds back at most four octets between pieces.
"""

import re

_END = b"\r\n.\r\n"
_PREFIXES = (b"\r\n.\r", b"\r\n.", b"\r\n", b"\r")  # longest first

# A dot alone on its line after a newline that is not CRLF, or with NULs about (some servers drop
# them). CRLF + dot is no danger: whoever sends this content on puts a second dot there.
_FALSE_END = re.compile(
    rb"(?:[^\r]\n|\r)\x00?\.\x00?[\r\n]"
    rb"|\r\n\x00\.\x00?[\r\n]"
)
_TEXT = bytes(octet for octet in range(256) if octet not in b"\r\n\0")
_NULS = re.compile(rb"\x00+")
_TAIL = 5  # the longest beginning of a false end: CR (or another octet), LF, NUL, dot, NUL


class DotReader:
    """The content after DATA up to CRLF.CRLF (RFC 5321 §4.1.1.4, §4.5.2)."""

    __slots__ = ("_held", "_skip")

    def __init__(self) -> None:
        # As if CRLF stood before the content, so that a dot in the first line is seen.
        self._held = b"\r\n"
        self._skip = 2

    def feed(self, octets: bytes) -> tuple[bytes, bytes | None]:
        """Take a piece; return the content that is sure, and what follows the end, None before it.

        A line that begins with a dot loses it (RFC 5321 §4.5.2: also if no second dot follows).
        """
        octets = self._held + octets
        self._held = b""
        rest: bytes | None = None
        dot = octets.find(b"\r\n.")
        end = dot if dot < 0 or octets.startswith(_END, dot) else octets.find(_END, dot)
        if end >= 0:
            rest = octets[end + 5 :]
            content = octets[: end + 2]
        else:
            for prefix in _PREFIXES:
                if octets.endswith(prefix):
                    self._held = prefix
                    break
            content = octets[: len(octets) - len(self._held)]
        if 0 <= dot != end:
            content = content.replace(b"\r\n.", b"\r\n")
        if self._skip and content:
            content = content[self._skip :]  # the pretended CRLF comes out whole or not at all
            self._skip = 0
        return content, rest


class NewlineWatch:
    """Sees bare CR and LF in content, and shapes that other servers may take for its end."""

    __slots__ = ("_after_cr", "_tail", "bare", "false_end")

    def __init__(self) -> None:
        self._after_cr = False
        self._tail = b"\r\n"
        self.bare = False
        """A CR without LF or an LF without CR has come by."""
        self.false_end = False
        """A bare newline or NUL beside a lone dot has come by."""

    def see(self, content: bytes) -> None:
        """Look at the next piece."""
        if not content:
            return
        marks = len(content.translate(None, _TEXT)) + self._after_cr
        pairs = content.count(b"\r\n") + (self._after_cr and content.startswith(b"\n"))
        self._after_cr = content.endswith(b"\r")
        odd = marks - self._after_cr - 2 * pairs  # CR or LF alone, NUL
        if odd and odd != content.count(b"\0"):
            self.bare = True
        if odd or self.bare or self._after_cr or b"\0" in self._tail:
            text = _NULS.sub(b"\0", self._tail + content)
            if _FALSE_END.search(text):
                self.false_end = True
            self._tail = text[-_TAIL:]
        else:
            self._tail = (self._tail + content[-_TAIL:])[-_TAIL:]

    def finish(self) -> None:
        """The content is complete. BDAT may have left it without CRLF, which would be added."""
        if self._after_cr:
            self.bare = True
        if (self.bare or b"\0" in self._tail) and _FALSE_END.search(self._tail + b"\r\n"):
            self.false_end = True


class LineEnds:
    """Content as it goes on the wire, but for its dots: a bare CR or LF becomes CRLF. Whatever was stored,
    no server may see an end of the content where we see none (RFC 5321 §2.3.8)."""

    __slots__ = ("_cr",)

    def __init__(self) -> None:
        self._cr = False  # a CR came last, and is held back

    def feed(self, octets: bytes) -> bytes:
        """A piece of content."""
        if self._cr:
            octets = b"\r" + octets
        self._cr = octets.endswith(b"\r")
        if self._cr:
            octets = octets[:-1]
        if not octets:
            return b""
        ends = octets.count(b"\r\n")
        if octets.count(b"\n") != ends or octets.count(b"\r") != ends:
            alike = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            return alike.replace(b"\n", b"\r\n")
        return octets

    def end(self) -> bytes:
        """What was held back."""
        held, self._cr = self._cr, False
        return b"\r\n" if held else b""


class DotWriter:
    """The same, with a dot more before a line that begins with one (RFC 5321 §4.5.2)."""

    __slots__ = ("_begun", "_lines")

    def __init__(self) -> None:
        self._begun = False  # whether the last line has octets
        self._lines = LineEnds()

    def feed(self, octets: bytes) -> bytes:
        """A piece of content as it goes on the wire."""
        octets = self._lines.feed(octets)
        if not octets:
            return b""
        first = b"." if not self._begun and octets.startswith(b".") else b""
        self._begun = not octets.endswith(b"\n")
        return first + octets.replace(b"\n.", b"\n..")

    def end(self) -> bytes:
        """What ends the content; the line that was begun ends with it."""
        begun = bool(self._lines.end()) or self._begun
        self._begun = False
        return b"\r\n.\r\n" if begun else b".\r\n"
