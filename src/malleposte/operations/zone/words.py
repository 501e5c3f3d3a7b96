"""What was found, in words for people."""

from typing import Final

WORDS: Final = {
    "": "",
    "right": "right",
    "missing": "missing",
    "different": "different",
    "unasked": "could not be asked",
}
