"""The scripts of an account, one after the other, on one message: what they decide together.

The next one runs only where the one before ended in a keep, in place of it: its flags begin that run, and
it sees the header as edited so far. One that fails, or cannot be used, has decided nothing: so the next one
runs. Nothing here does I/O.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from malleposte.sieve import (
    Delivery,
    Discard,
    FileInto,
    HeaderEdit,
    Keep,
    Message,
    Redirect,
    Reject,
    Seen,
    Vacation,
)
from malleposte.sieve.actions import Flags

from .header_edits import Edited
from .scripts import Link


@dataclass(frozen=True, slots=True)
class Failure:
    """A script that ended in an error, in words for whose it is."""

    place: str
    name: str
    words: str


@dataclass(slots=True)
class Decided:
    """What a chain decided. ``edits`` of an action count those of all scripts."""

    filings: list[Keep | FileInto] = field(default_factory=list)
    redirects: list[Redirect] = field(default_factory=list)
    reject: Reject | None = None
    vacation: Vacation | None = None
    edits: list[HeaderEdit] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    @property
    def delivers(self) -> bool:
        """Whether something is done already that forbids to reject the message (RFC 5429 §2.4)."""
        return bool(self.filings or self.redirects or self.vacation)


def run(links: Iterable[Link], message: Message, delivery: Delivery) -> Decided:
    """Run a chain. Raises only what ``delivery`` and ``message`` raise."""
    decided = Decided()
    flags: Flags = None
    kept: Keep | None = Keep(implicit=True)
    for link in links:
        if link.script is None:
            decided.failures.append(Failure(link.place, link.name, link.wrong))
            continue
        seen = Edited(message, decided.edits) if decided.edits else message
        outcome = link.script.run(seen, delivery, flags)
        decided.notes += [f"{link.place}: {note}" for note in outcome.notes]
        words = "" if outcome.error is None else str(outcome.error)
        if decided.delivers and any(isinstance(a, Reject) for a in outcome.actions):
            words = "the message cannot be rejected: a script before this one has filed it or sent it on"
        if words:
            decided.failures.append(Failure(link.place, link.name, words))
            continue
        before = len(decided.edits)
        decided.edits += outcome.header_edits
        decided.seen += outcome.seen
        for action in outcome.actions:
            match action:
                case FileInto():
                    decided.filings.append(action._replace(edits=before + action.edits))
                case Redirect():
                    _redirect(decided, action._replace(edits=before + action.edits))
                case Reject():
                    decided.reject = action
                case Vacation():
                    decided.vacation = decided.vacation or action
                case Keep() | Discard():
                    pass
        kept = outcome.keep
        if kept is None:
            break
        kept = kept._replace(edits=before + kept.edits)
        flags = kept.flags
    if kept is not None:
        decided.filings.append(kept)
    return decided


def _redirect(decided: Decided, action: Redirect) -> None:
    """Add one; to one address once."""
    if all(one.address.lower() != action.address.lower() for one in decided.redirects):
        decided.redirects.append(action)
