"""Responses: `+OK` or `-ERR`, a code perhaps (RFC 2449 §8), words.

A response cannot break the conversation: whatever stands in its text, it is one line of at most 512
octets (RFC 2449 §4). Text is ASCII: RFC 6856 allows more only after LANG, which is not here.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

_WIDTH: Final = 512 - len("-ERR [SYS/TEMP] \r\n")


class Code(Enum):
    """What a program may act on, in a refusal."""

    NONE = ""
    IN_USE = "IN-USE"
    """RFC 2449 §8.1.2: somebody else has the maildrop."""
    AUTH = "AUTH"
    """RFC 3206 §5: the name or the password is wrong; asking for another may help."""
    TEMPORARY = "SYS/TEMP"
    """RFC 3206 §4: it may work later."""
    PERMANENT = "SYS/PERM"
    """RFC 3206 §4: it will not, until somebody has done something."""


@dataclass(frozen=True, slots=True)
class Ok:
    """Done."""

    text: str = ""

    def encode(self) -> bytes:
        """The line on the wire."""
        return _line("+OK", self.text)


@dataclass(frozen=True, slots=True)
class Err:
    """Refused."""

    text: str
    code: Code = Code.NONE

    def encode(self) -> bytes:
        """The line on the wire."""
        return _line(f"-ERR [{self.code.value}]" if self.code.value else "-ERR", self.text)


def _line(status: str, text: str) -> bytes:
    if not (text.isascii() and text.isprintable()):
        text = "".join(c if " " <= c <= "~" else "?" for c in text)
    words = f"{status} {text[:_WIDTH]}" if text else status
    return f"{words}\r\n".encode("ascii")
