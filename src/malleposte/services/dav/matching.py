"""Filters of addressbook-query (RFC 6352 §10.5): tests of a vCard's lines."""

from collections.abc import Callable, Iterable, Sequence
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
    return _together(found, [_property(one) for one in props])


def _together(found: Element, tests: list[Test]) -> Test:
    if found.attributes.get("test", "anyof") == "allof":
        return lambda lines: all(test(lines) for test in tests)
    return lambda lines: any(test(lines) for test in tests)


def _property(found: Element) -> Test:
    name = found.attributes.get("name", "").upper().rpartition(".")[2]
    if found.child(card("is-not-defined")) is not None:
        return lambda lines: not any(line.name == name for line in lines)
    tests: list[Callable[[Line], bool]] = []
    for one in found.children:
        if one.name == card("text-match"):
            tests.append(_value(_text_match(one)))
        elif one.name == card("param-filter"):
            tests.append(_parameter(one))
        else:
            raise UnknownFilterError("a filter holds something that is not known here")
    every = found.attributes.get("test", "anyof") == "allof"

    def test(lines: Sequence[Line]) -> bool:
        there = [line for line in lines if line.name == name]
        if not tests:
            return bool(there)
        if every:
            return any(all(one(line) for one in tests) for line in there)
        return any(one(line) for one in tests for line in there)

    return test


def _value(match: Callable[[Iterable[str]], bool]) -> Callable[[Line], bool]:
    return lambda line: match((text(line.value),))


def _parameter(found: Element) -> Callable[[Line], bool]:
    name = found.attributes.get("name", "").upper()
    if found.child(card("is-not-defined")) is not None:
        return lambda line: not line.all(name)
    wanted = found.child(card("text-match"))
    if wanted is None:
        return lambda line: bool(line.all(name))
    match = _text_match(wanted)
    return lambda line: bool(line.all(name)) and match(line.all(name))


def _text_match(found: Element) -> Callable[[Iterable[str]], bool]:
    collation = found.attributes.get("collation", "")
    if collation not in _COMPARED:
        raise UnknownFilterError("there is no such collation", collation=True)
    kind = found.attributes.get("match-type", "contains")
    if kind not in _KINDS or len(found.text) > TEXT:
        raise UnknownFilterError("a text is looked for in a way that is not known here")
    shown, compare = _COMPARED[collation], _KINDS[kind]
    wanted = shown(found.text)
    negate = found.attributes.get("negate-condition", "no") == "yes"
    return lambda values: any(compare(shown(value), wanted) for value in values) is not negate
