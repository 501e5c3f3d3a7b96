"""Keys that sign: made, written down, read again.

A *pair* is made at a time: RSA of 2,048 bits, which everybody verifies, and Ed25519 (RFC 8463), which is
shorter and younger. Both have the date in their selectors, ``20270131-rsa`` and ``20270131-ed25519``, so
that whoever sees the zone knows their age; a second pair of a day is ``20270131b-…``. A pair is one
secret of the store, sealed by the node key, under the name ``dkim:DOMAIN:20270131``.

RSA has 2,048 bits, as RFC 8301 §3.2 wants of signers; a longer key does not fit into one UDP answer.
"""

import base64
import datetime
from dataclasses import dataclass
from typing import Final, Literal

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from malleposte.secrets.redaction import Secret

Algorithm = Literal["rsa-sha256", "ed25519-sha256"]
RSA_BITS: Final = 2_048
_SUFFIXES: Final[dict[Algorithm, str]] = {"rsa-sha256": "rsa", "ed25519-sha256": "ed25519"}
LETTERS: Final = ("", *"bcdefghijklmnopqrstuvwxyz")
"""After the date, for further pairs of one day."""


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """One key of a domain (A-labels). It does not show its private part."""

    domain: str
    selector: str
    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

    @property
    def algorithm(self) -> Algorithm:
        """As in ``a=``."""
        return "rsa-sha256" if isinstance(self.private, rsa.RSAPrivateKey) else "ed25519-sha256"

    def __repr__(self) -> str:
        return f"SigningKey({self.algorithm}, {self.name})"

    @property
    def name(self) -> str:
        """Where its record stands."""
        return record_name(self.domain, self.selector)

    @property
    def record(self) -> str:
        """What stands there (RFC 6376 §3.6.1, RFC 8463 §4)."""
        kind = "rsa" if self.algorithm == "rsa-sha256" else "ed25519"
        return f"v=DKIM1; k={kind}; p={self.public}"

    @property
    def public(self) -> str:
        """As in ``p=``: of RSA the whole description, of Ed25519 the bare 32 octets."""
        public = self.private.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            octets = public.public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        else:
            octets = public.public_bytes_raw()
        return base64.b64encode(octets).decode()

    def signature(self, content: bytes) -> bytes:
        """Of what was hashed by SHA-256. Ed25519 signs the hash (RFC 8463 §3)."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(content, padding.PKCS1v15(), hashes.SHA256())
        digest = hashes.Hash(hashes.SHA256())
        digest.update(content)
        return self.private.sign(digest.finalize())


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Two keys made together. ``stem``: what their selectors have in common; ``made``: Unix seconds."""

    domain: str
    stem: str
    made: int
    rsa: SigningKey
    ed25519: SigningKey

    @property
    def keys(self) -> tuple[SigningKey, SigningKey]:
        """RSA first: some verifiers look only at the topmost signature."""
        return self.rsa, self.ed25519

    @property
    def secret_name(self) -> str:
        """In the store, and what it is sealed for."""
        return secret_name(self.domain, self.stem)


class _Written(msgspec.Struct, frozen=True, kw_only=True):
    form: Literal[1] = 1
    made: int
    rsa: bytes
    ed25519: bytes


class UnreadableKey(Exception):
    """What was sealed is no pair of keys of a form that this version knows."""


def secret_name(domain: str, stem: str = "") -> str:
    """Of one pair; without ``stem`` what the names of all of a domain's begin with."""
    return f"dkim:{domain}:{stem}"


def record_name(domain: str, selector: str) -> str:
    """Where a key's record stands (RFC 6376 §3.6.2.1)."""
    return f"{selector}._domainkey.{domain}"


def selectors_of(stem: str) -> tuple[str, ...]:
    """Of a pair's keys, RSA first."""
    return tuple(f"{stem}-{suffix}" for suffix in _SUFFIXES.values())


def stem_of(selector: str) -> str:
    """Of a selector, or of a stem as it is."""
    for suffix in _SUFFIXES.values():
        selector = selector.removesuffix(f"-{suffix}")
    return selector


def date_stem(now: float) -> str:
    """Of a pair made now."""
    return datetime.datetime.fromtimestamp(now, datetime.UTC).strftime("%Y%m%d")


def make(domain: str, stem: str, now: int) -> KeyPair:
    """A new pair. It takes some tenths of a second: not for the loop."""
    return _pair(
        domain,
        stem,
        now,
        rsa.generate_private_key(public_exponent=65_537, key_size=RSA_BITS),
        ed25519.Ed25519PrivateKey.generate(),
    )


def _pair(
    domain: str,
    stem: str,
    made: int,
    first: rsa.RSAPrivateKey,
    second: ed25519.Ed25519PrivateKey,
) -> KeyPair:
    return KeyPair(
        domain,
        stem,
        made,
        SigningKey(domain, selectors_of(stem)[0], first),
        SigningKey(domain, selectors_of(stem)[1], second),
    )


def written(pair: KeyPair) -> Secret[bytes]:
    """A pair as octets, to be sealed for its ``secret_name``."""
    parts = [
        key.private.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        for key in pair.keys
    ]
    return Secret(msgspec.json.encode(_Written(made=pair.made, rsa=parts[0], ed25519=parts[1])))


def read(domain: str, stem: str, octets: Secret[bytes]) -> KeyPair:
    """The pair of ``written``. Raises ``UnreadableKey``."""
    try:
        kept = msgspec.json.decode(octets.reveal(), type=_Written)
        # Sealed, so it is what was made here: the long test of a foreign key is left out.
        first = serialization.load_der_private_key(
            kept.rsa, None, unsafe_skip_rsa_key_validation=True
        )
        second = serialization.load_der_private_key(kept.ed25519, None)
    except (msgspec.DecodeError, ValueError) as error:
        raise UnreadableKey(
            f"the DKIM keys {stem} of {domain} cannot be read ({type(error).__name__}): retire them"
            " and make new ones"
        ) from None
    if not isinstance(first, rsa.RSAPrivateKey) or not isinstance(
        second, ed25519.Ed25519PrivateKey
    ):
        raise UnreadableKey(f"the DKIM keys {stem} of {domain} are of another kind")
    return _pair(domain, stem, kept.made, first, second)
