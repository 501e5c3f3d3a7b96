"""Tests of mailboxes: mailboxexists (RFC 5490 §3.1), specialuse_exists (RFC 8579 §3), mailboxidexists
(RFC 9042 §6)."""

from __future__ import annotations

from typing import Final

from malleposte.sieve.run import Run
from malleposte.sieve.scope import Asks, CommandRule, Scope, TestRule
from malleposte.sieve.signature import STRING, STRINGS, Bound, Signature
from malleposte.sieve.tree import Test

_COST: Final = 20
"""Steps of asking the store for one mailbox."""


def _mailboxexists(scope: Scope, node: Test, bound: Bound) -> Asks:
    names = scope.texts(bound.positional[0])

    def exist(run: Run) -> bool:
        return all(_asked(run) and run.delivery.mailbox_exists(name) for name in names.get(run))

    return exist


def _mailboxidexists(scope: Scope, node: Test, bound: Bound) -> Asks:
    ids = scope.texts(bound.positional[0])

    def exist(run: Run) -> bool:
        return all(_asked(run) and run.delivery.mailbox_id_exists(one) for one in ids.get(run))

    return exist


def _specialuse_exists(scope: Scope, node: Test, bound: Bound) -> Asks:
    given = bound.positional[0]
    mailbox = None if given is None else scope.text(given)
    uses = scope.texts(bound.positional[1])

    def exist(run: Run) -> bool:
        name = None if mailbox is None else mailbox.get(run)
        exists = run.delivery.special_use_exists
        return all(_asked(run) and exists(name, use) for use in uses.get(run))

    return exist


def _asked(run: Run) -> bool:
    run.charge(_COST)
    return True


COMMANDS: Final[dict[str, CommandRule]] = {}
TESTS: Final = {
    "mailboxexists": TestRule(Signature((STRINGS,)), _mailboxexists, "mailbox"),
    "mailboxidexists": TestRule(Signature((STRINGS,)), _mailboxidexists, "mailboxid"),
    "specialuse_exists": TestRule(
        Signature((STRING, STRINGS), least=1, first_optional=True),
        _specialuse_exists,
        "special-use",
    ),
}
