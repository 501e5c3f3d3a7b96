"""A header with the edits of scripts made in it (RFC 5293): fields no edit names stay, octet for octet.

Fields added in front that no rendered column is made of go before the stored content, as Received does;
any other edit makes another content.
"""

from collections.abc import Sequence
from typing import Final

from malleposte.mime import compose, fields
from malleposte.sieve import AddHeader, HeaderEdit, Message

_RENDERED: Final = frozenset(
    (
        *("from", "sender", "reply-to", "to", "cc", "bcc", "subject", "date", "message-id"),
        *("in-reply-to", "references", "mime-version"),
    )
)


def in_front(edits: Sequence[HeaderEdit]) -> bytes | None:
    """Lines that make all of the edits when they stand before the message; None where none can."""
    lines: list[bytes] = []
    for edit in edits:
        if not isinstance(edit, AddHeader) or edit.last:
            return None
        name = edit.name.lower()
        if name in _RENDERED or name.startswith("content-"):
            return None
        lines.insert(0, compose.unstructured(edit.name, edit.value))
    return b"".join(lines)


def edited(header: bytes, edits: Sequence[HeaderEdit]) -> bytes:
    """A header block, with its blank line if it has one, after the edits."""
    found = fields(header)
    start = found[0].start if found else _blank(header)
    end = found[-1].end if found else start
    lines: list[tuple[str, bytes]] = []
    for number, one in enumerate(found):
        until = found[number + 1].start if number + 1 < len(found) else end
        lines.append((one.name.decode("latin-1").lower(), header[one.start : until]))
    for edit in edits:
        if isinstance(edit, AddHeader):
            line = edit.name.lower(), compose.unstructured(edit.name, edit.value)
            lines.insert(len(lines) if edit.last else 0, line)
            continue
        named = [at for at, (name, _) in enumerate(lines) if name == edit.name.lower()]
        if 0 < edit.number <= len(named):
            del lines[named[edit.number - 1]]
    return header[:start] + b"".join([line for _, line in lines]) + header[end:]


def _blank(header: bytes) -> int:
    """Where the blank line stands in a header without a field."""
    for blank in (b"\r\n", b"\n"):
        if header.endswith(blank):
            return len(header) - len(blank)
    return len(header)


class Edited:
    """A message whose header is seen with edits made: what the next script of a chain runs on."""

    def __init__(self, message: Message, edits: Sequence[HeaderEdit]) -> None:
        self._message = message
        found = [(name, value) for name, value in message.fields()]
        for edit in edits:
            if isinstance(edit, AddHeader):
                field = edit.name.encode("ascii", "replace"), edit.value.encode("utf-8", "replace")
                found.insert(len(found) if edit.last else 0, field)
                continue
            wanted = edit.name.lower().encode("ascii", "replace")
            named = [at for at, (name, _) in enumerate(found) if name.lower() == wanted]
            if 0 < edit.number <= len(named):
                del found[named[edit.number - 1]]
        self._fields = found
        self.parts = message.parts
        self.raw_body = message.raw_body

    @property
    def size(self) -> int:
        """Octets as received."""
        return self._message.size

    def fields(self) -> Sequence[tuple[bytes, bytes]]:
        """As edited."""
        return self._fields


class Before:
    """A message as it will stand behind further fields: those of a group, by which a reply is withheld."""

    def __init__(self, message: Message, before: bytes) -> None:
        self._message = message
        self._fields = [(one.name, one.value) for one in fields(before)]
        self._fields += message.fields()
        self.parts = message.parts
        self.raw_body = message.raw_body

    @property
    def size(self) -> int:
        """Octets as received."""
        return self._message.size

    def fields(self) -> Sequence[tuple[bytes, bytes]]:
        """With those before."""
        return self._fields
