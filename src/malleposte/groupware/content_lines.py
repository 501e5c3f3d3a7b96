"""Content lines: what vCard (RFC 6350 §3.3) and iCalendar (RFC 5545 §3.1) are written in.

``NAME;PARAMETER=value,"other":VALUE``, folded at 75 octets. A line keeps everything that stands in it: its
group, each parameter with all its values in order, and the value as it is written, for what it means
depends on the property. Whatever comes is bounded; characters that neither XML nor a database can hold are
left out.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

MAX_LINES: Final = 100_000
"""Of a file: some 5,000 cards."""
MAX_PARAMETERS: Final = 50
"""Of a line."""
_FOLD: Final = 75
"""Octets of a line without its end (RFC 6350 §3.2)."""
_ENDS: Final = re.compile(r"\r\n|\r|\n")
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_HEAD: Final = re.compile(r"(?:([A-Za-z0-9_-]{1,100})\.)?([A-Za-z0-9_-]{1,100})")
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_QUOTED: Final = re.compile(r'"([^"]*)"')
_PLAIN: Final = re.compile(r'[^",;:]*')
_CARET: Final = re.compile(r"\^([n^'])")
_MEANT: Final = {"n": "\n", "^": "^", "'": '"'}

Parameters = tuple[tuple[str, tuple[str, ...]], ...]
Key = tuple[str, str, Parameters, str]


class NotReadableError(ValueError):
    """What came is no such file; the words say where."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line. ``name`` and names of parameters are in upper case; ``value`` is as it is written."""

    name: str
    value: str
    parameters: Parameters = ()
    group: str = ""

    def all(self, name: str) -> tuple[str, ...]:
        """All values of a parameter."""
        return tuple(value for one, values in self.parameters if one == name for value in values)

    def one(self, name: str) -> str:
        """The first value of a parameter; '' where there is none."""
        found = self.all(name)
        return found[0] if found else ""

    def without(self, *names: str) -> Parameters:
        """The other parameters."""
        return tuple(one for one in self.parameters if one[0] not in names)

    @property
    def key(self) -> "Key":
        """The same for two lines that say the same: parameters have no order."""
        return self.group.lower(), self.name, tuple(sorted(self.parameters)), self.value


def text_of(octets: bytes) -> str:
    """The text of a file: UTF-8, or what old programs on Windows write."""
    octets = octets.removeprefix(b"\xef\xbb\xbf")
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        text = octets.decode("cp1252", "replace")
    return _CONTROL.sub("", text)


def lines(text: str) -> Iterator[Line]:
    """The lines of a text. Raises ``NotReadableError``."""
    for at, whole in enumerate(_unfolded(text), 1):
        if at > MAX_LINES:
            raise NotReadableError(f"it has more than {MAX_LINES} lines")
        if whole.strip():
            yield _line(whole, at)


def _unfolded(text: str) -> Iterator[str]:
    pieces: list[str] = []
    for line in _ENDS.split(text):
        if line[:1] in (" ", "\t") and pieces:
            pieces.append(line[1:])
        else:
            if pieces:
                yield "".join(pieces)
            pieces = [line]
    yield "".join(pieces)


def _line(whole: str, at: int) -> Line:
    head = _HEAD.match(whole)
    if head is None:
        raise NotReadableError(f"line {at} begins with no name: {whole[:60]!r}")
    place, found = head.end(), []
    while whole[place : place + 1] == ";":
        place, parameter = _parameter(whole, place + 1, at)
        if parameter is not None:
            found.append(parameter)
        if len(found) > MAX_PARAMETERS:
            raise NotReadableError(f"line {at} has more than {MAX_PARAMETERS} parameters")
    if whole[place : place + 1] != ":":
        raise NotReadableError(f"line {at} has no colon where one must be: {whole[:60]!r}")
    return Line(head[2].upper(), whole[place + 1 :], tuple(found), head[1] or "")


def _parameter(whole: str, place: int, at: int) -> tuple[int, tuple[str, tuple[str, ...]] | None]:
    name = _NAME.match(whole, place)
    if name is None:
        if whole[place : place + 1] in (";", ":"):
            return place, None
        raise NotReadableError(f"line {at} has a parameter without a name: {whole[:60]!r}")
    place = name.end()
    if whole[place : place + 1] != "=":
        # As vCard 2.1 has it, and many write still: TEL;HOME:
        return place, ("TYPE", (name[0],))
    values = []
    while True:
        place += 1
        quoted = _QUOTED.match(whole, place)
        value = quoted or _PLAIN.match(whole, place)
        assert value is not None
        values.append(_CARET.sub(lambda one: _MEANT[one[1]], value[1] if quoted else value[0]))
        place = value.end()
        if whole[place : place + 1] != ",":
            return place, (name[0].upper(), tuple(values))


def written(found: Iterable[Line]) -> str:
    """Lines as a text, folded."""
    return "".join(f"{folded(plain(line))}\r\n" for line in found)


def plain(line: Line) -> str:
    """A line, not folded."""
    group = f"{line.group}." if line.group else ""
    parameters = "".join(
        f";{name}={','.join(map(_shown, values))}" for name, values in line.parameters
    )
    return f"{group}{line.name}{parameters}:{_ENDS.sub(' ', line.value)}"


def _shown(value: str) -> str:
    """A parameter's value (RFC 6868)."""
    value = value.replace("^", "^^").replace("\r", "").replace("\n", "^n").replace('"', "^'")
    return f'"{value}"' if re.search("[,;:]", value) or value != value.strip() else value


def folded(line: str) -> str:
    """A line in pieces of 75 octets (RFC 6350 §3.2)."""
    if line.isascii():
        # Pictures are such lines.
        rest = range(_FOLD, len(line), _FOLD - 1)
        return "\r\n ".join([line[:_FOLD], *(line[at : at + _FOLD - 1] for at in rest)])
    octets = line.encode("utf-8", "replace")
    if len(octets) <= _FOLD:
        return line
    pieces, start, most = [], 0, _FOLD
    while start < len(octets):
        end = min(start + most, len(octets))
        while end < len(octets) and octets[end] & 0xC0 == 0x80:
            end -= 1  # no character is cut
        pieces.append(octets[start:end].decode("utf-8"))
        start, most = end, _FOLD - 1
    return "\r\n ".join(pieces)
