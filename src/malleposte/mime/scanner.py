"""The state of one parse: the stack of open parts and the boundaries in force.

`structure` drives it through a message and explains the whole; this acts on what is found there:
a part begins, its header ends, a delimiter line comes.
"""

from __future__ import annotations

import re
from mmap import mmap
from typing import Final, NamedTuple

from .content import DEFAULT, DIGEST_DEFAULT, content, undescribed, undivided
from .envelope import envelope_of
from .headers import last_values
from .limits import (
    BOUNDARY_BYTES,
    EMBEDDED_FIELD_BYTES,
    SLICE_BYTES,
    SLICE_HEADERS,
    SLICE_PARTS,
    Limits,
)
from .part import Kind, Part

Buffer = bytes | bytearray | memoryview | mmap
"""What a message is read from; a memoryview must be of single octets, contiguous."""

DELIMITER_BYTES: Final = BOUNDARY_BYTES + 2
"""As much of a line after its first two dashes as can matter: the boundary and two more."""

_REST_OF_LINE: Final = re.compile(rb"[^\n]*+\n?")
_IDENTITY: Final = frozenset((b"", b"7bit", b"8bit", b"binary"))


class Delimiter(NamedTuple):
    """A delimiter line: the line end before it, its multipart's place, where the next begins."""

    at: int
    place: int
    closing: bool
    end: int


class OpenPart:
    """A part whose end has not been seen."""

    __slots__ = (
        "body_start",
        "boundary",
        "children",
        "content",
        "envelopes",
        "header_start",
        "index",
        "is_message",
        "kind",
        "level",
        "lines_before",
        "parent",
        "section",
        "shadowed",
    )

    def __init__(self, index: int, parent: int, level: int, section: str, start: int) -> None:
        self.index = index
        self.parent = parent
        self.level = level
        self.section = section
        self.header_start = self.body_start = start
        self.kind = Kind.LEAF
        self.is_message = True  # the root, or the root of an embedded message
        self.content = DEFAULT
        self.children: list[int] = []
        self.boundary: bytes = b""  # in force while not empty
        self.shadowed: int | None = None  # who had the same boundary further out
        self.lines_before = 0
        self.envelopes: tuple[bytes, bytes | None] | None = None


