"""Text made equal for searching: without case, and without differences of mere form (RFC 5051)."""

from malleposte.normal_form import normal


def fold(text: str) -> str:
    """Two texts that a person takes for the same fold to the same: case, full and half width,
    ligatures, composed and decomposed letters. In time that is linear in the text."""
    if text.isascii():
        return text.lower()
    composed = normal("NFKC", text)
    folded = composed.casefold()
    return normal("NFKC", folded) if folded != composed else composed
