"""Commands cut from what was received: atoms, numbers, strings, over several lines where there are literals
(RFC 5804 §4).

What a client sends as a literal comes whatever we think of it (`{n+}`): one that is too large is thrown
away as it comes, and the command is refused when it is whole. A line that is no command is refused at its
end, so that the next one is in step.
"""

import re
from enum import Enum, auto
from typing import Final

from .limits import Limits
from .responses import QUOTED, Code

_TOKEN: Final = re.compile(
    rb'[ \t]*+(?:"((?:[^"\\\r\n\0]|\\["\\])*)"|([A-Za-z][A-Za-z0-9-]*+)|([0-9]{1,10}+)'
    rb"|\{([0-9]{1,10}+)\+\}(?=\Z))(?=[ \t]|\Z)"
)
_ESCAPE: Final = re.compile(rb"\\(.)")
_NAME_FIRST: Final = "A command begins with its name"
_AT_END: Final = re.compile(rb"\{([0-9]{1,10})\+\}\Z")
_OPEN: Final = re.compile(rb'[ \t]*"(?:[^"\\]|\\.)*\\?\Z', re.DOTALL)
_REST: Final = re.compile(rb"[ \t]*\Z")

Argument = bytes | int
"""A string, or a number."""


class Malformed(Exception):
    """A command that cannot be understood; `fatal`: nor can what comes after it."""

    def __init__(self, text: str, code: Code = Code.NONE, *, fatal: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.code = code
        self.fatal = fatal


class Reading(Enum):
    INCOMPLETE = auto()


INCOMPLETE: Final = Reading.INCOMPLETE


class Tokens:
    """The words of one command: `verb` in upper case, '' in an answer of an authentication."""

    __slots__ = ("arguments", "verb")

    def __init__(self) -> None:
        self.verb = ""
        self.arguments: list[Argument] = []


class CommandReader:
    """`octets` is everything that waits."""

    def __init__(self, limits: Limits) -> None:
        self.octets = bytearray()
        self._limits = limits
        self._searched = 0
        self._begin()
        self._skipped = 0

    def _begin(self) -> None:
        self._tokens = Tokens()
        self._literal = -1  # octets of a literal that is due; -1: a line is
        self._skip = 0  # octets of one that is thrown away
        self._literals = 0
        self._wrong: Malformed | None = None
        self._first = True

    @property
    def wanted(self) -> int:
        """Octets of a literal that are still to come."""
        return max(0, self._literal - len(self.octets))

    def take(self, *, answer: bool, script: int) -> Tokens | Reading:
        """The next command, or the string that answers a challenge. `script`: octets of a literal at most.
        Raises `Malformed`, once for a command."""
        while True:
            if self._skip:
                count = min(self._skip, len(self.octets))
                del self.octets[:count]
                self._skip -= count
                self._skipped += count
                if self._skipped > self._limits.skipped:
                    raise Malformed("Too much that is too large", fatal=True)
                if self._skip:
                    return INCOMPLETE
            if self._literal >= 0:
                if len(self.octets) < self._literal:
                    return INCOMPLETE
                self._tokens.arguments.append(bytes(self.octets[: self._literal]))
                del self.octets[: self._literal]
                self._literal = -1
            line = self._line(self._limits.auth_line if answer else self._limits.line)
            if line is None:
                return INCOMPLETE
            if self._read(line, answer, script):
                continue
            tokens, wrong = self._tokens, self._wrong
            self._begin()
            if wrong is not None:
                raise wrong
            return tokens

    def _line(self, limit: int) -> bytes | None:
        """The next line without its end."""
        octets = self.octets
        end = octets.find(b"\r\n", max(0, self._searched - 1))
        if end < 0:
            self._searched = len(octets)
            if len(octets) > limit:
                raise Malformed("The line is too long", fatal=True)
            return None
        self._searched = 0
        if end > limit:
            raise Malformed("The line is too long", fatal=True)
        line = bytes(octets[:end])
        del octets[: end + 2]
        return line

    def _read(self, line: bytes, answer: bool, script: int) -> bool:
        """Take the words of a line; whether a literal follows."""
        at = 0
        while not _REST.match(line, at):
            match = _TOKEN.match(line, at)
            if match is None:
                if _OPEN.match(line, at):
                    # Its rest is in the next lines, where it would be taken for commands.
                    raise Malformed("A quoted string ends in its line: send a literal", fatal=True)
                self._bad('Words are atoms, numbers, "strings" or {octets+} of a literal')
                # Whatever the line was meant to be: a literal at its end comes after it.
                return self._follows(line, script)
            at = match.end()
            quoted, atom, number, literal = match.groups()
            if literal is not None:
                if self._first and not answer:
                    self._bad(_NAME_FIRST)
                self._first = False
                return self._announced(int(literal), script)
            self._take(quoted, atom, number, answer)
        return False

    def _take(
        self, quoted: bytes | None, atom: bytes | None, number: bytes | None, answer: bool
    ) -> None:
        first, self._first = self._first, False
        if first and not answer:
            if atom is None:
                self._bad(_NAME_FIRST)
            else:
                self._tokens.verb = atom.decode("ascii").upper()
        elif quoted is not None:
            if len(quoted) > QUOTED and not answer:
                self._bad(f"A quoted string has at most {QUOTED} octets; send a literal")
            self._tokens.arguments.append(_ESCAPE.sub(rb"\1", quoted))
        elif number is not None:
            self._tokens.arguments.append(int(number))
        else:
            self._bad("A name stands in quotes")

    def _follows(self, line: bytes, script: int) -> bool:
        match = _AT_END.search(line)
        return match is not None and self._announced(int(match[1]), script)

    def _announced(self, size: int, script: int) -> bool:
        self._literals += 1
        if self._literals > self._limits.literals:
            raise Malformed("Too many literals in one command", fatal=True)
        if self._wrong is not None:
            self._skip = size
        elif size > script:
            text = f"At most {script:,} octets can be taken"
            self._bad(text, Code.MAX_SIZE)
            self._skip = size
        else:
            self._literal = size
            return True
        if self._skip > self._limits.skipped:
            raise Malformed("That is far too large", Code.MAX_SIZE, fatal=True)
        return True

    def _bad(self, text: str, code: Code = Code.NONE) -> None:
        if self._wrong is None:
            self._wrong = Malformed(text, code)
