"""A message on its way in: in memory while small, in an unnamed file past that.

Memory a connection is bounded whatever the size of its message; so is the disk (``store.incoming``).
``prepare`` makes of it what the store takes: content (compressed, digested) and rendered columns, the
message parsed once and for all, in slices, so that nothing holds the loop.
"""

import asyncio
import mmap
import os
import tempfile
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from malleposte.mime import DEFAULT_LIMITS, Limits, Summary, summarize, summarize_slices
from malleposte.store import Store, StoreError, content
from malleposte.store.commands import Content, DropContent, PutContent, Rendered
from malleposte.store.incoming import Incoming, NoRoom
from malleposte.store.results import Swept

IN_MEMORY = content.FRAME
"""Octets kept in memory: one frame of the store."""
COPIED = 256 * 1024
"""Octets copied from file to file at a time."""
AT_ONCE = 64 * 1024
"""Octets parsed without letting the loop run: some 2 ms."""


class Spool:
    """Collects the octets of one message, or of several one after the other. ``incoming`` says how much
    of the disk they may take (the store's); ``client``: whose they are (``Incoming.ask``)."""

    __slots__ = ("_client", "_file", "_in_file", "_incoming", "_parts", "_until", "folder", "size")

    def __init__(self, incoming: Incoming, client: Hashable | None = None) -> None:
        self.folder = incoming.folder
        self._incoming = incoming
        self._client = client
        self._until = time.monotonic() + incoming.settings.seconds
        self._parts: list[bytes] = []
        self._file: int | None = None
        self._in_file = 0
        self.size = 0

    def expect(self, octets: int) -> None:
        """Raise ``NoRoom`` where so many octets more, if known (else 0), could not be taken now."""
        in_memory = self._file is None and self.size + octets <= IN_MEMORY
        self._incoming.ask(self._client, 0 if in_memory else octets)

    def write(self, octets: bytes) -> None:
        """Add octets. Raises ``NoRoom``, and ``OSError`` when the disk takes no more."""
        self.size += len(octets)
        if self._file is None:
            self._parts.append(octets)
            if self.size > IN_MEMORY:
                self._file = self._open()
                self._write(b"".join(self._parts))
                self._parts.clear()
        else:
            self._write(octets)

    def _open(self) -> int:
        flags = os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC
        try:
            return os.open(self.folder, flags, 0o600)
        except OSError:
            # A file system without unnamed files: named for a moment.
            descriptor, name = tempfile.mkstemp(dir=self.folder)
            os.unlink(name)
            return descriptor

    def _write(self, octets: bytes) -> None:
        assert self._file is not None
        if self._client is not None and time.monotonic() > self._until:
            raise NoRoom("The message took too long; please try again later")
        self._incoming.take(self._client, len(octets))
        self._in_file += len(octets)
        view = memoryview(octets)
        while view:
            view = view[os.write(self._file, view) :]

    @contextmanager
    def buffer(self) -> Iterator[bytes | memoryview]:
        """The whole message, mapped where it stands in a file."""
        if self._file is None:
            if len(self._parts) != 1:
                self._parts = [b"".join(self._parts)]
            yield self._parts[0]
            return
        mapped = mmap.mmap(self._file, self.size, prot=mmap.PROT_READ)
        view = memoryview(mapped)
        try:
            yield view
        finally:
            view.release()
            with suppress(BufferError):
                mapped.close()

    async def begin_anew(self, octets: int, beginning: bytes) -> None:
        """Have something else stand in place of its first ``octets``. Raises as ``write``."""
        if self._file is None:
            with self.buffer() as buffer:
                self._parts = [beginning + bytes(buffer[octets:])]
            self.size += len(beginning) - octets
            return
        old, size, counted = self._file, self.size, self._in_file
        self._incoming.ask(None, self._in_file)
        self._file, self._in_file, self.size = self._open(), 0, 0
        try:
            self.write(beginning)
            while octets < size:
                piece = await asyncio.to_thread(os.pread, old, min(COPIED, size - octets), octets)
                self.write(piece)
                octets += len(piece)
        finally:
            os.close(old)
            self._incoming.give_back(self._client, counted)

    async def rewrite(self, made: Callable[[bytes | memoryview], Iterator[bytes]]) -> None:
        """Have other content in place of all of it, made of it in pieces. Raises as ``write``."""
        fresh = Spool(self._incoming, self._client)
        fresh._until = self._until
        self._incoming.ask(None, self._in_file)
        try:
            with self.buffer() as buffer:
                for piece in made(buffer):
                    fresh.write(piece)
                    if self.in_file:
                        await asyncio.sleep(0)
        except BaseException:
            fresh.close()
            raise
        self.close()
        self._parts, self._file = fresh._parts, fresh._file
        self._in_file, self.size = fresh._in_file, fresh.size

    def expect_copy(self) -> None:
        """Raise ``NoRoom`` where the disk could not take what is in the file once more."""
        self._incoming.ask(None, self._in_file)

    @property
    def in_file(self) -> bool:
        """Whether it outgrew memory."""
        return self._file is not None

    def close(self) -> None:
        """Forget it."""
        self._parts.clear()
        if self._file is not None:
            os.close(self._file)
            self._file = None
            self._incoming.give_back(self._client, self._in_file)
            self._in_file = 0


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the store takes of a message. ``descriptor``: its content, if that is in a file."""

    content: Content
    rendered: Rendered
    summary: Summary
    descriptor: int | None

    def close(self) -> None:
        """Let the descriptor go."""
        if self.descriptor is not None:
            os.close(self.descriptor)


async def prepare(spool: Spool, limits: Limits | None = None) -> Prepared:
    """Parse, compress and digest a message. Raises ``OSError`` when the disk takes no more."""
    with spool.buffer() as buffer:
        summary = await summarized(buffer, limits or DEFAULT_LIMITS)
        spool.expect_copy()
        kept, descriptor = await compressed(buffer, spool.folder)
        return Prepared(kept, rendered(summary), summary, descriptor)


async def compressed(buffer: bytes | memoryview, folder: Path) -> tuple[Content, int | None]:
    """Compress and digest a message; what the store takes, and a descriptor where that is in a file,
    for the caller to close. Raises ``OSError`` when the disk takes no more."""
    if len(buffer) > IN_MEMORY:
        return await asyncio.to_thread(content.in_file, memoryview(buffer), folder)
    octets = bytes(buffer)
    if len(octets) <= AT_ONCE:
        return content.in_rows(octets), None
    return await asyncio.to_thread(content.in_rows, octets), None


async def put_variant(
    store: Store, spool: Spool, octets: int, header: bytes, organisation: int
) -> Content:
    """Put a message with ``header`` in place of its first ``octets`` into the store, for an organisation;
    the content as a command names it. Raises as ``write`` and ``Store.submit``."""
    other = Spool(store.incoming)
    try:
        with spool.buffer() as buffer:
            other.write(header)
            for at in range(octets, len(buffer), COPIED):
                other.write(bytes(buffer[at : at + COPIED]))
                await asyncio.sleep(0)
        with other.buffer() as buffer:
            kept, descriptor = await compressed(buffer, other.folder)
        try:
            await store.submit(PutContent(organisation=organisation, content=kept), descriptor)
        finally:
            if descriptor is not None:
                os.close(descriptor)
    finally:
        other.close()
    return Content(digest=kept.digest, size=kept.size)


async def drop(store: Store, account: int, digests: Sequence[bytes]) -> None:
    """Have content go that was put for an account and that no command will use. What cannot go now is for
    the sweep."""
    if not digests:
        return
    with suppress(StoreError):
        command = DropContent(account=account, digests=tuple(digests))
        dropped = await store.submit(command)
        if isinstance(dropped, Swept):
            await asyncio.to_thread(content.unlink, store.blobs, dropped.files)


async def summarized(buffer: bytes | memoryview, limits: Limits = DEFAULT_LIMITS) -> Summary:
    """``mime.summarize``, in slices where the message is not small."""
    if len(buffer) <= AT_ONCE:
        return summarize(buffer, limits)
    steps = summarize_slices(buffer, limits)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            summary: Summary = end.value
            return summary
        await asyncio.sleep(0)


def rendered(summary: Summary) -> Rendered:
    """The columns the store keeps of a summary."""
    return Rendered(
        structure=summary.structure,
        envelope=summary.envelope,
        bodystructure=summary.bodystructure,
        envelope_utf8=summary.envelope_utf8,
        bodystructure_utf8=summary.bodystructure_utf8,
        preview=summary.preview,
        subject=summary.subject,
        base_subject=summary.base_subject,
        from_text=summary.from_,
        to_text=summary.to,
        cc_text=summary.cc,
        bcc_text=summary.bcc,
        message_id=summary.message_id,
        thread_ids=summary.thread_ids,
        sent_at=summary.sent_at,
        attachment=summary.has_attachment,
        thread_key=summary.thread_key,
    )
