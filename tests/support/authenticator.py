"""An authenticator in software (W3C Web Authentication Level 2): makes passkeys, signs challenges, and
does wrong on demand."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def text(octets: bytes) -> str:
    """base64url without padding, as browsers write it."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def octets(written: str) -> bytes:
    """The inverse."""
    return base64.urlsafe_b64decode(written + "=" * (-len(written) % 4))


def cbor(value: Any) -> bytes:
    """As much of CBOR (RFC 8949) as an authenticator writes."""
    match value:
        case bool():
            raise TypeError(value)
        case int() if value >= 0:
            return _head(0, value)
        case int():
            return _head(1, -1 - value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            return _head(3, len(value.encode())) + value.encode()
        case dict():
            return _head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())
    raise TypeError(value)


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for size, code in ((1, 24), (2, 25), (4, 26)):
        if number < 1 << 8 * size:
            return bytes([major << 5 | code]) + number.to_bytes(size)
    raise ValueError(number)


@dataclass
class Authenticator:
    """One passkey. ``counts``: its counter grows; ``verifies``: it knows its person."""

    origin: str
    counts: bool = True
    verifies: bool = True
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    count: int = 0

    def create(self, options: dict[str, Any], **wrong: Any) -> dict[str, Any]:
        """What ``navigator.credentials.create`` gives for options. ``wrong``: parts put in place."""
        numbers = self.key.public_key().public_numbers()
        public = cbor({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)})
        data = self._data(options["rp"]["id"], ATTESTED, wrong)
        data += bytes(16) + len(self.credential).to_bytes(2) + self.credential + public
        client = self._client("webauthn.create", options, wrong)
        attestation = cbor({"fmt": "none", "attStmt": {}, "authData": data})
        return self._given({"clientDataJSON": text(client), "attestationObject": text(attestation)})

    def get(self, options: dict[str, Any], **wrong: Any) -> dict[str, Any]:
        """What ``navigator.credentials.get`` gives for options."""
        data = self._data(options["rpId"], 0, wrong)
        client = self._client("webauthn.get", options, wrong)
        signed = data + hashlib.sha256(client).digest()
        signature = wrong.get("key", self.key).sign(signed, ec.ECDSA(hashes.SHA256()))
        return self._given(
            {
                "clientDataJSON": text(client),
                "authenticatorData": text(data),
                "signature": text(signature),
            }
        )

    def _data(self, name: str, flags: int, wrong: dict[str, Any]) -> bytes:
        if self.counts:
            self.count += 1
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        party = hashlib.sha256(wrong.get("party", name).encode()).digest()
        return party + bytes([flags]) + int(wrong.get("count", self.count)).to_bytes(4)

    def _client(self, kind: str, options: dict[str, Any], wrong: dict[str, Any]) -> bytes:
        return json.dumps(
            {
                "type": wrong.get("kind", kind),
                "challenge": wrong.get("challenge", options["challenge"]),
                "origin": wrong.get("origin", self.origin),
                "crossOrigin": False,
            }
        ).encode()

    def _given(self, response: dict[str, str]) -> dict[str, Any]:
        return {
            "id": text(self.credential),
            "rawId": text(self.credential),
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
        }
