"""Commands about labels: keywords of an account that have a name to be shown, and a colour."""

from typing import Final

from malleposte.store.commands.base import Command

MAX_LABELS: Final = 200
"""Of an account."""
MAX_TITLE: Final = 100
"""Characters of a label's name."""


class PutLabel(Command, frozen=True, array_like=True, kw_only=True):
    """Make a label of a keyword (in lower case), or change one. ``new``: there must be none yet, else
    there must. Answer: ``Done``; ``exists``, ``no-such-label``, ``limit``."""

    account: int
    keyword: str
    title: str
    colour: str = ""
    sort_order: int = 0
    new: bool = False

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)


class DropLabel(Command, frozen=True, array_like=True, kw_only=True):
    """Stop showing a keyword as a label; messages keep it. Answer: ``Done``; ``no-such-label``."""

    account: int
    keyword: str

    def accounts(self) -> tuple[int, ...]:
        """See ``Command``."""
        return (self.account,)
