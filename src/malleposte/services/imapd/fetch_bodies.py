r"""FETCH of bodies: sections cut out by stored offsets, large ones passed through in pieces.

An email is a prefix and content (``store.read.emails``); the stored structure's offsets are the
content's. Invariants: no message is parsed; a message is in memory as a whole only where it is small
(one frame), a larger one frame by frame; the size announced is the size sent. NUL is shown as 0x80.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from malleposte.mime import Part, header_fields, load_structure, section
from malleposte.mime.section import SectionKind
from malleposte.services.connection import ConnectionLost
from malleposte.services.imapd.fetch_plan import Plan
from malleposte.services.imapd.fetch_slice import flags_of, read_slice
from malleposte.services.imapd.replies import Refuse
from malleposte.services.imapd.selected import Chosen
from malleposte.store import content
from malleposte.store.commands import MAX_ROWS, StoreFlags
from malleposte.store.flags import SEEN
from malleposte.store.ids import LOW
from malleposte.store.read import emails as read_emails
from malleposte.store.read.emails import Damaged, Stored
from malleposte.wire.imap import codes
from malleposte.wire.imap.commands.fetch import Body
from malleposte.wire.imap.commands.sections import SectionText
from malleposte.wire.imap.sets import NumberSet

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session

log = structlog.get_logger(__name__)

BODIES: Final = 50
"""Messages a statement reads: with ``read_emails.SMALL`` octets each at most."""
HEADER_BYTES: Final = 1 << 20
"""Of a header block out of which fields are chosen; ``mime`` reads no more either."""

_KINDS: Final[dict[SectionText, SectionKind]] = {
    SectionText.ALL: "",
    SectionText.HEADER: "HEADER",
    SectionText.HEADER_FIELDS: "HEADER",
    SectionText.HEADER_FIELDS_NOT: "HEADER",
    SectionText.TEXT: "TEXT",
    SectionText.MIME: "MIME",
}


class Opened:
    """An email being read. ``data`` is all of it where it is small."""

    __slots__ = ("_parts", "_session", "data", "stored")

    def __init__(self, session: "Session", stored: Stored) -> None:
        self._session = session
        self.stored = stored
        self._parts: tuple[Part, ...] | None = None
        self.data: bytes | None = None
        if stored.first is not None and stored.content_size <= content.FRAME:
            try:
                self.data = stored.prefix + content.decompress(stored.first)
            except ValueError as error:
                raise Damaged(str(error)) from error

    @property
    def parts(self) -> tuple[Part, ...]:
        """The stored structure."""
        if self._parts is None:
            self._parts = load_structure(self.stored.structure)
        return self._parts

    def find(self, numbers: Sequence[int], kind: SectionKind) -> tuple[int, int] | None:
        """Where a section lies in the email; None where there is no such."""
        if not numbers and kind == "":
            return 0, self.stored.size
        found = section(self.parts, numbers, kind)
        if found is None:
            return None
        prefix = len(self.stored.prefix)
        start, end = found
        if not numbers and kind == "HEADER":
            return 0, end + prefix
        return start + prefix, end + prefix

    def pieces(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Octets of the email in pieces. Raises ``Damaged``."""
        store = self._session.service.store
        return read_emails.read(store.reader, store.blobs, self.stored, start, end)

    async def octets(self, start: int, end: int) -> bytes:
        """Octets of the email at once; the caller bounds how many. Raises ``Damaged``."""
        if self.data is not None:
            return self.data[start:end]
        return b"".join([piece async for piece in self.pieces(start, end)])


@dataclass(frozen=True, slots=True)
class Range:
    """Octets of an email that are passed through."""

    start: int
    end: int


async def answer(session: "Session", made: Plan, chosen: Chosen) -> int:
    """Send what a plan with bodies asks for; how many messages are gone for good."""
    selected = session.mailbox
    marked = await _mark_seen(session, chosen) if made.marks else set()
    reader = session.service.store.reader
    gone = damaged = 0
    for start in range(0, len(chosen), BODIES):
        part = await read_slice(session, made, chosen, start, min(start + BODIES, len(chosen)))
        gone += part.gone
        account = selected.view.account
        rows = await session.patiently(read_emails.stored_of(reader, account, part.emails))
        stored = {row.email & LOW: row for row in rows}
        values = list(zip(*part.values(made), strict=True)) or [()] * len(part.uids)
        tell_flags: dict[int, bytes] = {}
        if marked and not made.flags:
            lists, _ = await flags_of(session, selected, part.uids, part.emails)
            tell_flags = {
                uid: flags for uid, flags in zip(part.uids, lists, strict=True) if uid in marked
            }
        for uid, email, seq, row in zip(part.uids, part.emails, part.seqs, values, strict=True):
            if email not in stored:
                gone += 1
                continue
            items = [form % value for form, value in zip(made.formats, row, strict=True)]
            if uid in tell_flags:
                items.append(b"FLAGS (%b)" % tell_flags[uid])
            try:
                await _one(session, made, seq, items, stored[email])
            except Damaged as error:
                log.error("imap_damaged", email=stored[email].email, error=str(error))
                damaged += 1
        if made.flags or marked:
            selected.seen(part.uids)
        if start + BODIES < len(chosen):
            await session.pause()
    if damaged:
        raise Refuse(
            "A message is damaged on the server; its administrator can tell more", codes.CORRUPTION
        )
    return gone


