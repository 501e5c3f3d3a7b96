"""Rules of ``<style>``, laid upon the elements they are for: a message keeps its looks without a sheet.

Nothing is fetched (``@import``, ``@font-face`` and ``<link>`` are passed over). Of ``@media`` only what
holds on every screen counts. Selectors are those of a small grammar, without pseudo-classes, so that each
is looked up in bounded time; their number times that of the elements is bounded, too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from selectolax.lexbor import LexborHTMLParser

from malleposte.mime.safe_html.styles import Declaration, declarations

MOST_TEXT: Final = 500_000
"""Characters of all sheets of a message."""
MOST_RULES: Final = 3_000
MOST_LOOKS: Final = 5_000_000
"""Selectors times elements."""
MOST_LAID: Final = 100_000
"""Rules laid upon elements, all together."""
_COMMENT: Final = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
_PRELUDE: Final = re.compile(r"[^{};]*+")
_BRACE: Final = re.compile(r"[{}]")
_EVERY_SCREEN: Final = re.compile(r"@media\s+(?:only\s+)?(?:all|screen)\s*(?:,|\Z)", re.IGNORECASE)
_ATTRIBUTE: Final = r"\[[-a-zA-Z]+(?:[~|^$*]?=(?:\"[-\w .:]*\"|[-\w]+))?\]"
_COMPOUND: Final = rf"(?:\*|[a-zA-Z][a-zA-Z0-9]*)?(?:[.#]-?[_a-zA-Z][-\w]*|{_ATTRIBUTE})*"
_SELECTOR: Final = re.compile(
    rf"(?=\S){_COMPOUND}(?:(?:\s*[>+~]\s*|\s+)(?=\S){_COMPOUND}){{0,7}}", re.ASCII
)
_NAMED: Final = re.compile(r"#")
_CLASSED: Final = re.compile(r"[.\[]")
_TYPED: Final = re.compile(r"(?:^|[\s>+~])[a-zA-Z]")
MOST_SELECTOR: Final = 150

Layers = list[tuple[tuple[int, int, int, int], tuple[Declaration, ...]]]
"""Declarations with their rank: specificity, then order."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Selectors and declarations."""

    selectors: tuple[str, ...]
    declarations: tuple[Declaration, ...]


def rules(css: str) -> Iterator[Rule]:
    """Those of a sheet that are taken."""
    css = _COMMENT.sub(" ", css)
    at = 0
    while True:
        prelude = _PRELUDE.match(css, at)
        assert prelude is not None
        at = prelude.end() + 1
        if at > len(css):
            return
        if css[at - 1] != "{":
            continue  # a statement, or the end of a block that was entered
        words = prelude[0].strip()
        end = css.find("}", at)
        body = css[at:end] if end >= 0 else css[at:]
        if words.startswith("@") or "{" in body:
            if not _EVERY_SCREEN.match(words):
                at = _past(css, at)
            continue
        at += len(body) + 1
        selectors = tuple(one for part in words.split(",") if (one := _selector(part)))
        if selectors and (found := declarations(body)):
            yield Rule(selectors, found)


def _past(css: str, at: int) -> int:
    depth = 1
    for brace in _BRACE.finditer(css, at):
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            return brace.end()
    return len(css)


def _selector(text: str) -> str:
    text = text.strip().replace(":link", "")
    if len(text) > MOST_SELECTOR or _SELECTOR.fullmatch(text) is None:
        return ""
    return text


def laid(tree: LexborHTMLParser, css: str, elements: int) -> dict[int, Layers]:
    """For elements, by ``mem_id``, what the rules say of them."""
    found: dict[int, Layers] = {}
    looks = count = 0
    for order, rule in enumerate(islice(rules(css[:MOST_TEXT]), MOST_RULES)):
        for selector in rule.selectors:
            looks += elements
            if looks > MOST_LOOKS:
                return found
            nodes = tree.css(selector)
            count += len(nodes)
            if count > MOST_LAID:
                return found
            layer = ((*_specificity(selector), order), rule.declarations)
            for node in nodes:
                found.setdefault(node.mem_id, []).append(layer)
    return found


def _specificity(selector: str) -> tuple[int, int, int]:
    """Selectors Level 4 §17."""
    return tuple(len(one.findall(selector)) for one in (_NAMED, _CLASSED, _TYPED))  # type: ignore[return-value]
