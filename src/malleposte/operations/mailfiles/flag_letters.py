"""Flags as files write them: letters of Maildir, fields of mbox; both ways to IMAP's names."""

import re
from collections.abc import Iterable, Mapping

SEEN, ANSWERED, FLAGGED, DRAFT, DELETED, FORWARDED = (
    "\\Seen",
    "\\Answered",
    "\\Flagged",
    "\\Draft",
    "\\Deleted",
    "$Forwarded",
)
MAILDIR = {
    "D": DRAFT,
    "F": FLAGGED,
    "P": FORWARDED,
    "R": ANSWERED,
    "S": SEEN,
    "T": DELETED,
}
"""Letter after ``:2,`` to flag; written in this order, which is that of the alphabet."""
MAX_LETTERS = 26
"""Keywords that a Maildir folder can name: a letter each, ``a`` to ``z``, in its dovecot-keywords file."""

_STATUS = {"R": SEEN}
_X_STATUS = {"A": ANSWERED, "F": FLAGGED, "D": DELETED, "T": DRAFT}
_MOZILLA = {0x0001: SEEN, 0x0002: ANSWERED, 0x0004: FLAGGED, 0x1000: FORWARDED}
MOZILLA_EXPUNGED = 0x0008


def from_maildir(letters: str, keywords: Mapping[str, str]) -> tuple[str, ...]:
    """Flags of the letters behind a Maildir file's name; ``keywords``: the folder's own letters."""
    flags = (MAILDIR.get(letter) or keywords.get(letter) for letter in letters)
    return tuple(dict.fromkeys(flag for flag in flags if flag))


def to_maildir(flags: Iterable[str], letters: Mapping[str, str]) -> str:
    """Letters for flags, sorted; ``letters``: keyword (lower case) to its letter."""
    wanted = {flag.casefold() for flag in flags}
    found = [letter for letter, flag in MAILDIR.items() if flag.casefold() in wanted]
    found += [letters[flag] for flag in wanted if flag in letters]
    return "".join(sorted(found))


def is_keyword(flag: str) -> bool:
    """Whether a flag needs a letter of the folder's own."""
    return not flag.startswith("\\") and flag != FORWARDED


def from_mbox(fields: Mapping[bytes, bytes]) -> tuple[str, ...] | None:
    """Flags of the fields mbox programs keep them in; None: the program marked it expunged."""
    flags = [_STATUS[c] for c in _text(fields, b"status") if c in _STATUS]
    flags += [_X_STATUS[c] for c in _text(fields, b"x-status") if c in _X_STATUS]
    flags += _text(fields, b"x-keywords").replace(",", " ").split()
    mozilla = re.fullmatch(r"[0-9a-fA-F]{4}", _text(fields, b"x-mozilla-status").strip())
    if mozilla:
        bits = int(mozilla[0], 16)
        if bits & MOZILLA_EXPUNGED:
            return None
        flags += [flag for bit, flag in _MOZILLA.items() if bits & bit]
    flags += _text(fields, b"x-mozilla-keys").split()
    return tuple(dict.fromkeys(flags))


def _text(fields: Mapping[bytes, bytes], name: bytes) -> str:
    return fields.get(name, b"").decode("ascii", "replace")


def to_mbox(flags: Iterable[str]) -> bytes:
    """The three fields an export puts before each message, LF at their ends. Always three, so that
    whoever reads them back knows which lines are not the message's own."""
    given = {flag.casefold(): flag for flag in flags}
    status = "RO" if SEEN.casefold() in given else "O"
    x_status = "".join(c for c, flag in _X_STATUS.items() if flag.casefold() in given)
    known = {flag.casefold() for flag in (SEEN, *_X_STATUS.values())}
    keywords = " ".join(flag for low, flag in given.items() if low not in known)
    return f"Status: {status}\nX-Status: {x_status}\nX-Keywords: {keywords}\n".encode()


_OURS = re.compile(rb"Status:[^\n]*\nX-Status:[^\n]*\nX-Keywords:[^\n]*\n")


def ours(message: bytes) -> bytes:
    """The three fields of ``to_mbox`` at the top of a record; empty where it has none."""
    match = _OURS.match(message)
    return match[0] if match else b""
