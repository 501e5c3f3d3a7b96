"""How many changes of rights there may be: answers tell who is there, and the audit only grows."""

from typing import Final

from malleposte.services.jmap.context import Context
from malleposte.services.jmap.errors import SetError, invalid

MOST: Final = 100
"""People whose rights are changed at once."""
_TOO_OFTEN: Final = SetError(
    "rateLimit", "Too many changes of rights: go on in an hour, or ask your administrator"
)


def bound(changes: int) -> None:
    """Raises ``SetError`` where these are too many at once."""
    if changes > MOST:
        raise invalid(f"The rights of at most {MOST} are changed at once", "shareWith")


def count(context: Context, changes: int) -> None:
    """Raises ``SetError`` where there were too many in this hour."""
    for _ in range(changes):
        if context.changes_of_rights is not None and not context.changes_of_rights.take(
            context.actor
        ):
            raise _TOO_OFTEN
