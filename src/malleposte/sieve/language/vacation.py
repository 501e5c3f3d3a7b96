"""Replies of who is away: vacation (RFC 5230), its `:seconds` (RFC 6131)."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from malleposte.sieve.actions import Vacation
from malleposte.sieve.address import sendable
from malleposte.sieve.autoreply import unfit
from malleposte.sieve.limits import VACATION_LEAST, VACATION_MOST
from malleposte.sieve.run import Run
from malleposte.sieve.scope import CommandRule, Does, Scope, TestRule
from malleposte.sieve.signature import NUMBER, STRING, STRINGS, Bound, Signature, TagRule
from malleposte.sieve.text import Texts
from malleposte.sieve.tree import Command

_DAY: Final = 86_400
_DEFAULT: Final = 7 * _DAY


def _vacation(scope: Scope, node: Command, bound: Bound) -> Does:
    tags = bound.tags
    reason = scope.text(bound.positional[0])
    subject = scope.text_or_empty(tags.get("subject"))
    sender = scope.text_or_empty(tags.get("from"))
    if sender.constant and sendable(sender.constant) is None:
        scope.wrong(sender.at, f"{sender.constant[:100]!r} is no mail address")
    given = tags.get("addresses")
    own = Texts((), node.at) if given is None else scope.texts(given)
    handle = None if "handle" not in tags else scope.text(tags["handle"])
    mime = "mime" in tags
    seconds = _seconds(scope, bound)

    def vacation(run: Run) -> None:
        why_not = unfit(run, own.get(run))
        if why_not:
            run.note(f"vacation: no reply, {why_not}")
            return
        text = reason.get(run)
        from_address = sender.get(run)
        if from_address and sendable(from_address) is None:
            run.note(f"vacation: {from_address[:100]!r} is no mail address, :from was left out")
            from_address = ""
        about = " ".join(subject.get(run).split()) or _about(run)
        if handle is not None:
            known = handle.get(run)
        else:
            # RFC 5230 §4.2: another reply is another one to remember.
            known = _digest(text, subject.get(run), from_address, "mime" if mime else "")
        run.take(
            Vacation(run.delivery.sender, known, seconds, about, text, mime, from_address), node.at
        )

    return vacation


def _seconds(scope: Scope, bound: Bound) -> int:
    """How long nobody hears it twice; within what the site allows (RFC 5230 §4.1, RFC 6131 §2)."""
    if "seconds" in bound.tags:
        seconds = scope.number(bound.tags["seconds"])
        return seconds and min(max(seconds, VACATION_LEAST), VACATION_MOST)
    if "days" in bound.tags:
        return min(max(scope.number(bound.tags["days"]), 1) * _DAY, VACATION_MOST)
    return _DEFAULT


def _about(run: Run) -> str:
    """The subject of the reply if none is given (RFC 5230 §4.3)."""
    fields = run.header.named("subject")
    text = fields[0].text[:500] if fields else ""
    return f"Auto: {text}" if text else "Automated reply"


def _digest(*parts: str) -> str:
    made = sha256()
    for part in parts:
        made.update(part.encode("utf-8", "replace") + b"\0")
    return made.hexdigest()[:32]


COMMANDS: Final = {
    "vacation": CommandRule(
        Signature(
            (STRING,),
            {
                "days": TagRule(NUMBER, group="time"),
                "seconds": TagRule(NUMBER, "vacation-seconds", "time"),
                "subject": TagRule(STRING),
                "from": TagRule(STRING),
                "addresses": TagRule(STRINGS),
                "mime": TagRule(),
                "handle": TagRule(STRING),
            },
        ),
        _vacation,
        "vacation",
    ),
}
TESTS: Final[dict[str, TestRule]] = {}
