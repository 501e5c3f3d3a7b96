"""The parser: one pass over a message of any bytes, giving its parts with offsets.

Theory of operation. There is a stack of open parts and a table of the boundaries now in force.
Two searches move forward through the buffer and never back: in a header block for the blank
line or a line beginning with `--`, in a body for a line beginning with `--`. Such a line is
looked up in the table, one look for each length of boundary in force. A delimiter closes every
part opened inside its multipart, whatever is missing (RFC 2046 §5.1.2). Line ends are LF or CRLF,
mixed as they come.

Invariants: never raises on any bytes; no recursion; work linear in the buffer, in slices, so
that a caller can do other things between; no copy larger than a slice or a header block.
A line is a delimiter if it begins with a boundary in force, whatever follows (RFC 2046 §5.1.1);
where one boundary begins another, the longest counts.

What this does not do: decode bodies, or look inside an encoded message/rfc822 (RFC 2046 §5.2.1
allows no encoding there): that is a leaf.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Final, NamedTuple

from .limits import DEFAULT_LIMITS, SLICE_BYTES, SLICE_LOOKUPS, Limits
from .part import Kind, Part
from .scanner import DELIMITER_BYTES, Buffer, Scanner
from .slices import run


class Tree(NamedTuple):
    """What one pass finds: the parts, the root's raw fields by lower-case name, all lines."""

    parts: tuple[Part, ...]
    fields: dict[bytes, bytes]
    lines: int


def parse(buffer: Buffer, limits: Limits = DEFAULT_LIMITS) -> tuple[Part, ...]:
    """The parts of a message in preorder; never empty, never raises."""
    return run(scan(buffer, limits)).parts


def parse_slices(
    buffer: Buffer, limits: Limits = DEFAULT_LIMITS
) -> Generator[None, None, tuple[Part, ...]]:
    """`parse` in slices of a few milliseconds: yields between them, returns the parts."""
    tree = yield from scan(buffer, limits)
    return tree.parts


_BLANK: Final = re.compile(rb"\n\r?\n")
_BLANK_OR_DASHES: Final = re.compile(rb"\n(?:\r?\n|--([^\r\n]{0,%d}))" % DELIMITER_BYTES)
_DASHES: Final = re.compile(rb"\n--([^\r\n]{1,%d})" % DELIMITER_BYTES)


def scan(buffer: Buffer, limits: Limits = DEFAULT_LIMITS) -> Generator[None, None, Tree]:
    """The pass itself, in slices."""
    scanner = Scanner(buffer, limits)
    size = scanner.size
    start = 0
    while True:
        scanner.open(start)
        if scanner.slice_is_full():
            yield
        found = yield from _header(scanner, start)
        if found < 0 and scanner.stack[-1].kind is Kind.MESSAGE:
            start = scanner.stack[-1].body_start
            continue
        if found <= 0 and scanner.boundaries:
            found = yield from _body(scanner)
        if found <= 0:
            break
        start = found
    while scanner.counted + SLICE_BYTES < size:
        scanner.lines_at(scanner.counted + SLICE_BYTES)
        yield
    lines = scanner.lines_at(size)
    scanner.close_above(0, size)
    return Tree(tuple([part for part in scanner.parts if part is not None]), scanner.fields, lines)


def _header(scanner: Scanner, start: int) -> Generator[None, None, int]:
    """Find the end of the header that begins at `start`.

    Returns -1 at a blank line or the end of the message; if a delimiter cuts the header off,
    where the next one begins or 0.
    """
    buffer, size = scanner.buffer, scanner.size
    at = start - 1
    if start == 0:
        first = bytes(buffer[:2])
        if first[:1] == b"\n" or first == b"\r\n":
            scanner.at = 0
            scanner.header(1 if first[:1] == b"\n" else 2)
            return -1
        at = 0
    pause = scanner.lookups - SLICE_LOOKUPS
    while True:
        end = min(at + SLICE_BYTES, size)
        resume = end if end == size else end - 2  # what is cut there may be one
        pattern = _BLANK_OR_DASHES if scanner.boundaries else _BLANK
        for line in pattern.finditer(buffer, at, end):
            if line.lastindex is None:  # the blank line
                scanner.at = line.end() - 1
                scanner.header(line.end())
                return -1
            text = line[1]
            if line.end() == end < size:
                resume = line.start()
                break
            delimiter = scanner.match(line.start(), text)
            if delimiter is not None:
                scanner.header(delimiter.at + 1, cut_off=True)
                return scanner.act(delimiter)
            if scanner.lookups < pause or not scanner.boundaries:
                pause = scanner.lookups - SLICE_LOOKUPS
                resume = line.end()
                break
        at = resume
        if at == size:
            scanner.at = size
            scanner.header(size)
            return -1
        yield


def _body(scanner: Scanner) -> Generator[None, None, int]:
    """Look for the next delimiter from `scanner.at` on; where its header begins, 0 at the end."""
    buffer, size = scanner.buffer, scanner.size
    pause = scanner.lookups - SLICE_LOOKUPS
    while scanner.boundaries and scanner.at < size:
        end = min(scanner.at + SLICE_BYTES, size)
        resume = end if end == size else end - 2
        for line in _DASHES.finditer(buffer, scanner.at, end):
            if line.end() == end < size:
                resume = line.start()
                break
            delimiter = scanner.match(line.start(), line[1])
            if delimiter is not None:
                start = scanner.act(delimiter)
                if start:
                    return start
                resume = scanner.at
                break
            if scanner.lookups < pause or not scanner.boundaries:
                pause = scanner.lookups - SLICE_LOOKUPS
                resume = line.end()
                break
        else:
            scanner.lines_at(resume)
        scanner.at = resume
        yield
    return 0
