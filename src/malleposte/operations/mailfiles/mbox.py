"""mbox files: one after the other, each behind a line ``From `` … (RFC 4155, and what came before it).

A message begins at a line that starts with ``From ``, has a time and a year, and stands at the beginning
of the file or after an empty line; without the empty line only where it is a whole postmark and a header
follows. Content-Length is not believed: it is wrong as soon as anything touched the file. Quoting: by
default one ``>`` is taken off lines that begin with ``>From ``, ``>>From `` … (mboxrd).
"""

import calendar
import mmap
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from malleposte.mime import last_values
from malleposte.operations.mailfiles import opening
from malleposte.operations.mailfiles.flag_letters import from_mbox, ours, to_mbox
from malleposte.operations.mailfiles.message_file import (
    MAX_MESSAGE,
    Skipped,
    SourceMessage,
    with_crlf,
    with_lf,
)

Quoting = Literal["rd", "o", "none"]
"""``rd``: any number of ``>`` was put before; ``o``: only before ``From ``; ``none``: never."""

MAX_POSTMARK: Final = 1_000
"""Octets of a ``From `` line; a longer one is text."""
MAX_HEADER: Final = 1024 * 1024
"""Octets of a header that are searched for flags."""
_LOOSE = re.compile(rb"From .*\d\d?:\d\d.*\b(?:19|20)\d\d\b.*")
_STRICT = re.compile(
    rb"From (?:\S+ +)?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +(?:[A-Z][a-z]{2} +\d\d?|\d\d? +[A-Z][a-z]{2})"
    rb" +\d\d?:\d\d.*"
)
_HEADER = re.compile(rb">?[!-9;-~]+[ \t]*:|>From ")
_DATE = re.compile(
    rb"([A-Z][a-z]{2}) +(\d\d?) +(\d\d?):(\d\d)(?::(\d\d))?(?: +(?:[A-Z]+|([+-])(\d\d)(\d\d)))?"
    rb"(?: +[A-Z]+)? +((?:19|20)\d\d)(?: +([+-])(\d\d)(\d\d))?"
)
_MONTHS = {name.encode(): n for n, name in enumerate(calendar.month_abbr) if name}
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_QUOTED_ONCE = re.compile(rb"^>(From )", re.MULTILINE)
_NEEDS_QUOTE = re.compile(rb"^(>*From )", re.MULTILINE)


def postmark_date(line: bytes) -> int | None:
    """Unix seconds of a ``From `` line; without a zone it is taken for UTC."""
    match = _DATE.search(line)
    if match is None or match[1] not in _MONTHS:
        return None
    sign, hours, minutes = (match[10], match[11], match[12]) if match[10] else match.groups()[5:8]
    shift = (int(hours) * 60 + int(minutes)) * 60 if sign else 0
    try:
        when = calendar.timegm(
            (
                int(match[9]),
                _MONTHS[match[1]],
                int(match[2]),
                int(match[3]),
                int(match[4]),
                int(match[5] or 0),
            )
        )
    except (ValueError, OverflowError):
        return None
    return when + shift if sign == b"-" else when - shift


@contextmanager
def _mapped(path: Path, root: Path | None) -> Iterator[mmap.mmap | bytes]:
    with opening.file(path, root or path) as file:
        if not os.fstat(file.fileno()).st_size:
            yield b""
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


def starts(data: "mmap.mmap | bytes") -> Iterator[int]:
    """Where messages begin: offsets of their ``From `` lines."""
    at = 0 if data[:5] == b"From " else data.find(b"\nFrom ") + 1
    while at or data[:5] == b"From ":
        if _begins(data, at):
            yield at
        found = data.find(b"\nFrom ", at)
        if found < 0:
            return
        at = found + 1


