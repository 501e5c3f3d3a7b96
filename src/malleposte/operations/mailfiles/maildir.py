"""Maildir: a file a message, flags in its name, its time the date it came; and Maildir++ subfolders.

The folder itself is INBOX; ``.Name.Sub`` beside ``cur`` are its subfolders, names in modified UTF-7. Plain
folders that hold a Maildir are taken as well (Dovecot's LAYOUT=fs). Keywords are letters that the
folder's ``dovecot-keywords`` explains.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from malleposte.operations.mailfiles import flag_letters
from malleposte.operations.mailfiles.folder_names import from_maildir
from malleposte.operations.mailfiles.message_file import (
    MAX_MESSAGE,
    Skipped,
    SourceFolder,
    SourceMessage,
    Unreadable,
    with_crlf,
)

KEYWORDS = "dovecot-keywords"
MAX_DEPTH = 32
"""Levels of plain folders looked into."""
MAX_KEYWORDS_FILE = 100_000
SEPARATORS = (":2,", ";2,", "!2,")
"""Before the flags; the others come from file systems that forbid a colon."""


def is_maildir(folder: Path) -> bool:
    """Whether messages stand right in this folder's ``cur`` and ``new``."""
    return (folder / "cur").is_dir() or (folder / "new").is_dir()


def folders(root: Path) -> Iterator[tuple[str, Path]]:
    """(path, place) of every folder of a Maildir, INBOX first. Raises ``OSError``."""
    if is_maildir(root):
        yield "INBOX", root
    yield from _below(root, "", 0)


def _below(folder: Path, path: str, depth: int) -> Iterator[tuple[str, Path]]:
    if depth > MAX_DEPTH:
        return
    with os.scandir(folder) as entries:
        names = sorted(e.name for e in entries if e.is_dir(follow_symlinks=False))
    for name in names:
        place = folder / name
        if name in ("cur", "new", "tmp", ".", ".."):
            continue
        if name.startswith("."):
            if depth == 0 and is_maildir(place):
                yield from_maildir(name), place
            continue
        full = f"{path}/{from_maildir(name)}" if path else from_maildir(name)
        if is_maildir(place):
            yield full, place
        yield from _below(place, full, depth + 1)


def measure(path: str, place: Path) -> SourceFolder:
    """How much is in one folder. Raises ``OSError``."""
    count = octets = 0
    for _, entry in _files(place):
        count += 1
        octets += entry.stat(follow_symlinks=False).st_size
    return SourceFolder(path, count, octets)


def read(path: str, place: Path) -> Iterator[SourceMessage | Skipped]:
    """The messages of one folder, by their names. Raises ``OSError``."""
    keywords = keywords_of(place)
    for part, entry in _files(place):
        file = Path(entry.path)
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError as error:
            yield Skipped(path, str(file), f"cannot be looked at: {error.strerror}")
            continue
        if not stat.S_ISREG(status.st_mode):
            yield Skipped(path, str(file), "it is no regular file")
        elif not status.st_size:
            yield Skipped(path, str(file), "it is empty")
        elif status.st_size > MAX_MESSAGE:
            reason = f"it is larger than {MAX_MESSAGE:,} octets"
            yield Skipped(path, str(file), reason, status.st_size)
        else:
            letters = _letters(entry.name) if part == "cur" else ""
            yield SourceMessage(
                path,
                str(file),
                status.st_size,
                lambda file=file: octets_of(file),  # type: ignore[misc]
                flag_letters.from_maildir(letters, keywords),
                int(status.st_mtime),
            )


def octets_of(file: Path) -> bytes:
    """A message's octets, with CRLF. Raises ``Unreadable``."""
    try:
        return with_crlf(file.read_bytes())
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from None


def _files(place: Path) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    for part in ("cur", "new"):
        folder = place / part
        if folder.is_dir():
            with os.scandir(folder) as entries:
                found = sorted(
                    (e for e in entries if not e.name.startswith(".")), key=lambda e: e.name
                )
            for entry in found:
                yield part, entry


def _letters(name: str) -> str:
    for separator in SEPARATORS:
        _, found, letters = name.rpartition(separator)
        if found:
            return letters
    return ""


def keywords_of(place: Path) -> dict[str, str]:
    """Letter to keyword, of lines ``0 name`` …"""
    try:
        with (place / KEYWORDS).open(encoding="utf-8", errors="replace") as file:
            lines = file.read(MAX_KEYWORDS_FILE).splitlines()
    except OSError:
        return {}
    found: dict[str, str] = {}
    for line in lines:
        number, _, name = line.partition(" ")
        if number.isdigit() and int(number) < flag_letters.MAX_LETTERS and name:
            found[chr(ord("a") + int(number))] = name.strip()
    return found
