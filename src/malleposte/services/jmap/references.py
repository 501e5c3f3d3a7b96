"""Arguments that stand for something in the answer of a call before (RFC 8620 §3.7).

The work is bounded: an answer that is referred to many times, by calls that are referred to in turn,
could make one request's answers grow without end.
"""

from collections.abc import Sequence
from typing import Any, Final

from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.requests import Invocation

MOST: Final = 100_000
"""Values that all references of a request may give; a ``get`` takes a thousand."""
MOST_CHARACTERS: Final = 10_000_000
"""In the texts among them."""
LONGEST_PATH: Final = 1_000


class Budget:
    """What the references of one request may still give."""

    def __init__(self) -> None:
        self._values = MOST
        self._characters = MOST_CHARACTERS

    def take(self, values: int, characters: int = 0) -> None:
        """Raises ``MethodError`` when it is used up."""
        self._values -= values
        self._characters -= characters
        if self._values < 0 or self._characters < 0:
            raise MethodError("invalidResultReference", "The references give too much")

    def charge(self, value: Any) -> None:
        """Take a whole value. What stands in it several times counts each time, as it does when it is
        encoded; the walk ends where the budget does."""
        self.take(1)
        waiting = [value]
        while waiting:
            match waiting.pop():
                case str(text):
                    self.take(0, len(text))
                case list(items):
                    self.take(len(items))
                    waiting += items
                case tuple(items):
                    self.take(len(items))
                    waiting += items
                case dict(items):
                    self.take(len(items), sum(len(str(name)) for name in items))
                    waiting += items.values()
                case _:
                    pass


def resolve(
    arguments: dict[str, Any], answers: Sequence[Invocation], budget: Budget
) -> dict[str, Any]:
    """The arguments with each ``#name`` in place of which its value stands. Raises ``MethodError``."""
    if not any(name.startswith("#") for name in arguments):
        return arguments
    found: dict[str, Any] = {}
    for name, value in arguments.items():
        if not name.startswith("#"):
            found[name] = value
            continue
        plain = name[1:]
        if plain in arguments:
            raise MethodError("invalidArguments", f"Both {plain!r} and {name!r} are given")
        found[plain] = _resolved(value, answers, budget)
    return found


def _resolved(reference: Any, answers: Sequence[Invocation], budget: Budget) -> Any:
    match reference:
        case {"resultOf": str(call), "name": str(name), "path": str(path)}:
            pass
        case _:
            raise MethodError("invalidResultReference", "A reference has resultOf, name and path")
    for answered, arguments, id_ in answers:
        if id_ == call:
            if answered != name:
                break
            found = evaluate(arguments, path, budget)
            budget.charge(found)
            return found
    raise MethodError("invalidResultReference", f"No call {call!r} was answered by {name!r}")


def evaluate(value: Any, path: str, budget: Budget) -> Any:
    """What a JSON pointer with ``*`` names (RFC 6901, RFC 8620 §3.7). Raises ``MethodError``."""
    if path and not path.startswith("/"):
        raise MethodError("invalidResultReference", "A path begins with a slash")
    if len(path) > LONGEST_PATH:
        raise MethodError("invalidResultReference", "The path is too long")
    return _follow(value, path.split("/")[1:], budget)


def _follow(value: Any, steps: list[str], budget: Budget) -> Any:
    for at, step in enumerate(steps):
        if step == "*" and isinstance(value, list):
            found: list[Any] = []
            for one in value:
                budget.take(1)
                below = _follow(one, steps[at + 1 :], budget)
                found += below if isinstance(below, list) else (below,)
                if len(found) > MOST:
                    raise MethodError("invalidResultReference", "The path names too many values")
            return found
        value = _step(value, step.replace("~1", "/").replace("~0", "~"))
    return value


def _step(value: Any, name: str) -> Any:
    if isinstance(value, dict) and name in value:
        return value[name]
    plain = name.isascii() and name.isdigit() and (name == "0" or name[0] != "0")
    if isinstance(value, list) and plain and len(name) < 10 and int(name) < len(value):
        return value[int(name)]
    raise MethodError("invalidResultReference", f"The path names nothing at {name!r}")
