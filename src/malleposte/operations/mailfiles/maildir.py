"""Maildir: a file a message, flags in its name, its time the date it came; and Maildir++ subfolders.

The folder itself is INBOX; ``.Name.Sub`` beside ``cur`` are its subfolders, names in modified UTF-7. Plain
folders that hold a Maildir are taken as well (Dovecot's LAYOUT=fs). Keywords are letters that the
folder's ``dovecot-keywords`` explains.
"""

import os
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from malleposte.operations.mailfiles import flag_letters, opening
from malleposte.operations.mailfiles.folder_names import from_maildir
from malleposte.operations.mailfiles.message_file import (
    MAX_MESSAGE,
    Skipped,
    SourceFolder,
    SourceMessage,
    Unreadable,
    with_crlf,
)
from malleposte.operations.mailfiles.opening import Folder

PARTS = ("cur", "new")
"""Folders of messages within a folder."""
KEYWORDS = "dovecot-keywords"
MAX_DEPTH = 32
"""Levels of plain folders looked into."""
MAX_KEYWORDS_FILE = 100_000
SEPARATORS = (":2,", ";2,", "!2,")
"""Before the flags; the others come from file systems that forbid a colon."""


def is_maildir(folder: Path, root: Path) -> bool:
    """Whether messages stand right in this folder's ``cur`` and ``new``."""
    try:
        opened = Folder(folder, root)
        return any(_is_part(opened.mode(part)) for part in PARTS)
    except OSError:
        return False


def _is_part(mode: int) -> bool:
    # A link counts, so that ``read`` says that it was passed over.
    return stat.S_ISDIR(mode) or stat.S_ISLNK(mode)


def folders(root: Path) -> Iterator[tuple[str, Path]]:
    """(path, place) of every folder of a Maildir, INBOX first. Raises ``OSError``."""
    if is_maildir(root, root):
        yield "INBOX", root
    yield from _below(root, "", 0, root)


def _below(folder: Path, path: str, depth: int, root: Path) -> Iterator[tuple[str, Path]]:
    if depth > MAX_DEPTH:
        return
    opened = Folder(folder, root)
    for name in [name for name in opened.names() if stat.S_ISDIR(opened.mode(name))]:
        place = folder / name
        if name in (*PARTS, "tmp"):
            continue
        if name.startswith("."):
            if depth == 0 and is_maildir(place, root):
                yield from_maildir(name), place
            continue
        full = f"{path}/{from_maildir(name)}" if path else from_maildir(name)
        if is_maildir(place, root):
            yield full, place
        yield from _below(place, full, depth + 1, root)


def measure(path: str, place: Path, root: Path) -> SourceFolder:
    """How much is in one folder. Raises ``OSError``."""
    count = octets = 0
    for _, _, _, status in _files(place, root):
        if isinstance(status, os.stat_result):
            count += 1
            octets += status.st_size
    return SourceFolder(path, count, octets)


def read(path: str, place: Path, root: Path) -> Iterator[SourceMessage | Skipped]:
    """The messages of one folder of the Maildir ``root``, by their names. Raises ``OSError``."""
    keywords = keywords_of(place, root)
    for folder, part, name, status in _files(place, root):
        file = place / part / name
        if isinstance(status, str):
            yield Skipped(path, str(file), status)
        elif not stat.S_ISREG(status.st_mode):
            yield Skipped(path, str(file), "it is no regular file")
        elif not status.st_size:
            yield Skipped(path, str(file), "it is empty")
        elif status.st_size > MAX_MESSAGE:
            reason = f"it is larger than {MAX_MESSAGE:,} octets"
            yield Skipped(path, str(file), reason, status.st_size)
        else:
            letters = _letters(name) if part == "cur" else ""
            yield SourceMessage(
                path,
                str(file),
                status.st_size,
                partial(octets_of, partial(folder.octets, name)),
                flag_letters.from_maildir(letters, keywords),
                int(status.st_mtime),
            )


def octets_of(read: Callable[[int], bytes]) -> bytes:
    """A message's octets, with CRLF, of what gives at most so many. Raises ``Unreadable``."""
    try:
        octets = read(MAX_MESSAGE + 1)
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from None
    if len(octets) > MAX_MESSAGE:
        raise Unreadable(f"it has grown larger than {MAX_MESSAGE:,} octets")
    return with_crlf(octets)


def _files(place: Path, root: Path) -> Iterator[tuple[Folder, str, str, os.stat_result | str]]:
    """(folder, part, name, what it is) of every file; where there is no looking at one, why."""
    whole = Folder(place, root)
    for part in PARTS:
        mode = whole.mode(part)
        if stat.S_ISLNK(mode):
            yield whole, part, "", "it is a symbolic link, which is not followed"
        if not stat.S_ISDIR(mode):
            continue
        folder = Folder(place / part, root)
        for name in folder.names():
            if name.startswith("."):
                continue
            try:
                yield folder, part, name, folder.status(name)
            except OSError as error:
                yield folder, part, name, f"cannot be looked at: {error.strerror}"


def _letters(name: str) -> str:
    for separator in SEPARATORS:
        _, found, letters = name.rpartition(separator)
        if found:
            return letters
    return ""


def keywords_of(place: Path, root: Path | None = None) -> dict[str, str]:
    """Letter to keyword, of lines ``0 name`` … ``root``: of which Maildir this is a folder."""
    try:
        octets = opening.octets(place / KEYWORDS, root or place, MAX_KEYWORDS_FILE)
    except OSError:
        return {}
    lines = octets.decode("utf-8", "replace").splitlines()
    found: dict[str, str] = {}
    for line in lines:
        number, _, name = line.partition(" ")
        if number.isdigit() and int(number) < flag_letters.MAX_LETTERS and name:
            found[chr(ord("a") + int(number))] = name.strip()
    return found
