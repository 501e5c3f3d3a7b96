"""Sealed values: what the database may hold of secrets.

Invariants: a sealed value says which form and which key it has, and opens only under that key and
for the purpose it was sealed for, so that one row's secret cannot be put into another's place; a
changed byte is an error, never another value. Sealing the same twice gives different bytes.

Form 1, 29 bytes and the value's length + 16:
    1 byte   form: 0x01
    8 bytes  key id
    12 bytes nonce, random
    rest     AES-256-GCM of the value; associated data: the 9 bytes before the nonce, then the purpose
Random nonces of 96 bits allow 2^32 values a key (NIST SP 800-38D §8.3); a node seals some thousands.

Where keys come from is `node_key`'s business. Sealing protects copies of the database and backups,
not a machine whose service user is taken over."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from malleposte.secrets.redaction import Secret

KEY_BYTES: Final = 32
FORM: Final = b"\x01"
ID_BYTES: Final = 8
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
HEADER_BYTES: Final = len(FORM) + ID_BYTES
# Keys, passwords and seeds are small; a larger value is a mistake.
MAX_VALUE: Final = 1_000_000


class SealError(Exception):
    """A sealed value cannot be opened; the text says why and what to do, and shows nothing of it."""


@dataclass(frozen=True, slots=True)
class NodeKey:
    """32 random bytes from which everything is derived: an id that may be shown, and keys."""

    material: Secret[bytes]

    @classmethod
    def random(cls) -> "NodeKey":
        return cls(Secret(os.urandom(KEY_BYTES)))

    @property
    def id(self) -> bytes:
        """8 bytes; tells keys apart and tells nothing about them."""
        return self.derived("key id", ID_BYTES)

    def derived(self, purpose: str, length: int = KEY_BYTES) -> bytes:
        """A key for another purpose (at most 64 bytes): independent of all others."""
        return hashlib.blake2b(
            purpose.encode(), key=self.material.reveal(), digest_size=length
        ).digest()


class KeyRing:
    """Seals with the first key, opens with any."""

    def __init__(self, keys: Iterable[NodeKey]) -> None:
        self._keys = list(keys)
        if not self._keys:
            raise ValueError("a key ring needs a key")
        self._ciphers = {key.id: AESGCM(key.derived("seal")) for key in self._keys}

    @property
    def current(self) -> NodeKey:
        return self._keys[0]

    @property
    def ids(self) -> tuple[bytes, ...]:
        """Of all keys, the current one first."""
        return tuple(key.id for key in self._keys)

    def derived(self, purpose: str) -> tuple[bytes, ...]:
        """A key for another purpose of each of them, the current one's first."""
        return tuple(key.derived(purpose) for key in self._keys)

    def seal(self, purpose: str, value: Secret[bytes]) -> bytes:
        """The sealed form of `value`. `purpose` names what it is and whose, such as
        `dkim:example.org:2026a`; the same is needed to open it."""
        content = value.reveal()
        if len(content) > MAX_VALUE:
            raise ValueError(f"longer than {MAX_VALUE} bytes")
        header = FORM + self.current.id
        nonce = os.urandom(NONCE_BYTES)
        cipher = self._ciphers[self.current.id]
        return header + nonce + cipher.encrypt(nonce, content, header + purpose.encode())

    def unseal(self, purpose: str, sealed: bytes) -> Secret[bytes]:
        """The value. Raises SealError."""
        header = self._header(sealed)
        nonce = sealed[HEADER_BYTES : HEADER_BYTES + NONCE_BYTES]
        try:
            content = self._ciphers[header[1:]].decrypt(
                nonce, sealed[HEADER_BYTES + NONCE_BYTES :], header + purpose.encode()
            )
        except InvalidTag:
            raise SealError(
                f"the secret for {purpose} is damaged or was sealed for another purpose: set it "
                "again"
            ) from None
        return Secret(content)

    def needs_reseal(self, sealed: bytes) -> bool:
        """Whether it was sealed with an older key. Raises SealError for what cannot be opened."""
        return self._header(sealed)[1:] != self.current.id

    def reseal(self, purpose: str, sealed: bytes) -> bytes:
        """The same value under the current key. Raises SealError."""
        return self.seal(purpose, self.unseal(purpose, sealed))

    def _header(self, sealed: bytes) -> bytes:
        if len(sealed) < HEADER_BYTES + NONCE_BYTES + TAG_BYTES or sealed[:1] != FORM:
            raise SealError("not a sealed value of a form that this version knows")
        header = sealed[:HEADER_BYTES]
        if header[1:] not in self._ciphers:
            known = ", ".join(key.id.hex() for key in self._keys)
            raise SealError(
                f"sealed with node key {header[1:].hex()}, but this node has {known}: bring the "
                "old key file back, as a further line of the present one"
            )
        return header
