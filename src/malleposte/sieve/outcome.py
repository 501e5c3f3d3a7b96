"""What came of a run."""

from __future__ import annotations

from dataclasses import dataclass

from .actions import Action, HeaderEdit, Keep, Seen
from .errors import Mistake


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything a script decided.

    `actions` in the order they were taken; a keep, implicit or not, is among them once, and so is
    each mailbox and each address. `header_edits` in order; each action says how many of them it
    saw. `seen` is to be remembered once the actions are done. `notes` are for the trace: what was
    asked for and not done, and why. `error` is what ended the run: the actions are then a keep
    and nothing else, whatever had been decided before.
    """

    actions: tuple[Action, ...]
    header_edits: tuple[HeaderEdit, ...] = ()
    seen: tuple[Seen, ...] = ()
    notes: tuple[str, ...] = ()
    error: Mistake | None = None

    @property
    def keep(self) -> Keep | None:
        """The keep among the actions, if there is one.

        In a chain of scripts the next one runs only if there is, in place of it: its flags begin
        that run, its header edits come first.
        """
        return next((action for action in self.actions if isinstance(action, Keep)), None)
