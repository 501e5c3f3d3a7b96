"""A message of octets as the engine sees it, by the structure that `mime` makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from malleposte.mime import Kind, Part, fields, parse, text_slices
from malleposte.mime.charset import guess
from malleposte.mime.html_text import html_text
from malleposte.mime.scanner import Buffer

from .limits import DEFAULT_LIMITS
from .message import BodyPart


class MimeMessage:
    """`parts` is the stored structure, if there is one; else the message is parsed."""

    def __init__(self, buffer: Buffer, parts: tuple[Part, ...] | None = None) -> None:
        self._buffer = buffer
        self._parts = parts if parts is not None else parse(buffer)
        self._fields: Sequence[tuple[bytes, bytes]] | None = None

    @property
    def size(self) -> int:
        """Octets in all."""
        return len(self._buffer)

    def fields(self) -> Sequence[tuple[bytes, bytes]]:
        """Name and raw value of each header field, read once."""
        if self._fields is None:
            root = self._parts[0]
            found = fields(bytes(self._buffer[root.header_start : root.body_start]))
            self._fields = [(f.name, f.value) for f in found[: DEFAULT_LIMITS.header_fields]]
        return self._fields

    def raw_body(self, most: int) -> str:
        """The body as it stands."""
        root = self._parts[0]
        return guess(
            bytes(self._buffer[root.body_start : min(root.body_end, root.body_start + most)])
        )

    def parts(self, most: int) -> Iterator[BodyPart]:
        """Each part, decoded when its text is asked for."""
        left = most
        for part in self._parts:
            room = left
            if part.kind == Kind.LEAF:
                left = max(0, left - part.size)
            yield BodyPart(
                part.media, partial(self._text, part, room), partial(self._plain, part, room)
            )

    def _plain(self, part: Part, room: int) -> str:
        text = self._text(part, room)
        return html_text(text) if part.media == "text/html" else text

    def _text(self, part: Part, room: int) -> str:
        if part.kind == Kind.MESSAGE:
            inner = self._parts[part.children[0]]
            return self._cut(inner.header_start, inner.body_start, room)
        if part.kind == Kind.MULTIPART:
            return self._around(part, room)
        read: list[str] = []
        length = 0
        end = min(part.body_end, part.body_start + room)
        charset = part.charset if part.type == "text" else None
        cut = Part(
            *(part.section, part.kind, part.level, part.parent),
            *(part.header_start, part.body_start, end, part.lines),
            encoding=part.encoding,
            charset=charset,
        )
        for piece in text_slices(self._buffer, cut):
            read.append(piece)
            length += len(piece)
            if length >= room:
                break
        return "".join(read)

    def _around(self, part: Part, room: int) -> str:
        """Before the first delimiter and after the last."""
        if not part.children:
            return self._cut(part.body_start, part.body_end, room)
        first = self._parts[part.children[0]].header_start
        last = self._parts[part.children[-1]].body_end
        return self._cut(part.body_start, first, room) + self._cut(last, part.body_end, room)

    def _cut(self, start: int, end: int, room: int) -> str:
        return guess(bytes(self._buffer[start : max(start, min(end, start + room))]))
