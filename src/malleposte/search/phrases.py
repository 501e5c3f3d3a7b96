"""What people type to search: words that must all be there, and phrases in quotes (RFC 8621 §4.4.1)."""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that is looked for: a part of a word, or with ``words`` whole words next to each other."""

    text: str
    words: bool = False


# A quote begins a phrase where a word could begin, and only if it is closed: an apostrophe is none.
_TERM: Final = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'(?!\S)|(\S+)", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(['\"\\])")


def terms(text: str) -> tuple[Term, ...]:
    """The terms of a text, each once; none where it has none."""
    found: list[Term] = []
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        match = _TERM.match(text, at)
        if match is None:
            return tuple(dict.fromkeys(found))
        at = match.end()
        if match[3] is not None:
            found.append(Term(match[3]))
            continue
        phrase = " ".join(_ESCAPED.sub(r"\1", match[1] or match[2] or "").split())
        if phrase:
            found.append(Term(phrase, words=True))
