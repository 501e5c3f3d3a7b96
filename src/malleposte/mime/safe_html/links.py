"""Where links lead, and whether their words say so."""

import re
from typing import Final
from urllib.parse import urlsplit

from malleposte.mime.safe_html.lists import SCHEMES, words

MOST: Final = 4_000
"""Characters of an address."""
MOST_WORDS: Final = 500
"""Characters of words that may name a place."""
# As browsers read addresses: what stands at the ends, and line ends within, is not there.
_ENDS: Final = "".join(map(chr, range(33)))
_WITHIN: Final = re.compile(r"[\t\r\n]")
_SCHEME: Final = re.compile(r"([a-zA-Z][-+.a-zA-Z0-9]*+):")
_BAD: Final = re.compile(r"[\x00-\x20\x7f\\\"<>`]")
_HOST: Final = r"((?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,24})"
_SAYS: Final = re.compile(
    rf"(?:[a-z][a-z0-9+.-]*://)?(?:[^\s/@]*@)?{_HOST}\.?(?::\d+)?(?:[/?#]\S*)?", re.IGNORECASE
)
_CLEARLY: Final = re.compile(r"https?:|www\.", re.IGNORECASE)
# Endings of names that are no endings of files and abbreviations as well.
_ENDINGS: Final = words(
    """app at be biz bank ca ch cloud cn co com cz de dev edu es eu fr gov gr hu ie info in io it jp
    mil net nl no nu online org pt ru se shop site sk store tech tr tv ua uk us xyz"""
)
_SECOND: Final = words("ac co com edu gov go gouv mil ne net nom or org")


def target(value: str) -> str | None:
    """An address to open, as it is written for a browser; None for what is not opened."""
    url = _WITHIN.sub("", value.strip(_ENDS))
    if url.startswith("#") and len(url) > 1:
        return url
    if url.startswith("//"):
        url = f"https:{url}"
    elif url[:4].lower() == "www.":
        url = f"https://{url}"
    scheme = _SCHEME.match(url)
    if scheme is None or scheme[1].lower() not in SCHEMES or len(url) > MOST:
        return None
    url = scheme[1].lower() + url[scheme.end() - 1 :]
    # Browsers take backslashes as slashes, and mend the rest: written plainly, all read it alike.
    if url.startswith("http"):
        url = url.replace("\\", "/")
    return _BAD.sub(lambda match: f"%{ord(match[0]):02X}", url)


def host(url: str) -> str:
    """The host of an address, or the domain of a mail address; ''."""
    try:
        parts = urlsplit(url)
        if parts.scheme == "mailto":
            return parts.path.partition("?")[0].rpartition("@")[2].lower()
        return (parts.hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def deceives(text: str, url: str) -> bool:
    """Whether the words of a link name another place than it leads to."""
    if not url.startswith(("http", "mailto:")):
        return False
    real = host(url)
    if not real:
        return url.startswith("http")
    if url.startswith("http") and "@" in url.split("/", 3)[2]:
        return True  # https://bank.example@elsewhere.example
    said = _said(" ".join(text.split()))
    return bool(said) and _owner(said) != _owner(_plain(real))


def _said(text: str) -> str:
    match = _SAYS.fullmatch(text) if len(text) <= MOST_WORDS else None
    if match is None:
        return ""
    name = _plain(match[1].lower())
    clear = _CLEARLY.match(text) or "@" in text or name.rpartition(".")[2] in _ENDINGS
    return name if clear else ""


def _plain(name: str) -> str:
    try:
        return name.encode("idna").decode() if not name.isascii() else name
    except UnicodeError:
        return name


def _owner(name: str) -> str:
    """The part of a name that has one owner, as a rule."""
    labels = name.split(".")
    own = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND else 2
    return ".".join(labels[-own:])
