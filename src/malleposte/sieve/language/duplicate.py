"""Messages that came before: the test duplicate (RFC 7352)."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from malleposte.sieve.actions import Seen
from malleposte.sieve.limits import DUPLICATE_MOST
from malleposte.sieve.run import Run
from malleposte.sieve.scope import Asks, CommandRule, Scope, TestRule
from malleposte.sieve.signature import NUMBER, STRING, Bound, Signature, TagRule
from malleposte.sieve.text import Text
from malleposte.sieve.tree import Test

_WEEK: Final = 7 * 86_400
_COST: Final = 20


def _duplicate(scope: Scope, node: Test, bound: Bound) -> Asks:
    tags = bound.tags
    handle = scope.text_or_empty(tags.get("handle"))
    unique = None if "uniqueid" not in tags else scope.text(tags["uniqueid"])
    header = Text(("Message-ID",), node.at) if "header" not in tags else scope.text(tags["header"])
    seconds = _WEEK
    if "seconds" in tags:
        seconds = min(scope.number(tags["seconds"]), DUPLICATE_MOST)
    last = "last" in tags

    def duplicate(run: Run) -> bool:
        if unique is not None:
            value = unique.get(run)
        else:
            fields = run.header.named(header.get(run).lower())
            value = fields[0].text if fields else ""
        if not value or not seconds:
            return False  # §3.1, §3.3: nothing that could be known again
        run.charge(_COST + (len(value) >> 8))
        key = handle.get(run), sha256(value.encode("utf-8", "replace")).hexdigest()
        held = run.seen.get(key)
        if held is None:
            # §3: asked again in the same run, the answer is the same.
            held = run.delivery.seen(*key), Seen(*key, seconds, last)
            if len(run.seen) >= run.limits.actions:
                run.fail(node.at, f"the script asks for more than {len(run.seen)} duplicates")
            run.seen[key] = held
        return held[0]

    return duplicate


COMMANDS: Final[dict[str, CommandRule]] = {}
TESTS: Final = {
    "duplicate": TestRule(
        Signature(
            (),
            {
                "handle": TagRule(STRING),
                "header": TagRule(STRING, group="id"),
                "uniqueid": TagRule(STRING, group="id"),
                "seconds": TagRule(NUMBER),
                "last": TagRule(),
            },
        ),
        _duplicate,
        "duplicate",
    ),
}
