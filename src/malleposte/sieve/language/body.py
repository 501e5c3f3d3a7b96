"""The test of bodies (RFC 5173). It never sets the numbered variables (§6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from malleposte.sieve.matching import MATCH_TAGS, matching
from malleposte.sieve.message import BodyPart
from malleposte.sieve.run import Run
from malleposte.sieve.scope import Asks, CommandRule, Scope, TestRule
from malleposte.sieve.signature import STRINGS, Bound, Signature, TagRule
from malleposte.sieve.text import Texts
from malleposte.sieve.tree import Test

Values = Callable[[Run], Iterator[str]]


def _body(scope: Scope, node: Test, bound: Bound) -> Asks:
    matches = matching(scope, bound, scope.texts(bound.positional[0]), sets=False)
    values: Values = _text
    if "raw" in bound.tags:
        values = _raw
    elif "content" in bound.tags:
        values = _content(scope.texts(bound.tags["content"]))
    return lambda run: matches(run, values(run))


def _raw(run: Run) -> Iterator[str]:
    """§5.1: the body as it came, one string."""
    text = run.message.raw_body(run.limits.body_bytes)
    run.charge(1 + (len(text) >> 10))
    yield text


def _text(run: Run) -> Iterator[str]:
    """§5.3: what people read: all parts of text, HTML without its tags."""
    for part in _parts(run):
        if part.media.startswith("text/"):
            text = part.plain()
            # Taking tags out of HTML and decoding cost far more than looking for a word.
            run.charge(1 + (len(text) >> (6 if part.media == "text/html" else 10)))
            yield text


def _content(types: Texts) -> Values:
    """§5.2: the parts of these types; a type alone is all its subtypes, "" is all."""

    def values(run: Run) -> Iterator[str]:
        wanted = [kind.lower() for kind in types.get(run)]
        for part in _parts(run):
            run.charge(1 + (len(wanted) >> 3))
            if any(_is_of(part.media, kind) for kind in wanted):
                text = part.text()
                run.charge(1 + (len(text) >> 10))
                yield text

    return values


def _is_of(media: str, kind: str) -> bool:
    if not kind:
        return True
    if "/" in kind:
        return media == kind and kind.count("/") == 1 and not kind.startswith("/")
    return media.partition("/")[0] == kind


def _parts(run: Run) -> Iterator[BodyPart]:
    for part in run.message.parts(run.limits.body_bytes):
        run.charge(1)
        yield part


COMMANDS: Final[dict[str, CommandRule]] = {}
TESTS: Final = {
    "body": TestRule(
        Signature(
            (STRINGS,),
            {
                **MATCH_TAGS,
                "raw": TagRule(group="transform"),
                "content": TagRule(STRINGS, group="transform"),
                "text": TagRule(group="transform"),
            },
        ),
        _body,
        "body",
    ),
}
