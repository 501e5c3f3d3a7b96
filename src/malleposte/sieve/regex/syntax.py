"""The syntax of POSIX extended regular expressions, read into a tree.

Anchors stand for the ends of the whole text, the dot for any character. What POSIX leaves undefined
and other dialects give a meaning (`(?`, `*?`, `\\b`, `\\1`) is refused in words rather than guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from .charset import ANY, CLASSES, ESCAPES, Charset

REPEATS: Final = 255
"""The most that can stand in braces: POSIX's RE_DUP_MAX."""

GROUPS: Final = 32
DEPTH: Final = 40
"""Groups in all and inside each other."""


class BadPattern(Exception):
    """A pattern that is none, in words."""


class Chars(NamedTuple):
    """One character of a set."""

    charset: Charset


class Edge(NamedTuple):
    """`^` or `$`."""

    end: bool


class Sequence(NamedTuple):
    """One after the other."""

    nodes: tuple[Node, ...]


class Choice(NamedTuple):
    """One of them."""

    nodes: tuple[Node, ...]


class Repeat(NamedTuple):
    """`most` is None for no bound."""

    node: Node
    least: int
    most: int | None


class Group(NamedTuple):
    """In parentheses; numbers count from 1."""

    number: int
    node: Node


Node = Chars | Edge | Sequence | Choice | Repeat | Group

_BRACES: Final = re.compile(r"\{([0-9]{1,3})(?:(,)([0-9]{1,3})?)?\}")


class Pattern(NamedTuple):
    """A whole expression and how many groups it has."""

    node: Node
    groups: int


def parse(pattern: str) -> Pattern:
    """Reads an expression; raises `BadPattern`."""
    reader = _Reader(pattern)
    node = reader.choice(0)
    if reader.at < len(pattern):
        raise BadPattern("a ) closes nothing; write \\) for the character")
    return Pattern(node, reader.groups)


def quoted(text: str) -> str:
    """The expression that only `text` matches."""
    return re.sub(r"[\\^$.|?*+(){}\[\]]", r"\\\g<0>", text)


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.groups = 0

    def _peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def choice(self, depth: int) -> Node:
        nodes = [self._sequence(depth)]
        while self._peek() == "|":
            self.at += 1
            nodes.append(self._sequence(depth))
        return nodes[0] if len(nodes) == 1 else Choice(tuple(nodes))

    def _sequence(self, depth: int) -> Node:
        nodes: list[Node] = []
        while (character := self._peek()) and character not in "|)":
            self.at += 1
            node = self._atom(character, depth)
            repeat = self._repeat(node)
            if repeat is not None:
                node = repeat
                if self._repeat(node) is not None:
                    raise BadPattern(
                        "two of * + ? { stand in a row; the longest match is always taken"
                    )
            nodes.append(node)
        return nodes[0] if len(nodes) == 1 else Sequence(tuple(nodes))

    def _repeat(self, node: Node) -> Repeat | None:
        character = self._peek()
        if not character or character not in "*+?{":
            return None
        if character == "{":
            match = _BRACES.match(self.pattern, self.at)
            if match is None:
                raise BadPattern("a { begins no {n}, {n,} or {n,m}; write \\{ for the character")
            self.at = match.end()
            least = int(match[1])
            most = least if match[2] is None else int(match[3]) if match[3] else None
            if least > REPEATS or (most is not None and not least <= most <= REPEATS):
                raise BadPattern(f"{match[0]} does not count from less to more, up to {REPEATS}")
            return Repeat(node, least, most)
        self.at += 1
        return Repeat(node, int(character == "+"), 1 if character == "?" else None)

    def _atom(self, character: str, depth: int) -> Node:
        if character == "(":
            return self._group(depth)
        if character == "[":
            return Chars(self._bracket())
        if character == ".":
            return Chars(ANY)
        if character in "^$":
            return Edge(character == "$")
        if character in "*+?{":
            raise BadPattern(f"{character} repeats nothing; write \\{character} for the character")
        if character == "\\":
            return Chars(self._escape())
        return Chars(Charset(frozenset(character)))

    def _group(self, depth: int) -> Node:
        if self._peek() == "?":
            raise BadPattern("(? has no meaning in POSIX expressions; every ( ) is a group")
        if depth >= DEPTH or self.groups >= GROUPS:
            raise BadPattern(f"more than {GROUPS} groups, or {DEPTH} inside each other")
        self.groups += 1
        number = self.groups
        node = self.choice(depth + 1)
        if self._peek() != ")":
            raise BadPattern("a ( is not closed; write \\( for the character")
        self.at += 1
        return Group(number, node)

    def _escape(self) -> Charset:
        character = self._peek()
        if not character:
            raise BadPattern("it ends in a backslash; in a script, write \\\\ for one")
        self.at += 1
        if character in ESCAPES:
            return ESCAPES[character]
        if character.isdigit():
            raise BadPattern(f"\\{character} is a back-reference; these are not supported")
        if character.isascii() and character.isalnum():
            raise BadPattern(f"\\{character} has no meaning here")
        return Charset(frozenset(character))

    def _bracket(self) -> Charset:
        negated = self._peek() == "^"
        self.at += negated
        singles: set[str] = set()
        ranges: list[tuple[str, str]] = []
        classes: list[Callable[[str], bool]] = []
        first = True
        while True:
            character = self._peek()
            if character == "]" and not first:
                self.at += 1
                return Charset(frozenset(singles), tuple(ranges), tuple(classes), negated)
            first = False
            if self.pattern.startswith("[:", self.at):
                name = self._named(":")
                if name not in CLASSES:
                    raise BadPattern(f"[:{name}:] is no class; there are {', '.join(CLASSES)}")
                classes.append(CLASSES[name])
                continue
            low = self._bracketed()
            if self._peek() == "-" and self.pattern[self.at + 1 : self.at + 2] not in ("", "]"):
                self.at += 1
                high = self._bracketed()
                if high < low:
                    raise BadPattern(f"the range {low}-{high} ends before it begins")
                ranges.append((low, high))
            else:
                singles.add(low)

    def _bracketed(self) -> str:
        """One character inside brackets; a backslash is one like any other."""
        for kind in ".=":
            if self.pattern.startswith("[" + kind, self.at):
                name = self._named(kind)
                if len(name) != 1:
                    raise BadPattern(f"[{kind}{name}{kind}] is not one character")
                return name
        character = self._peek()
        if not character:
            raise BadPattern("a [ is not closed; write \\[ for the character")
        self.at += 1
        return character

    def _named(self, kind: str) -> str:
        end = self.pattern.find(kind + "]", self.at + 2)
        if end < 0:
            raise BadPattern(f"a [{kind} is not closed")
        name = self.pattern[self.at + 2 : end]
        self.at = end + 2
        return name
