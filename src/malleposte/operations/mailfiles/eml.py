"""Folders of .eml files, a message each. An export of ours has an index beside them, with flags and dates.

Without an index the date is that of the topmost Received field, else of Date, else of the file.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from malleposte.mime import date_time, last_values
from malleposte.mime.headers import FIELD
from malleposte.mime.received import received
from malleposte.operations.mailfiles.maildir import octets_of
from malleposte.operations.mailfiles.message_file import (
    MAX_MESSAGE,
    Skipped,
    SourceFolder,
    SourceMessage,
)

INDEX: Final = "malleposte.jsonl"
"""A line of JSON a message, in the order of their export."""
MAX_DEPTH: Final = 32
MAX_HEADER: Final = 256 * 1024
"""Octets of a file that are searched for its date."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the index. ``offset``: where the next record of an mbox file begins."""

    uidvalidity: int
    uid: int
    received_at: int
    flags: tuple[str, ...] = ()
    file: str = ""
    offset: int = 0


_decode = msgspec.json.Decoder(Entry).decode


def index_of(path: Path) -> list[Entry]:
    """The entries of an index; a last line that a crash left torn is passed over."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            found.append(_decode(line))
        except msgspec.DecodeError:
            continue
    return found


def folders(root: Path) -> Iterator[tuple[str, Path]]:
    """(path, place) of every folder that holds messages; the root's own are INBOX's."""
    yield from _below(root, "", 0)


def _below(folder: Path, path: str, depth: int) -> Iterator[tuple[str, Path]]:
    if depth > MAX_DEPTH:
        return
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda e: e.name)
    if any(_is_message(e) for e in found):
        yield path or "INBOX", folder
    for entry in found:
        if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
            below = f"{path}/{entry.name}" if path else entry.name
            yield from _below(folder / entry.name, below, depth + 1)


def _is_message(entry: "os.DirEntry[str]") -> bool:
    return entry.name.lower().endswith(".eml") and entry.is_file(follow_symlinks=False)


def _files(place: Path) -> list["os.DirEntry[str]"]:
    with os.scandir(place) as entries:
        return sorted((e for e in entries if _is_message(e)), key=lambda e: e.name)


def measure(path: str, place: Path) -> SourceFolder:
    """How much is in one folder. Raises ``OSError``."""
    files = _files(place)
    return SourceFolder(path, len(files), sum(e.stat(follow_symlinks=False).st_size for e in files))


def read(path: str, place: Path) -> Iterator[SourceMessage | Skipped]:
    """The messages of one folder, by their names. Raises ``OSError``."""
    known = {entry.file: entry for entry in index_of(place / INDEX)}
    for found in _files(place):
        file = Path(found.path)
        yield message(path, file, known.get(found.name))


def message(path: str, file: Path, entry: Entry | None = None) -> SourceMessage | Skipped:
    """One file as a message."""
    try:
        status = file.stat()
        with file.open("rb") as opened:
            head = opened.read(MAX_HEADER)
    except OSError as error:
        return Skipped(path, str(file), f"cannot be read: {error.strerror}")
    if not status.st_size:
        return Skipped(path, str(file), "it is empty")
    if status.st_size > MAX_MESSAGE:
        return Skipped(path, str(file), f"it is larger than {MAX_MESSAGE:,} octets", status.st_size)
    when = entry.received_at if entry else _date(head, int(status.st_mtime))
    return SourceMessage(
        path,
        str(file),
        status.st_size,
        lambda: octets_of(file),
        entry.flags if entry else (),
        when,
    )


def _date(head: bytes, otherwise: int) -> int:
    ends = [at for at in (head.find(b"\n\n"), head.find(b"\n\r\n")) if at >= 0]
    header = head[: min(ends) + 1] if ends else head
    for match in FIELD.finditer(header):
        if match[1].rstrip().lower() == b"received":
            stamp = received(match[2]).date
            if stamp is not None:
                return stamp.timestamp()
            break
    date = date_time(last_values(header).get(b"date", b""))
    return date.timestamp() if date is not None else otherwise
