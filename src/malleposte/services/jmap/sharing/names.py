"""Names that the modules of this package share."""

from typing import Final

from malleposte.store.ids import id_number
from malleposte.store.read.rights import ANYONE

PRINCIPALS: Final = "urn:ietf:params:jmap:principals"
OWNER: Final = "urn:ietf:params:jmap:principals:owner"
PRINCIPAL_LETTER: Final = "P"
NOTIFICATION_LETTER: Final = "N"
EVERYBODY: Final = f"{PRINCIPAL_LETTER}{ANYONE:x}"
"""The principal that is all of an organisation together: IMAP's ``anyone``."""


def principal_text(account: int) -> str:
    """The id of the principal that is an account, or all together (0)."""
    return f"{PRINCIPAL_LETTER}{account:x}"


def principal_number(text: str) -> int | None:
    """The account of a principal, 0 for all together; None: there can be none of that id."""
    if text == EVERYBODY:
        return ANYONE
    return id_number(PRINCIPAL_LETTER, text) or None
