"""The order of texts in mail: i;unicode-casemap (RFC 5051), which IMAP's SORT and THREAD use
(RFC 5255 §4.3)."""

from __future__ import annotations

from malleposte.normal_form import normal


def casemap(text: str) -> str:
    """A text as it is compared: equal keys are equal texts, and keys in the order of their code
    points (or of their UTF-8 octets) are texts in order.

    Each character becomes its title case of one character, then everything is decomposed, as
    RFC 5051 §2 has it.
    """
    if text.isascii():
        return text.upper()
    return normal("NFKD", "".join(map(_title, text)))


def _title(character: str) -> str:
    title = character.title()
    # "ß" stays: the simple mapping of UnicodeData.txt is meant, which never makes one two.
    return title if len(title) == 1 else character
