"""A draft becomes a message in a spool, in pieces: no attachment is held in memory.

All is 7-bit but an enclosed message that is not, which cannot be encoded (RFC 2046 §5.2.1).
"""

import asyncio
import base64
import re
import secrets
from binascii import b2a_qp
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

from malleposte.delivery.spool import Spool
from malleposte.mime import compose
from malleposte.services.jmap.errors import SetError
from malleposte.services.jmap.mail.blob_reading import Blobs
from malleposte.services.jmap.mail.drafts import Branch, Draft, Leaf, Node

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_LINE: Final = 57
"""Octets of a line of base64."""
_SMALL: Final = 64 * 1024
"""Characters of text that are encoded at once: a millisecond."""
ENCLOSED: Final = "message/rfc822"


async def write(draft: Draft, blobs: Blobs, spool: Spool, domain: str) -> None:
    """Write a message; ``domain``: of a Message-ID that is missing. Raises ``SetError`` and what ``Spool``
    and ``Blobs`` raise."""
    await _look(draft, blobs)
    writer = _Writer(blobs, spool)
    await writer.look(draft.root)
    for one in draft.fields:
        spool.write(one)
    for one in _missing(draft, domain):
        spool.write(one)
    await writer.node(draft.root, last=True)


async def _look(draft: Draft, blobs: Blobs) -> None:
    missing: list[str] = []
    octets = 0
    for id_ in dict.fromkeys(draft.blobs):
        async with blobs.opened(id_) as blob:
            if blob is None:
                missing.append(id_)
            else:
                octets += (blob.end - blob.start) * draft.blobs.count(id_)
    if missing:
        raise SetError("blobNotFound", "There is no such content here", notFound=missing)
    most = blobs.settings.max_size_attachments
    if octets > most:
        raise SetError("tooLarge", f"Attachments have at most {most} octets together", maxSize=most)


def _missing(draft: Draft, domain: str) -> list[bytes]:
    """Fields that every message has (RFC 8621 §4.6)."""
    found: list[bytes] = []
    if "date" not in draft.given:
        found.append(compose.field("Date", format_datetime(datetime.now(UTC))))
    if "message-id" not in draft.given:
        identity = f"{secrets.token_hex(16)}@{domain}"
        found.append(compose.message_ids("Message-ID", [identity]))
    if "mime-version" not in draft.given:
        found.append(compose.field("MIME-Version", "1.0"))
    return found


class _Writer:
    """Writes the parts of one message."""

    def __init__(self, blobs: Blobs, spool: Spool) -> None:
        self._blobs = blobs
        self._spool = spool
        self._eight_bit: set[int] = set()
        """Parts, by their identity, that are not in ASCII; and those they are in."""

    async def look(self, node: Node) -> bool:
        """Whether a part is 8-bit; remembered."""
        found = False
        if isinstance(node, Branch):
            for part in node.parts:
                found |= await self.look(part)
        elif node.media.lower() == ENCLOSED and node.blob:
            async with self._blobs.opened(node.blob) as blob:
                if blob is not None:
                    async for piece in blob.pieces():
                        found |= not piece.isascii()
        if found:
            self._eight_bit.add(id(node))
        return found

    async def node(self, node: Node, *, last: bool = False) -> None:
        """A part with its header. ``last``: nothing follows that a line end belongs to."""
        if isinstance(node, Branch):
            await self._branch(node)
        elif node.text is not None:
            await self._text(node, node.text, last=last)
        else:
            await self._blob(node)

    async def _branch(self, node: Branch) -> None:
        # By chance, and long: no part can know it, so none has to be read through for it.
        boundary = f"=_{secrets.token_hex(16)}"
        parameters = [("boundary", boundary)]
        first = node.parts[0]
        if node.subtype == "related" and isinstance(first, Leaf):
            parameters.insert(0, ("type", first.media))  # RFC 2387 §3.1
        write = self._spool.write
        write(compose.field("Content-Type", f"multipart/{node.subtype}", parameters))
        for one in node.fields:
            write(one)
        if id(node) in self._eight_bit:
            write(compose.field("Content-Transfer-Encoding", "8bit"))
        write(b"\r\n")
        for part in node.parts:
            write(b"--" + boundary.encode("ascii") + b"\r\n")
            await self.node(part)
            write(b"\r\n")
        write(b"--" + boundary.encode("ascii") + b"--\r\n")

    async def _text(self, leaf: Leaf, text: str, *, last: bool) -> None:
        if len(text) > _SMALL:
            encoding, body = await asyncio.to_thread(encoded, text)
        else:
            encoding, body = encoded(text)
        self._header(leaf, encoding)
        self._spool.write(body)
        if last and not body.endswith(b"\r\n"):
            self._spool.write(b"\r\n")

    def _header(self, leaf: Leaf, encoding: str) -> None:
        for one in leaf.fields:
            self._spool.write(one)
        if encoding:
            self._spool.write(compose.field("Content-Transfer-Encoding", encoding))
        self._spool.write(b"\r\n")

    async def _blob(self, leaf: Leaf) -> None:
        async with self._blobs.opened(leaf.blob) as blob:
            if blob is None:
                raise SetError("blobNotFound", "This is no longer here", notFound=[leaf.blob])
            if leaf.media.lower() == ENCLOSED:
                self._header(leaf, "8bit" if id(leaf) in self._eight_bit else "")
                kept = b""
                async for piece in blob.pieces():
                    octets = kept + piece
                    # A line end may be cut in two.
                    kept = b"\r" if octets.endswith(b"\r") else b""
                    octets = octets.removesuffix(kept) if kept else octets
                    self._spool.write(octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
                if kept:
                    self._spool.write(kept + b"\n")
                return
            self._header(leaf, "base64")
            rest = b""
            async for piece in blob.pieces():
                octets = rest + piece
                whole = len(octets) - len(octets) % _LINE
                rest = octets[whole:]
                self._spool.write(_base64(octets[:whole]))
            self._spool.write(_base64(rest))


def _base64(octets: bytes) -> bytes:
    return base64.encodebytes(octets).replace(b"\n", b"\r\n") if octets else b""


def encoded(text: str) -> tuple[str, bytes]:
    """A text in an encoding for mail, '' for none: quoted-printable or base64 where it is not ASCII in
    short lines."""
    lines = _LINE_END.split(text.replace("\0", ""))
    raw = "\r\n".join(lines).encode("utf-8", "replace")
    plain = raw.isascii() and all(len(line) <= compose.LINE + 2 for line in lines)
    if plain and text.replace("\r", "").replace("\n", "").replace("\t", "").isprintable():
        return "", raw
    if (len(raw) - len(raw.decode("utf-8"))) * 3 > len(raw):
        return "base64", _base64(raw)
    body = b2a_qp(raw.replace(b"\r\n", b"\n"), istext=True).replace(b"\n", b"\r\n")
    return "quoted-printable", body
