"""What a mail program left out: From, Date and Message-ID are added; Bcc goes. RFC 6409 §8.

Everything else stays as it was sent, octet by octet: it may be signed.
"""

import secrets
from email.utils import formatdate
from typing import Final

from malleposte.delivery.spool import Spool
from malleposte.mime import compose
from malleposte.mime.headers import FIELD

REMOVED: Final = frozenset({b"bcc", b"resent-bcc", b"return-path"})
"""Bcc names whom nobody shall see (RFC 5322 §3.6.3); Return-Path is for who files it (RFC 5321 §4.4)."""
HEADER: Final = 4 * 1024 * 1024
"""Octets of a header that are looked at; a longer one is left as it is."""
END: Final = (b"\r\n\r\n", b"\n\n")


async def set_right(spool: Spool, address: str, now: float) -> None:
    """Mend the header of a submitted message. ``address``: of who signed in. Raises ``OSError`` and
    ``NoRoom`` as the spool does."""
    with spool.buffer() as buffer:
        start = bytes(buffer[:HEADER])
    size = header_size(start)
    if size < 0:
        return
    header = mended(start[:size], address, now)
    if header is not None:
        await spool.begin_anew(size, header)


def header_size(start: bytes) -> int:
    """Octets of the header with its empty line; all of what was given where there is none, -1 where it
    would come later."""
    if start.startswith((b"\r\n", b"\n")):
        return start.index(b"\n") + 1
    ends = [at + len(end) for end in END if (at := start.find(end)) >= 0]
    if ends:
        return min(ends)
    return len(start) if len(start) < HEADER else -1


def mended(header: bytes, address: str, now: float) -> bytes | None:
    """A header block with what was missing and without what must go; None where it is right already."""
    kept: list[bytes] = []
    names: set[bytes] = set()
    at = 0
    for field in FIELD.finditer(header):
        name = field[1].rstrip().lower()
        names.add(name)
        if name in REMOVED:
            kept.append(header[at : field.start()])
            at = min(field.end() + 1, len(header))
    kept.append(header[at:])
    added: list[bytes] = []
    if b"from" not in names:
        added.append(compose.addresses("From", [compose.Mailbox("", address)]))
    if b"date" not in names:
        added.append(compose.field("Date", formatdate(now, localtime=True)))
    if b"message-id" not in names:
        identity = f"{int(now):x}.{secrets.token_hex(8)}@{address.rpartition('@')[2]}"
        added.append(compose.message_ids("Message-ID", [identity]))
    if not added and not at:
        return None
    if not names and header.strip():
        kept.insert(0, b"\r\n")  # the text began at once
    return b"".join(added + kept)
