"""Building messages: notices, warnings, reports. What comes out is CRLF, and 7-bit but for
enclosed messages that are not.

Invariants: no line end or other control character gets into a header field, whatever is given;
lines are at most 76 characters where they can be cut; the same input gives the same bytes (a
boundary is made from the content). It does not choose Date, Message-ID or any other field, and
sends nothing. A mailbox whose local part is not ASCII makes a field of raw UTF-8 (RFC 6532).
"""

from __future__ import annotations

import re
from binascii import b2a_base64, b2a_qp
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple

import idna

from .charset import plain_text
from .encoded_words import encode_word
from .parameters import percent


class Mailbox(NamedTuple):
    """A display name, may be empty, and an address `local@domain`."""

    name: str
    address: str


class MailGroup(NamedTuple):
    """A named group of mailboxes, may be empty (RFC 5322 §3.4)."""

    name: str
    members: tuple[Mailbox, ...]


class Leaf(NamedTuple):
    """A part with content: `fields` are finished field lines, `body` is encoded, ends in CRLF."""

    fields: tuple[bytes, ...]
    body: bytes

    def lines(self) -> bytes:
        return b"".join(self.fields) + b"\r\n" + self.body


class Multipart(NamedTuple):
    """Parts together: `multipart/<subtype>` with further parameters (`report-type` …)."""

    subtype: str
    parts: tuple[Leaf | Multipart, ...]
    parameters: tuple[tuple[str, str], ...] = ()

    def lines(self) -> bytes:
        inner = [part.lines() for part in self.parts]
        boundary = _boundary(inner)
        content = field(
            "Content-Type",
            f"multipart/{self.subtype}",
            (*self.parameters, ("boundary", boundary.decode("ascii"))),
        )
        if not all(part.isascii() for part in inner):
            content += field("Content-Transfer-Encoding", "8bit")  # RFC 2045 §6.4
        delimiter = b"--" + boundary
        body = b"".join([delimiter + b"\r\n" + part + b"\r\n" for part in inner])
        return content + b"\r\n" + body + delimiter + b"--\r\n"


Entity = Leaf | Multipart


def message(fields: Sequence[bytes], entity: Entity) -> bytes:
    """A whole message of finished header fields and its content; adds MIME-Version."""
    return b"".join(fields) + b"MIME-Version: 1.0\r\n" + entity.lines()


# -- content ---------------------------------------------------------------------------------


def text(content: str, subtype: str = "plain") -> Leaf:
    """A text part in UTF-8; 7bit if it is ASCII in short lines, else quoted-printable or base64.

    Line ends of any kind become CRLF; other controls but tab become spaces.
    """
    lines = [_NO_CONTROL.sub(" ", line) for line in content.splitlines()]
    raw = "\r\n".join([*lines, ""]).encode("utf-8", "replace")
    charset = (("charset", "utf-8"),)
    if raw.isascii() and all(len(line) <= 78 for line in lines):
        return Leaf((field("Content-Type", f"text/{subtype}", charset),), raw)
    eight_bit = len(raw) - len(raw.decode("utf-8"))
    if eight_bit * 3 > len(raw):
        encoding, body = "base64", _base64(raw)
    else:
        # binascii leaves a dot and a From at the beginning of a line: harmless to SMTP and mbox
        # done right.
        encoding = "quoted-printable"
        body = b2a_qp(raw.replace(b"\r\n", b"\n"), istext=True).replace(b"\n", b"\r\n")
    return Leaf(
        (
            field("Content-Type", f"text/{subtype}", charset),
            field("Content-Transfer-Encoding", encoding),
        ),
        body,
    )


def attachment(content: bytes, media: str, name: str) -> Leaf:
    """A part in base64 to be downloaded as `name`."""
    return Leaf(
        (
            field("Content-Type", media, (("name", name),)),
            field("Content-Transfer-Encoding", "base64"),
            field("Content-Disposition", "attachment", (("filename", name),)),
        ),
        _base64(content),
    )


def enclosed(content: bytes, media: str) -> Leaf:
    """Finished lines as a part, as they are: `message/rfc822`, `message/delivery-status`,
    `text/rfc822-headers`. 8-bit content is declared as such."""
    fields = [field("Content-Type", media)]
    if not content.isascii():
        fields.append(field("Content-Transfer-Encoding", "8bit"))
    body = _LINE_END.sub(b"\r\n", content)
    return Leaf(tuple(fields), body if body.endswith(b"\r\n") else body + b"\r\n")


def in_ascii(content: bytes, media: str) -> Leaf:
    """The same in quoted-printable: for types that may be encoded (`text/…`, `message/global…`), what is
    8-bit, holds NUL or has lines too long for SMTP."""
    raw = _LINE_END.sub(b"\n", content)
    raw = b2a_qp(raw if raw.endswith(b"\n") else raw + b"\n", istext=True)
    fields = (
        field("Content-Type", media),
        field("Content-Transfer-Encoding", "quoted-printable"),
    )
    return Leaf(fields, raw.replace(b"\n", b"\r\n"))


# -- fields ----------------------------------------------------------------------------------

