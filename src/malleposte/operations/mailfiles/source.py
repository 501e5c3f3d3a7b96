"""What a path holds, whatever its form: folders, and the messages of each."""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from malleposte.operations.mailfiles import eml, maildir, mbox, opening
from malleposte.operations.mailfiles.folder_names import decoded
from malleposte.operations.mailfiles.message_file import Skipped, SourceFolder, SourceMessage

Form = Literal["mbox", "maildir", "eml"]
MAX_DEPTH = 32
MAX_LOOKED_AT = 20_000
"""Entries of a tree that are looked at for mail of other forms."""
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
        elif opening.kind(self.root, self.root) == stat.S_IFREG:
            yield _name(self.root), self.root
        elif self.form == "eml":
            yield from eml.folders(self.root)
        else:
            yield from _mbox_files(self.root, "", 0, self.root)

    def others(self) -> Iterator[tuple[Path, Form]]:
        """Mail of other forms beside and below, which is not read: places, a folder of .eml once. At most
        ``MAX_LOOKED_AT`` entries are looked at; what cannot be read is passed over."""
        if opening.kind(self.root, self.root) == stat.S_IFDIR:
            yield from _Others(self.root, self.form).below(self.root, 0)

    def measure(self, path: str, place: Path) -> SourceFolder:
        """How much is in a folder. Raises ``OSError``."""
        if self.form == "maildir":
            return maildir.measure(path, place, self.root)
        if self.form == "mbox":
            return SourceFolder(path, mbox.count(place, self.root), self._size(place))
        if self._is_file(place):
            return SourceFolder(path, 1, self._size(place))
        return eml.measure(path, place, self.root)

    def octets(self, place: Path) -> int:
        """Octets of a folder's files, quickly: for progress. Raises ``OSError``."""
        if self._is_file(place):
            return self._size(place)
        measure = maildir.measure if self.form == "maildir" else eml.measure
        return measure("", place, self.root).octets

    def _is_file(self, place: Path) -> bool:
        return opening.kind(place, self.root) == stat.S_IFREG

    def _size(self, place: Path) -> int:
        with opening.file(place, self.root) as opened:
            return os.fstat(opened.fileno()).st_size

    def read(self, path: str, place: Path) -> Iterator[SourceMessage | Skipped]:
        """The messages of a folder. Raises ``OSError``."""
        if self.form == "maildir":
            return maildir.read(path, place, self.root)
        if self.form == "mbox":
            return mbox.read(place, path, self.quoting, self.root)
        if self._is_file(place):
            return iter([eml.single(path, place)])
        return eml.read(path, place, self.root)


class _Others:
    """A walk through a tree for mail that is not of its form."""

    def __init__(self, root: Path, form: Form) -> None:
        self._root = root
        self._form = form
        self._left = MAX_LOOKED_AT

    def below(self, folder: Path, depth: int) -> Iterator[tuple[Path, Form]]:
        """What is in a folder, and below it."""
        if depth > MAX_DEPTH:
            return
        is_maildir = maildir.is_maildir(folder, self._root)
        if is_maildir and self._form != "maildir":
            yield folder, "maildir"
        try:
            opened = opening.Folder(folder, self._root)
            found = [(name, opened.mode(name)) for name in opened.names()]
        except OSError:
            return
        letters = False
        for name, mode in found:
            self._left -= 1
            if self._left < 0:
                return
            place = folder / name
            # A Maildir's own: messages, and folders that are read or cannot hold any.
            if name.startswith(".") or (is_maildir and name in (*maildir.PARTS, "tmp")):
                continue
            if stat.S_ISDIR(mode):
                yield from self.below(place, depth + 1)
            elif stat.S_ISREG(mode) and name.lower().endswith(".eml"):
                letters = True
            elif stat.S_ISREG(mode) and self._form != "mbox" and _begins_as_mbox(place, self._root):
                yield place, "mbox"
        if letters and self._form != "eml":
            yield folder, "eml"


def found_form(root: Path) -> Form:
    """What kind of mail a path holds. Raises ``UnknownSource`` and ``OSError``."""
    what = opening.kind(root, root)
    if what == stat.S_IFREG:
        if _begins_as_mbox(root, root):
            return "mbox"
        if root.name.lower().endswith(".eml"):
            return "eml"
        raise UnknownSource(f"{root} neither begins with a From line (mbox) nor ends in .eml")
    if what != stat.S_IFDIR:
        raise UnknownSource(f"there is no file or folder {root}{_why(root)}")
    if next(maildir.folders(root), None) is not None:
        return "maildir"
    if next(eml.folders(root), None) is not None:
        return "eml"
    if next(_mbox_files(root, "", 0, root), None) is not None:
        return "mbox"
    raise UnknownSource(
        f"{root} holds no mail: no cur and new (Maildir), no .eml files, no file that begins with a"
        " From line (mbox)"
    )


def _why(root: Path) -> str:
    """Why a path that is there cannot be taken."""
    try:
        with opening.file(root, root):
            return ""
    except OSError as error:
        return f": {error.strerror}" if error.errno != errno.ENOENT else ""


def _mbox_files(folder: Path, path: str, depth: int, root: Path) -> Iterator[tuple[str, Path]]:
    """Files of a tree that begin as an mbox does. Thunderbird keeps subfolders of X in ``X.sbd``."""
    if depth > MAX_DEPTH:
        return
    opened = opening.Folder(folder, root)
    found = {name: opened.mode(name) for name in opened.names()}
    for entry, mode in found.items():
        if entry.startswith("."):
            continue
        place = folder / entry
        name = _name(place) if not path else decoded(entry.removesuffix(".mbox"))
        full = f"{path}/{name}" if path else name
        if stat.S_ISDIR(mode):
            yield from _mbox_files(place, full.removesuffix(".sbd"), depth + 1, root)
        elif stat.S_ISREG(mode) and _begins_as_mbox(place, root):
            yield full, place


def _name(file: Path) -> str:
    name = file.name
    if name.lower() in _INBOX:
        return "INBOX"
    for ending in (".mbox", ".eml", ".mbx"):
        name = name.removesuffix(ending)
    return decoded(name)


def _begins_as_mbox(file: Path, root: Path) -> bool:
    try:
        return opening.octets(file, root, 300).lstrip(b"\r\n").startswith(b"From ")
    except OSError:
        return False
