"""Text made equal for searching: without case, and without differences of mere form (RFC 5051)."""

import unicodedata


def fold(text: str) -> str:
    """Two texts that a person takes for the same fold to the same: case, full and half width,
    ligatures, composed and decomposed letters."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
