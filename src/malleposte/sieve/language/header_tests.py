"""Tests of the header, the envelope and the size (RFC 5228 §5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from malleposte.mime import addresses
from malleposte.mime.address import mailboxes
from malleposte.mime.charset import guess
from malleposte.sieve.address import PART_TAGS, part_of, split
from malleposte.sieve.header_names import INDEX_TAGS, chosen_fields, field_names
from malleposte.sieve.matching import MATCH_TAGS, matching
from malleposte.sieve.run import Run
from malleposte.sieve.scope import Asks, CommandRule, Scope, TestRule
from malleposte.sieve.signature import NUMBER, STRINGS, Bound, Signature, TagRule
from malleposte.sieve.tree import Test


def _header(scope: Scope, node: Test, bound: Bound) -> Asks:
    names = field_names(scope, scope.texts(bound.positional[0]))
    fields = chosen_fields(scope, bound, names)
    matches = matching(scope, bound, scope.texts(bound.positional[1]))
    return lambda run: matches(run, (field.text for field in fields(run)))


def _exists(scope: Scope, node: Test, bound: Bound) -> Asks:
    names = field_names(scope, scope.texts(bound.positional[0]))
    return lambda run: all(run.header.named(name.lower()) for name in names.get(run))


def _address(scope: Scope, node: Test, bound: Bound) -> Asks:
    names = field_names(scope, scope.texts(bound.positional[0]), addresses=True)
    fields = chosen_fields(scope, bound, names, addresses=True)
    matches = matching(scope, bound, scope.texts(bound.positional[1]))
    part = part_of(bound)

    def values(run: Run) -> Iterator[str]:
        for field in fields(run):
            run.charge(1 + (len(field.value) >> 8))
            for address in mailboxes(addresses(field.value)):
                if not address.host:
                    # RFC 5228 §2.7.4: what is no address is compared as a whole only.
                    whole = guess(address.mailbox or address.name)
                    value = whole if whole and part is _WHOLE else None
                else:
                    value = part(
                        guess(address.mailbox), guess(address.host), run.delivery.separator
                    )
                if value is not None:
                    yield value

    return lambda run: matches(run, values(run))


_WHOLE: Final = part_of(Bound({}, {}, (), 0))


def _envelope(scope: Scope, node: Test, bound: Bound) -> Asks:
    names = scope.texts(bound.positional[0])
    for item in names.items:
        if item.constant is not None and item.constant.lower() not in ("from", "to"):
            scope.wrong(item.at, f"the envelope has from and to, not {item.constant[:60]!r}")
    matches = matching(scope, bound, scope.texts(bound.positional[1]))
    part = part_of(bound)

    def values(run: Run) -> Iterator[str]:
        for name in names.get(run):
            known = {"from": run.delivery.sender, "to": run.delivery.recipient}
            address = known.get(name.lower())
            if address is None:
                continue
            # RFC 5228 §5.4: the null sender is the empty string, whatever part is asked for.
            value = part(*split(address), run.delivery.separator) if address else ""
            if value is not None:
                yield value

    return lambda run: matches(run, values(run))


def _size(scope: Scope, node: Test, bound: Bound) -> Asks:
    if not bound.tags:
        scope.wrong(node.at, "size takes :over or :under")
    (name,) = bound.tags
    limit = scope.number(bound.tags[name])
    if name == "over":
        return lambda run: run.message.size > limit
    return lambda run: run.message.size < limit


COMMANDS: Final[dict[str, CommandRule]] = {}
TESTS: Final = {
    "header": TestRule(Signature((STRINGS, STRINGS), {**MATCH_TAGS, **INDEX_TAGS}), _header),
    "exists": TestRule(Signature((STRINGS,)), _exists),
    "address": TestRule(
        Signature((STRINGS, STRINGS), {**MATCH_TAGS, **PART_TAGS, **INDEX_TAGS}), _address
    ),
    "envelope": TestRule(
        Signature((STRINGS, STRINGS), {**MATCH_TAGS, **PART_TAGS}), _envelope, "envelope"
    ),
    "size": TestRule(
        Signature((), {"over": TagRule(NUMBER, group="s"), "under": TagRule(NUMBER, group="s")}),
        _size,
    ),
}
