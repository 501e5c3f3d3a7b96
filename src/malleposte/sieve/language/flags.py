"""Flags: setflag, addflag, removeflag, hasflag (RFC 5232)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from malleposte.sieve.limits import FLAG_CHARACTERS
from malleposte.sieve.matching import MATCH_TAGS, matching
from malleposte.sieve.run import Run
from malleposte.sieve.scope import Asks, CommandRule, Does, Scope, TestRule
from malleposte.sieve.signature import STRING, STRINGS, Bound, Signature
from malleposte.sieve.text import Text, Texts
from malleposte.sieve.tree import Argument, Command, String, Strings, Test

_SYSTEM: Final = {
    flag.lower(): flag for flag in ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft")
}
# An atom of RFC 9051 §9; a flag of the system begins with a backslash and is one of five, since
# \Recent is nobody's to set.
_KEYWORD: Final = re.compile(r"[!#$&'+,./0-9:;<=>?@A-Z\[^_`a-z|}~-]+\Z")


def flag_list(run: Run, items: Sequence[str]) -> list[str]:
    """The flags in strings that may hold several (RFC 5232 §2): each once, unknown ones left out."""
    found: dict[str, str] = {}
    for item in items:
        run.charge(1 + (len(item) >> 6))
        for flag in item.split():
            low = flag.lower()
            if low in found:
                continue
            if low not in _SYSTEM and (len(flag) > FLAG_CHARACTERS or not _KEYWORD.match(flag)):
                run.note(f"{flag[:60]!r} is no flag and was left out")
            elif len(found) < run.limits.flags:
                found[low] = _SYSTEM.get(low, flag)
    return list(found.values())


def _set(run: Run, held: list[str], given: list[str]) -> list[str]:
    return given


def _add(run: Run, held: list[str], given: list[str]) -> list[str]:
    return flag_list(run, [*held, *given])


def _remove(run: Run, held: list[str], given: list[str]) -> list[str]:
    gone = {flag.lower() for flag in given}
    return [flag for flag in held if flag.lower() not in gone]


Change = Callable[[Run, list[str], list[str]], list[str]]


def _command(change: Change, scope: Scope, node: Command, bound: Bound) -> Does:
    flags = scope.texts(bound.positional[1])
    if bound.positional[0] is None:

        def internal(run: Run) -> None:
            given = flag_list(run, flags.get(run))
            run.flags = change(run, run.flags or [], given)

        return internal
    name = _variable(scope, bound.positional[0])
    place = scope.place(name)
    key = name.removeprefix("global.")

    def into_variable(run: Run) -> None:
        given = flag_list(run, flags.get(run))
        held = flag_list(run, [place(run).get(key, "")])
        kept = " ".join(change(run, held, given))
        place(run)[key] = kept[: run.limits.variable_characters]

    return into_variable


def _variable(scope: Scope, argument: Argument | None) -> str:
    assert argument is not None
    scope.need("variables", argument.at, "a variable for flags")
    return scope.variable(argument)


_OTHER_KINDS: Final = ("count", "value", "regex")


class _Flags(Texts):
    """Keys that are flags: a string may hold several here too (RFC 5232 §4)."""

    def __init__(self, items: Sequence[Text], at: int) -> None:
        super().__init__(items, at)
        if self.constant is not None:
            self.constant = tuple(flag for item in self.constant for flag in item.split())

    def get(self, run: Run) -> Sequence[str]:
        if self.constant is not None:
            return self.constant
        return [flag for item in super().get(run) for flag in item.split()]


def _hasflag(scope: Scope, node: Test, bound: Bound) -> Asks:
    keys = scope.texts(bound.positional[1])
    given = bound.positional[0]
    places: list[tuple[Callable[[Run], dict[str, str]], str]] = []
    if given is not None:
        items = given.items if isinstance(given, Strings) else (given,)
        for item in items:
            assert isinstance(item, String)
            name = _variable(scope, item)
            places.append((scope.place(name), name.removeprefix("global.")))
    if not any(kind in bound.tags for kind in _OTHER_KINDS):
        keys = _Flags(keys.items, keys.at)
    matches = matching(scope, bound, keys)

    def held(run: Run) -> Iterator[str]:
        if given is None:
            yield from run.flags or ()
        for place, key in places:
            yield from flag_list(run, [place(run).get(key, "")])

    return lambda run: matches(run, held(run))


COMMANDS: Final = {
    name: CommandRule(
        Signature((STRING, STRINGS), least=1, first_optional=True),
        partial(_command, change),
        "imap4flags",
    )
    for name, change in (("setflag", _set), ("addflag", _add), ("removeflag", _remove))
}
TESTS: Final = {
    "hasflag": TestRule(
        Signature((STRINGS, STRINGS), MATCH_TAGS, least=1, first_optional=True),
        _hasflag,
        "imap4flags",
    ),
}
