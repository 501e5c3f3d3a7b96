"""What a path holds, whatever its form: folders, and the messages of each."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from malleposte.operations.mailfiles import eml, maildir, mbox
from malleposte.operations.mailfiles.message_file import Skipped, SourceFolder, SourceMessage

Form = Literal["mbox", "maildir", "eml"]
MAX_DEPTH = 32
_INBOX = ("inbox", "mbox", "inbox.mbox")


class UnknownSource(Exception):
    """A path that holds no mail, as far as can be seen; the text says what was looked for."""


@dataclass(frozen=True, slots=True)
class Source:
    """A path and its form. ``quoting`` is for mbox."""

    root: Path
    form: Form
    quoting: mbox.Quoting = "rd"

    @property
    def identity(self) -> str:
        """Names the source for a later run: its real path and form."""
        return f"{self.form}:{os.path.realpath(self.root)}"

    def folders(self) -> Iterator[tuple[str, Path]]:
        """(path, place) of every folder. Raises ``OSError``."""
        if self.form == "maildir":
            yield from maildir.folders(self.root)
        elif self.root.is_file():
            yield _name(self.root), self.root
        elif self.form == "eml":
            yield from eml.folders(self.root)
        else:
            yield from _mbox_files(self.root, "", 0)

    def measure(self, path: str, place: Path) -> SourceFolder:
        """How much is in a folder. Raises ``OSError``."""
        if self.form == "maildir":
            return maildir.measure(path, place)
        if self.form == "mbox":
            return SourceFolder(path, mbox.count(place), place.stat().st_size)
        if place.is_file():
            return SourceFolder(path, 1, place.stat().st_size)
        return eml.measure(path, place)

    def octets(self, place: Path) -> int:
        """Octets of a folder's files, quickly: for progress."""
        if place.is_file():
            return place.stat().st_size
        measure = maildir.measure if self.form == "maildir" else eml.measure
        return measure("", place).octets

    def read(self, path: str, place: Path) -> Iterator[SourceMessage | Skipped]:
        """The messages of a folder. Raises ``OSError``."""
        if self.form == "maildir":
            return maildir.read(path, place)
        if self.form == "mbox":
            return mbox.read(place, path, self.quoting)
        if place.is_file():
            return iter([eml.message(path, place)])
        return eml.read(path, place)


def found_form(root: Path) -> Form:
    """What kind of mail a path holds. Raises ``UnknownSource`` and ``OSError``."""
    if root.is_file():
        if _begins_as_mbox(root):
            return "mbox"
        if root.name.lower().endswith(".eml"):
            return "eml"
        raise UnknownSource(f"{root} neither begins with a From line (mbox) nor ends in .eml")
    if not root.is_dir():
        raise UnknownSource(f"there is no {root}")
    if next(maildir.folders(root), None) is not None:
        return "maildir"
    if next(eml.folders(root), None) is not None:
        return "eml"
    if next(_mbox_files(root, "", 0), None) is not None:
        return "mbox"
    raise UnknownSource(
        f"{root} holds no mail: no cur and new (Maildir), no .eml files, no file that begins with a"
        " From line (mbox)"
    )


def _mbox_files(folder: Path, path: str, depth: int) -> Iterator[tuple[str, Path]]:
    """Files of a tree that begin as an mbox does. Thunderbird keeps subfolders of X in ``X.sbd``."""
    if depth > MAX_DEPTH:
        return
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda e: e.name)
    for entry in found:
        if entry.name.startswith(".") or entry.is_symlink():
            continue
        place = folder / entry.name
        name = _name(place) if not path else entry.name.removesuffix(".mbox")
        full = f"{path}/{name}" if path else name
        if entry.is_dir():
            yield from _mbox_files(place, full.removesuffix(".sbd"), depth + 1)
        elif _begins_as_mbox(place):
            yield full, place


def _name(file: Path) -> str:
    name = file.name
    if name.lower() in _INBOX:
        return "INBOX"
    for ending in (".mbox", ".eml", ".mbx"):
        name = name.removesuffix(ending)
    return name


def _begins_as_mbox(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return opened.read(300).lstrip(b"\r\n").startswith(b"From ")
    except OSError:
        return False
