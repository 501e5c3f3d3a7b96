"""Names that the modules of this package share."""

from typing import Final

SUBMISSION: Final = "urn:ietf:params:jmap:submission"
VACATION: Final = "urn:ietf:params:jmap:vacationresponse"
IDENTITY_LETTER: Final = "I"
SUBMISSION_LETTER: Final = "S"


def text_of(letter: str, n: int) -> str:
    """An id as a client sees it, as those of ``store.ids``."""
    return f"{letter}{n:x}"
