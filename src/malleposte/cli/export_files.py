"""Mailboxes as files: Maildir, mbox, or folders of .eml.

A message appears whole or not at all. In a Maildir and among .eml files its name carries UIDVALIDITY and
UID, so what is there is known by looking; beside an mbox file and in each folder of .eml files an index
(``mailfiles.eml.INDEX``) says so.
"""

import os
import re
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from malleposte.cli.exit_codes import REFUSED, Trouble
from malleposte.operations.mail_parcels import ExportItem, FolderOffered
from malleposte.operations.mailfiles import flag_letters, maildir, mbox
from malleposte.operations.mailfiles.eml import INDEX, Entry, index_of
from malleposte.operations.mailfiles.folder_names import to_file, to_maildir
from malleposte.operations.mailfiles.message_file import with_lf

_encode = msgspec.json.Encoder().encode
MARK: Final = "malleposte"


class _Names:
    """Hands out a place for each mailbox; two never get the same, on file systems without case too."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def free(self, name: str) -> str:
        chosen, count = name, 1
        while chosen.casefold() in self._taken:
            count += 1
            chosen = f"{name}-{count}"
        self._taken.add(chosen.casefold())
        return chosen


class MaildirTarget:
    """A Maildir with Maildir++ subfolders."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._names = _Names()

    def folder(self, offered: FolderOffered) -> "MaildirFolder":
        """INBOX is the root, others are beside its ``cur``."""
        if offered.path == "INBOX":
            return MaildirFolder(self._root, offered.uidvalidity)
        place = self._root / self._names.free(to_maildir(offered.path))
        return MaildirFolder(place, offered.uidvalidity)


class MaildirFolder:
    """One folder of a Maildir. Keywords get letters, as many as there are; the rest are left out."""

    def __init__(self, place: Path, uidvalidity: int) -> None:
        self.place = place
        self._uidvalidity = uidvalidity
        for part in ("cur", "new", "tmp"):
            (place / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._letters = {
            name.casefold(): letter for letter, name in maildir.keywords_of(place).items()
        }
        self._shown = list(maildir.keywords_of(place).values())

    def have(self) -> list[int]:
        """UIDs of this UIDVALIDITY, by the names of the files."""
        pattern = re.compile(rf"\d+\.V{self._uidvalidity}U(\d+)\.{MARK}(?::2,.*)?")
        found = set()
        for part in ("cur", "new"):
            for name in os.listdir(self.place / part):
                if match := pattern.fullmatch(name):
                    found.add(int(match[1]))
        return sorted(found)

    def write(self, item: ExportItem, octets: bytes) -> None:
        """A file in ``cur``, its time the date the message came."""
        for flag in item.flags:
            if flag_letters.is_keyword(flag):
                self._letter(flag)
        letters = flag_letters.to_maildir(item.flags, self._letters)
        base = f"{item.received_at}.V{self._uidvalidity}U{item.uid}.{MARK}"
        new = self.place / "tmp" / base
        new.write_bytes(with_lf(octets))
        os.utime(new, (item.received_at, item.received_at))
        new.rename(self.place / "cur" / f"{base}:2,{letters}")

    def _letter(self, keyword: str) -> None:
        low = keyword.casefold()
        if low in self._letters or len(self._shown) >= flag_letters.MAX_LETTERS:
            return
        self._letters[low] = chr(ord("a") + len(self._shown))
        self._shown.append(keyword)
        lines = "".join(f"{n} {name}\n" for n, name in enumerate(self._shown))
        new = self.place / f"{maildir.KEYWORDS}.new"
        new.write_text(lines, encoding="utf-8")
        new.rename(self.place / maildir.KEYWORDS)

    def close(self) -> None:
        """Nothing is open."""


class EmlTarget:
    """A folder a mailbox, a file a message, an index in each."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._names = _Names()

    def folder(self, offered: FolderOffered) -> "EmlFolder":
        """Folders within folders, as the mailboxes."""
        place = self._root / self._names.free(to_file(offered.path))
        return EmlFolder(place, offered.uidvalidity)


class _Indexed:
    """A mailbox with an index beside it."""

    def __init__(self, index: Path, uidvalidity: int) -> None:
        self._index = index
        self._uidvalidity = uidvalidity
        self._entries = index_of(index)
        self._file: BinaryIO | None = None

    def have(self) -> list[int]:
        """UIDs of this UIDVALIDITY, by the index."""
        return sorted({e.uid for e in self._entries if e.uidvalidity == self._uidvalidity})

    def _note(self, entry: Entry) -> None:
        if self._file is None:
            # Anew, without a line that a crash left torn.
            lines = b"".join(_encode(e) + b"\n" for e in self._entries)
            new = self._index.with_name(f"{self._index.name}.new")
            new.write_bytes(lines)
            new.rename(self._index)
            self._file = self._index.open("ab")
        self._file.write(_encode(entry) + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Let the index go."""
        if self._file is not None:
            self._file.close()
            self._file = None


class EmlFolder(_Indexed):
    """One folder of .eml files; octets as they are in the store."""

    def __init__(self, place: Path, uidvalidity: int) -> None:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(place / INDEX, uidvalidity)
        self.place = place

    def write(self, item: ExportItem, octets: bytes) -> None:
        """The file first, then its line in the index."""
        name = f"{self._uidvalidity}-{item.uid:08}.eml"
        new = self.place / f".{name}.new"
        new.write_bytes(octets)
        os.utime(new, (item.received_at, item.received_at))
        new.rename(self.place / name)
        self._note(
            Entry(
                uidvalidity=self._uidvalidity,
                uid=item.uid,
                received_at=item.received_at,
                flags=item.flags,
                file=name,
            )
        )


class MboxTarget:
    """A file a mailbox."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._names = _Names()
        root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def folder(self, offered: FolderOffered) -> "MboxFolder":
        """``Name.mbox``, below folders for its upper levels."""
        name = self._names.free(to_file(offered.path))
        return MboxFolder(self._root / f"{name}.mbox", offered.uidvalidity)


class MboxFolder(_Indexed):
    """One mbox file (mboxrd). What a crash left behind the last record of the index is cut off."""

    def __init__(self, place: Path, uidvalidity: int) -> None:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(place.with_name(f".{place.name}.{INDEX}"), uidvalidity)
        self.place = place
        if place.exists() and place.stat().st_size and not self._entries:
            raise Trouble(
                REFUSED,
                f"{place} is there and not from an export: choose another folder, or move it away",
            )
        end = max((entry.offset for entry in self._entries), default=0)
        if end and (not place.exists() or place.stat().st_size < end):
            raise Trouble(
                REFUSED,
                f"{place} is shorter than its export: move it and {self._index.name} away",
            )
        self._out = open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600), "wb")  # noqa: SIM115
        self._out.seek(end)
        self._out.truncate()

    def write(self, item: ExportItem, octets: bytes) -> None:
        """The record first, then its line in the index, which says where it ends."""
        self._out.write(mbox.written(octets, item.flags, item.received_at))
        self._out.flush()
        self._note(
            Entry(
                uidvalidity=self._uidvalidity,
                uid=item.uid,
                received_at=item.received_at,
                flags=item.flags,
                offset=self._out.tell(),
            )
        )

    def close(self) -> None:
        """Let both files go."""
        super().close()
        self._out.close()
