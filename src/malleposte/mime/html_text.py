"""Text out of HTML, for previews and searches: a small linear tokenizer, no tree.

Drops tags, comments and the content of elements that show nothing; block elements separate
words. Linear whatever is left open; never raises. It makes nothing safe to display.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Final

_TAG: Final = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)|<!--|<[!?/]")
_HIDDEN: Final = frozenset(
    ("style", "script", "title", "head", "template", "noscript", "svg", "object", "textarea")
)
_INLINE: Final = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "b",
        "bdi",
        "bdo",
        "big",
        "cite",
        "code",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "ins",
        "kbd",
        "mark",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "tt",
        "u",
        "var",
        "wbr",
    ]
)
# In a quoted attribute a `>` does not end the tag; unquoted text cannot hold one.
_TAG_END: Final = re.compile(r"(?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+>")


def html_text(html: str, enough: int | None = None) -> str:
    """The text of an HTML document or of its beginning; white space as it stands.

    Stops soon after `enough` characters that are not white space, if that is given.
    """
    if enough is None:
        return unescape("".join(_texts(html)))
    out: list[str] = []
    length = 0
    for text in _texts(html):
        out.append(text)
        length += len(text.strip())
        if length > enough:
            break
    return unescape("".join(out))


TEXTS_AT_ONCE: Final = 500
"""Runs of text between tags that a slice has: some 1 ms."""
LONG: Final = 16 * 1024
"""Characters of one run that are read at once."""


def html_text_slices(html: str) -> Iterator[str]:
    """The text of an HTML document in slices of about a millisecond's work; also what is shown of it in
    `alt` and `title` of its tags (RFC 8621 §4.4.1), each as a word of its own."""
    out: list[str] = []
    for text in _texts(html, hints=True):
        if len(text) <= LONG:
            out.append(text)
            if len(out) < TEXTS_AT_ONCE:
                continue
            yield unescape("".join(out))
        else:
            yield unescape("".join(out))
            yield from _pieces(text)
        out = []
    yield unescape("".join(out))


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > LONG:
        # A reference has at most some 30 characters, and is not cut.
        end = text.rfind("&", start + LONG - 40, start + LONG)
        end = start + LONG if end < 0 else end
        yield unescape(text[start:end])
        start = end
    yield unescape(text[start:])


_HINT: Final = re.compile(r"""\s(?:alt|title)\s*=\s*(?:"([^"]*+)"|'([^']*+)')""", re.IGNORECASE)


def _texts(html: str, *, hints: bool = False) -> Iterator[str]:
    """Runs of text, still with their references, and line ends where a block begins or ends."""
    at = 0
    missing: set[str] = set()  # ends already known not to come
    while True:
        tag = _TAG.search(html, at)
        if tag is None:
            yield html[at:]
            return
        start = tag.start()
        if start > at:
            yield html[at:start]
        if tag.lastindex is None:
            if tag[0] == "<!--":
                at = _past(html, "-->", tag.end(), missing)
            else:
                at = _tag_end(html, tag.end(), missing)
            continue
        name = tag[1].lower()
        if name not in _INLINE:
            yield "\n"
        at = _tag_end(html, tag.end(), missing)
        if hints and at - tag.end() > len('alt="x"'):
            for hint in _HINT.finditer(html, tag.end(), min(at, tag.end() + LONG)):
                yield f"\n{hint[1] or hint[2] or ''}\n"
        if name in _HIDDEN and html[start + 1] != "/" and html[at - 2 : at] != "/>":
            at = _past_element(html, name, at, missing)


def _past(html: str, end: str, at: int, missing: set[str]) -> int:
    if end in missing:
        return at
    found = html.find(end, at)
    if found < 0:
        missing.add(end)
        return at
    return found + len(end)


def _tag_end(html: str, at: int, missing: set[str]) -> int:
    """After the `>` of a tag; with an unbalanced quote, after the first `>`."""
    if "quoted" not in missing:
        match = _TAG_END.match(html, at)
        if match is not None:
            return match.end()
        missing.add("quoted")  # a quote is left open somewhere: the plain way from here on
    found = html.find(">", at)
    return len(html) if found < 0 else found + 1


def _past_element(html: str, name: str, at: int, missing: set[str]) -> int:
    if name in missing:
        return at
    found = _CLOSERS[name].search(html, at)
    if found is None:
        missing.add(name)
        return at
    return found.end()


_CLOSERS: Final = {
    name: re.compile(rf"</{name}[^>]*+>?", re.IGNORECASE) for name in sorted(_HIDDEN)
}
