"""Declarations of a style, each by the list of properties and a grammar of what may be in a value.

A value is taken only if it matches the grammar from its first character to its last: words, numbers,
colours, strings without escapes, and a few functions. So what browsers and we could read differently
(escapes, comments within, ``expression``, ``var``) never gets through. ``url()`` is taken out before.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from malleposte.mime.safe_html.lists import PROPERTIES

MOST: Final = 4_000
"""Characters of a style attribute or of a rule's declarations."""
_COMMENT: Final = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
# In none of these can a text be read in two ways: what fails, fails at once.
_PARENS: Final = r"\((?:[^()\"']|\([^()\"']*+\)|\"[^\"]*+\"|'[^']*+')*\)"
_DECLARATION: Final = re.compile(
    rf"\s*+([-a-zA-Z]++)\s*+:((?:[^;\"'()]|\"[^\"]*+\"|'[^']*+'|{_PARENS})*)(?:;|\Z)"
)
_NEXT: Final = re.compile(r"[^;]*+;?")
_URL: Final = re.compile(
    r"url\(\s*+(?:\"([^\"\\]*+)\"|'([^'\\]*+)'|([^\"'()\\\s]*+))\s*+\)", re.IGNORECASE
)
_NUMBER: Final = r"[-+]?(?:\d++(?:\.\d*+)?|\.\d++)(?:%|[a-zA-Z]{1,4})?(?![a-zA-Z0-9.%])"
_COLOUR: Final = r"(?:rgba?|hsla?)\([-+0-9.,%/\sa-z]*+\)"
_TOKEN: Final = (
    rf"(?:{_COLOUR}"
    r"|calc\([-+*/0-9.%\sa-z]*+\)"
    rf"|(?:linear|radial)-gradient\((?:{_COLOUR}|[-#+0-9.,%\sa-zA-Z])*\)"
    rf"|{_NUMBER}"
    r"|\#[0-9a-fA-F]{3,8}(?![0-9a-zA-Z])"
    r"|-?[a-zA-Z][-_a-zA-Z0-9]*+(?!\()"
    r"|\"[-\w ,.]*+\"|'[-\w ,.]*+')"
)
_VALUE: Final = re.compile(rf"{_TOKEN}(?:\s*+[,/]?\s*+{_TOKEN})*", re.IGNORECASE)
_IMPORTANT: Final = re.compile(r"\s*+!\s*+important\s*+\Z", re.IGNORECASE)
# What could cover other things, or hide that something is there.
_NOT_AS: Final = {"display": frozenset(("contents",))}


@dataclass(frozen=True, slots=True)
class Declaration:
    """``value`` is safe; ``picture`` is an address that it would have loaded, '' for none."""

    name: str
    value: str
    important: bool = False
    picture: str = ""


@lru_cache(maxsize=2_000)  # mail says the same of every cell
def declarations(text: str) -> tuple[Declaration, ...]:
    """Those of a style that are taken, in their order."""
    if len(text) > MOST:
        return ()
    if "/*" in text:
        text = _COMMENT.sub(" ", text)
    found: list[Declaration] = []
    at = 0
    while at < len(text):
        match = _DECLARATION.match(text, at)
        if match is None or match.end() == at:
            after = _NEXT.match(text, at)
            assert after is not None
            at = max(after.end(), at + 1)
            continue
        at = match.end()
        if (one := _declaration(match[1].lower(), match[2].strip())) is not None:
            found.append(one)
    return tuple(found)


def _declaration(name: str, value: str) -> Declaration | None:
    if name == "mso-hide" and value.lower() == "all":
        name, value = "display", "none"
    picture = ""
    if name in ("background", "background-image") and (url := _URL.search(value)) is not None:
        picture = url[1] or url[2] or url[3] or ""
        value = _URL.sub(" ", value).strip(" ,")
        if name == "background-image" or not value:
            return Declaration("background-image", "", picture=picture)
    if name == "background-image":
        name = "background"  # a gradient
    if name not in PROPERTIES:
        return None
    important = _IMPORTANT.search(value)
    if important is not None:
        value = value[: important.start()]
    value = " ".join(value.split())
    if _VALUE.fullmatch(value) is None or value.lower() in _NOT_AS.get(name, ()):
        return None
    return Declaration(name, value, important is not None, picture)


def merged(layers: Iterable[tuple[Declaration, ...]]) -> tuple[str, str]:
    """The style that layers of declarations come to, each stronger than those before; and the address of
    the picture behind, '' for none."""
    plain: dict[str, str] = {}
    strong: dict[str, str] = {}
    picture = ""
    for layer in layers:
        for one in layer:
            if one.name.startswith("background"):
                picture = one.picture or ("" if one.name == "background" else picture)
            if not one.value:
                continue
            into = strong if one.important else plain
            # Put at the end: what comes later overrides a shorthand that came before, not the other way.
            into.pop(one.name, None)
            into[one.name] = one.value
    for name in strong:
        plain.pop(name, None)
    return ";".join(f"{name}:{value}" for name, value in (plain | strong).items()), picture