class Scanner:
    """The state of one parse."""

    def __init__(self, buffer: Buffer, limits: Limits) -> None:
        self.buffer = buffer
        self.size = len(buffer)
        self.limits = limits
        self.parts: list[Part | None] = []
        self.stack: list[OpenPart] = []
        self.boundaries: dict[bytes, int] = {}  # boundary -> place in the stack
        self.lengths: list[int] = []  # of those boundaries, the longest first
        self.fields: dict[bytes, bytes] = {}
        self.lookups = limits.delimiter_lookups  # what is left of them
        self.described = 0  # octets of part headers read so far
        self.at = 0  # where the search goes on
        self.counted = 0  # line ends up to here …
        self._lines = 0  # … are this many
        self._next_parts = SLICE_PARTS
        self._next_described = SLICE_HEADERS

    # -- lines ---------------------------------------------------------------------------

    def lines_at(self, at: int) -> int:
        """Line ends before offset `at`; each octet is counted once as the parse moves on."""
        if at > self.counted:
            self._lines += self._count(self.counted, at)
            self.counted = at
            return self._lines
        return self._lines - self._count(at, self.counted)

    def _count(self, start: int, end: int) -> int:
        buffer = self.buffer
        if isinstance(buffer, bytes):
            return buffer.count(b"\n", start, end)
        return sum(
            bytes(buffer[at : min(at + SLICE_BYTES, end)]).count(b"\n")
            for at in range(start, end, SLICE_BYTES)
        )

    # -- parts ---------------------------------------------------------------------------

    def slice_is_full(self) -> bool:
        """Whether enough parts were opened since this was last true."""
        if len(self.parts) < self._next_parts and self.described < self._next_described:
            return False
        self._next_parts = len(self.parts) + SLICE_PARTS
        self._next_described = self.described + SLICE_HEADERS
        return True

    def open(self, start: int) -> None:
        """A new part begins at `start`, inside the innermost open one."""
        index = len(self.parts)
        self.parts.append(None)
        if not self.stack:
            self.stack.append(OpenPart(index, -1, 0, "", start))
            return
        outer = self.stack[-1]
        outer.children.append(index)
        if outer.kind is Kind.MULTIPART:
            number = str(len(outer.children))
            section = f"{outer.section}.{number}" if outer.section else number
        else:
            section = outer.section
        self.stack.append(OpenPart(index, outer.index, outer.level + 1, section, start))

    def header(self, body_start: int, cut_off: bool = False) -> None:
        """The header of the innermost part ends at `body_start`: read what it says.

        `cut_off`: by a delimiter, so that there is no body.
        """
        part = self.stack[-1]
        start = part.header_start
        part.body_start = body_start
        outer = self.stack[-2] if len(self.stack) > 1 else None
        part.is_message = outer is None or outer.kind is Kind.MESSAGE
        default = DEFAULT
        if outer is not None and not part.is_message and outer.content.subtype == "digest":
            default = DIGEST_DEFAULT
        end = min(body_start, start + self.limits.header_bytes)
        fields = last_values(bytes(self.buffer[start:end]), self.limits)
        what = content(fields, default) if fields or default is not DEFAULT else DEFAULT
        self.described += end - start
        if self.described > self.limits.described_bytes:
            what = undescribed(what)
        part.content = what
        if part.level < self.limits.levels:
            if what.type == "multipart":
                if what.boundary and len(what.boundary) <= BOUNDARY_BYTES:
                    self.enforce(part, what.boundary)
                else:
                    part.content = undivided(what)
            elif (
                what.type == "message"
                and what.subtype in ("rfc822", "global")
                and what.encoding in _IDENTITY
                and not cut_off
                and len(self.parts) < self.limits.parts
            ):
                part.kind = Kind.MESSAGE
        elif what.type == "multipart":
            part.content = undivided(what, opaque=True)
        if part.is_message:
            if part.kind is not Kind.MULTIPART:
                part.section = _first(part.section)
            if outer is None:
                self.fields = fields
            else:
                if not fields and body_start - start > 2:
                    self.reject_message()
                    return
                if self.described <= self.limits.described_bytes:
                    outer.envelopes = envelope_of(fields, EMBEDDED_FIELD_BYTES)
        part.lines_before = self.lines_at(body_start)

    def close_above(self, keep: int, end: int) -> None:
        """Close every part above the first `keep` of the stack; their bodies end at `end`."""
        while len(self.stack) > keep:
            part = self.stack.pop()
            # A header that a delimiter cuts off keeps its last line end: a container ends no earlier.
            end = body_end = max(end, part.body_start)
            if part.boundary:
                self.forget(part)
                if not part.children and body_end > part.body_start:  # no delimiter was seen
                    part.kind = Kind.LEAF
                    part.content = undivided(part.content)
                    if part.is_message:
                        part.section = _first(part.section)
            what = part.content
            envelope, envelope_utf8 = part.envelopes or (None, None)
            self.parts[part.index] = Part(
                part.section,
                part.kind.value,
                part.level,
                part.parent,
                part.header_start,
                part.body_start,
                body_end,
                self.lines_at(body_end) - part.lines_before,
                what.type,
                what.subtype,
                tuple(part.children),
                what.parameters,
                what.charset,
                what.encoding.decode("ascii"),
                what.disposition,
                what.disposition_parameters,
                what.name,
                what.content_id,
                what.description,
                what.md5,
                what.language,
                what.location,
                envelope,
                envelope_utf8,
            )

    def enforce(self, part: OpenPart, boundary: bytes) -> None:
        """From here on `boundary` delimits the innermost open part."""
        part.kind = Kind.MULTIPART
        part.boundary = boundary
        part.shadowed = self.boundaries.get(boundary)
        self.boundaries[boundary] = len(self.stack) - 1
        self.lengths = sorted({len(known) for known in self.boundaries}, reverse=True)

    def forget(self, part: OpenPart) -> None:
        """The boundary of `part` is no longer in force."""
        if part.shadowed is None:
            self.boundaries.pop(part.boundary, None)
            self.lengths = sorted({len(known) for known in self.boundaries}, reverse=True)
        else:
            self.boundaries[part.boundary] = part.shadowed
        part.boundary = b""

    def reject_message(self) -> None:
        """What should be an embedded message has no header field: its container is a leaf."""
        self.stack.pop()
        self.parts.pop()
        container = self.stack[-1]
        container.kind = Kind.LEAF
        container.children.clear()

    # -- delimiters ----------------------------------------------------------------------

    def match(self, at: int, text: bytes) -> Delimiter | None:
        """The delimiter of the line end at `at`, two dashes and `text`, if it is one in force."""
        boundaries = self.boundaries
        for length in self.lengths:
            place = boundaries.get(text[:length])
            if place is not None and len(text) >= length:
                rest = _REST_OF_LINE.match(self.buffer, at + 3 + len(text))
                end = rest.end() if rest is not None else self.size
                return Delimiter(at, place, text.startswith(b"--", length), end)
        self.lookups -= len(self.lengths)
        if self.lookups < 0:
            boundaries.clear()
            self.lengths = []
        return None

    def act(self, delimiter: Delimiter) -> int:
        """Close what the delimiter closes; where the next header begins, 0 if none does."""
        at = delimiter.at
        if at and self.buffer[at - 1 : at] == b"\r":
            at -= 1  # the line end before a delimiter belongs to it (RFC 2046 §5.1.1)
        self.close_above(delimiter.place + 1, at)
        self.at = delimiter.end - 1
        multipart = self.stack[delimiter.place]
        if delimiter.closing or len(self.parts) >= self.limits.parts:
            self.forget(multipart)
            return 0
        return delimiter.end if delimiter.end < self.size else 0


def _first(section: str) -> str:
    """The number of the one part of a message that is no multipart."""
    return f"{section}.1" if section else "1"
