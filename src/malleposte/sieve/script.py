"""Checking a script and running it: the way in.

A checked script is functions that call each other, made once; it can run any number of times, also
at the same time, and holds nothing of a message. A run has no effects: it returns what is to be
done. Whatever goes wrong in one, the message is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from .actions import Flags, Keep
from .errors import Failure, SieveError, Wrong
from .includes import Checked, Library, Resolve
from .language.words import LANGUAGE
from .limits import DEFAULT_LIMITS, Limits
from .message import Delivery, Message
from .outcome import Outcome
from .parser import parse
from .regex import Regex
from .run import Return, Run, Stop
from .scope import Does, Enough, Language, Scope
from .source import read_source

_KEPT: Final = 50_000
"""Transitions that the expressions of one script may remember from run to run."""


class Script:
    """A script that has been checked. `extensions` are those that it and what it includes require."""

    def __init__(
        self,
        checked: Checked,
        expressions: Sequence[Regex],
        extensions: frozenset[str],
        limits: Limits,
    ) -> None:
        self._checked = checked
        self._expressions = tuple(expressions)
        self._limits = limits
        self.extensions = extensions

    def run(self, message: Message, delivery: Delivery, flags: Flags = None) -> Outcome:
        """Runs it. `flags` are those that a script before it left on the message.

        Raises only what a function of `delivery` or of `message` raises.
        """
        if sum(expression.kept for expression in self._expressions) > _KEPT:
            for expression in self._expressions:
                expression.forget()
        run = Run(self._checked.source, message, delivery, self._limits, flags)
        try:
            self._checked.does(run)
        except (Stop, Return):
            pass
        except Failure as failure:
            mistake = run.source.mistake(failure.at, failure.text)
            return Outcome((Keep(implicit=True),), notes=tuple(run.notes), error=mistake)
        return Outcome(
            run.decided(),
            tuple(run.edits),
            tuple(seen for _, seen in run.seen.values()),
            tuple(run.notes),
        )


def compile_script(
    script: bytes,
    *,
    resolve: Resolve | None = None,
    name: str = "",
    limits: Limits = DEFAULT_LIMITS,
    without: frozenset[str] = frozenset(),
) -> Script:
    """Checks a script, so that it can run. Raises SieveError, which tells every mistake.

    `resolve` finds scripts to include; without it there are none, which is right for a check before
    a script is stored. `name` is its own name, by which it could include itself. `without` are
    extensions that are not to be had here.
    """
    language = LANGUAGE
    if without:
        language = language._replace(capabilities=language.capabilities - without)
    extensions: set[str] = set()

    def check(text: bytes, of: str, library: Library, depth: int) -> Checked:
        return _check(text, of, limits, language, library, depth, extensions)

    library = Library(resolve, limits, check)
    with library.inside(name):
        checked = check(script, "", library, 0)
    return Script(checked, library.expressions, frozenset(extensions), limits)


def _check(
    script: bytes,
    name: str,
    limits: Limits,
    language: Language,
    library: Library,
    depth: int,
    extensions: set[str],
) -> Checked:
    source = read_source(script, limits, name)
    scope = Scope(source, limits, language, library, depth)
    try:
        commands = parse(source, limits)
    except Wrong as wrong:
        raise SieveError((source.mistake(wrong.at, wrong.text),)) from None
    does: Does | None = None
    with suppress(Enough):
        does = scope.block(commands)
    if scope.mistakes or does is None:
        raise SieveError(tuple(sorted(scope.mistakes)))
    extensions |= scope.required
    return Checked(source, does)
