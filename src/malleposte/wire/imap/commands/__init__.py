"""The commands of IMAP, a class each; this is their registry.

An extension is a module with a `COMMANDS` tuple, named here; what extends a command adds to the
tables of that command (`search_grammar.KEYS`, the items of `fetch`, the enums of `listing`).
"""

from __future__ import annotations

from typing import Final

from malleposte.wire.imap.commands import (
    acl,
    append,
    auth,
    compress,
    fetch,
    listing,
    mailbox,
    message,
    metadata,
    notify,
    quota,
    replace,
    search,
    select,
    session,
    sort,
    store,
    thread,
)
from malleposte.wire.imap.commands.base import Command, State
from malleposte.wire.imap.errors import Cause, CommandError
from malleposte.wire.imap.lexer import UNTAGGED, Reader, Tag, readable_tag, split_head
from malleposte.wire.imap.limits import Limits

_MODULES: Final = (
    session,
    compress,
    auth,
    select,
    mailbox,
    acl,
    listing,
    metadata,
    quota,
    append,
    replace,
    message,
    search,
    sort,
    thread,
    fetch,
    store,
    notify,
)

REGISTRY: Final[dict[bytes, type[Command]]] = {
    name: command for module in _MODULES for command in module.COMMANDS for name in command.NAMES
}
"""Command classes by name in upper case; `UID FETCH` is a name."""


def identify(
    text: bytes, state: State, limits: Limits, utf8: bool
) -> tuple[type[Command], Tag, Reader]:
    """The class of a command by its head, its tag, and a reader that stands at its arguments.

    Raises CommandError for what is no command, is not known, or not allowed in `state`.
    """
    head = split_head(text)
    if head is None or len(head[0]) > limits.tag_bytes:
        if readable_tag(text, limits.tag_bytes) == UNTAGGED:
            raise CommandError("Expected a tag and a command")
        raise CommandError("Expected a command behind the tag")
    tag, name, position = head
    kind = REGISTRY.get(name)
    if kind is None:
        raise CommandError("Unknown command", cause=Cause.UNKNOWN_COMMAND)
    if not kind.STATES & state:
        if state is State.NOT_AUTHENTICATED:
            words = "Sign in first"
        elif kind.STATES is State.NOT_AUTHENTICATED:
            words = "Already signed in"
        else:
            words = "Select a mailbox first"
        raise CommandError(words, cause=Cause.WRONG_STATE)
    args = Reader(text, position, limits=limits, utf8=utf8, uid=name.startswith(b"UID "))
    return kind, tag, args
