"""Refusing a message: reject and ereject (RFC 5429)."""

from __future__ import annotations

from functools import partial
from typing import Final

from malleposte.sieve.actions import Reject
from malleposte.sieve.run import Run
from malleposte.sieve.scope import CommandRule, Does, Scope, TestRule
from malleposte.sieve.signature import STRING, Bound, Signature
from malleposte.sieve.tree import Command


def _reject(ereject: bool, scope: Scope, node: Command, bound: Bound) -> Does:
    reason = scope.text(bound.positional[0])

    def reject(run: Run) -> None:
        run.take(Reject(reason.get(run), ereject), node.at)
        run.implicit_keep = False

    return reject


COMMANDS: Final = {
    "reject": CommandRule(Signature((STRING,)), partial(_reject, False), "reject"),
    "ereject": CommandRule(Signature((STRING,)), partial(_reject, True), "ereject"),
}
TESTS: Final[dict[str, TestRule]] = {}
