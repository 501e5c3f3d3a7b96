"""Match types: whether one of some values matches one of some keys (RFC 5228 §2.7.1, RFC 5231,
the draft extension `regex`).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from .comparators import ASCII_CASEMAP, ASCII_NUMERIC, COMPARATORS, OCTET, Comparator
from .limits import Limits
from .regex import BadPattern, Regex
from .regex.charset import Fold, ascii_cases, exact, unicode_cases
from .run import Run
from .scope import Scope
from .signature import STRING, Bound, TagRule
from .text import Texts
from .wildcard import Wildcard

MATCH_TAGS: Final = {
    "is": TagRule(group="match"),
    "contains": TagRule(group="match"),
    "matches": TagRule(group="match"),
    "count": TagRule(STRING, "relational", "match"),
    "value": TagRule(STRING, "relational", "match"),
    "regex": TagRule(capability="regex", group="match"),
    "comparator": TagRule(STRING),
}

_OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
    "eq": operator.eq,
    "ne": operator.ne,
}

Matches = Callable[[Run, Iterable[str]], bool]


class _Match(NamedTuple):
    """How to match; with `sets` wildcards and groups set the numbered variables."""

    kind: str
    comparator: Comparator
    compare: Callable[[Any, Any], bool]
    sets: bool


def matching(scope: Scope, bound: Bound, keys: Texts, sets: bool = True) -> Matches:
    """The matching that a test's tags ask for, against its keys."""
    kind = next((name for name in _KINDS if name in bound.tags), "is")
    at = bound.places.get(kind, bound.at)
    comparator = _comparator(scope, bound, kind)
    compare: Callable[[Any, Any], bool] = operator.eq
    if kind in ("count", "value"):
        name = scope.constant(bound.tags[kind], f"what follows :{kind}").lower()
        if name not in _OPERATORS:
            scope.wrong(at, f":{kind} is followed by one of {', '.join(_OPERATORS)}")
        compare = _OPERATORS[name]
    elif kind != "is" and not comparator.substrings:
        scope.wrong(at, f":{kind} cannot be had with {comparator.name}, which compares numbers")
    how = _Match(kind, comparator, compare, sets and "variables" in scope.required)
    return _MAKERS[kind](scope, how, keys)


def _comparator(scope: Scope, bound: Bound, kind: str) -> Comparator:
    if "comparator" not in bound.tags:
        # A count is a number: "10" is more than "9", whatever the default comparator says.
        return ASCII_NUMERIC if kind == "count" else ASCII_CASEMAP
    at = bound.places["comparator"]
    name = scope.constant(bound.tags["comparator"], "the name of a comparator")
    if name not in COMPARATORS:
        scope.wrong(at, f"there is no comparator {name!r}; there are {', '.join(COMPARATORS)}")
    if name not in (OCTET.name, ASCII_CASEMAP.name):
        scope.need(f"comparator-{name}", at, f"the comparator {name}")
    return COMPARATORS[name]


def _is(scope: Scope, how: _Match, keys: Texts) -> Matches:
    key = how.comparator.key
    known = None if keys.constant is None else frozenset(map(key, keys.constant))

    def any_is(run: Run, values: Iterable[str]) -> bool:
        wanted = known if known is not None else frozenset(map(key, keys.get(run)))
        for value in values:
            run.charge(1 + (len(value) >> 10))
            if key(value) in wanted:
                return True
        return False

    return any_is


def _contains(scope: Scope, how: _Match, keys: Texts) -> Matches:
    key: Callable[[str], str] = how.comparator.key
    known = None if keys.constant is None else tuple(map(key, keys.constant))

    def any_contains(run: Run, values: Iterable[str]) -> bool:
        wanted = known if known is not None else tuple(map(key, keys.get(run)))
        for value in values:
            run.charge(1 + ((len(value) * (len(wanted) + 1)) >> 10) + (len(wanted) >> 3))
            compared = key(value)
            if any(part in compared for part in wanted):
                return True
        return False

    return any_contains


