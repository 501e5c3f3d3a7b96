"""What a command or test takes, and the arguments of one use of it held against that.

RFC 5228 §2.6: tags come before positional arguments, in any order, each once.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from .errors import Wrong
from .tree import Argument, Command, Number, String, Strings, Tag, Test

if TYPE_CHECKING:
    from .scope import Scope


class Takes(Enum):
    """A kind of argument; where a list is taken, a string stands for a list of one."""

    STRING = "a string"
    STRINGS = "a string or a list of strings"
    NUMBER = "a number"


class TagRule(NamedTuple):
    """One tag: what stands after it, the extension it belongs to, the group of which one may be."""

    value: Takes | None = None
    capability: str = ""
    group: str = ""


class Tests(Enum):
    """How many tests follow."""

    NONE = "no test"
    ONE = "one test"
    LIST = "a list of tests in parentheses"


class Signature(NamedTuple):
    """`least` of the positional arguments must be there; with `first_optional` it is the first
    that may be missing, else the last."""

    positional: tuple[Takes, ...] = ()
    tags: Mapping[str, TagRule] = {}
    tests: Tests = Tests.NONE
    block: bool = False
    least: int = -1
    first_optional: bool = False


class Bound(NamedTuple):
    """The arguments of one use: `tags` by name with their value (None if they have none),
    `places` of the tags, `positional` with None for what is missing."""

    tags: Mapping[str, Argument | None]
    places: Mapping[str, int]
    positional: tuple[Argument | None, ...]
    at: int


STRING: Final = Takes.STRING
STRINGS: Final = Takes.STRINGS
NUMBER: Final = Takes.NUMBER


def bind(scope: Scope, node: Command | Test, signature: Signature) -> Bound:
    """Holds a command or test against its signature; raises `Wrong`."""
    tags, places, rest = _tags(scope, node, signature)
    _shape(node, signature)
    wanted = signature.positional
    least = len(wanted) if signature.least < 0 else signature.least
    if not least <= len(rest) <= len(wanted):
        raise Wrong(node.at, f"{node.name} takes {_counted(signature)}, not {len(rest)}")
    missing = len(wanted) - len(rest)
    given: list[Argument | None] = list(rest)
    if missing:
        nothing: list[Argument | None] = [None] * missing
        given = nothing + given if signature.first_optional else given + nothing
    for argument, takes in zip(given, wanted, strict=True):
        if argument is not None and not _is(argument, takes):
            raise Wrong(argument.at, f"{node.name} takes {takes.value} here")
    return Bound(tags, places, tuple(given), node.at)


def _tags(
    scope: Scope, node: Command | Test, signature: Signature
) -> tuple[dict[str, Argument | None], dict[str, int], list[Argument]]:
    tags: dict[str, Argument | None] = {}
    places: dict[str, int] = {}
    groups: dict[str, str] = {}
    rest: list[Argument] = []
    arguments = iter(node.arguments)
    for argument in arguments:
        if not isinstance(argument, Tag):
            rest.append(argument)
            continue
        name = argument.name
        rule = signature.tags.get(name)
        if rule is None:
            raise Wrong(argument.at, f"{node.name} knows no :{name}")
        if rest:
            raise Wrong(argument.at, f":{name} must stand before the other arguments")
        if rule.capability:
            scope.need(rule.capability, argument.at, f":{name}")
        if name in tags:
            raise Wrong(argument.at, f":{name} stands twice")
        if rule.group:
            other = groups.setdefault(rule.group, name)
            if other != name:
                raise Wrong(argument.at, f":{name} cannot stand beside :{other}")
        value: Argument | None = None
        if rule.value is not None:
            value = next(arguments, None)
            if value is None or not _is(value, rule.value):
                at = argument.at if value is None else value.at
                raise Wrong(at, f":{name} is followed by {rule.value.value}")
        tags[name] = value
        places[name] = argument.at
    return tags, places, rest


def _shape(node: Command | Test, signature: Signature) -> None:
    """Tests and block are there as they should be."""
    if signature.tests is Tests.NONE:
        if node.tests:
            hint = "; elsif does" if node.name == "else" else ""
            raise Wrong(node.tests[0].at, f"{node.name} takes no test{hint}")
    elif not node.tests or node.listed is not (signature.tests is Tests.LIST):
        raise Wrong(node.at, f"{node.name} takes {signature.tests.value}")
    if isinstance(node, Command) and (node.block is not None) is not signature.block:
        what = "a block in { }" if signature.block else "no block; a semicolon ends it"
        raise Wrong(node.at, f"{node.name} takes {what}")


def _is(argument: Argument, takes: Takes) -> bool:
    if takes is Takes.NUMBER:
        return isinstance(argument, Number)
    if takes is Takes.STRING:
        return isinstance(argument, String)
    return isinstance(argument, String | Strings)


def _counted(signature: Signature) -> str:
    count = len(signature.positional)
    if not count:
        return "no argument without a tag"
    if 0 <= signature.least < count:
        return f"{signature.least} to {count} arguments without a tag"
    return f"{count} argument{'s' if count > 1 else ''} without a tag"
