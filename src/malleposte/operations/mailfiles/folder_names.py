"""Names of folders: how Maildir spells them, and what can be a mailbox.

Which of them are Sent, Drafts and so on: ``i18n.folder_names``.
"""

import os
import re
from hashlib import sha256

from malleposte.normal_form import normal
from malleposte.wire.imap import utf7

MAX_LEVEL = 255
"""Octets of one level in the store (``mailboxes.MAX_NAME``)."""
MAX_LEVELS = 32
MAX_FILE_NAME = 250
"""Octets of a folder's name on disk: file systems have 255, some are spared."""
_DOT = "&AC4-"
"""A dot inside a level, in Maildir++ where dots stand between levels."""
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff/]")


def decoded(name: str) -> str:
    """A file's name as text. What is not UTF-8 was written in an older time, as Latin-1 mostly."""
    if name.isascii():
        return name
    octets = os.fsencode(name)
    for charset in ("utf-8", "cp1252"):
        try:
            return octets.decode(charset)
        except UnicodeDecodeError:
            continue
    return octets.decode("latin-1")


def fit(path: str) -> str:
    """The path as a mailbox can be named: nothing empty, nothing unseen, not too long."""
    levels = []
    for level in path.split("/")[:MAX_LEVELS]:
        clean = _UNFIT.sub("_", normal("NFC", level)).strip()
        clean = clean.encode()[:MAX_LEVEL].decode(errors="ignore")
        levels.append(clean or "_")
    return "/".join(levels)


def from_maildir(name: str) -> str:
    """The path of a Maildir++ folder by its name on disk, such as ``.Projets.&AMk-t&AOk-``."""
    levels = decoded(name).removeprefix(".").split(".")
    return "/".join(_level(level) for level in levels)


def _level(name: str) -> str:
    # utf7 leaves shifts of printable ASCII as they are; the dot is the one that must be shifted here.
    return ".".join(utf7.decode(piece) for piece in name.split(_DOT)).replace("/", "_")


def to_maildir(path: str) -> str:
    """A folder's name on disk in Maildir++. What is too long for a file is cut, with a mark of its own."""
    levels = [utf7.encode(level).decode("ascii").replace(".", _DOT) for level in path.split("/")]
    return _short("." + ".".join(levels), path)


def to_file(path: str) -> str:
    """A relative path on disk for a folder: its levels, with what file systems and shells mind as ``_``."""
    return "/".join(_short(_plain(level), level) for level in path.split("/"))


def _plain(level: str) -> str:
    name = re.sub(r'[\x00-\x1f<>:"\\|?*]', "_", level)
    return f"_{name}" if name in (".", "..") or name.startswith("-") else name


def _short(name: str, whole: str) -> str:
    if len(name.encode()) <= MAX_FILE_NAME:
        return name
    mark = sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    cut = name.encode()[: MAX_FILE_NAME - 9].decode("utf-8", "ignore")
    return f"{cut}-{mark}"