_NAME: Final = re.compile(r"[!-9;-~]+")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`{|}~A-Za-z0-9-]+")
_NO_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_PHRASE: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_LONG_WORD: Final = re.compile(r"[^ ]{500}")  # would make a line of more than 998 octets
LINE: Final = 76
"""Characters of a line before it is folded (RFC 5322 §2.1.1 wants 78 with its end)."""


def unstructured(name: str, value: str) -> bytes:
    """A field of free text (Subject, Comments): encoded words (RFC 2047) where it needs them."""
    value = " ".join(plain_text(value).split())
    plain = value.isascii() and "=?" not in value and not _LONG_WORD.search(value)
    raw = value.encode("ascii") if plain else encode_word(value)
    return _folded(name, raw.split(b" "))


def addresses(name: str, mailboxes: Sequence[Mailbox]) -> bytes:
    """An address field (From, To …); ValueError if an address has no domain or holds controls."""
    words: list[bytes] = []
    for number, mailbox in enumerate(mailboxes):
        last = number == len(mailboxes) - 1
        words += _mailbox(mailbox)
        if not last:
            words[-1] += b","
    return _folded(name, words)


def address_list(name: str, entries: Sequence[Mailbox | MailGroup]) -> bytes:
    """An address field with groups, of a draft: what is no whole address yet stands there quoted."""
    words: list[bytes] = []
    for number, entry in enumerate(entries):
        if isinstance(entry, MailGroup):
            words += _phrase(entry.name) or [b'""']
            words[-1] += b":"
            for place, member in enumerate(entry.members):
                words += _loose(member)
                words[-1] += b"," if place + 1 < len(entry.members) else b""
            words[-1] += b";"
        else:
            words += _loose(entry)
        if number + 1 < len(entries):
            words[-1] += b","
    return _folded(name, words)


def message_ids(name: str, ids: Sequence[str]) -> bytes:
    """A field of message-ids (Message-ID, References), given without angle brackets."""
    return _folded(name, [b"<" + _ascii(_bare(identifier)) + b">" for identifier in ids])


def field(name: str, value: str, parameters: Sequence[tuple[str, str]] = ()) -> bytes:
    """A structured field of ASCII, with parameters encoded by RFC 2231 where they need it."""
    words = _ascii(plain_text(value)).split()
    for key, text_value in parameters:
        if words:
            words[-1] += b";"
        words += _parameter(key, plain_text(text_value))
    return _folded(name, words)


def _folded(name: str, words: Sequence[bytes]) -> bytes:
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"no name of a header field: {name!r}")
    line = name.encode("ascii") + b":"
    lines: list[bytes] = []
    for word in words:
        if len(line) + len(word) + 1 > LINE and not line.endswith(b":"):
            lines.append(line)
            line = b""
        line += b" " + word
    lines.append(line)
    return b"\r\n".join(lines) + b"\r\n"


def _mailbox(mailbox: Mailbox) -> list[bytes]:
    local, at, domain = mailbox.address.rpartition("@")
    if not at or not local or not domain or _UNFIT.search(mailbox.address) is not None:
        raise ValueError(f"no mailbox address: {mailbox.address!r}")
    if not domain.isascii():
        domain = idna.encode(domain, uts46=True).decode("ascii")
    return [*_phrase(mailbox.name), f"<{local}@{domain}>".encode()]


def _loose(mailbox: Mailbox) -> list[bytes]:
    try:
        return _mailbox(mailbox)
    except ValueError:
        # What a parser makes one word of again.
        local = " ".join(re.sub(r'[<>"\\]', " ", plain_text(mailbox.address)).split())
        if _PHRASE.fullmatch(local) is None or " " in local:
            local = f'"{local}"'
        return [*_phrase(mailbox.name), b"<" + _ascii(local) + b">"]


def _phrase(name: str) -> list[bytes]:
    name = " ".join(plain_text(name).split())
    if not name:
        return []
    if not name.isascii() or "=?" in name:
        return encode_word(name).split(b" ")
    if _PHRASE.fullmatch(name) is None:
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return name.encode("ascii").split(b" ")


_UNFIT: Final = re.compile('[\x00-\x20\x7f<>(),;\\\\"]')


def _bare(identifier: str) -> str:
    return re.sub(r"[\s<>]", "", plain_text(identifier))


def _ascii(value: str) -> bytes:
    return value.encode("ascii", "replace")


def _parameter(name: str, value: str) -> list[bytes]:
    """One parameter; RFC 2231 §3 and §4 for what is not ASCII or too long for a line."""
    if _TOKEN.fullmatch(name) is None:
        raise ValueError(f"no name of a parameter: {name!r}")
    key = name.encode("ascii")
    if value.isascii() and len(key) + len(value) < 70:
        if _TOKEN.fullmatch(value) is not None:
            return [key + b"=" + value.encode("ascii")]
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return [key + b'="' + escaped.encode("ascii") + b'"']
    encoded = percent(value.encode("utf-8", "replace"))
    if len(key) + len(encoded) < 65:
        return [key + b"*=utf-8''" + encoded]
    pieces: list[bytes] = []
    at = 0
    while at < len(encoded):
        end = at + 50
        # Never inside an escape.
        while end < len(encoded) and b"%" in encoded[end - 2 : end]:
            end -= 1
        prefix = b"utf-8''" if at == 0 else b""
        pieces.append(key + b"*%d*=" % len(pieces) + prefix + encoded[at:end] + b";")
        at = end
    pieces[-1] = pieces[-1][:-1]
    return pieces


def _base64(content: bytes) -> bytes:
    line = 57  # octets of 76 characters
    return b"".join(
        [
            b2a_base64(content[at : at + line], newline=False) + b"\r\n"
            for at in range(0, len(content), line)
        ]
    )


def _boundary(parts: Sequence[bytes]) -> bytes:
    """A boundary that begins no line of the parts: made of their hash, tried until it fits."""
    digest = sha256()
    for part in parts:
        digest.update(part)
    while True:
        boundary = b"=_" + digest.hexdigest()[:32].encode("ascii")
        if not any(b"--" + boundary in part for part in parts):
            return boundary
        digest.update(b"again")
