"""Names of blobs (RFC 8620 §6): an email or an upload, and parts in it; never of content itself.

``E1a`` is an email, ``E1a-2_1`` the body of its part 2.1, ``U5`` an upload. Where a part is a message that
is encoded, or a message was uploaded, a further dash goes into it: ``E1a-2-1_3``, ``U5-2``. An upload is
always its uploader's; ``V2_5`` is his upload 5 in somebody else's account 2, and nobody else's there.
``Z3_9`` is the Sieve script 3 as it was at its version 9.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

from malleposte.store.ids import EMAIL_LETTER, email_text, id_number

UPLOAD_LETTER: Final = "U"
ELSEWHERE_LETTER: Final = "V"
SCRIPT_LETTER: Final = "Z"
MOST: Final = 255
"""Octets of an id (RFC 8620 §1.2)."""
DEPTH: Final = 3
"""Messages within messages that are opened."""
_PART: Final = re.compile(r"[1-9][0-9]{0,4}(?:_[1-9][0-9]{0,4}){0,99}")


@dataclass(frozen=True, slots=True)
class BlobName:
    """``email``, ``upload`` or ``script`` by number, the others are 0; ``sections``: a part (``1.2``), a
    part of the message that is that part, and so on. ``account``: where an upload was brought, 0 for its
    uploader's own; ``version``: a script's."""

    email: int = 0
    upload: int = 0
    sections: tuple[str, ...] = ()
    account: int = 0
    script: int = 0
    version: int = 0

    @property
    def outer(self) -> "BlobName":
        """What its last section is a part of."""
        return replace(self, sections=self.sections[:-1])

    @property
    def numbers(self) -> list[int]:
        """Those of its last section."""
        return [int(one) for one in self.sections[-1].split(".")] if self.sections else []


def parsed(text: str) -> BlobName | None:
    """What an id names; None: nothing."""
    base, *parts = text.split("-")
    if len(text) > MOST or len(parts) > DEPTH:
        return None
    if any(_PART.fullmatch(part) is None for part in parts):
        return None
    sections = tuple(part.replace("_", ".") for part in parts)
    if email := id_number(EMAIL_LETTER, base):
        return BlobName(email=email, sections=sections)
    if upload := id_number(UPLOAD_LETTER, base):
        return BlobName(upload=upload, sections=sections)
    first, _, second = base.partition("_")
    if account := id_number(ELSEWHERE_LETTER, first):
        upload = id_number(UPLOAD_LETTER, f"{UPLOAD_LETTER}{second}")
        return BlobName(upload=upload, sections=sections, account=account) if upload else None
    if script := id_number(SCRIPT_LETTER, first):
        version = id_number(SCRIPT_LETTER, f"{SCRIPT_LETTER}{second}")
        return BlobName(script=script, version=version) if version and not sections else None
    return None


def email_blob(email: int) -> str:
    """The id of a whole message."""
    return email_text(email)


def part_blob(message: str, part_id: str) -> str | None:
    """The id of a part's body in a message that is a blob; None where it could not be opened by it."""
    found = f"{message}-{part_id.replace('.', '_')}"
    return found if parsed(found) is not None else None


def upload_blob(number: int, account: int = 0) -> str:
    """The id of an upload; ``account``: somebody else's, to which it was brought."""
    if account:
        return f"{ELSEWHERE_LETTER}{account:x}_{number:x}"
    return f"{UPLOAD_LETTER}{number:x}"


def script_blob(script: int, version: int) -> str:
    """The id of a Sieve script as it is at a version."""
    return f"{SCRIPT_LETTER}{script:x}_{version:x}"
