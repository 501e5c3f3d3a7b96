"""What an import has done so far: a file beside the data, for the run that takes it up again.

The first line names source and account and carries the mark of the first run (``ImportPlan``); every
further line is a message the server said is durable: folder, content, how many of the same came before
it, email. Lines are written after the fact and may be lost with a crash: whatever is missing is looked for
by its content before it is imported again. One process at a time holds the file.
"""

import fcntl
import os
from collections import Counter
from collections.abc import Callable
from hashlib import blake2b, sha256
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from malleposte.cli.exit_codes import REFUSED, UNAVAILABLE, Trouble

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
        name = sha256(f"{source}\n{address}".encode("utf-8", "surrogatepass")).hexdigest()[:24]
        self.path = folder / f"{name}.jsonl"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = self._locked()
            try:
                self._read()
            except BaseException:
                self._file.close()
                raise
        except OSError as error:
            raise Trouble(
                REFUSED,
                f"{self.path}: {error.strerror or error}; --state names another folder for journals",
            ) from None

    def _locked(self) -> BinaryIO:
        file = open(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b")  # noqa: SIM115
        if os.geteuid() == 0:
            # Whoever owns the folder must be able to take it up, and to back it up.
            os.fchown(file.fileno(), self.path.parent.stat().st_uid, -1)
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
            source=self._source,
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
            self.path.unlink(missing_ok=True)
        self._file.close()


def journal_folder(data: Path, state: Path | None, owner: Callable[[Path], int]) -> Path:
    """Where journals are kept: beside the data, unless ``state`` names a folder."""
    folder = state or data / "imports"
    if not folder.exists() and state is None:
        folder.mkdir(mode=0o700, parents=True)
        if os.geteuid() == 0:
            os.chown(folder, owner(data), -1)
    return folder
