"""Where a message goes: keep, fileinto, redirect, discard (RFC 5228 §4), with `:copy` (RFC 3894),
`:create` (RFC 5490), `:specialuse` (RFC 8579), `:mailboxid` (RFC 9042) and `:flags` (RFC 5232)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from malleposte.sieve.actions import Discard, FileInto, Flags, Keep, Redirect
from malleposte.sieve.address import sendable
from malleposte.sieve.limits import MAILBOX_CHARACTERS
from malleposte.sieve.run import Run
from malleposte.sieve.scope import CommandRule, Does, Scope, TestRule
from malleposte.sieve.signature import STRING, STRINGS, Bound, Signature, TagRule
from malleposte.sieve.tree import Command

from .flags import flag_list

_COPY: Final = {"copy": TagRule(capability="copy")}
_FLAGS: Final = {"flags": TagRule(STRINGS, "imap4flags")}


def _flags(scope: Scope, bound: Bound) -> Callable[[Run], Flags]:
    if "flags" not in bound.tags:
        return Run.current_flags
    flags = scope.texts(bound.tags["flags"])
    return lambda run: tuple(flag_list(run, flags.get(run)))


def _keep(scope: Scope, node: Command, bound: Bound) -> Does:
    flags = _flags(scope, bound)

    def keep(run: Run) -> None:
        run.take(Keep(flags(run), len(run.edits)), node.at)
        run.implicit_keep = False

    return keep


def wrong_mailbox(name: str) -> str:
    """Why no mailbox can have that name; "" if one can."""
    if not name:
        return "the name of the mailbox is empty"
    if len(name) > MAILBOX_CHARACTERS:
        return f"the name of the mailbox is longer than {MAILBOX_CHARACTERS} characters"
    if not name.isprintable():
        return f"the mailbox name {name[:60]!r} has a control character in it"
    return ""


def _fileinto(scope: Scope, node: Command, bound: Bound) -> Does:
    mailbox = scope.text(bound.positional[0])
    if mailbox.constant is not None and (wrong := wrong_mailbox(mailbox.constant)):
        scope.wrong(mailbox.at, wrong)
    flags = _flags(scope, bound)
    copy, create = "copy" in bound.tags, "create" in bound.tags
    empty = scope.text_or_empty
    use, identity = empty(bound.tags.get("specialuse")), empty(bound.tags.get("mailboxid"))

    def fileinto(run: Run) -> None:
        name = mailbox.get(run)
        if mailbox.constant is None and (wrong := wrong_mailbox(name)):
            run.fail(mailbox.at, wrong)
        action = FileInto(
            name, flags(run), create, use.get(run), identity.get(run), edits=len(run.edits)
        )
        run.take(action, node.at)
        if not copy:
            run.implicit_keep = False

    return fileinto


def _redirect(scope: Scope, node: Command, bound: Bound) -> Does:
    address = scope.text(bound.positional[0])
    if address.constant is not None and sendable(address.constant) is None:
        scope.wrong(address.at, f"{address.constant[:100]!r} is no mail address")
    copy = "copy" in bound.tags

    def redirect(run: Run) -> None:
        text = address.get(run)
        target = sendable(text)
        if target is None:
            run.fail(address.at, f"{text[:100]!r} is no mail address")
        run.take(Redirect(target, len(run.edits)), node.at)
        if not copy:
            run.implicit_keep = False

    return redirect


def _discard(scope: Scope, node: Command, bound: Bound) -> Does:
    def discard(run: Run) -> None:
        run.take(Discard(), node.at)
        run.implicit_keep = False

    return discard


COMMANDS: Final = {
    "keep": CommandRule(Signature(tags=_FLAGS), _keep),
    "fileinto": CommandRule(
        Signature(
            (STRING,),
            {
                **_COPY,
                **_FLAGS,
                "create": TagRule(capability="mailbox"),
                "specialuse": TagRule(STRING, "special-use", "place"),  # not both: RFC 9042 §4
                "mailboxid": TagRule(STRING, "mailboxid", "place"),
            },
        ),
        _fileinto,
        "fileinto",
    ),
    "redirect": CommandRule(Signature((STRING,), _COPY), _redirect),
    "discard": CommandRule(Signature(), _discard),
}
TESTS: Final[dict[str, TestRule]] = {}
