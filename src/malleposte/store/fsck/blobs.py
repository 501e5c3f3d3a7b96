"""Content: frames in rows, files in the blob folder; ``deep`` reads all of it back."""

import os
import time
from collections.abc import AsyncIterator, Iterator
from hashlib import blake2b
from pathlib import Path

from malleposte.store import content
from malleposte.store.dialect import Row, any_of, both
from malleposte.store.fsck.finding import Examination, Finding, Kind, slices
from malleposte.store.ids import FRAMES, frame_id

SLICE = 5_000
"""Blobs in a statement."""
FRESH = 3600
"""Seconds for which a file may stand without its row: the writer links before it commits."""
_FILES_AT_ONCE = 1_000
_TOP = (1 << 50) - 1

_BLOBS = (
    "SELECT b.id, b.digest, b.size, b.stored, b.place, count(f.id), coalesce(sum(length(f.data)), 0),"
    " coalesce(min(f.id) - b.id * 4096, 0), coalesce(max(f.id) - b.id * 4096, -1) FROM blob b"
    " LEFT JOIN blob_frame f ON f.id BETWEEN b.id * 4096 AND b.id * 4096 + 4095"
    " WHERE b.id BETWEEN $1 AND $2 GROUP BY b.id ORDER BY b.id"
)
_FRAMES_STRAY = (
    "SELECT DISTINCT f.id / 4096 FROM blob_frame f WHERE f.id BETWEEN $1 AND $2"
    " AND NOT EXISTS (SELECT 1 FROM blob b WHERE b.id = f.id / 4096)"
)
_FRAME = "SELECT data FROM blob_frame WHERE id = $1"
_STANDING = both("SELECT id FROM blob WHERE place = 'file' AND {ids}", ids=any_of("id", 1))
_COUNT = "SELECT count(*) FROM blob"


async def blobs(examination: Examination) -> AsyncIterator[Finding]:
    """Every blob's row, frames and file."""
    reader = examination.reader
    total = await reader.row(_COUNT) or (0,)
    done = 0
    async for low, high in slices(reader, "blob", "id", 0, _TOP, SLICE):
        rows = await reader.rows(_BLOBS, low, high)
        for row in rows:
            found = list(_blob(examination, row))
            for finding in found:
                yield finding
            if examination.deep and not found:
                async for finding in _deep(examination, row):
                    yield finding
            done += 1
            if examination.deep and not done % 100:
                examination.progress("content", done, total[0])
        examination.progress("content", done, total[0])
    async for low, high in slices(reader, "blob_frame", "id", 0, _TOP * FRAMES, SLICE):
        for (blob,) in await reader.rows(_FRAMES_STRAY, low, high):
            yield Finding(
                Kind.FRAMES_STRAY,
                f"blob {blob}",
                "content is there without its row: it takes room and nothing can read it",
            )
    if examination.blobs is not None and reader.dialect == "sqlite":
        async for finding in _files(examination, examination.blobs):
            yield finding


def frames_of(size: int) -> int:
    """Frames that content of a size is cut into; empty content is one empty frame."""
    return max(1, -(-size // content.FRAME))


def _blob(examination: Examination, row: Row) -> Iterator[Finding]:
    blob, digest, size, stored, place, frames, octets, low, high = row
    what = f"blob {blob}"
    wanted = frames_of(size)
    if len(digest) != 32:
        yield Finding(
            Kind.BLOB_CONTENT, what, "its digest is no digest: nobody can tell if it is whole"
        )
    if place == "rows":
        if (frames, low, high) != (wanted, 0, wanted - 1):
            yield Finding(
                Kind.BLOB_FRAMES,
                what,
                f"of its {wanted} frames {frames} are there: messages with it cannot be read"
                " whole; get them from a backup",
            )
        elif int(octets) != stored:
            yield Finding(
                Kind.BLOB_FRAMES,
                what,
                f"it has {int(octets)} octets where {stored} were kept: it is damaged",
            )
    elif place == "file":
        if frames:
            yield Finding(Kind.BLOB_FRAMES, what, "it is a file and has frames in rows as well")
        if examination.blobs is not None:
            yield from _file(examination.blobs, what, blob, stored + 4 * wanted + 4)
    else:
        yield Finding(
            Kind.BLOB_CONTENT, what, f"it stands in a place unknown to this program: {place!r}"
        )


def _file(folder: Path, what: str, blob: int, expected: int) -> Iterator[Finding]:
    try:
        size = content.blob_path(folder, blob).stat().st_size
    except OSError as error:
        yield Finding(
            Kind.BLOB_FILE,
            what,
            f"its file cannot be read ({error.strerror}): messages with it cannot either; get it"
            " from a backup",
        )
        return
    if size != expected:
        yield Finding(
            Kind.BLOB_FILE,
            what,
            f"its file has {size} octets where {expected} were kept: it is damaged; get it from a"
            " backup",
        )


async def _deep(examination: Examination, row: Row) -> AsyncIterator[Finding]:
    """Decompress all of it and compare size and digest."""
    blob, digest, size, _, place = row[:5]
    hashed = blake2b(digest_size=32)
    got = 0
    file: content.BlobFile | None = None
    try:
        if place == "file":
            if examination.blobs is None:
                return
            file = content.BlobFile.open(examination.blobs, blob)
        for n in range(frames_of(size)):
            if file is not None:
                frame = file.frame(n)
            else:
                found = await examination.reader.row(_FRAME, frame_id(blob, n))
                frame = found[0] if found else b""
            data = content.decompress(frame)
            got += len(data)
            hashed.update(data)
        problem = "" if got == size and hashed.digest() == digest else "it is not what was stored"
    except (OSError, ValueError, IndexError) as error:
        problem = str(error)
    finally:
        if file is not None:
            file.close()
    if problem:
        yield Finding(
            Kind.BLOB_CONTENT,
            f"blob {blob}",
            f"{problem}: messages with it are damaged; get them from a backup",
        )


async def _files(examination: Examination, folder: Path) -> AsyncIterator[Finding]:
    """Names in the blob folder that no row stands for."""
    waiting: dict[int, str] = {}
    for name, blob in _names(folder):
        if blob is None:
            yield _stray(name)
            continue
        waiting[blob] = name
        if len(waiting) >= _FILES_AT_ONCE:
            async for finding in _without_row(examination, waiting):
                yield finding
            waiting = {}
    async for finding in _without_row(examination, waiting):
        yield finding


async def _without_row(examination: Examination, names: dict[int, str]) -> AsyncIterator[Finding]:
    rows = await examination.reader.rows(_STANDING, list(names))
    for blob in sorted(names.keys() - {row[0] for row in rows}):
        yield _stray(names[blob])


def _stray(name: str) -> Finding:
    return Finding(
        Kind.FILE_STRAY,
        f"file {name}",
        "no message's content is this file: it takes room; what a crash left is removed by upkeep",
    )


def _names(folder: Path) -> Iterator[tuple[str, int | None]]:
    """(name below the folder, blob) of files that are not fresh; None: no blob's file."""
    now = time.time()
    for bucket in sorted(entry.name for entry in os.scandir(folder) if entry.is_dir()):
        with os.scandir(folder / bucket) as entries:
            for entry in entries:
                name = f"{bucket}/{entry.name}"
                if now - entry.stat(follow_symlinks=False).st_mtime < FRESH:
                    continue
                blob = int(entry.name) if entry.name.isdigit() else None
                right = blob is not None and content.blob_path(folder, blob) == folder / name
                yield name, blob if right else None
