"""An email being read: sections by stored offsets, octets at once or in pieces.

An email is a prefix and content (``store.read.emails``); the stored structure's offsets are the
content's. Nothing is parsed, and only a small one (one frame) is ever held whole.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

from malleposte.mime import Part, find_part, load_structure, load_structure_slices, section
from malleposte.mime.section import SectionKind
from malleposte.store import Store, content
from malleposte.store.ids import LOW, account_of
from malleposte.store.read import emails as read_emails
from malleposte.store.read.emails import Damaged, Stored

HEADER_BYTES: Final = 1 << 20
"""Of a header block out of which fields are chosen; ``mime`` reads no more either."""

AT_ONCE: Final = 32 * 1024
"""Octets of a structure that are read at once: some 300 parts, under 1 ms."""


async def _no_pause() -> None:
    pass


class Opened:
    """See the module."""

    __slots__ = ("_data", "_last", "_parts", "_store", "pause", "small", "stored")

    def __init__(self, store: Store, stored: Stored) -> None:
        self._store = store
        self.stored = stored
        self._parts: tuple[Part, ...] | None = None
        self._data: bytes | None = None
        self._last = read_emails.Frame()
        self.pause: Callable[[], Awaitable[None]] = _no_pause
        """Awaited between pieces of long work on one email."""
        self.small = stored.first is not None and stored.content_size <= content.FRAME
        """Whether all of it is at hand as ``data``."""

    @property
    def data(self) -> bytes | None:
        """The whole email where it is small, else None. Raises ``Damaged``."""
        if self._data is None and self.small:
            stored = self.stored
            try:
                octets = content.decompress(stored.first or b"")
            except ValueError as error:
                raise Damaged(str(error)) from error
            if len(octets) != stored.content_size:
                raise Damaged(f"blob {stored.blob} is shorter than its size")
            self._data = stored.prefix + octets if stored.prefix else octets
        return self._data

    async def parts(self) -> tuple[Part, ...]:
        """The stored structure; offsets without the prefix."""
        if self._parts is None:
            structure = self.stored.structure
            if not structure:
                # Too long to come with others (``read_emails.SMALL``).
                account, number = account_of(self.stored.email), self.stored.email & LOW
                rows = await read_emails.columns_of(
                    self._store.reader, account, [number], ("w.structure",)
                )
                if not rows:
                    raise Damaged(f"email {self.stored.email} is gone")
                structure = rows[0][1]
            if len(structure) <= AT_ONCE:
                self._parts = load_structure(structure)
            else:
                slices = load_structure_slices(structure)
                while self._parts is None:
                    try:
                        next(slices)
                    except StopIteration as end:
                        self._parts = end.value
                    else:
                        await self.pause()
            assert self._parts is not None
        return self._parts

    async def find(self, numbers: Sequence[int], kind: SectionKind) -> tuple[int, int] | None:
        """Where a section lies in the email (RFC 9051 §6.4.5.1); None where there is no such."""
        if not numbers and kind == "":
            return 0, self.stored.size
        found = section(await self.parts(), numbers, kind)
        if found is None:
            return None
        prefix = len(self.stored.prefix)
        start, end = found
        if not numbers and kind == "HEADER":
            return 0, end + prefix
        return start + prefix, end + prefix

    async def part(self, numbers: Sequence[int]) -> Part | None:
        """The part of a part number; the message itself for none."""
        parts = await self.parts()
        return find_part(parts, numbers) if numbers else parts[0]

    def body(self, part: Part) -> tuple[int, int]:
        """Where the body of a part lies in the email."""
        prefix = len(self.stored.prefix)
        return part.body_start + prefix, part.body_end + prefix

    def header(self, part: Part) -> tuple[int, int]:
        """Where the header of a part lies in the email; the message's with the prefix."""
        prefix = len(self.stored.prefix)
        start = 0 if part.section == "" and part.parent < 0 else part.header_start + prefix
        return start, part.body_start + prefix

    def pieces(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Octets of the email in pieces of at most a frame. Raises ``Damaged``."""
        store = self._store
        return read_emails.read(store.reader, store.blobs, self.stored, start, end, self._last)

    async def octets(self, start: int, end: int) -> bytes:
        """Octets of the email at once; the caller bounds how many. Raises ``Damaged``."""
        if self.data is not None:
            return self.data[start:end]
        return b"".join([piece async for piece in self.pieces(start, end)])
