"""What an import has done so far: a file beside the data, for the run that takes it up again.

The first line names source and account and carries the mark of the first run (``ImportPlan``); every
further line is a message the server said is durable: folder, content, how many of the same came before
it, email. Lines are written after the fact and may be lost with a crash: whatever is missing is looked for
by its content before it is imported again. One process at a time holds the file.
"""

import contextlib
import fcntl
import os
import stat
from collections import Counter
from hashlib import blake2b, sha256
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from malleposte.cli.exit_codes import REFUSED, UNAVAILABLE, Trouble
from malleposte.cli.output import spelt
from malleposte.cli.ownership import acting_as_owner

VERSION: Final = 1
FLUSH_EVERY: Final = 100
"""Lines kept in memory at most."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a journal."""

    malleposte_import: int
    source: str
    address: str
    lineage: str
    since: int


Key = tuple[str, str, int]
"""Folder of the source, digest of the content in hexadecimal, which of several alike (from 0)."""


def digest_of(octets: bytes) -> str:
    """The name of a content here; not the store's own digest."""
    return blake2b(octets, digest_size=16).hexdigest()


class Journal:
    """See the module. ``head`` is None until the first run has its plan."""

    def __init__(self, folder: Path, source: str, address: str) -> None:
        self._source = source
        self._address = address
        self.head: Head | None = None
        self._done: dict[Key, int] = {}
        self._emails: dict[str, list[int]] = {}
        self._seen: Counter[tuple[str, str]] = Counter()
        self._lines: list[bytes] = []
        self._folder = -1
        name = sha256(f"{source}\n{address}".encode("utf-8", "surrogatepass")).hexdigest()[:24]
        self.path = folder / f"{name}.jsonl"
        try:
            self._file = self._locked()
            try:
                self._read()
            except BaseException:
                self._file.close()
                raise
        except BaseException as error:
            self._let_go()
            if not isinstance(error, OSError):
                raise
            raise Trouble(
                REFUSED,
                f"{self.path}: {error.strerror or error}; --state names another folder for journals",
            ) from None

    def _open(self) -> BinaryIO:
        """The file, made if it is not there. It belongs to whoever owns the folder: he takes it up too."""
        folder = self.path.parent
        with acting_as_owner(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        # Of the folder that was opened: its path may lead elsewhere by now.
        with acting_as_owner(Path(f"/proc/self/fd/{self._folder}")):
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(self.path.name, flags, 0o600, dir_fd=self._folder)
            mine = os.geteuid()
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != mine or status.st_nlink != 1:
            os.close(descriptor)
            raise Trouble(
                REFUSED,
                f"{self.path} is no journal: no file of its own, or of another user; remove it",
            )
        return open(descriptor, "r+b")

    def _locked(self) -> BinaryIO:
        file = self._open()
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise Trouble(
                UNAVAILABLE, f"another import of this source into {self._address} is running"
            ) from None
        return file

    def _read(self) -> None:
        lines = self._file.read().split(b"\n")
        # A crash may have torn the last line: it is written over.
        torn = lines.pop()
        if lines:
            try:
                self.head = msgspec.json.decode(lines[0], type=Head)
            except msgspec.DecodeError:
                raise Trouble(REFUSED, f"{self.path} is no journal of an import") from None
        decode = msgspec.json.Decoder(tuple[str, str, int, int]).decode
        for line in lines[1:]:
            folder, digest, nth, email = decode(line)
            self._keep((folder, digest, nth), email)
        if torn:
            self._file.seek(-len(torn), os.SEEK_END)
            self._file.truncate()

    def _keep(self, key: Key, email: int) -> None:
        self._done[key] = email
        self._emails.setdefault(key[1], []).append(email)

    def begin(self, lineage: str, since: int) -> None:
        """Note the mark of the first run, durably, before anything is imported; or the new one of a
        store that was put back from a copy."""
        if self.head is not None and self.head.lineage == lineage:
            return
        head = Head(
            malleposte_import=VERSION,
            source=spelt(self._source),
            address=self._address,
            lineage=lineage,
            since=since,
        )
        if self.head is not None:
            # Put back from a copy: what was durable then may be gone now.
            self._done.clear()
            self._emails.clear()
            self._file.seek(0)
            self._file.truncate()
        self.head = head
        self._file.write(msgspec.json.encode(head) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def key(self, folder: str, digest: str) -> Key:
        """The key of the next message with this content in a folder; call it once for each."""
        nth = self._seen[folder, digest]
        self._seen[folder, digest] += 1
        return folder, digest, nth

    def __contains__(self, key: Key) -> bool:
        return key in self._done

    def __len__(self) -> int:
        return len(self._done)

    def known(self, digest: str) -> tuple[int, ...]:
        """Emails that are known to be other messages with the same content."""
        return tuple(self._emails.get(digest, ()))

    def done(self, key: Key, email: int) -> None:
        """A message is durable."""
        self._keep(key, email)
        self._lines.append(msgspec.json.encode((*key, email)) + b"\n")
        if len(self._lines) >= FLUSH_EVERY:
            self.flush()

    def flush(self) -> None:
        """Write what is noted."""
        if self._lines:
            self._file.write(b"".join(self._lines))
            self._file.flush()
            self._lines.clear()

    def close(self) -> None:
        """Write and let go; a journal of a run that never had a plan is removed."""
        self.flush()
        if self.head is None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path.name, dir_fd=self._folder)
        self._file.close()
        self._let_go()

    def _let_go(self) -> None:
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1


def journal_folder(data: Path, state: Path | None) -> Path:
    """Where journals are kept: beside the data, unless ``state`` names a folder."""
    return state or data / "imports"
