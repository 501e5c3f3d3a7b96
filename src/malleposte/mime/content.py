"""The Content-* fields of one header block: what kind of entity it describes.

`content_type` reads the field as it stands, `Content` is what a part is taken for after the
defaults of RFC 2045 §5.2 and §6.1. Never raises.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from .charset import guess, plain_text
from .encoded_words import decode_text
from .headers import collapse, unfold
from .limits import CHARSET_CHARACTERS, CONTENT_BYTES, PARAMETER_BYTES
from .parameters import Parameter, parameters, skip_comment


class ContentType(NamedTuple):
    """A Content-Type or Content-Disposition as written; `subtype` is None if there is none.

    Both are lower case, as they are compared without case (RFC 2045 §5.1).
    """

    type: str
    subtype: str | None
    parameters: list[Parameter]

    def get(self, name: str) -> str | None:
        """The decoded value of a parameter, None if there is none of that name."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter.text
        return None


_TYPE: Final = re.compile(rb"\s*([A-Za-z0-9!#$&^_.+-]+)/([A-Za-z0-9!#$&^_.+-]+)(?=\s*(?:;|\Z))")
_HEAD: Final = re.compile(rb"[^;(\n]*+")


def content_type(value: bytes) -> ContentType | None:
    """A Content-Type field value as written but for case; None if there is no type in it."""
    match = _TYPE.match(value)
    if match is not None:
        return ContentType(
            match[1].lower().decode("ascii"),
            match[2].lower().decode("ascii"),
            parameters(value, match.end()),
        )
    value = value[:PARAMETER_BYTES]
    head, at = _main_value(value)
    main, slash, sub = head.partition(b"/")
    main, sub = main.strip(), sub.strip()
    if not main:
        return None
    return ContentType(
        guess(main).lower(),
        guess(sub).lower() if slash and sub else None,
        parameters(value, at),
    )


_DISPOSITION: Final = re.compile(rb"\s*([A-Za-z0-9!#$&^_.+-]+)(?=\s*(?:;|\Z))")


def content_disposition(value: bytes) -> ContentType | None:
    """A Content-Disposition field value (RFC 2183); `subtype` is always None."""
    match = _DISPOSITION.match(value)
    if match is not None:
        name = match[1].lower().decode("ascii")
        return ContentType(name, None, parameters(value, match.end()))
    return content_type(value)


def _main_value(value: bytes) -> tuple[bytes, int]:
    """What stands before the first semicolon or the first fold after it, comments left out."""
    pieces: list[bytes] = []
    at = 0
    size = len(value)
    while at < size:
        match = _HEAD.match(value, at)
        if match is not None:
            pieces.append(match[0])
            at = match.end()
        if at >= size or value[at] == 0x3B:
            break
        if value[at] == 0x28:
            at = skip_comment(value, at)
        elif b"".join(pieces).strip():
            break  # a fold after the type: parameters without their semicolon may follow
        else:
            at += 1
    return b"".join(pieces).translate(None, b"\r\0").strip(), at


class Content(NamedTuple):
    """What a part is, defaults applied; type, subtype and disposition are lower case."""

    type: str = "text"
    subtype: str = "plain"
    parameters: tuple[tuple[bytes, bytes], ...] = ()
    boundary: bytes = b""
    charset: str | None = None
    encoding: bytes = b""
    disposition: str | None = None
    disposition_parameters: tuple[tuple[bytes, bytes], ...] = ()
    name: str | None = None
    content_id: bytes | None = None
    description: bytes | None = None
    md5: bytes | None = None
    language: tuple[bytes, ...] = ()
    location: bytes | None = None


DEFAULT: Final = Content(parameters=((b"charset", b"us-ascii"),))
DIGEST_DEFAULT: Final = Content("message", "rfc822")
_TOKEN: Final = re.compile(rb"\s*([!#$%&'*+.^_`{|}~A-Za-z0-9-]+)")


def content(fields: dict[bytes, bytes], default: Content = DEFAULT) -> Content:
    """What the fields (raw value by lower-case name) make of a part.

    `default` is DIGEST_DEFAULT inside a multipart/digest (RFC 2046 §5.1.5). A Content-Type that
    cannot be read makes text/plain (RFC 2045 §5.2).
    """
    raw = fields.get(b"content-type")
    media = content_type(raw) if raw is not None else None
    main, sub, pairs = default.type, default.subtype, default.parameters
    boundary = b""
    charset = name = None
    if media is not None:
        main, sub, pairs = media.type, media.subtype or "", ()
        if not sub:
            if main == "multipart":
                sub = "mixed"
            else:
                main, sub, pairs = "text", "plain", DEFAULT.parameters
        if media.parameters:
            pairs = tuple([(p.raw_name, p.raw) for p in media.parameters])
            if main == "multipart":
                for parameter in media.parameters:
                    if parameter.name == "boundary":
                        boundary = parameter.raw.rstrip()
            for parameter in media.parameters:
                if parameter.name == "charset":
                    charset = plain_text(parameter.text[:CHARSET_CHARACTERS]).lower()
                elif parameter.name == "name":
                    name = plain_text(parameter.text)
    encoding = fields.get(b"content-transfer-encoding", b"")
    if encoding:
        token = _TOKEN.match(encoding)
        encoding = token[1].lower() if token is not None else b""
    disposition: str | None = None
    disposition_pairs: tuple[tuple[bytes, bytes], ...] = ()
    raw = fields.get(b"content-disposition")
    if raw is not None:
        found = content_disposition(raw)
        if found is not None:
            disposition = found.type
            if found.parameters:
                disposition_pairs = tuple([(p.raw_name, p.raw) for p in found.parameters])
                # The disposition's name goes before the type's (RFC 8621 §4.1.4).
                filename = found.get("filename")
                name = plain_text(filename) if filename else name
    language: tuple[bytes, ...] = ()
    if b"content-language" in fields:
        language = languages(fields[b"content-language"])
    return Content(
        main,
        sub,
        pairs,
        boundary,
        charset,
        encoding,
        disposition,
        disposition_pairs,
        name,
        _text(fields, b"content-id"),
        _text(fields, b"content-description"),
        _text(fields, b"content-md5"),
        language,
        _text(fields, b"content-location"),
    )


def _text(fields: dict[bytes, bytes], name: bytes) -> bytes | None:
    value = fields.get(name)
    return None if value is None else unfold(value[:CONTENT_BYTES])


def undivided(multipart: Content, opaque: bool = False) -> Content:
    """What a multipart is that cannot be divided: without a boundary or a delimiter it is text
    to read, nested too deep (`opaque`) it is data."""
    return multipart._replace(
        type="application" if opaque else "text",
        subtype="octet-stream" if opaque else "plain",
        parameters=() if opaque else DEFAULT.parameters,
        boundary=b"",
    )


def undescribed(what: Content) -> Content:
    """The same without what only describes it: type, charset, encoding and disposition stay."""
    return Content(
        what.type,
        what.subtype,
        boundary=what.boundary,
        charset=what.charset,
        encoding=what.encoding,
        disposition=what.disposition,
    )


def languages(value: bytes) -> tuple[bytes, ...]:
    """The tags of a Content-Language field (RFC 3282), comments left out."""
    text = unfold(value[:CONTENT_BYTES])
    tags: list[bytes] = []
    for item in text.split(b",", 33)[:32]:
        match = _TOKEN.match(item)
        if match is not None:
            tags.append(match[1])
    return tuple(tags)


def description(content_description: bytes) -> str:
    """Content-Description as text (RFC 2045 §8, RFC 2047)."""
    return decode_text(collapse(content_description))
