"""Filters of addressbook-query (RFC 6352 §10.5): tests of a vCard's lines."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from malleposte.groupware.cards import fold
from malleposte.groupware.content_lines import Line
from malleposte.groupware.vcard.values import text
from malleposte.services.dav.xml import Element, card

Test = Callable[[Sequence[Line]], bool]
TESTS: Final = 100
"""Of a filter."""
TEXT: Final = 1_000
"""Characters that are looked for."""
VALUE: Final = 64 * 1024
"""Characters of a value that is looked through; longer ones are pictures, in which nothing is found."""
_COMPARED: Final[dict[str, Callable[[str], str]]] = {
    "i;octet": str,
    "i;ascii-casemap": str.lower,
    "i;unicode-casemap": fold,
    "": fold,
    "default": fold,
}
_KINDS: Final[dict[str, Callable[[str, str], bool]]] = {
    "equals": lambda value, wanted: value == wanted,
    "contains": lambda value, wanted: wanted in value,
    "starts-with": lambda value, wanted: value.startswith(wanted),
    "ends-with": lambda value, wanted: value.endswith(wanted),
}


class _Field:
    """A line, unescaped and folded once for all tests."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._text: str | None = None
        self._shown: dict[Callable[[str], str], str] = {}

    def shown(self, how: Callable[[str], str]) -> str | None:
        """The value; none if it is too long to be looked through."""
        if len(self.line.value) > VALUE:
            return None
        if self._text is None:
            self._text = text(self.line.value)
        if how not in self._shown:
            self._shown[how] = how(self._text)
        return self._shown[how]


_Fields = Mapping[str, Sequence[_Field]]


@dataclass(frozen=True, slots=True)
class _Match:
    shown: Callable[[str], str]
    compare: Callable[[str, str], bool]
    wanted: str
    negate: bool

    def value(self, field: _Field) -> bool:
        shown = field.shown(self.shown)
        return (shown is not None and self.compare(shown, self.wanted)) is not self.negate

    def among(self, values: Sequence[str]) -> bool:
        there = (self.shown(value) for value in values if len(value) <= VALUE)
        return any(self.compare(value, self.wanted) for value in there) is not self.negate


class UnknownFilterError(ValueError):
    """A filter that is not understood; ``collation``: it names one that there is not."""

    def __init__(self, words: str, *, collation: bool = False) -> None:
        super().__init__(words)
        self.collation = collation


def test_of(found: Element | None) -> Test:
    """The test of a ``filter`` element. Raises ``UnknownFilterError``."""
    if found is None or not found.children:
        return lambda lines: True
    props = list(found.every(card("prop-filter")))
    if sum(1 + len(one.children) for one in props) > TESTS:
        raise UnknownFilterError(f"a filter has {TESTS} tests at most")
    tests = [_property(one) for one in props]
    together = all if found.attributes.get("test", "anyof") == "allof" else any

    def whole(lines: Sequence[Line]) -> bool:
        fields: dict[str, list[_Field]] = {}
        for line in lines:
            fields.setdefault(line.name, []).append(_Field(line))
        return together(test(fields) for test in tests)

    return whole


def _property(found: Element) -> Callable[[_Fields], bool]:
    name = found.attributes.get("name", "").upper().rpartition(".")[2]
    if found.child(card("is-not-defined")) is not None:
        return lambda fields: name not in fields
    tests: list[Callable[[_Field], bool]] = []
    for one in found.children:
        if one.name == card("text-match"):
            tests.append(_text_match(one).value)
        elif one.name == card("param-filter"):
            tests.append(_parameter(one))
        else:
            raise UnknownFilterError("a filter holds something that is not known here")
    every = found.attributes.get("test", "anyof") == "allof"

    def test(fields: _Fields) -> bool:
        there = fields.get(name, ())
        if not tests:
            return bool(there)
        if every:
            return any(all(one(line) for one in tests) for line in there)
        return any(one(line) for one in tests for line in there)

    return test


def _parameter(found: Element) -> Callable[[_Field], bool]:
    name = found.attributes.get("name", "").upper()
    if found.child(card("is-not-defined")) is not None:
        return lambda field: not field.line.all(name)
    wanted = found.child(card("text-match"))
    if wanted is None:
        return lambda field: bool(field.line.all(name))
    match = _text_match(wanted)
    return lambda field: bool(field.line.all(name)) and match.among(field.line.all(name))


def _text_match(found: Element) -> _Match:
    collation = found.attributes.get("collation", "")
    if collation not in _COMPARED:
        raise UnknownFilterError("there is no such collation", collation=True)
    kind = found.attributes.get("match-type", "contains")
    if kind not in _KINDS or len(found.text) > TEXT:
        raise UnknownFilterError("a text is looked for in a way that is not known here")
    shown, compare = _COMPARED[collation], _KINDS[kind]
    wanted = shown(found.text)
    negate = found.attributes.get("negate-condition", "no") == "yes"
    return _Match(shown, compare, wanted, negate)
