"""Control commands of RFC 5228 §3: require, if, stop."""

from __future__ import annotations

from typing import Final

from malleposte.sieve.run import Run, Stop
from malleposte.sieve.scope import CommandRule, Does, Scope, TestRule
from malleposte.sieve.signature import STRINGS, Bound, Signature, Tests
from malleposte.sieve.tree import Command, String, Strings

_IMPLIED: Final = {"vacation-seconds": ("vacation",)}
"""RFC 6131 §2: it includes vacation."""


def _require(scope: Scope, node: Command, bound: Bound) -> Does:
    if scope.begun:
        scope.wrong(node.at, "require must stand before all other commands")
    (argument,) = bound.positional
    assert isinstance(argument, String | Strings)
    items = argument.items if isinstance(argument, Strings) else (argument,)
    known = scope.language.capabilities
    unknown = [item for item in items if item.text not in known]
    # What is known is required all the same: what needs it is no second mistake.
    scope.required.update(item.text for item in items if item.text in known)
    for item in items:
        scope.required.update(_IMPLIED.get(item.text, ()))
    if unknown:
        names = ", ".join(repr(item.text[:60]) for item in unknown[:10])
        scope.wrong(unknown[0].at, f"this server has no extension {names}")
    return _nothing


def _nothing(run: Run) -> None:
    """All was done when the script was checked."""


def _stop(scope: Scope, node: Command, bound: Bound) -> Does:
    def stop(run: Run) -> None:
        raise Stop

    return stop


def _if(scope: Scope, node: Command, bound: Bound) -> Does:
    """`if` itself is made where the whole chain is at hand (`Scope.block`)."""
    scope.wrong(node.at, f"{node.name} must follow an if or elsif")


COMMANDS: Final = {
    "require": CommandRule(Signature((STRINGS,)), _require),
    "if": CommandRule(Signature(tests=Tests.ONE, block=True), _if),
    "elsif": CommandRule(Signature(tests=Tests.ONE, block=True), _if),
    "else": CommandRule(Signature(block=True), _if),
    "stop": CommandRule(Signature(), _stop),
}
TESTS: Final[dict[str, TestRule]] = {}