async def _one(
    session: "Session", made: Plan, seq: int, items: list[bytes], stored: Stored
) -> None:
    """The response for one message. Raises ``Damaged`` while nothing of it was sent."""
    opened = Opened(session, stored)
    found: list[tuple[bytes, bytes | Range | None]] = []
    for item in made.bodies:
        if isinstance(item, Body):
            found.append((item.label, await _section(opened, item)))
        else:
            raise Refuse("BINARY is not supported", codes.CANNOT)
    head = b"* %d FETCH (%b" % (seq, b" ".join(items))
    space = b" " if items else b""
    for label, octets in found:
        if octets is None:
            head += b"%b%b NIL" % (space, label)
        elif isinstance(octets, Range):
            size = octets.end - octets.start
            await _stream(session, opened, b"%b%b%b {%d}\r\n" % (head, space, label, size), octets)
            head = b""
        else:
            session.send(b"%b%b%b {%d}\r\n" % (head, space, label, len(octets)))
            session.send(octets.replace(b"\0", b"\x80") if b"\0" in octets else octets)
            head = b""
        space = b" "
    session.send(head + b")\r\n")
    await session.ample()


async def _section(opened: Opened, item: Body) -> bytes | Range | None:
    """The octets an item asks for, or where they are."""
    wanted = item.section
    place = opened.find(wanted.part, _KINDS[wanted.text])
    if place is None:
        return None
    start, end = place
    if wanted.text in (SectionText.HEADER_FIELDS, SectionText.HEADER_FIELDS_NOT):
        header = await opened.octets(start, min(end, start + HEADER_BYTES))
        chosen = header_fields(header, wanted.fields, wanted.text is SectionText.HEADER_FIELDS_NOT)
        if item.partial is None:
            return chosen
        first, count = item.partial
        return chosen[first : first + count]
    if item.partial is not None:
        first, count = item.partial
        start, end = min(start + first, end), min(start + first + count, end)
    if opened.data is not None:
        return opened.data[start:end]
    return Range(start, end)


async def _stream(session: "Session", opened: Opened, head: bytes, octets: Range) -> None:
    """Announce and send a large section, never more than a frame of it in memory."""
    sent = begun = False
    left = octets.end - octets.start
    try:
        async for piece in opened.pieces(octets.start, octets.end):
            if not begun:
                session.send(head)
                begun = True
            session.send(piece.replace(b"\0", b"\x80") if b"\0" in piece else piece)
            left -= len(piece)
            session.flush()
            sent = True
            await session.connection.drain()
            await session.pause()
        if not begun:
            session.send(head)
        if left:
            raise Damaged("content is shorter than its size")
    except Exception:
        if sent:
            # A literal was announced that cannot be completed: nothing that follows would be read.
            session.connection.abort()
            raise ConnectionLost from None
        raise


async def _mark_seen(session: "Session", chosen: Chosen) -> set[int]:
    r"""Set \Seen where it is missing, with one command; the UIDs it was set on."""
    selected = session.mailbox
    view = selected.view
    if selected.read_only:
        return set()
    unseen = []
    for uid, at in zip(chosen.uids, selected.where(chosen.uids), strict=True):
        if at is not None and not view.flags_at(at)[0] & SEEN:
            unseen.append(uid)
    if not unseen:
        return set()
    selected.begin_own()
    try:
        for start in range(0, len(unseen), MAX_ROWS):
            uids = NumberSet.from_sorted(unseen[start : start + MAX_ROWS]).ranges
            await session.submit(
                StoreFlags(
                    actor=session.actor, mailbox=view.mailbox, uids=uids, mode="+", flags=SEEN
                )
            )
        await session.patiently(view.refresh())
    finally:
        changed = selected.end_own()
    marked = set(unseen)
    selected.change([uid for uid in changed if uid not in marked])
    return marked
