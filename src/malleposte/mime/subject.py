"""Base subject (RFC 5256 §2.1): a subject without what replies and lists put around it.

Also takes the reply and forward marks of other languages, as RFC 8621 §3 wants threads made;
linear, bounded by what it is given.
"""

from __future__ import annotations

import re
from typing import Final

# English (the RFC's own), German, Dutch, Scandinavian, Finnish, Spanish, Portuguese, French,
# Italian, Polish, Turkish, Chinese.
_MARKS: Final = (
    "re|fwd?|aw|wg|antw|doorst|sv|vs|vb|vl|rv|res|enc|tr|rif|i|odp|pd|ynt|ilt"
    "|回复|答复|转发|回覆|轉寄"
)
_MARK: Final = re.compile(rf"(?:{_MARKS})\s*+(?:\[[^\[\]]*+\]\s*+)?[:：]", re.IGNORECASE)
_BLOB: Final = re.compile(r"\[[^\[\]]*+\]\s*+")


def base_subject(subject: str) -> str:
    """The base of a decoded subject; empty if nothing is left. Case is kept."""
    return split_subject(subject)[0]


def split_subject(subject: str) -> tuple[str, bool]:
    """The base of a decoded subject, and whether it says that this is a reply or a forward."""
    text = " ".join(subject.split())
    again = False
    while True:
        # (2) trailers
        while text[-5:].lower() == "(fwd)":
            text = text[:-5].rstrip()
            again = True
        # (3)-(5) leaders and blobs
        at = 0
        while True:
            start = end = at
            while (blob := _BLOB.match(text, end)) is not None:
                start, end = end, blob.end()
            mark = _MARK.match(text, end)
            if mark is None:
                break
            again = True
            at = mark.end() + text.startswith(" ", mark.end())
        # Blobs go, but for one that is all there is.
        at = end if end < len(text) else start
        text = text[at:]
        # (6) a forward in brackets
        if text[:5].lower() == "[fwd:" and text.endswith("]"):
            text = text[5:-1].strip()
            again = True
            continue
        return text, again