def _begins(data: "mmap.mmap | bytes", at: int) -> bool:
    line = _line(data, at)
    if line is None or not _LOOSE.match(line):
        return False
    before = data[max(0, at - 3) : at]
    if at == 0 or before.endswith((b"\n\n", b"\n\r\n")) or (at <= 2 and not before.strip(b"\r\n")):
        return True
    after = _line(data, at + len(line) + 1)
    return bool(_STRICT.match(line)) and after is not None and bool(_HEADER.match(after))


def _line(data: "mmap.mmap | bytes", at: int) -> bytes | None:
    end = data.find(b"\n", at, at + MAX_POSTMARK)
    if end < 0:
        return None if len(data) - at > MAX_POSTMARK else bytes(data[at:])
    return bytes(data[at:end])


def count(path: Path, root: Path | None = None) -> int:
    """How many messages a file holds; it is ``root`` or below it. Raises ``OSError``."""
    with _mapped(path, root) as data:
        return sum(1 for _ in starts(data))


def read(
    path: Path, folder: str, quoting: Quoting = "rd", root: Path | None = None
) -> Iterator[SourceMessage | Skipped]:
    """The messages of a file, which is ``root`` or below it, in its order. Raises ``OSError``.

    Each message's ``read`` works until the next one is asked for.
    """
    with _mapped(path, root) as data:
        size = len(data)
        previous: int | None = None
        number = 0
        for start in (*starts(data), size):
            if previous is None:
                if start:
                    yield Skipped(folder, f"{path}: 0", "it does not begin with a From line", start)
            else:
                number += 1
                yield _message(data, previous, start, path, folder, number, quoting)
            previous = start


def _message(
    data: "mmap.mmap | bytes",
    start: int,
    end: int,
    path: Path,
    folder: str,
    number: int,
    quoting: Quoting,
) -> SourceMessage | Skipped:
    where = f"{path}: message {number} at {start}"
    size = end - start
    if size > MAX_MESSAGE:
        return Skipped(folder, where, f"it is larger than {MAX_MESSAGE:,} octets", size)
    postmark = _line(data, start) or b""
    body = start + len(postmark) + 1
    head_end = min(
        (at for at in (data.find(b"\n\n", body, end), data.find(b"\n\r\n", body, end)) if at >= 0),
        default=end,
    )
    header = bytes(data[body : min(head_end + 1, body + MAX_HEADER)])
    # Behind our own fields the message may have some as well, which say nothing.
    flags = from_mbox(last_values(ours(header) or header))
    if flags is None:
        return Skipped(
            folder, where, "its program had deleted it, and not compacted the file", size
        )
    if body >= end:
        return Skipped(folder, where, "it is empty", size)

    def octets() -> bytes:
        return with_crlf(_unquoted(_trimmed(bytes(data[body:end])), quoting))

    return SourceMessage(folder, where, size, octets, flags, postmark_date(postmark))


def _trimmed(raw: bytes) -> bytes:
    """Without the empty line that ends a message in a file, and without our own fields."""
    for ending in (b"\r\n\r\n", b"\n\n"):
        if raw.endswith(ending):
            raw = raw[: -len(ending) // 2]
            break
    return raw[len(ours(raw)) :]


def _unquoted(raw: bytes, quoting: Quoting) -> bytes:
    if quoting == "none" or (b"\n>" not in raw and not raw.startswith(b">")):
        return raw
    return (_QUOTED if quoting == "rd" else _QUOTED_ONCE).sub(rb"\1", raw)


def written(octets: bytes, flags: tuple[str, ...], received_at: int) -> bytes:
    """A message as a record of an mbox file (mboxrd): postmark, our fields, quoted, an empty line."""
    import time

    stamp = time.strftime("%a %b %d %H:%M:%S %Y", time.gmtime(max(0, received_at)))
    body = _NEEDS_QUOTE.sub(rb">\1", with_lf(octets))
    # mbox cannot say that a last line had no end: it gets one.
    end = b"" if body.endswith(b"\n") else b"\n"
    return f"From MAILER-DAEMON {stamp}\n".encode() + to_mbox(flags) + body + end + b"\n"
