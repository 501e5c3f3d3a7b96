"""Folders of .eml files, a message each. An export of ours has an index beside them, with flags and dates.

Without an index the date is that of the topmost Received field, else of Date, else of the file.
"""

import os
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from malleposte.mime import date_time, last_values
from malleposte.mime.headers import FIELD
from malleposte.mime.received import received
from malleposte.operations.mailfiles import opening
from malleposte.operations.mailfiles.folder_names import decoded
from malleposte.operations.mailfiles.maildir import octets_of
from malleposte.operations.mailfiles.message_file import (
    MAX_MESSAGE,
    Skipped,
    SourceFolder,
    SourceMessage,
)
from malleposte.operations.mailfiles.opening import Folder

INDEX: Final = "malleposte.jsonl"
"""A line of JSON a message, in the order of their export."""
MAX_DEPTH: Final = 32
MAX_INDEX: Final = 1024**3
"""Octets of an index that are read: some millions of messages."""
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


def index_of(path: Path, root: Path | None = None) -> list[Entry]:
    """The entries of an index; a last line that a crash left torn is passed over. ``root``: below which
    no link is followed, by default the index's folder."""
    try:
        lines = opening.octets(path, root or path.parent, MAX_INDEX).splitlines()
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
    yield from _below(root, "", 0, root)


def _below(folder: Path, path: str, depth: int, root: Path) -> Iterator[tuple[str, Path]]:
    if depth > MAX_DEPTH:
        return
    opened = Folder(folder, root)
    modes = {name: opened.mode(name) for name in opened.names()}
    if any(_is_message(name, mode) for name, mode in modes.items()):
        yield path or "INBOX", folder
    for name, mode in modes.items():
        if stat.S_ISDIR(mode) and not name.startswith("."):
            below = f"{path}/{decoded(name)}" if path else decoded(name)
            yield from _below(folder / name, below, depth + 1, root)


def _is_message(name: str, mode: int) -> bool:
    return name.lower().endswith(".eml") and stat.S_ISREG(mode)


def _files(folder: Folder) -> list[str]:
    """Names of the messages in a folder."""
    return [name for name in folder.names() if _is_message(name, folder.mode(name))]


def measure(path: str, place: Path, root: Path) -> SourceFolder:
    """How much is in one folder. Raises ``OSError``."""
    folder = Folder(place, root)
    sizes = [folder.status(name).st_size for name in _files(folder)]
    return SourceFolder(path, len(sizes), sum(sizes))


def read(path: str, place: Path, root: Path) -> Iterator[SourceMessage | Skipped]:
    """The messages of one folder of ``root``, by their names. Raises ``OSError``."""
    known = {entry.file: entry for entry in index_of(place / INDEX, root)}
    folder = Folder(place, root)
    for name in _files(folder):
        read = partial(folder.octets, name)
        yield _message(path, place / name, partial(folder.file, name), read, known.get(name))


def single(path: str, file: Path) -> SourceMessage | Skipped:
    """One file that was named itself, as a message."""
    opened = partial(opening.file, file, file)
    return _message(path, file, opened, partial(opening.octets, file, file))


def _message(
    path: str,
    file: Path,
    open_: Callable[[], BinaryIO],
    read: Callable[[int], bytes],
    entry: Entry | None = None,
) -> SourceMessage | Skipped:
    try:
        with open_() as opened:
            status = os.fstat(opened.fileno())
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
        partial(octets_of, read),
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
