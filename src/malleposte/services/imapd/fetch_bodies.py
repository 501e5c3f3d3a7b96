"""FETCH of bodies: sections cut out by stored offsets, large ones passed through in pieces.

Invariants: no message is parsed; the size announced is the size sent; of a message larger than a frame
never more than a frame is in memory. NUL is shown as 0x80 (design, §3), but in BINARY.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import structlog

from malleposte.mime import header_fields
from malleposte.mime.section import SectionKind
from malleposte.services.connection import ConnectionLost
from malleposte.services.imapd.at_hand import open_one
from malleposte.services.imapd.fetch_binary import UnknownEncoding, binary, binary_size
from malleposte.services.imapd.fetch_plan import Plan
from malleposte.services.imapd.fetch_slice import Slice, flags_of, read_slice
from malleposte.services.imapd.numbering import Chosen
from malleposte.services.imapd.octets import Literal, Passage
from malleposte.services.imapd.replies import Refuse
from malleposte.services.imapd.seen import mark_seen
from malleposte.store.ids import LOW
from malleposte.store.opened import HEADER_BYTES, Opened
from malleposte.store.read import emails as read_emails
from malleposte.store.read.emails import Damaged, Stored
from malleposte.wire.imap import codes
from malleposte.wire.imap.commands.fetch import Binary, BinarySize, Body, Partial
from malleposte.wire.imap.commands.sections import SectionText

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

log = structlog.get_logger(__name__)

Found = bytes | Literal | Passage | int | None
"""What a body item is answered with."""

BODIES: Final = 50
"""Messages a statement reads: with ``read_emails.SMALL`` octets each at most."""

HELD: Final = 256 * 1024
"""Octets of one response held back; most are smaller, and a larger section is passed through."""

_KINDS: Final[dict[SectionText, SectionKind]] = {
    SectionText.ALL: "",
    SectionText.HEADER: "HEADER",
    SectionText.HEADER_FIELDS: "HEADER",
    SectionText.HEADER_FIELDS_NOT: "HEADER",
    SectionText.TEXT: "TEXT",
    SectionText.MIME: "MIME",
}


async def answer(session: "Session", made: Plan, chosen: Chosen) -> int:
    """Send what a plan with bodies asks for; how many messages are gone for good.

    Raises ``Refuse`` when all was sent but what is damaged or cannot be decoded.
    """
    selected = session.mailbox
    marked = await mark_seen(session, chosen) if made.marks else frozenset()
    store, account = session.service.store, selected.view.account
    total = len(chosen)
    if total == 1 and made.bare and not marked:
        return await _answer_bare(session, made, chosen)
    gone = start = 0
    refusal: Refuse | None = None
    while start < total:
        part = await read_slice(session, made, chosen, start, min(start + BODIES, total))
        start = part.stop
        gone += part.gone
        rows: Sequence[Stored | Opened | None]
        if total == 1 and part.uids:
            rows = [await open_one(session, part.uids[0], part.emails[0])]
        else:
            found = await session.reading(read_emails.stored_of(store.reader, account, part.emails))
            rows = _in_order(part, found)
        new_flags: Mapping[int, bytes] = {}
        if marked and not made.flags and marked.intersection(part.uids):
            lists, _ = await flags_of(session, selected, part.uids, part.emails)
            new_flags = {u: f for u, f in zip(part.uids, lists, strict=True) if u in marked}
        values = list(zip(*await part.values(made), strict=True)) or [()] * len(part.uids)
        for uid, seq, stored, row in zip(part.uids, part.seqs, rows, values, strict=True):
            if stored is None:
                gone += 1
                continue
            head = made.head % (seq, *row)
            if uid in new_flags:
                head += b" FLAGS (%b)" % new_flags[uid] if row else b"FLAGS (%b)" % new_flags[uid]
            opened = stored if isinstance(stored, Opened) else Opened(store, stored)
            refusal = await _one(session, made, head, opened) or refusal
        if made.flags or marked:
            selected.seen(part.uids)
        if start < total:
            await session.pause()
    if refusal is not None:
        raise refusal
    return gone


async def _answer_bare(session: "Session", made: Plan, chosen: Chosen) -> int:
    """The same for one message of which nothing is asked but bodies and UID: the quick way."""
    uid = chosen.uids[0]
    opened = await open_one(session, uid, chosen.emails[0])
    if opened is None:
        return 1
    head = made.head % (chosen.seqs[0], *[uid] * len(made.items))
    refusal = await _one(session, made, head, opened)
    if refusal is not None:
        raise refusal
    return 0


def _in_order(part: Slice, rows: list[Stored]) -> Sequence[Stored | None]:
    """Stored emails as the slice has them; None for one that is gone."""
    emails = part.emails
    if [row.email & LOW for row in rows] == emails.tolist():
        return rows
    by_email = {row.email & LOW: row for row in rows}
    return [by_email.get(email) for email in emails]


async def _one(session: "Session", made: Plan, head: bytes, opened: Opened) -> Refuse | None:
    """Send the response for one message; why not, where it cannot be made.

    What is found is held back up to ``HELD`` octets: a response that cannot be completed is not begun,
    and one with many items never stands in memory whole.
    """
    bodies: list[tuple[bytes, Found]] = []
    held = 0
    begun = False
    try:
        for item in made.bodies:
            found = await _found(opened, item)
            bodies.append((item.label, found))
            held += _size(found)
            if held > HELD:
                begun = True
                head = await _send(session, head, bodies)
                bodies, held = [], 0
                await session.breathe()
        head = await _send(session, head, bodies)
    except (Damaged, UnknownEncoding) as error:
        if begun:
            # What was announced cannot be completed: nothing that follows would be understood.
            session.connection.abort()
            raise ConnectionLost from None
        if isinstance(error, UnknownEncoding):
            return Refuse("A part is in an unknown encoding", codes.UNKNOWN_CTE)
        log.error("imap_damaged", email=opened.stored.email, error=str(error))
        words = "A message is damaged on the server; ask its administrator"
        return Refuse(words, codes.CORRUPTION)
    session.send(head + b")\r\n")
    if session.ample:
        session.flush()
        await session.connection.drain()
    return None


def _size(found: Found) -> int:
    """Octets that are in memory for it."""
    if type(found) is bytes:
        return len(found)
    return len(found.octets) if isinstance(found, Literal) else 0


async def _send(session: "Session", head: bytes, bodies: list[tuple[bytes, Found]]) -> bytes:
    """Send items; what is left of the last one, to go before the next or the end.

    Raises ``Damaged`` while nothing of the response was sent.
    """
    send = session.send
    space = b"" if head.endswith(b"(") else b" "
    for label, found in bodies:
        head = b"%b%b%b " % (head, space, label)
        space = b" "
        if type(found) is bytes:
            send(b"%b{%d}\r\n" % (head, len(found)))
            send(found.replace(b"\0", b"\x80") if b"\0" in found else found)
            head = b""
        elif found is None:
            head += b"NIL"
        elif isinstance(found, int):
            head += b"%d" % found
        elif isinstance(found, Literal):
            send(b"%b~{%d}\r\n" % (head, len(found.octets)))
            send(found.octets)
            head = b""
        elif isinstance(found, Passage):
            await _pass(session, head, found)
            head = b""
    return head


async def _found(opened: Opened, item: Body | Binary | BinarySize) -> Found:
    """What an item asks for, or where it is."""
    if isinstance(item, Body):
        wanted = item.section
        place = await opened.find(wanted.part, _KINDS[wanted.text])
        if place is None:
            return None
        start, end = place
        if wanted.fields:
            header = await opened.octets(start, min(end, start + HEADER_BYTES))
            chosen = header_fields(
                header, wanted.fields, wanted.text is SectionText.HEADER_FIELDS_NOT
            )
            start, end = _limited(0, len(chosen), item.partial)
            return chosen[start:end]
        start, end = _limited(start, end, item.partial)
        if opened.data is not None:
            return opened.data[start:end]
        return Passage(end - start, opened.pieces(start, end))
    if isinstance(item, Binary):
        return await binary(opened, item)
    return await binary_size(opened, item)


def _limited(start: int, end: int, partial: Partial | None) -> tuple[int, int]:
    """A range cut by ``<first.count>`` (RFC 9051 §6.4.5)."""
    if partial is None:
        return start, end
    first, count = partial
    return min(start + first, end), min(start + first + count, end)


async def _pass(session: "Session", head: bytes, passage: Passage) -> None:
    """Announce and send what is passed through, piece by piece."""
    mark = b"~{%d}\r\n" if passage.binary else b"{%d}\r\n"
    begun = False
    left = passage.size
    try:
        async for piece in passage.pieces:
            if not begun:
                session.send(head + mark % passage.size)
                begun = True
            if b"\0" in piece and not passage.binary:
                piece = piece.replace(b"\0", b"\x80")
            session.send(piece)
            left -= len(piece)
            session.flush()
            await session.connection.drain()
            await session.pause()
        if left:
            raise Damaged("content is shorter than its size")
    except Exception:
        if begun or head:
            # What was announced cannot be completed: nothing that follows would be understood.
            session.connection.abort()
            raise ConnectionLost from None
        raise
    if not begun:
        session.send(head + mark % 0)
