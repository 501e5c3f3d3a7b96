"""A value that does not show itself.

Invariant: `str`, `repr`, `format`, logging and tracebacks of a `Secret` show only that one is
there. The value is had by the explicit call `reveal()`, easy to find in a review. It cannot be
pickled or copied into a message by accident; equality is compared in constant time."""

import hmac
from typing import Generic, NoReturn, TypeVar

Value = TypeVar("Value", str, bytes)

HIDDEN = "[hidden]"


class Secret(Generic[Value]):
    """Holds text or bytes that must not reach a log, an error message or a screen.

    Comparison with another `Secret` is constant-time in the content (not in the length, which
    `hmac.compare_digest` cannot hide). It is not hashable: a secret as a key of a dictionary would
    leak by timing and live for ever."""

    __slots__ = ("_value",)

    def __init__(self, value: Value) -> None:
        self._value: Value = value

    def reveal(self) -> Value:
        """The value itself; call it as late as possible."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_octets(self._value), _octets(other._value))

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not serialised; reveal() and seal it")


def _octets(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
