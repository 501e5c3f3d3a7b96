"""Content of messages: frames of zstd, in rows or in a file, read by offset.

Content is cut into frames of ``FRAME`` octets, each compressed alone, so that any part of a large
message is read without the rest. Content of one frame travels in the command; larger content is spooled
by the worker into an unnamed file in the blob folder, flushed, and linked by the writer under the
blob's id. File format: the frames one after the other, then their lengths (u32 each), then their number
(u32), big-endian.
"""

import os
import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import zstandard

from malleposte.store.commands import Content

FRAME = 256 * 1024
"""Octets of content in a frame: a FETCH of a part decompresses at most this much too many."""
LEVEL = 3
"""zstd level; 6 takes 2 × the time for 3 % (measured on the corpus of real mail)."""


class _Zstd(threading.local):
    """A compressor and a decompressor a thread: sharing one between threads crashes the process."""

    def __init__(self) -> None:
        # With a checksum, so that damage on disk is found when the frame is read.
        self.compress = zstandard.ZstdCompressor(
            level=LEVEL, write_content_size=True, write_checksum=True
        ).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_zstd = _Zstd()

SPARE = ".new"
"""Suffix of a name a file has for a moment while it replaces another."""
_U32 = struct.Struct(">I")


def digest_of(data: bytes | memoryview) -> bytes:
    """The digest content is stored under once per organisation; never shown to anyone."""
    return blake2b(data, digest_size=32).digest()


def in_rows(data: bytes) -> Content:
    """Content of at most one frame, for a command."""
    if len(data) > FRAME:
        raise ValueError("content of more than one frame goes through a file")
    return Content(digest=digest_of(data), size=len(data), frames=(_zstd.compress(data),))


def in_file(data: memoryview, folder: Path) -> tuple[Content, int]:
    """Compress larger content into an unnamed, flushed file; the command's content and a descriptor.

    Takes time (flush, and some 5 ms per MB): run it in a thread. The caller closes the descriptor.
    """
    descriptor = os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        lengths: list[int] = []
        digest = blake2b(digest_size=32)
        with open(descriptor, "wb", buffering=1 << 16, closefd=False) as file:
            for at in range(0, len(data), FRAME):
                part = data[at : at + FRAME]
                digest.update(part)
                frame = _zstd.compress(part)
                lengths.append(len(frame))
                file.write(frame)
            file.write(b"".join(_U32.pack(n) for n in lengths))
            file.write(_U32.pack(len(lengths)))
        os.fsync(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return (
        Content(digest=digest.digest(), size=len(data), file=True, stored=sum(lengths)),
        descriptor,
    )


def link(descriptor: int, folder: Path, blob: int) -> None:
    """Give a spooled file its name; one that a crash left there under the same id is replaced.

    What a crash left may be this very file (the worker sent its command again): it is kept, for a file
    whose last name was taken away cannot get another.
    """
    path = blob_path(folder, blob)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if _link(descriptor, path):
        return
    spare = path.with_name(f"{blob}{SPARE}")
    if not _link(descriptor, spare):
        spare.unlink()
        _link(descriptor, spare)
    spare.rename(path)


def _link(descriptor: int, path: Path) -> bool:
    """False where another file has the name."""
    # A folder named for the source makes Python call linkat(2), which follows the link in /proc.
    here = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=here, follow_symlinks=True)
    except FileExistsError:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    finally:
        os.close(here)
    return True


def flush_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def blob_path(folder: Path, blob: int) -> Path:
    """Where the file of a blob stands."""
    return folder / f"{blob % 256:02x}" / str(blob)


def unlink(folder: Path, names: Sequence[str]) -> None:
    """Remove files of blobs whose rows are gone. Ids are never given twice, so that one which outlives its
    row by a crash is no danger."""
    for name in names:
        blob_path(folder, int(name)).unlink(missing_ok=True)


def decompress(frame: bytes) -> bytes:
    """One frame's content. Raises ``ValueError`` where it is damaged."""
    try:
        if zstandard.frame_content_size(frame) > FRAME:
            # Before anyone allocates what a damaged length says.
            raise ValueError("a stored frame is damaged: its length is impossible")
        return _zstd.decompress(frame, max_output_size=FRAME)
    except zstandard.ZstdError as error:
        raise ValueError(f"a stored frame is damaged: {error}") from error


@dataclass(frozen=True, slots=True)
class BlobFile:
    """A stored file's frames, found by its index."""

    descriptor: int
    starts: tuple[int, ...]

    @classmethod
    def open(cls, folder: Path, blob: int) -> "BlobFile":
        """Open the file of a blob. Raises ``OSError`` or ``ValueError`` where it is gone or damaged."""
        return cls.of(os.open(blob_path(folder, blob), os.O_RDONLY | os.O_CLOEXEC))

    @classmethod
    def of(cls, descriptor: int) -> "BlobFile":
        """Read the index of an open file, which is closed if that fails."""
        try:
            size = os.fstat(descriptor).st_size
            (count,) = _U32.unpack(os.pread(descriptor, 4, size - 4))
            index = os.pread(descriptor, count * 4, size - 4 - count * 4)
            starts = [0]
            for (length,) in _U32.iter_unpack(index):
                starts.append(starts[-1] + length)
            if starts[-1] + count * 4 + 4 != size:
                raise ValueError("the index of a stored file is damaged")
        except (OSError, ValueError, struct.error, OverflowError) as error:
            os.close(descriptor)
            raise ValueError(f"a stored file is damaged: {error}") from error
        return cls(descriptor, tuple(starts))

    def frame(self, n: int) -> bytes:
        """Frame ``n``, compressed."""
        start, end = self.starts[n], self.starts[n + 1]
        return os.pread(self.descriptor, end - start, start)

    def close(self) -> None:
        """Close the file."""
        os.close(self.descriptor)


def slices(start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Frames a range of content stands in: (frame, from, to) with offsets inside the frame."""
    at = start
    while at < end:
        frame = at // FRAME
        low = at - frame * FRAME
        high = min(end - frame * FRAME, FRAME)
        yield frame, low, high
        at = frame * FRAME + high
