"""What is pushed, so that the push service cannot read it (RFC 8291, over RFC 8188)."""

import base64
import binascii
import os
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CODING: Final = "aes128gcm"
RECORD: Final = 4_096
"""Octets of the one record there is; no push service takes more (RFC 8030 §7.2)."""
MOST: Final = RECORD - 16 - 1 - 86
"""Octets that can be pushed: a record, its header with it, less tag and delimiter."""
POINT: Final = 65
AUTH: Final = 16
"""Octets of a client's keys (RFC 8291 §3.1, §3.2)."""
_LAST: Final = b"\x02"
"""RFC 8188 §2: the delimiter of the last record."""


def encrypted(
    plain: bytes,
    p256dh: bytes,
    auth: bytes,
    *,
    salt: bytes = b"",
    key: EllipticCurvePrivateKey | None = None,
) -> bytes:
    """The body of a push for the client that has these keys. ``salt`` and ``key`` are drawn by lot."""
    if len(plain) > MOST:
        raise ValueError(f"{len(plain)} octets are too many to be pushed")
    salt = salt or os.urandom(16)
    key = key or generate_private_key(SECP256R1())
    own = point_of(key.public_key())
    shared = key.exchange(ECDH(), public_key(p256dh))
    secret = _derived(auth, b"WebPush: info\0" + p256dh + own, 32, shared)
    content_key = _derived(salt, b"Content-Encoding: aes128gcm\0", 16, secret)
    nonce = _derived(salt, b"Content-Encoding: nonce\0", 12, secret)
    header = salt + RECORD.to_bytes(4) + bytes([len(own)]) + own
    return header + AESGCM(content_key).encrypt(nonce, plain + _LAST, None)


def public_key(point: bytes) -> EllipticCurvePublicKey:
    """A key from its point. Raises ``ValueError`` for what is none on the curve."""
    return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)


def point_of(key: EllipticCurvePublicKey) -> bytes:
    """The other way round, uncompressed."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def octets_of(text: str) -> bytes:
    """Octets from base64url, with its padding or without. Raises ``ValueError``."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("it is no base64url") from None


def text_of(octets: bytes) -> str:
    """The other way round, without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _derived(salt: bytes, info: bytes, length: int, secret: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)
