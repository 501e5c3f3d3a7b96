"""Where a message quotes those before it, as the programs that wrote it mark that."""

import re
from collections.abc import Mapping
from typing import Final

from selectolax.lexbor import LexborNode

_CLASSES: Final = frozenset(
    ("gmail_quote", "gmail_quote_container", "yahoo_quoted", "protonmail_quote", "moz-cite-prefix")
)
_OUTLOOK: Final = frozenset(
    ("divRplyFwdMsg", "appendonsend", "mail-editor-reference-message-container")
)
"""Ids: of what begins a quotation; it goes on to the end of what it is in."""
_LINE: Final = re.compile(r"border-top:\s*solid", re.IGNORECASE)
_SAYS: Final = re.compile(r"\s*(?:From|De|Von|Da|Van)\s*:", re.IGNORECASE)
MOST: Final = 2_000
"""Elements that are marked."""


def quoted(node: LexborNode, attributes: Mapping[str, str | None]) -> list[LexborNode]:
    """The elements that are a quotation by what an element says of itself."""
    tag = node.tag
    if tag == "blockquote":
        cited = attributes.get("type") == "cite" or "cite" in attributes
        return [node] if cited or _classed(attributes) else []
    if tag != "div":
        return []
    if _classed(attributes):
        return [node]
    if attributes.get("id") in _OUTLOOK:
        return _to_end(node)
    style = attributes.get("style") or ""
    if _LINE.search(style) is not None and _SAYS.match(node.text(deep=True)[:40]) is not None:
        parent = node.parent
        alone = parent is not None and parent.tag == "div" and parent.first_child == node
        return _to_end(parent if alone and parent is not None else node)
    return []


def _classed(attributes: Mapping[str, str | None]) -> bool:
    return not _CLASSES.isdisjoint((attributes.get("class") or "").split())


def _to_end(node: LexborNode) -> list[LexborNode]:
    found: list[LexborNode] = []
    at: LexborNode | None = node
    while at is not None and len(found) < MOST:
        if at.tag is not None and not at.tag.startswith("-"):
            found.append(at)
        at = at.next
    return found
