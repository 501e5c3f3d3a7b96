"""How much nonsense a connection has left before it is closed, in POP3 and ManageSieve."""

from typing import Protocol


class Most(Protocol):
    """How much is allowed: `Limits` of a protocol."""

    @property
    def errors(self) -> int:
        """Commands in a row that the engine itself had to refuse."""
        ...

    @property
    def commands_before_sign_in(self) -> int:
        """Commands that lead to no sign-in, good or bad."""
        ...

    @property
    def auth_failures(self) -> int:
        """Failed sign-ins."""
        ...


class Patience:
    """Methods that count tell whether that was one too many.

    After sign-in a good command makes good for the errors before it: a person or a program at work may
    err. Before it nothing does, and all commands count: they lead to nothing but a sign-in.
    """

    __slots__ = ("_auth_failures", "_commands", "_errors", "_limits", "_signed_in")

    def __init__(self, limits: Most) -> None:
        self._limits = limits
        self._auth_failures = 0
        self.begin()

    def begin(self) -> None:
        """Nobody is signed in (any more). Failed sign-ins stay counted."""
        self._signed_in = False
        self._errors = 0
        self._commands = 0

    def signed_in(self) -> None:
        self._signed_in = True
        self._errors = 0

    def command(self) -> bool:
        if not self._signed_in:
            self._commands += 1
        return self._commands > self._limits.commands_before_sign_in

    def good(self) -> None:
        if self._signed_in:
            self._errors = 0

    def refused(self) -> bool:
        self._errors += 1
        return self._errors >= self._limits.errors

    def auth_failed(self) -> bool:
        self._auth_failures += 1
        return self._auth_failures >= self._limits.auth_failures
