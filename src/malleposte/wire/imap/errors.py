"""The one exception of the parsers: a command that is answered NO or BAD instead of being run."""

from __future__ import annotations

from enum import Enum
from typing import Final

BAD: Final = b"BAD"
NO: Final = b"NO"


class Cause(Enum):
    """Why the engine refused a command; a label for metrics."""

    SYNTAX = "syntax"
    UNKNOWN_COMMAND = "unknown command"
    WRONG_STATE = "wrong state"
    TOO_BIG = "too big"
    LINE_END = "line end"
    NOT_DONE = "not DONE"
    CANCELLED = "cancelled"


class CommandError(Exception):
    """A command cannot be understood or accepted.

    `text` says in English what was expected and never repeats what the client sent (it may be a
    password). `condition` is BAD for a violation of syntax and NO for a well-formed command that
    is not supported (RFC 9051 §7.1.2, §7.1.3). `code` is a response code without brackets.
    """

    def __init__(
        self,
        text: str,
        condition: bytes = BAD,
        code: bytes | None = None,
        cause: Cause = Cause.SYNTAX,
    ) -> None:
        super().__init__(text)
        self.text = text
        self.condition = condition
        self.code = code
        self.cause = cause


class TooBig(CommandError):
    """A bound of `Limits` is passed."""

    def __init__(self, text: str, condition: bytes = BAD, code: bytes = b"TOOBIG") -> None:
        super().__init__(text, condition, code, Cause.TOO_BIG)


class LineError(CommandError):
    """A line is refused before its end has come: what is left of it must be thrown away."""
