"""Responses: OK, NO or BYE, a code perhaps (RFC 5804 §1.3), words; strings as a server writes them.

A response cannot break the conversation: whatever stands in its text, it is one string.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

QUOTED: Final = 1_024
"""Octets of a quoted string at most (RFC 5804 §4); longer ones go as literals."""


class Code(Enum):
    """What a program may act on."""

    NONE = ""
    AUTH_TOO_WEAK = "AUTH-TOO-WEAK"
    ENCRYPT_NEEDED = "ENCRYPT-NEEDED"
    QUOTA = "QUOTA"
    MAX_SCRIPTS = "QUOTA/MAXSCRIPTS"
    MAX_SIZE = "QUOTA/MAXSIZE"
    TRY_LATER = "TRYLATER"
    ACTIVE = "ACTIVE"
    NONEXISTENT = "NONEXISTENT"
    ALREADY_EXISTS = "ALREADYEXISTS"
    WARNINGS = "WARNINGS"


def string(text: str | bytes) -> bytes:
    """A string as a server sends it (RFC 5804 §4)."""
    octets = text.encode("utf-8", "replace") if isinstance(text, str) else text
    if len(octets) > QUOTED or not _UNFIT.isdisjoint(octets):
        return b"{%d}\r\n%s" % (len(octets), octets)
    return b'"' + octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


_UNFIT: Final = frozenset(b"\r\n\0")


@dataclass(frozen=True, slots=True)
class Response:
    """How a command ended. `tag` is that of NOOP (§2.13)."""

    status: str
    text: str = ""
    code: Code = Code.NONE
    tag: str | None = None

    def encode(self) -> bytes:
        """The octets on the wire."""
        parts = [self.status.encode("ascii")]
        if self.tag is not None:
            parts.append(b"(TAG " + string(self.tag) + b")")
        elif self.code is not Code.NONE:
            parts.append(b"(" + self.code.value.encode("ascii") + b")")
        if self.text:
            parts.append(string(self.text))
        return b" ".join(parts) + b"\r\n"

    @property
    def good(self) -> bool:
        return self.status == "OK"


def ok(text: str = "", code: Code = Code.NONE, *, tag: str | None = None) -> Response:
    """Done."""
    return Response("OK", text, code, tag)


def no(text: str, code: Code = Code.NONE) -> Response:
    """Refused."""
    return Response("NO", text, code)


def bye(text: str, code: Code = Code.NONE) -> Response:
    """The last word."""
    return Response("BYE", text, code)


def listed(scripts: Iterable[tuple[str, bool]]) -> bytes:
    """What LISTSCRIPTS answers: names, and which one is active (§2.7)."""
    return b"".join(
        string(name) + (b" ACTIVE\r\n" if active else b"\r\n") for name, active in scripts
    )


def content(script: bytes) -> bytes:
    """What GETSCRIPT answers (§2.9): always a literal, as programs expect it."""
    return b"{%d}\r\n%s\r\n" % (len(script), script)
