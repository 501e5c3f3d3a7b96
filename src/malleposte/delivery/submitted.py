"""What a mail program left out: From, Sender, Date and Message-ID are added; Bcc goes. RFC 6409 §8.

Everything else stays as it was sent, octet by octet: it may be signed. Who may write as whom is asked
here, of each address in From; who writes on somebody's behalf stands in Sender.
"""

import asyncio
import secrets
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final

import msgspec

from malleposte.delivery.authorship import Claims, NotAllowed, claims
from malleposte.delivery.leaving import addresses_in
from malleposte.delivery.spool import AT_ONCE, Spool
from malleposte.delivery.trace_header import Origin, shown_id
from malleposte.directory.senders import Senders, Way
from malleposte.mime import compose
from malleposte.mime.ascii_header import ascii_header
from malleposte.mime.headers import FIELD
from malleposte.mime.seven_bit import is_seven_bit, recoded, recoding
from malleposte.mime.structure import parse, parse_slices
from malleposte.store.commands import RecordAudit
from malleposte.wire.smtp.content import LineEnds

REMOVED: Final = frozenset({b"bcc", b"resent-bcc", b"return-path"})
"""Bcc names whom nobody shall see (RFC 5322 §3.6.3); Return-Path is for who files it (RFC 5321 §4.4)."""
HEADER: Final = 256 * 1024
"""Octets of a header at most: it is looked at in one go."""
MOST_AUTHORS: Final = 20
"""Addresses of From that a message may have; that of a person has one."""
END: Final = (b"\r\n\r\n", b"\n\n")


@dataclass(frozen=True, slots=True)
class Written:
    """Who wrote a message: the addresses in From, and those of them on whose behalf it is sent."""

    authors: tuple[str, ...] = ()
    behalf: tuple[str, ...] = ()


async def submit(
    spool: Spool, senders: Senders, origin: Origin, now: float, *, leaves: bool
) -> Written:
    """Make a submitted message ready for its copies; who wrote it. ``leaves``: some go to other servers.
    Of one that was submitted before, and waited, its author was asked then. Raises as ``set_right``."""
    if origin.released:
        with spool.buffer() as buffer:
            start = bytes(buffer[:HEADER])
        authors = addresses_in(start[: header_size(start)], b"from")
        written = Written(tuple(authors) or (origin.login,))
    else:
        written = await set_right(spool, senders, origin.account, origin.login, now)
    if leaves:
        await into_seven_bits(spool)
    return written


def audited(written: Written, origin: Origin, number: int) -> tuple[RecordAudit, ...]:
    """The lines of the audit about mail on others' behalf. ``number``: the trace's."""
    details = msgspec.json.encode({"by": origin.login, "trace": shown_id(number)}).decode()
    return tuple(
        RecordAudit(
            actor=origin.login,
            operation="mail.on-behalf",
            target=author,
            outcome="done",
            details=details,
        )
        for author in dict.fromkeys(written.behalf)
    )


async def set_right(
    spool: Spool, senders: Senders, account: int, address: str, now: float
) -> Written:
    """Mend the header of a message that an account submitted, ``address`` being its own, and find who wrote
    it. Raises ``NotAllowed``, what the store raises, and ``OSError`` and ``NoRoom`` as the spool does."""
    header = await _header(spool)
    size = len(header)
    said = claims(header)
    written = await _written(senders, account, address, said)
    sender = await _sender(senders, account, address, said, written)
    mended_header = mended(header, address, now, sender)
    if mended_header is not None:
        await spool.begin_anew(size, mended_header)
    return written if written.authors else Written((address,))


