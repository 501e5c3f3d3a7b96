"""Changing the header: addheader, deleteheader (RFC 5293)."""

from __future__ import annotations

import re
from typing import Final

from malleposte.sieve.actions import AddHeader, DeleteHeader
from malleposte.sieve.header_names import is_field_name
from malleposte.sieve.header_view import HeaderField
from malleposte.sieve.matching import MATCH_TAGS, Matches, matching
from malleposte.sieve.run import Run
from malleposte.sieve.scope import CommandRule, Does, Scope, TestRule
from malleposte.sieve.signature import NUMBER, STRING, STRINGS, Bound, Signature, TagRule
from malleposte.sieve.text import Text
from malleposte.sieve.tree import Command

_NOT_DELETED: Final = frozenset(("received", "auto-submitted"))
"""RFC 5293 §6: so that no loop is hidden. What is not permitted is ignored."""
_NOT_ADDED: Final = frozenset(("received", "return-path", "auto-submitted", "delivered-to"))
"""What the server itself goes by."""
_LINE_ENDS: Final = re.compile(r"\s*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029\0]\s*")


def _name(scope: Scope, text: Text) -> None:
    if text.constant is not None and not is_field_name(text.constant):
        scope.wrong(text.at, f"{text.constant[:60]!r} is no name of a header field")


def _checked(run: Run, text: Text) -> str:
    name = text.get(run)
    if text.constant is None and not is_field_name(name):
        run.fail(text.at, f"{name[:60]!r} is no name of a header field")
    return name


def _addheader(scope: Scope, node: Command, bound: Bound) -> Does:
    name, value = scope.text(bound.positional[0]), scope.text(bound.positional[1])
    _name(scope, name)
    last = "last" in bound.tags

    def addheader(run: Run) -> None:
        field = _checked(run, name)
        if field.lower() in _NOT_ADDED:
            run.note(f"addheader: {field} is not a script's to add")
            return
        # What a sender wrote may come in by a variable: no line end gets into a header.
        text = _LINE_ENDS.sub(" ", value.get(run).strip())[: run.limits.variable_characters]
        run.edit(AddHeader(field, text, last), node.at)

    return addheader


def _deleteheader(scope: Scope, node: Command, bound: Bound) -> Does:
    name = scope.text(bound.positional[0])
    _name(scope, name)
    matches = None
    if bound.positional[1] is not None:
        matches = matching(scope, bound, scope.texts(bound.positional[1]), sets=False)
    index = 0
    if "index" in bound.tags:
        index = scope.number(bound.tags["index"])
        if index == 0:
            scope.wrong(bound.places["index"], ":index counts from 1")
    elif "last" in bound.tags:
        scope.wrong(bound.places["last"], ":last stands only beside :index")
    last = "last" in bound.tags

    def deleteheader(run: Run) -> None:
        field = _checked(run, name)
        if field.lower() in _NOT_DELETED:
            run.note(f"deleteheader: {field} is not a script's to delete")
            return
        named = list(run.header.named(field.lower()))
        chosen = list(range(1, len(named) + 1))
        if index:
            chosen = [len(named) + 1 - index if last else index]
        # From the last to the first, so that the numbers of those that are left stay.
        for number in reversed(chosen):
            if not 0 < number <= len(named) or not _meant(run, matches, named[number - 1]):
                continue
            run.edit(DeleteHeader(field, number), node.at)

    return deleteheader


def _meant(run: Run, matches: Matches | None, field: HeaderField) -> bool:
    return matches is None or matches(run, [field.text])


COMMANDS: Final = {
    "addheader": CommandRule(
        Signature((STRING, STRING), {"last": TagRule()}), _addheader, "editheader"
    ),
    "deleteheader": CommandRule(
        Signature(
            (STRING, STRINGS),
            {**MATCH_TAGS, "index": TagRule(NUMBER), "last": TagRule()},
            least=1,
        ),
        _deleteheader,
        "editheader",
    ),
}
TESTS: Final[dict[str, TestRule]] = {}
