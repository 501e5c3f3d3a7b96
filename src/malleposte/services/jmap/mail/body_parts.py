"""Parts of a message as EmailBodyPart, and their texts (RFC 8621 §4.1.4)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from malleposte.mime import Part, fields
from malleposte.mime.body import decode_transfer
from malleposte.mime.charset import TextDecoder, codec_of, plain_text
from malleposte.mime.headers import Field
from malleposte.mime.message_id import id_text
from malleposte.mime.part import Kind
from malleposte.mime.transfer import IDENTITIES, KNOWN, decoder
from malleposte.services.jmap.mail import header_forms
from malleposte.services.jmap.mail.blobs import part_blob
from malleposte.services.jmap.mail.messages import Message
from malleposte.store.opened import HEADER_BYTES

DEFAULT: Final = (
    *("partId", "blobId", "size", "name", "type", "charset", "disposition", "cid", "language"),
    "location",
)
KNOWN_PROPERTIES: Final = frozenset((*DEFAULT, "headers", "subParts"))
TEXT: Final = 2_000_000
"""Characters of one text that are given at most."""
SAFE: Final = 500_000
"""The same of HTML that is made safe."""
TEXTS: Final = 20_000_000
"""Octets of all texts of one answer; those past it are cut."""


def part_id(part: Part) -> str | None:
    """What a part is called in its message: its section; of a message that is no multipart, 1."""
    if part.kind == Kind.MULTIPART:
        return None
    return part.section or "1"


@dataclass(slots=True)
class PartsShown:
    """Makes objects of the parts of one message, a blob. ``asked`` are names of properties, all known."""

    message: Message
    blob: str
    asked: Sequence[str]
    _headers: dict[int, list[Field]] = field(default_factory=dict)

    async def tree(self, parts: tuple[Part, ...], index: int = 0) -> dict[str, Any]:
        """A part with those in it; embedded messages are not looked into."""
        part = parts[index]
        found = await self.one(part)
        if part.kind == Kind.MULTIPART:
            found["subParts"] = [await self.tree(parts, child) for child in part.children]
        elif "subParts" in self.asked:
            found["subParts"] = None
        return found

    async def one(self, part: Part) -> dict[str, Any]:
        """A part alone."""
        found: dict[str, Any] = {}
        for name in self.asked:
            match name:
                case "partId":
                    found[name] = part_id(part)
                case "blobId":
                    id_ = part_id(part)
                    found[name] = None if id_ is None else part_blob(self.blob, id_)
                case "size":
                    found[name] = await decoded_size(self.message, part)
                case "name":
                    found[name] = None if part.name is None else plain_text(part.name)
                case "type":
                    found[name] = part.media
                case "charset":
                    found[name] = charset_of(part)
                case "disposition":
                    found[name] = part.disposition
                case "cid":
                    raw = part.content_id
                    found[name] = None if raw is None else id_text(raw.strip(b" \t<>")) or None
                case "language":
                    found[name] = [id_text(one) for one in part.language] or None
                case "location":
                    found[name] = None if part.location is None else id_text(part.location)
                case "headers":
                    header = await self._header(part)
                    found[name] = [
                        {"name": header_forms.raw(one.name), "value": header_forms.raw(one.value)}
                        for one in header
                    ]
                case "subParts":
                    pass
                case _:
                    wanted = header_forms.parsed(name)
                    assert wanted is not None
                    found[name] = wanted.of(await self._header(part))
        return found

    async def _header(self, part: Part) -> list[Field]:
        start, end = self.message.header(part)
        if start not in self._headers:
            octets = await self.message.octets(start, min(end, start + HEADER_BYTES))
            self._headers[start] = fields(octets)
        return self._headers[start]


def charset_of(part: Part) -> str | None:
    """The charset of a text; us-ascii where none is named (RFC 2045 §5.2)."""
    if part.charset is not None:
        return part.charset
    return "us-ascii" if part.type == "text" else None


async def decoded_size(message: Message, part: Part) -> int:
    """Octets of a body without its transfer encoding."""
    start, end = message.body(part)
    if part.kind == Kind.MULTIPART or part.encoding in IDENTITIES or part.encoding not in KNOWN:
        return end - start
    if message.data is not None:
        return len(decode_transfer(message.data[start:end], part.encoding))
    undo = decoder(part.encoding)
    size = 0
    async for piece in message.pieces(start, end):
        size += len(undo.feed(piece))
        await message.pause()
    return size + len(undo.end())


@dataclass(slots=True)
class BodyValues:
    """The texts of parts, as many octets as are left of what an answer may have."""

    most: int = 0
    """``maxBodyValueBytes``: octets of UTF-8 of one text; 0: as many as there may be."""
    left: int = TEXTS

    async def value(self, message: Message, part: Part, at_most: int = TEXT) -> dict[str, Any]:
        """An EmailBodyValue, of so many octets at most."""
        most = min(self.most or at_most, at_most, self.left)
        text, more = await _text(message, part, most)
        octets = text.encode("utf-8", "replace")
        cut = more
        if len(octets) > most:
            cut = True
            octets = octets[:most]
        if cut:
            text = octets.decode("utf-8", "ignore")
            if part.subtype == "html":
                text = _outside_tags(text)
        self.left -= len(octets)
        unknown = part.charset is not None and codec_of(part.charset) is None
        return {
            "value": text,
            "isEncodingProblem": unknown or part.encoding not in KNOWN or "\ufffd" in text,
            "isTruncated": cut,
        }


def _outside_tags(text: str) -> str:
    """HTML that was cut ends before a tag or a reference that is not whole."""
    if (tag := text.rfind("<")) > text.rfind(">"):
        text = text[:tag]
    mark = text.rfind("&", max(len(text) - 12, 0))
    return text[:mark] if mark >= 0 and ";" not in text[mark:] else text


async def _text(message: Message, part: Part, most: int) -> tuple[str, bool]:
    """The text of a part, line ends as LF; whether it was cut, some way past ``most`` characters."""
    start, end = message.body(part)
    undo, read = decoder(part.encoding), TextDecoder(part.charset)
    found: list[str] = []
    length = 0
    async for piece in message.pieces(start, end):
        text = read.feed(undo.feed(piece))
        found.append(text)
        length += len(text)
        await message.pause()
        if length > most + 1_000:
            return _lines("".join(found)[: most + 1_000]), True
    found.append(read.feed(undo.end(), final=True))
    return _lines("".join(found)), False


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n") if "\r" in text else text