async def _header(spool: Spool) -> bytes:
    """The header with the line ends that other servers will see: a bare CR or LF becomes CRLF on its way
    out, and what stands behind it a field of its own. Raises ``NotAllowed`` and as the spool does."""
    too_long = NotAllowed("The header of the message is too long", 554, "5.6.0")
    with spool.buffer() as buffer:
        start = bytes(buffer[:HEADER])
    size = header_size(start)
    if size < 0:
        raise too_long
    lines = LineEnds()
    header = lines.feed(start[:size]) + lines.end()
    if header != start[:size]:
        await spool.begin_anew(size, header)
        size = header_size(header[:HEADER])
        if size < 0:
            raise too_long
    return header[:size]


async def _written(senders: Senders, account: int, address: str, said: Claims) -> Written:
    behalf = []
    for field, named in (("From", said.named), ("Resent-From or Resent-Sender", said.resent)):
        for number, author in enumerate(named):
            way = Way.NOT if number >= MOST_AUTHORS else await senders.way(account, author)
            if way is Way.NOT:
                raise NotAllowed(f"{address} may not send as {author}: it stands in {field}")
            if way is Way.BEHALF:
                behalf.append(author)
    return Written(said.authors, tuple(behalf))


async def _sender(
    senders: Senders, account: int, address: str, said: Claims, written: Written
) -> str | None:
    """What Sender becomes: None as it is, '' nothing. RFC 5322 §3.6.2."""
    named = said.sender
    ways = {await senders.way(account, one) for one in named[:2]}
    if said.has_from and not written.authors:
        return address  # From names nobody (RFC 6854): somebody must have sent it
    if written.behalf:
        return None if len(named) == 1 and ways == {Way.OWN} else address
    if len(named) > 1 or not ways <= {Way.OWN, Way.AS}:
        return address if len(written.authors) > 1 else ""
    return address if len(written.authors) > 1 and not named else None


def header_size(start: bytes) -> int:
    """Octets of the header with its empty line; all of what was given where there is none, -1 where it
    would come later."""
    if start.startswith((b"\r\n", b"\n")):
        return start.index(b"\n") + 1
    ends = [at + len(end) for end in END if (at := start.find(end)) >= 0]
    if ends:
        return min(ends)
    return len(start) if len(start) < HEADER else -1


def mended(header: bytes, address: str, now: float, sender: str | None = None) -> bytes | None:
    """A header block with what was missing and without what must go; None where it is right already.
    ``sender``: what Sender becomes, None as it is."""
    removed = REMOVED if sender is None else REMOVED | {b"sender"}
    kept: list[bytes] = []
    names: set[bytes] = set()
    at = 0
    for field in FIELD.finditer(header):
        name = field[1].rstrip().lower()
        names.add(name)
        if name in removed:
            kept.append(header[at : field.start()])
            at = min(field.end() + 1, len(header))
    kept.append(header[at:])
    added: list[bytes] = []
    if sender:
        added.append(compose.addresses("Sender", [compose.Mailbox("", sender)]))
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


async def into_seven_bits(spool: Spool) -> None:
    """Recode what goes to other servers, before it is signed (decision 0017): a signature holds on every
    way then. What its author signed stays as it is. Raises as the spool does."""
    with spool.buffer() as buffer:
        start = bytes(buffer[:HEADER])
        if is_seven_bit(buffer) or _is_signed(start):
            return
    size = header_size(start)
    header = ascii_header(start[:size])
    if header is not None:
        await spool.begin_anew(size, header)
    with spool.buffer() as buffer:
        if len(buffer) <= AT_ONCE:
            parts = parse(buffer)
        else:
            steps = parse_slices(buffer)
            while True:
                try:
                    next(steps)
                except StopIteration as end:
                    parts = end.value
                    break
                await asyncio.sleep(0)
        changes = recoding(buffer, parts)
    if changes:
        await spool.rewrite(lambda octets: recoded(octets, changes))


def _is_signed(start: bytes) -> bool:
    """Whether a domain's signature is in it already (DKIM)."""
    header = start[: header_size(start)]
    return any(m[1].rstrip().lower() == b"dkim-signature" for m in FIELD.finditer(header))
