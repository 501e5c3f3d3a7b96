"""The real mail that every subject is fed with.

Reads a folder of `.eml` files sorted by path *as text* (so `ham-hard/` comes before `ham/`; the
order decides which messages the 20,000 hold), with CRLF line ends and NUL replaced by a space.
Asked for more messages than there are files it starts again from the first; in round *k* ≥ 1 it
puts `ck.` after `Message-ID: <`, so that no copy has the identity of another.

Files are read once; copies are made on demand, so that 200,000 messages cost no more memory than
one round. What it does not do: parse. The content stays as it was received.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from malleposte.bench.trouble import BenchTrouble

# A folder larger than this is not the corpus that was meant (it holds 3,674 files, 20 MB).
MAX_FILES = 100_000
MAX_CORPUS_BYTES = 2 * 1024**3

# The identity may stand on a folded line: RFC 5322 §3.6.4 allows CFWS before the msg-id.
_IDENTITY = re.compile(rb"^message-id:[ \t]*(?:\r\n[ \t]+)?<", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Messages by number, 0, 1, 2 …; there is no last one, copies follow the originals."""

    originals: tuple[bytes, ...]
    # Per original: where `ck.` goes, or -1 where the message states no identity.
    marks: tuple[int, ...]

    def __len__(self) -> int:
        """How many messages one round holds."""
        return len(self.originals)

    def message(self, number: int) -> bytes:
        """Message `number` with CRLF line ends, as it goes over the wire (no dots stuffed)."""
        round_, index = divmod(number, len(self.originals))
        original = self.originals[index]
        mark = self.marks[index]
        if round_ == 0 or mark < 0:
            return original
        return b"%bc%d.%b" % (original[:mark], round_, original[mark:])

    def messages(self, count: int, start: int = 0) -> Iterator[bytes]:
        """Messages `start` … `start + count - 1`, made one at a time."""
        return (self.message(number) for number in range(start, start + count))

    def octets(self, count: int, start: int = 0) -> int:
        """Size in bytes of `count` messages."""
        return sum(len(message) for message in self.messages(count, start))


def wire_form(content: bytes) -> bytes:
    """Line ends CRLF, NUL replaced by a space."""
    return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").replace(b"\0", b" ")


def identity_mark(message: bytes) -> int:
    """Offset just behind `Message-ID: <` in the header, -1 when there is none."""
    end = message.find(b"\r\n\r\n")
    found = _IDENTITY.search(message, 0, len(message) if end < 0 else end + 2)
    return found.end() if found else -1


def read_corpus(folder: Path) -> Corpus:
    """Read all `*.eml` below `folder`; `BenchTrouble` when there are none or far too many."""
    paths = sorted(str(path) for path in folder.rglob("*.eml"))
    if not paths:
        raise BenchTrouble(f"no .eml files below {folder}: name the corpus with --corpus FOLDER")
    if len(paths) > MAX_FILES:
        raise BenchTrouble(f"{len(paths):,} files below {folder}: more than {MAX_FILES:,}")
    originals: list[bytes] = []
    octets = 0
    for path in paths:
        message = wire_form(Path(path).read_bytes())
        octets += len(message)
        if octets > MAX_CORPUS_BYTES:
            raise BenchTrouble(f"the mail below {folder} is larger than {MAX_CORPUS_BYTES:,} bytes")
        originals.append(message)
    return Corpus(tuple(originals), tuple(identity_mark(message) for message in originals))
