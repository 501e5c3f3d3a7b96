"""The file of node keys: who may read it, how it is made and renewed.

Invariants: the file is never overwritten by `create_key_file`; it is there whole or not at all, with
mode 0600 from its first byte on; a file that others may read is refused, not mended in silence.

Form: a line a key, `malleposte-key-1 ` and 32 bytes in base64; the first is current, the others only
open what they sealed. Empty lines and lines that begin with # are skipped. A systemd credential
(`LoadCredentialEncrypted=malleposte.node-key`) has the same form and goes before the file."""

import base64
import binascii
import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from malleposte.secrets.redaction import Secret
from malleposte.secrets.sealing import KEY_BYTES, KeyRing, NodeKey

CREDENTIAL: Final = "malleposte.node-key"
_LINE: Final = "malleposte-key-1 "
# A thousand keys; a larger file is none of ours.
MAX_FILE: Final = 64_000


class NodeKeyError(Exception):
    """There is no usable node key; the text names the file and says what to do."""


def load_key_ring(path: Path, environ: Mapping[str, str]) -> KeyRing:
    """The keys from the systemd credential, if there is one, else from `path`.

    Raises NodeKeyError."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if folder and (credential := Path(folder, CREDENTIAL)).exists():
        # systemd keeps it in memory, for the service alone, under a mode of its own choice.
        return _ring(credential, _read(credential, guarded=False))
    return _ring(path, _read(path, guarded=True))


def create_key_file(path: Path) -> bool:
    """Makes the file with one new key; false if there is one already, which is left as it is.

    Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _written(path, _line(NodeKey.random())) as built:
        try:
            # Unlike a rename, a link does not replace what came meanwhile.
            os.link(built, path)
        except FileExistsError:
            return False
    return True


def rotate_key_file(path: Path) -> KeyRing:
    """Puts a new key before the present ones. Values sealed before still open; reseal them all,
    then the old lines can go. Raises NodeKeyError and OSError."""
    text = _read(path, guarded=True)
    _ring(path, text)
    with _written(path, _line(NodeKey.random()) + text) as built:
        built.rename(path)
    return load_key_ring(path, {})


def _line(key: NodeKey) -> str:
    return _LINE + base64.b64encode(key.material.reveal()).decode() + "\n"


@contextlib.contextmanager
def _written(path: Path, text: str) -> Iterator[Path]:
    """A file beside `path` with this text, flushed; gone after the block unless renamed."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # mode 0600
    built = Path(name)
    try:
        with open(descriptor, "wb") as file:
            file.write(text.encode("ascii"))
            file.flush()
            os.fsync(descriptor)
        yield built
        _flush_folder(path.parent)
    finally:
        built.unlink(missing_ok=True)


def _read(path: Path, *, guarded: bool) -> str:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if guarded:
                _check(path, status)
            content = file.read(MAX_FILE + 1)
    except FileNotFoundError:
        raise NodeKeyError(
            f"{path}: there is no node key. On a new node run `malleposte init`; on one that had a "
            "key, bring that file back: without it sealed secrets cannot be opened"
        ) from None
    except OSError as error:
        raise NodeKeyError(f"{path}: cannot be read: {error.strerror}") from None
    if len(content) > MAX_FILE:
        raise NodeKeyError(f"{path}: longer than {MAX_FILE} bytes; is this the key file?")
    return content.decode("ascii", "replace")


def _check(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise NodeKeyError(f"{path}: not a regular file")
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        raise NodeKeyError(
            f"{path}: others may read or change it (mode {mode:04o}). Run `chmod 600 {path}`; if "
            "somebody may have copied it, change the key as well"
        )
    if status.st_uid not in (0, os.geteuid()):
        raise NodeKeyError(
            f"{path}: belongs to user {status.st_uid}. Run `chown {os.geteuid()} {path}`"
        )


def _ring(path: Path, text: str) -> KeyRing:
    keys = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        # The line itself is never shown: it may be a key with a typing error.
        wrong = NodeKeyError(f"{path}: line {number} is not a key of a form this version knows")
        if not line.startswith(_LINE):
            raise wrong
        try:
            material = base64.b64decode(line.removeprefix(_LINE).strip(), validate=True)
        except binascii.Error:
            raise wrong from None
        if len(material) != KEY_BYTES:
            raise wrong
        keys.append(NodeKey(Secret(material)))
    if not keys:
        raise NodeKeyError(f"{path}: holds no key")
    return KeyRing(keys)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
