"""Variables: the command set, the test string (RFC 5229)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from malleposte.sieve.matching import MATCH_TAGS, matching
from malleposte.sieve.regex import quoted as regex_quoted
from malleposte.sieve.run import Run
from malleposte.sieve.scope import Asks, CommandRule, Does, Scope, TestRule
from malleposte.sieve.signature import STRING, STRINGS, Bound, Signature, TagRule
from malleposte.sieve.tree import Command, Test
from malleposte.sieve.wildcard import quoted as wildcard_quoted


def _first(change: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: change(text[:1]) + text[1:]


_MODIFIERS: Final[dict[str, tuple[int, Callable[[str], str]]]] = {
    "lower": (40, str.lower),
    "upper": (40, str.upper),
    "lowerfirst": (30, _first(str.lower)),
    "upperfirst": (30, _first(str.upper)),
    "quotewildcard": (20, wildcard_quoted),
    "quoteregex": (20, regex_quoted),
    "length": (10, lambda text: str(len(text))),
}
"""Precedence and what it does: the higher number first (RFC 5229 §4.1)."""


def _set(scope: Scope, node: Command, bound: Bound) -> Does:
    name = scope.variable(bound.positional[0])
    value = scope.text(bound.positional[1])
    chosen = sorted((_MODIFIERS[tag] for tag in bound.tags), key=lambda m: m[0], reverse=True)
    changes = tuple(change for _, change in chosen)
    place = scope.place(name)
    key = name.removeprefix("global.")

    def set_variable(run: Run) -> None:
        most = run.limits.variable_characters
        text = value.get(run)[:most]  # RFC 5229 §3: too long a value is cut
        for change in changes:
            text = change(text)[:most]
        run.charge(len(text) >> 8)
        place(run)[key] = text

    return set_variable


def _string(scope: Scope, node: Test, bound: Bound) -> Asks:
    sources = scope.texts(bound.positional[0])
    matches = matching(scope, bound, scope.texts(bound.positional[1]))
    count = "count" in bound.tags

    def values(run: Run) -> Iterator[str]:
        # RFC 5229 §5: an empty string counts as nothing.
        return (text for text in sources.get(run) if text or not count)

    return lambda run: matches(run, values(run))


COMMANDS: Final = {
    "set": CommandRule(
        Signature(
            (STRING, STRING),
            {
                name: TagRule(
                    capability="regex" if name == "quoteregex" else "", group=str(precedence)
                )
                for name, (precedence, _) in _MODIFIERS.items()
            },
        ),
        _set,
        "variables",
    ),
}
TESTS: Final = {
    "string": TestRule(Signature((STRINGS, STRINGS), MATCH_TAGS), _string, "variables"),
}