def _matches(scope: Scope, how: _Match, keys: Texts) -> Matches:
    align, prepare = how.comparator.align, how.comparator.prepare
    restore = how.comparator.restore

    def made(patterns: Sequence[str]) -> tuple[Wildcard, ...]:
        return tuple(Wildcard(align(prepare(pattern))) for pattern in patterns)

    known = None if keys.constant is None else made(keys.constant)

    def any_matches(run: Run, values: Iterable[str]) -> bool:
        if known is not None:
            wanted = known
        else:
            patterns = keys.get(run)
            run.charge(sum(map(len, patterns)) >> 3)
            wanted = made(patterns)
        for value in values:
            shown = prepare(value)
            compared = align(shown)
            for wildcard in wanted:
                run.charge(wildcard.cost(len(value)))
                places = wildcard.match(compared)
                if places is not None:
                    if how.sets:
                        taken = [restore(shown[a:b]) for a, b in places]
                        run.captured = [value, *taken]
                    return True
        return False

    return any_matches


def _value(scope: Scope, how: _Match, keys: Texts) -> Matches:
    key, compare = how.comparator.key, how.compare

    def any_relates(run: Run, values: Iterable[str]) -> bool:
        wanted = tuple(map(key, keys.get(run)))
        for value in values:
            run.charge(1 + (len(value) >> 10) + (len(wanted) >> 3))
            compared = key(value)
            if any(compare(compared, other) for other in wanted):
                return True
        return False

    return any_relates


def _count(scope: Scope, how: _Match, keys: Texts) -> Matches:
    key, compare = how.comparator.key, how.compare

    def count_relates(run: Run, values: Iterable[str]) -> bool:
        counted = key(str(sum(1 for _ in values)))
        return any(compare(counted, key(wanted)) for wanted in keys.get(run))

    return count_relates


_KEPT: Final = 32
"""Expressions of variables that one run keeps."""

_FOLDS: Final[dict[str, Fold]] = {OCTET.name: exact, ASCII_CASEMAP.name: ascii_cases}


def _regex(scope: Scope, how: _Match, keys: Texts) -> Matches:
    name = how.comparator.name
    fold = _FOLDS.get(name, unicode_cases)
    limits = scope.limits
    known: dict[str, Regex] = {}
    for item in keys.items:
        if item.constant is not None:
            try:
                known[item.constant] = made_now = _expression(item.constant, fold, limits)
                scope.library.expression(made_now, item.at)
            except BadPattern as bad:
                scope.wrong(item.at, f"the regular expression cannot be used: {bad}")

    def made(run: Run, pattern: str) -> Regex | None:
        if pattern in known:
            return known[pattern]
        held = run.regexes
        if (name, pattern) not in held:
            run.charge(20 + 2 * len(pattern))
            if len(held) >= _KEPT:
                held.popitem(last=False)
            try:
                expression = held[name, pattern] = _expression(pattern, fold, limits)
                run.charge(2 * expression.size)
            except BadPattern as bad:
                run.note(f"a regular expression made of variables matches nothing: {bad}")
                held[name, pattern] = None
        return held[name, pattern]

    def any_found(run: Run, values: Iterable[str]) -> bool:
        expressions = [one for key in keys.get(run) if (one := made(run, key)) is not None]
        for value in values:
            for expression in expressions:
                if expression.search(value, run.charge):
                    if how.sets:
                        places = expression.match(value, run.charge) or []
                        run.captured = [value[a:b] if a >= 0 else "" for a, b in places]
                    return True
        return False

    return any_found


def _expression(pattern: str, fold: Fold, limits: Limits) -> Regex:
    if len(pattern) > limits.regex_characters:
        raise BadPattern(f"it is longer than {limits.regex_characters} characters")
    return Regex(pattern, fold, limits.regex_states)


_MAKERS: Final = {
    "is": _is,
    "contains": _contains,
    "matches": _matches,
    "value": _value,
    "count": _count,
    "regex": _regex,
}
_KINDS: Final = tuple(_MAKERS)
