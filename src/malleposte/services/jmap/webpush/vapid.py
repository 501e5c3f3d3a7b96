"""Says to a push service which server pushes, and whom to write to about it (RFC 8292)."""

import time
from collections.abc import Callable
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from malleposte.policy.remembered import Remembered
from malleposte.services.jmap.webpush.encryption import point_of, text_of

LASTS: Final = 12 * 3600
"""Seconds that a token is good; a day at most (§2)."""
AGAIN: Final = 3600
"""Seconds before its end from which another one is made."""
_MOST_KNOWN: Final = 1_000
_HEADER: Final = text_of(b'{"typ":"JWT","alg":"ES256"}')


class Vapid:
    """Signs with one key. ``contact``: an address as mailto: or https:."""

    def __init__(
        self,
        key: EllipticCurvePrivateKey,
        contact: str,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._key = key
        self._contact = contact
        self._clock = clock
        self._known = Remembered[str, tuple[float, str]](_MOST_KNOWN)
        self.public = text_of(point_of(key.public_key()))
        """The key that clients hand to their push service (§3.2)."""

    def authorization(self, origin: str) -> str:
        """The value of the field, for a push service: ``https://push.example.net``."""
        now = self._clock()
        known = self._known.get(origin)
        if known is None or now >= known[0] - AGAIN:
            until = now + LASTS
            known = until, f"vapid t={self._token(origin, int(until))}, k={self.public}"
            self._known.keep(origin, known)
        return known[1]

    def _token(self, origin: str, until: int) -> str:
        claims = msgspec.json.encode({"aud": origin, "exp": until, "sub": self._contact})
        signed = f"{_HEADER}.{text_of(claims)}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ECDSA(SHA256())))
        # RFC 7518 §3.4: both numbers, one after the other.
        return f"{signed}.{text_of(r.to_bytes(32) + s.to_bytes(32))}"


def new_key() -> bytes:
    """A key as it is kept."""
    return generate_private_key(SECP256R1()).private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
    )


def read_key(octets: bytes) -> EllipticCurvePrivateKey:
    """The same, read again. Raises ``ValueError``."""
    key = load_der_private_key(octets, None)
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise ValueError("this is no key of P-256")
    return key
