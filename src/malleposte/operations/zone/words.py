"""What was found, in words for people."""

from typing import Final

WORDS: Final = {
    "": "",
    "right": "right",
    "missing": "missing",
    "different": "different",
    "unasked": "could not be asked",
}


def short(words: str) -> str:
    """Words of a look-up that failed, where the record is named beside them already."""
    return words.rpartition(" could not be asked for: ")[2]
