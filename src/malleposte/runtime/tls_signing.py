"""Signing with the server's certificate: CMS (RFC 5652) around some content, for who looks at the signer.

The pair is read when it is needed, and again when its files changed. Where it cannot sign (a pair in the
middle of a change, a kind of key that CMS has no place for here), content goes out unsigned, and the log
says why, once for each reason.
"""

import threading
from pathlib import Path

import structlog
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs7

from malleposte.runtime.tls import TlsSettings

log = structlog.get_logger(__name__)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Pair = tuple[list[x509.Certificate], Key]


class Signer:
    """See the module; safe to use from several threads."""

    def __init__(self, settings: TlsSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._seen: tuple[tuple[int, int, int], ...] | None = None
        self._pair: Pair | None = None
        self._complaint = ""

    def signed(self, content: bytes) -> bytes:
        """The content in a signature, DER; as it was where it cannot be signed. Blocking: some
        milliseconds."""
        pair = self._current()
        if pair is None:
            return content
        (own, *above), key = pair
        builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
        builder = builder.add_signer(own, key, hashes.SHA256())
        for certificate in above:
            builder = builder.add_certificate(certificate)
        return builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])

    def _current(self) -> Pair | None:
        with self._lock:
            try:
                seen = tuple(map(_seen, (self._settings.certificate, self._settings.key)))
                if seen != self._seen:
                    self._pair = self._load()
                    self._seen, self._complaint = seen, ""
            except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
                # TypeError: a passphrase is asked for.
                self._pair = self._seen = None
                if str(error) != self._complaint:
                    self._complaint = str(error)
                    log.warning("profiles go out unsigned", reason=self._complaint)
            return self._pair

    def _load(self) -> Pair:
        chain = x509.load_pem_x509_certificates(self._settings.certificate.read_bytes())
        key = load_pem_private_key(self._settings.key.read_bytes(), None)
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise ValueError("keys of this kind sign no CMS: RSA and ECDSA do")
        if key.public_key() != chain[0].public_key():
            raise ValueError("the key does not belong to the certificate")
        return chain, key


def _seen(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size
