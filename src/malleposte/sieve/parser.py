"""Tokens into a tree by the generic grammar of RFC 5228 §8.2; raises only `Wrong`.

Recursion is bounded by `Limits.nesting`.
"""

from __future__ import annotations

from typing import Final

from .errors import Wrong
from .lexer import Kind, Token, tokens
from .limits import Limits
from .source import Source
from .tree import Argument, Command, Number, String, Strings, Tag, Test

_CONTROLS: Final = frozenset(("if", "elsif", "else"))


def parse(source: Source, limits: Limits) -> tuple[Command, ...]:
    """The commands of a script."""
    parser = _Parser(tokens(source, limits), limits.nesting)
    commands = parser.commands(0)
    if parser.token.kind is not Kind.END:
        raise Wrong(parser.token.at, "this } closes nothing")
    return commands


class _Parser:
    def __init__(self, found: list[Token], nesting: int) -> None:
        self._tokens = found
        self._next = 0
        self._nesting = nesting
        self.token = found[0]

    def _advance(self) -> Token:
        token = self.token
        self._next += 1
        self.token = self._tokens[self._next]
        return token

    def _is(self, mark: str) -> bool:
        return self.token.kind is Kind.MARK and self.token.text == mark

    def _deeper(self, depth: int) -> int:
        if depth >= self._nesting:
            text = f"blocks and tests are nested more than {self._nesting} deep"
            raise Wrong(self.token.at, text)
        return depth + 1

    def commands(self, depth: int) -> tuple[Command, ...]:
        found: list[Command] = []
        while self.token.kind is Kind.WORD:
            found.append(self._command(depth))
        after = self.token
        if after.kind is not Kind.END and after.text != "}":
            raise Wrong(after.at, f"a command was expected, not {_shown(after)}")
        return tuple(found)

    def _command(self, depth: int) -> Command:
        name = self._advance()
        arguments = self._arguments()
        tests, listed = self._tests(depth)
        if self._is(";"):
            self._advance()
            return Command(name.text, arguments, tests, listed, None, name.at)
        if not self._is("{"):
            wanted = "a { with a block" if name.text in _CONTROLS else "a semicolon"
            text = f"{wanted} is missing after {name.text}, before {_shown(self.token)}"
            raise Wrong(self.token.at, text)
        opening = self.token
        below = self._deeper(depth)
        self._advance()
        block = self.commands(below)
        if not self._is("}"):
            raise Wrong(opening.at, "the block that begins here has no closing }")
        self._advance()
        return Command(name.text, arguments, tests, listed, block, name.at)

    def _arguments(self) -> tuple[Argument, ...]:
        found: list[Argument] = []
        while True:
            token = self.token
            if token.kind is Kind.STRING:
                found.append(String(token.text, token.at))
            elif token.kind is Kind.NUMBER:
                found.append(Number(token.number, token.at))
            elif token.kind is Kind.TAG:
                found.append(Tag(token.text, token.at))
            elif self._is("["):
                found.append(self._list())
                continue
            else:
                return tuple(found)
            self._advance()

    def _list(self) -> Strings:
        opening = self._advance()
        items: list[String] = []
        while True:
            token = self.token
            if token.kind is not Kind.STRING:
                raise Wrong(token.at, f"a list holds strings, not {_shown(token)}")
            items.append(String(token.text, token.at))
            self._advance()
            if self._is("]"):
                self._advance()
                return Strings(tuple(items), opening.at)
            if not self._is(","):
                text = f"a comma or ] is missing in the list, before {_shown(self.token)}"
                raise Wrong(self.token.at, text)
            self._advance()

    def _tests(self, depth: int) -> tuple[tuple[Test, ...], bool]:
        first = self.token
        if first.kind is Kind.WORD:
            return (self._test(self._deeper(depth)),), False
        if not self._is("("):
            return (), False
        below = self._deeper(depth)
        self._advance()
        found: list[Test] = []
        while True:
            token = self.token
            if token.kind is not Kind.WORD:
                raise Wrong(token.at, f"a test was expected, not {_shown(token)}")
            found.append(self._test(below))
            if self._is(")"):
                self._advance()
                return tuple(found), True
            if not self._is(","):
                text = f"a comma or ) is missing between tests, before {_shown(self.token)}"
                raise Wrong(self.token.at, text)
            self._advance()

    def _test(self, depth: int) -> Test:
        name = self._advance()
        arguments = self._arguments()
        tests, listed = self._tests(depth)
        return Test(name.text, arguments, tests, listed, name.at)


def _shown(token: Token) -> str:
    if token.kind is Kind.STRING:
        return "a string"
    if token.kind is Kind.TAG:
        return f":{token.text}"
    return token.text
