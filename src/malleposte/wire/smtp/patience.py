"""How much nonsense a connection has left before it is closed with 421."""

from . import reply as r
from .limits import Limits
from .reply import Reply


class Patience:
    """Each method counts one thing and returns the 421 to give once there were too many.

    An accepted message makes good for errors and idle commands, not for failed sign-ins.
    """

    __slots__ = ("_auth_failures", "_errors", "_idle", "_limits", "_recipients", "_transactions")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._errors = 0
        self._recipients = 0
        self._auth_failures = 0
        self._idle = 0
        self._transactions = 0

    def error(self) -> Reply | None:
        self._errors += 1
        return r.TOO_MANY_ERRORS if self._errors >= self._limits.errors else None

    def recipient_refused(self) -> Reply | None:
        self._recipients += 1
        over = self._recipients >= self._limits.refused_recipients
        return r.TOO_MANY_ERRORS if over else None

    def auth_failed(self) -> Reply | None:
        self._auth_failures += 1
        over = self._auth_failures >= self._limits.auth_failures
        return r.TOO_MANY_SIGN_INS if over else None

    def idle_command(self) -> Reply | None:
        self._idle += 1
        return r.TOO_MANY_COMMANDS if self._idle > self._limits.idle_commands else None

    def transaction(self) -> Reply | None:
        self._transactions += 1
        over = self._transactions > self._limits.transactions
        return r.TOO_MANY_MESSAGES if over else None

    def message_accepted(self) -> None:
        self._errors = self._recipients = self._idle = 0
