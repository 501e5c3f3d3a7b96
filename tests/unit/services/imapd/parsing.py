"""Who parses a message while a client reads: nobody (design: no MIME parsing on reads)."""

from __future__ import annotations

import traceback
from contextvars import ContextVar
from typing import Any

import pytest

from malleposte.mime.limits import Limits
from malleposte.mime.scanner import Buffer, Scanner
from malleposte.services.imapd import registry
from malleposte.services.imapd.registry import Handler

_COMMAND: ContextVar[str] = ContextVar("command", default="")
"""The command whose handler this is part of, in threads and tasks it starts too."""


class Parsed(AssertionError):
    """A message was parsed while a client read."""


def watch(patch: pytest.MonkeyPatch) -> list[str]:
    """Let every command but those that bring a message (APPEND, REPLACE) fail where it parses one; what
    did is noted, should the failure be caught on its way."""
    seen: list[str] = []
    begin = Scanner.__init__

    def init(self: Scanner, buffer: Buffer, limits: Limits) -> None:
        if command := _COMMAND.get():
            seen.append(f"{command} parses:\n{''.join(traceback.format_stack(limit=8))}")
            raise Parsed(command)
        begin(self, buffer, limits)

    def watched(name: str, handler: Handler) -> Handler:
        async def handle(session: Any, command: Any) -> bytes | None:
            token = _COMMAND.set(name)
            try:
                return await handler(session, command)
            finally:
                _COMMAND.reset(token)

        return handle

    patch.setattr(Scanner, "__init__", init)
    patch.setattr(
        registry,
        "HANDLERS",
        {kind: watched(kind.__name__, handler) for kind, handler in registry.HANDLERS.items()},
    )
    return seen
