"""The files of a built client, read once and kept: nothing that is asked for reaches a path on disk.

A file may have variants beside it, compressed when it was built (``.br``, ``.gz``). A folder is taken whole
or not at all: half a client is a blank page, and nobody would know why.
"""

import base64
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

MAX_FILES: Final = 2_000
MAX_OCTETS: Final = 64 * 1024 * 1024
"""Of all files together. Ours have some 4 MB; a folder named by mistake is not read into memory."""
INDEX: Final = "/index.html"
FRAME: Final = "/frame.html"
"""The page that shows a message; it has one script, within."""
SCRIPT: Final = "/sw.js"
"""The service worker."""
HASHED: Final = "/assets/"
"""Names below it change with their content."""
CODINGS: Final = (("br", ".br"), ("gzip", ".gz"))
"""Content codings, the better first, and what files of them end in."""
KINDS: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_SCRIPT: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


class NotBuiltError(Exception):
    """There is no client in a folder, or none that can be served; the text says why."""


@dataclass(frozen=True, slots=True)
class File:
    """``codings``: the same content by content coding. ``tag`` is of the content, for an ETag."""

    kind: str
    content: bytes = field(repr=False)
    tag: str
    codings: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Built:
    """Files by path; ``script``: the hash of the frame's script, as a policy names it, '' without one."""

    files: Mapping[str, File]
    script: str = ""


def read_built(folder: Path) -> Built:
    """Raises ``NotBuiltError``."""
    try:
        found = dict(_contents(folder))
    except OSError as error:
        raise NotBuiltError(
            f"{error.filename or folder}: {error.strerror or 'not readable'}"
        ) from None
    if INDEX not in found:
        raise NotBuiltError(f"{folder}: there is no index.html")
    endings = tuple(ending for _, ending in CODINGS)
    files = {
        path: _file(path, content, found)
        for path, content in found.items()
        if not path.endswith(endings)
    }
    frame = files.get(FRAME)
    return Built(files, _script_hash(frame.content) if frame else "")


def _contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    octets = files = 0
    for place, folders, names in os.walk(folder, onerror=_raised):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(place, name)
            if name.startswith(".") or not path.is_file():
                continue
            octets += path.stat().st_size
            files += 1
            if octets > MAX_OCTETS or files > MAX_FILES:
                raise NotBuiltError(
                    f"{folder}: this is no built client: more than {MAX_FILES} files or"
                    f" {MAX_OCTETS // 1024**2} MiB"
                )
            yield "/" + path.relative_to(folder).as_posix(), path.read_bytes()


def _raised(error: OSError) -> None:
    raise error


def _file(path: str, content: bytes, found: Mapping[str, bytes]) -> File:
    codings = {coding: found[path + ending] for coding, ending in CODINGS if path + ending in found}
    tag = hashlib.blake2b(content, digest_size=12).hexdigest()
    return File(KINDS.get(Path(path).suffix, "application/octet-stream"), content, tag, codings)


def _script_hash(page: bytes) -> str:
    scripts = _SCRIPT.findall(page)
    if len(scripts) != 1:
        raise NotBuiltError(f"{FRAME[1:]} has {len(scripts)} scripts, and one is expected")
    return "sha256-" + base64.b64encode(hashlib.sha256(scripts[0]).digest()).decode()
