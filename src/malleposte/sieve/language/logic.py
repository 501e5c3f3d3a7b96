"""Tests of tests (RFC 5228 §5): allof, anyof, not, true, false. They ask no more than they must."""

from __future__ import annotations

from typing import Final

from malleposte.sieve.run import Run
from malleposte.sieve.scope import Asks, CommandRule, Scope, TestRule
from malleposte.sieve.signature import Bound, Signature, Tests
from malleposte.sieve.tree import Test


def _allof(scope: Scope, node: Test, bound: Bound) -> Asks:
    tests = tuple(scope.test(test) for test in node.tests)
    return lambda run: all(test(run) for test in tests)


def _anyof(scope: Scope, node: Test, bound: Bound) -> Asks:
    tests = tuple(scope.test(test) for test in node.tests)
    return lambda run: any(test(run) for test in tests)


def _not(scope: Scope, node: Test, bound: Bound) -> Asks:
    test = scope.test(node.tests[0])
    return lambda run: not test(run)


def _true(scope: Scope, node: Test, bound: Bound) -> Asks:
    return _yes


def _false(scope: Scope, node: Test, bound: Bound) -> Asks:
    return _no


def _yes(run: Run) -> bool:
    return True


def _no(run: Run) -> bool:
    return False


COMMANDS: Final[dict[str, CommandRule]] = {}
TESTS: Final = {
    "allof": TestRule(Signature(tests=Tests.LIST), _allof),
    "anyof": TestRule(Signature(tests=Tests.LIST), _anyof),
    "not": TestRule(Signature(tests=Tests.ONE), _not),
    "true": TestRule(Signature(), _true),
    "false": TestRule(Signature(), _false),
}
