"""Scripts for more than one server: the test ihave, the command error (RFC 5463).

In a script that requires ihave, what is not understood is wrong only when a run comes to it (§4).
"""

from __future__ import annotations

from typing import Final

from malleposte.sieve.run import Run
from malleposte.sieve.scope import Asks, CommandRule, Does, Scope, TestRule
from malleposte.sieve.signature import STRING, STRINGS, Bound, Signature
from malleposte.sieve.tree import Command, Test


def _ihave(scope: Scope, node: Test, bound: Bound) -> Asks:
    names = scope.texts(bound.positional[0])
    if names.constant is None:
        scope.wrong(names.at, "the names of extensions cannot have variables in them")
    have = scope.language.capabilities.issuperset(names.constant)
    if have:
        scope.required.update(names.constant)  # §4: as if they had been required
    return lambda run: have


def _error(scope: Scope, node: Command, bound: Bound) -> Does:
    text = scope.text(bound.positional[0])

    def error(run: Run) -> None:
        run.fail(node.at, f"the script says: {text.get(run)[:1_000]}")

    return error


COMMANDS: Final = {"error": CommandRule(Signature((STRING,)), _error, "ihave")}
TESTS: Final = {"ihave": TestRule(Signature((STRINGS,)), _ihave, "ihave")}
