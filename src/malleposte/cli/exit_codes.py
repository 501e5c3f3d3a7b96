"""What the exit code says; scripts may rely on it (docs/cli.md)."""

from typing import Final

OK: Final = 0
"""Done."""
REFUSED: Final = 1
"""Refused or failed; the text on standard error says why and what to do."""
USAGE: Final = 2
"""The command line or the configuration is wrong; nothing was done."""
UNAVAILABLE: Final = 3
"""The server is not running, is busy, or another process holds the store: try again later."""
DAMAGE: Final = 4
"""A check found something wrong, or the store is damaged."""
LEFT_OUT: Final = 5
"""Done, but some of it was left out; the report lists what and why."""
INTERRUPTED: Final = 130
"""Broken off by the operator."""


class Trouble(Exception):
    """Ends a command: one line for people, an exit code, a short word for scripts."""

    def __init__(self, code: int, text: str, reason: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.reason = reason or {
            REFUSED: "failed",
            USAGE: "usage",
            UNAVAILABLE: "unavailable",
            DAMAGE: "damage",
        }.get(code, "failed")
