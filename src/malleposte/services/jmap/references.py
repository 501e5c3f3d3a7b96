"""Arguments that stand for something in the answer of a call before (RFC 8620 §3.7).

The work is bounded: a path with several ``*`` could make one request's answers grow without end.
"""

from collections.abc import Sequence
from typing import Any, Final

from malleposte.services.jmap.errors import MethodError
from malleposte.services.jmap.requests import Invocation

MOST: Final = 100_000
"""Values that one reference may give; a ``get`` takes a thousand."""


def resolve(arguments: dict[str, Any], answers: Sequence[Invocation]) -> dict[str, Any]:
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
        found[plain] = _resolved(value, answers)
    return found


def _resolved(reference: Any, answers: Sequence[Invocation]) -> Any:
    match reference:
        case {"resultOf": str(call), "name": str(name), "path": str(path)}:
            pass
        case _:
            raise MethodError("invalidResultReference", "A reference has resultOf, name and path")
    for answered, arguments, id_ in answers:
        if id_ == call:
            if answered != name:
                break
            return evaluate(arguments, path)
    raise MethodError("invalidResultReference", f"No call {call!r} was answered by {name!r}")


def evaluate(value: Any, path: str) -> Any:
    """What a JSON pointer with ``*`` names (RFC 6901, RFC 8620 §3.7). Raises ``MethodError``."""
    if path and not path.startswith("/"):
        raise MethodError("invalidResultReference", "A path begins with a slash")
    return _follow(value, path.split("/")[1:])


def _follow(value: Any, steps: list[str]) -> Any:
    for at, step in enumerate(steps):
        if step == "*" and isinstance(value, list):
            found: list[Any] = []
            for one in value:
                below = _follow(one, steps[at + 1 :])
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
