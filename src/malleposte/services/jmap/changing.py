"""What the ``changes`` methods have in common (RFC 8620 §5.2)."""

from collections.abc import Callable
from typing import Any, Final

from malleposte.services.jmap.arguments import Changes as Arguments
from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.states import UNKNOWN
from malleposte.store.read.change_log import Changes

MOST: Final = 5_000
"""Ids told at once."""


def most(arguments: Arguments) -> int:
    """How many ids are told."""
    return min(arguments.max_changes or MOST, MOST)


def unmoved(arguments: Arguments, state: str) -> dict[str, Any]:
    """The answer of what keeps no log of itself: nothing, where it is as it was. Raises ``MethodError``."""
    if arguments.since_state != state:
        raise MethodError(UNKNOWN)
    return {
        "accountId": arguments.account_id,
        "oldState": state,
        "newState": state,
        "hasMoreChanges": False,
        "created": [],
        "updated": [],
        "destroyed": [],
    }


def told(
    arguments: Arguments,
    found: Changes | None,
    text: Callable[[int], str],
    after: Callable[[Changes], str],
) -> dict[str, Any]:
    """The answer; ``text`` makes ids, ``after`` the state that follows. Raises ``MethodError`` where it
    cannot be told."""
    if found is None:
        raise MethodError(UNKNOWN)
    return {
        "accountId": arguments.account_id,
        "oldState": arguments.since_state,
        "newState": after(found),
        "hasMoreChanges": found.more,
        "created": list(map(text, found.created)),
        "updated": list(map(text, found.updated)),
        "destroyed": list(map(text, found.destroyed)),
    }
