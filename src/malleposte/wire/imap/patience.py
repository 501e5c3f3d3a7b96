"""How much nonsense a peer may send before it is shown the door."""

from __future__ import annotations

from malleposte.wire.imap.errors import BAD, Cause, CommandError
from malleposte.wire.imap.limits import Limits


class Patience:
    """Counts commands that make no sense, and octets that were sent for nothing.

    After sign-in both counts start again with each good command: a person or a program at work may
    err. Before it nothing makes up for bad commands, and good ones are counted too: they lead to
    nothing but a sign-in. Each method that counts answers with the
    reason to end the connection, or None.
    """

    __slots__ = ("_bad", "_commands", "_limits", "_signed_in", "_wasted")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._signed_in = False
        self._bad = 0
        self._commands = 0
        self._wasted = 0

    def signed_in(self) -> None:
        self._signed_in = True
        self._bad = 0

    def good_command(self) -> str | None:
        self._wasted = 0
        if self._signed_in:
            self._bad = 0
            return None
        return self._one_more()

    def _one_more(self) -> str | None:
        if self._signed_in:
            return None
        self._commands += 1
        if self._commands <= self._limits.commands_before_sign_in:
            return None
        return "Too many commands before sign-in"

    def refused(self, error: CommandError) -> str | None:
        """A refusal by NO, or a dialogue that the client cancelled, is no offence."""
        if error.cause is Cause.CANCELLED:
            return None  # its command was counted
        if error.condition != BAD:
            return self._one_more()
        self._bad += 1
        limits = self._limits
        if self._bad < (
            limits.bad_commands if self._signed_in else limits.bad_commands_before_sign_in
        ):
            return None
        return "Too many commands that make no sense"

    def wasted(self, octets: int, *, done: bool) -> str | None:
        """`octets` of a refused command went by or are announced; `done`: there were no more."""
        limits = self._limits
        total = self._wasted + octets
        if done:
            self._wasted = total
        if total <= (limits.drain_bytes if self._signed_in else limits.drain_bytes_before_sign_in):
            return None
        return "Too much that cannot be used"
