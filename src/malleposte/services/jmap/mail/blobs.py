"""Names of blobs (RFC 8620 §6): an email, a part of one, or an upload; never of content itself."""

import re
from dataclasses import dataclass
from typing import Final

from malleposte.store.ids import EMAIL_LETTER, email_text, id_number

UPLOAD_LETTER: Final = "U"
_PART: Final = re.compile(r"[1-9][0-9]{0,4}(?:_[1-9][0-9]{0,4}){0,99}")


@dataclass(frozen=True, slots=True)
class EmailBlob:
    """An email, or the body of a part of it by its section (``1.2``); '' is the whole."""

    email: int
    section: str = ""

    @property
    def numbers(self) -> list[int]:
        """The section's."""
        return [int(one) for one in self.section.split(".")] if self.section else []


@dataclass(frozen=True, slots=True)
class Upload:
    """Content that was uploaded, by its number in the account."""

    number: int


def parsed(text: str) -> EmailBlob | Upload | None:
    """What an id names; None: nothing."""
    name, dash, part = text.partition("-")
    if email := id_number(EMAIL_LETTER, name):
        if not dash:
            return EmailBlob(email)
        if _PART.fullmatch(part) is not None:
            return EmailBlob(email, part.replace("_", "."))
        return None
    if not dash and (number := id_number(UPLOAD_LETTER, name)):
        return Upload(number)
    return None


def part_blob(email: int, part_id: str) -> str:
    """The id of a part's body."""
    return f"{email_text(email)}-{part_id.replace('.', '_')}"


def upload_blob(number: int) -> str:
    """The id of an upload."""
    return f"{UPLOAD_LETTER}{number:x}"
