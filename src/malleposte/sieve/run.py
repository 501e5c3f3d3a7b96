"""One run of a script: what it has decided, its variables, what it may still spend.

Commands and tests are functions of a `Run`. Whatever ends a run early is an exception here, and
only `Failure` is a mistake.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NoReturn

from .actions import (
    AddHeader,
    FileInto,
    Flags,
    HeaderEdit,
    Keep,
    Redirect,
    Reject,
    Seen,
    Vacation,
)
from .errors import Failure
from .header_view import HeaderView
from .limits import Limits
from .message import Delivery, Message
from .regex import Regex

if TYPE_CHECKING:
    from .actions import Action
    from .source import Source


class Stop(Exception):
    """`stop`: the whole run is done."""


class Return(Exception):
    """`return`: the included script is done."""


class Run:
    """The state of one run."""

    def __init__(
        self, source: Source, message: Message, delivery: Delivery, limits: Limits, flags: Flags
    ) -> None:
        self.source = source
        self.message = message
        self.delivery = delivery
        self.limits = limits
        self.header = HeaderView(message.fields()[: limits.header_fields])
        self.actions: list[Action] = []
        self.edits: list[HeaderEdit] = []
        self.seen: dict[tuple[str, str], tuple[bool, Seen]] = {}
        self.notes: list[str] = []
        self.flags: list[str] | None = None if flags is None else list(flags)
        self.variables: dict[str, str] = {}
        self.shared: dict[str, str] = {}
        self.captured: list[str] = []
        self.included: set[str] = set()
        self.implicit_keep = True
        self.regexes: OrderedDict[tuple[str, str], Regex | None] = OrderedDict()
        self._left = limits.steps
        self._taken = 0
        self._redirects = 0
        self.at = 0

    # -- what it may spend -------------------------------------------------------------------

    def charge(self, steps: int) -> None:
        """Spends steps; ends the run when there are none left."""
        self._left -= steps
        if self._left < 0:
            self.fail(
                self.at,
                "the script takes too much work with this message: fewer or simpler tests,"
                " above all of bodies and regular expressions",
            )

    def fail(self, at: int, text: str) -> NoReturn:
        """Ends the run with an error: the message is kept."""
        raise Failure(at, text)

    def note(self, text: str) -> None:
        """For the trace; the number is bounded by that of the steps, so only the first are kept."""
        if len(self.notes) < self.limits.actions:
            self.notes.append(text)

    # -- what it decides ---------------------------------------------------------------------

    def take(self, action: Action, at: int) -> None:
        """Adds an action; the same one twice is once (RFC 5228 §2.10.3), with the later flags."""
        self._fits(action, at)
        key = _target(action)
        if key is not None:
            for number, other in enumerate(self.actions):
                if _target(other) == key:
                    self.actions[number] = _together(other, action)
                    return
        self._taken += 1
        if self._taken > self.limits.actions:
            self.fail(at, f"the script takes more than {self.limits.actions} actions")
        if isinstance(action, Redirect):
            self._redirects += 1
            if self._redirects > self.limits.redirects:
                most = self.limits.redirects
                self.fail(at, f"the script redirects to more than {most} addresses")
        self.actions.append(action)

    def _fits(self, action: Action, at: int) -> None:
        """RFC 5429 §2.4 and RFC 5230 §4.7: what cannot be done to one message."""
        if isinstance(action, Reject):
            for other in self.actions:
                if isinstance(other, Reject):
                    self.fail(at, "the message has been rejected already")
                if isinstance(other, _DELIVERING):
                    what = _NAMES[type(other)]
                    self.fail(at, f"the message cannot be rejected after {what}")
            return
        if isinstance(action, _DELIVERING) and any(isinstance(a, Reject) for a in self.actions):
            self.fail(at, f"{_NAMES[type(action)]} cannot follow a rejection of the message")
        if isinstance(action, Vacation) and any(isinstance(a, Vacation) for a in self.actions):
            self.fail(at, "vacation can be done once only")

    def edit(self, edit: HeaderEdit, at: int) -> None:
        """Changes the header for all that follows."""
        if len(self.edits) >= self.limits.header_edits:
            self.fail(at, f"the script changes more than {self.limits.header_edits} header fields")
        self.edits.append(edit)
        self.header.edit(edit)
        self.charge(8 if isinstance(edit, AddHeader) else 2)

    def current_flags(self) -> Flags:
        """The internal variable of imap4flags; None if no command has touched it."""
        return None if self.flags is None else tuple(self.flags)

    def decided(self) -> tuple[Action, ...]:
        """The actions at the end, with the implicit keep if it stands."""
        kept = any(isinstance(action, Keep) for action in self.actions)
        if self.implicit_keep and not kept:
            inbox = next((a for a in self.actions if _target(a) == _INBOX), None)
            keep = Keep(self.current_flags(), len(self.edits), implicit=True)
            if inbox is None:
                return (*self.actions, keep)
            return tuple(_together(a, keep) if a is inbox else a for a in self.actions)
        return tuple(self.actions)


_DELIVERING: Final = (Keep, FileInto, Redirect, Vacation)
_NAMES: Final[dict[type, str]] = {
    Keep: "keep",
    FileInto: "fileinto",
    Redirect: "redirect",
    Vacation: "vacation",
}
_INBOX: Final = ("file", "INBOX", "", "")


def _target(action: Action) -> tuple[str, ...] | None:
    """What is done once only: filing into one place, sending to one address, discarding."""
    if isinstance(action, Keep):
        return _INBOX
    if isinstance(action, FileInto):
        name = "INBOX" if action.mailbox.upper() == "INBOX" else action.mailbox
        return "file", name, action.special_use, action.mailbox_id
    if isinstance(action, Redirect):
        local, _, domain = action.address.rpartition("@")
        return "redirect", local, domain.lower()
    return ("discard",) if not isinstance(action, Reject | Vacation) else None


def _together(first: Action, second: Action) -> Action:
    """Two of one target: the first with the later flags, if there are any; a keep if one is."""
    if not isinstance(first, Keep | FileInto) or not isinstance(second, Keep | FileInto):
        return first
    flags = first.flags if second.flags is None else second.flags
    if isinstance(first, FileInto) and isinstance(second, FileInto):
        return first._replace(flags=flags, create=first.create or second.create)
    explicit = [a for a in (first, second) if isinstance(a, Keep)]
    return Keep(flags, first.edits, all(keep.implicit for keep in explicit))
