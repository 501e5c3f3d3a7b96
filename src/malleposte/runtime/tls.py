"""The server's side of TLS: one context for all listeners, whose certificate can change.

Invariants: TLS 1.2 and later with forward secrecy, no ALPN, no client certificates. Every handshake
uses the newest good pair of certificate and key; a new pair is first loaded apart, and if it is
broken the old one stays in use and the reason is logged once. A swap touches no connection. Where there
is no pair yet, one that comes later is taken like a new one.

How: listeners hold one front context. Its SNI callback, which OpenSSL calls in every handshake,
with or without a name, moves the handshake to the context of the current pair. Loading a new pair
into the same context would do while the type of the key stays; but OpenSSL keeps one certificate
for each type, and after a change from ECDSA to RSA clients would go on getting the old one.

It does not fetch certificates."""

import asyncio
import contextlib
import datetime
import os
import ssl
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes

log = structlog.get_logger(__name__)

# A chain of ten large RSA certificates is 20 kB.
MAX_FILE: Final = 1_000_000
# TLS 1.2: only ECDHE with an AEAD (RFC 9325 §4.2). TLS 1.3 has its own list, all of it good.
CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"


class CertificateError(Exception):
    """The pair cannot be used; the text names the file and says what to do."""


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """PEM files (they may be one and the same), and seconds between looks at them."""

    certificate: Path
    key: Path
    look_every: float = 30.0


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What is served, for metrics, `doctor` and logs. `fingerprint`: SHA-256 in hexadecimal."""

    names: tuple[str, ...]
    not_after: datetime.datetime
    fingerprint: str


# What a change of the files shows in: a rename gives another inode, a rewrite another time or size.
Signature = tuple[tuple[int, int, int, int], ...]


class Certificates:
    """Holds the context that listeners are given, and swaps what is behind it.

    Raises CertificateError when the first pair is not good, unless it may come `later`."""

    def __init__(self, settings: TlsSettings, *, later: bool = False) -> None:
        self._settings = settings
        self._complaint: str | None = None
        self._signature: Signature | None = None
        self._current: ssl.SSLContext | None = None
        self._facts: CertificateFacts | None = None
        self.context: Final = _bare_context()
        self.context.sni_callback = self._take_current
        try:
            self._signature = self._signed()
            self._current, self._facts = self._load()
        except CertificateError as error:
            if not later:
                raise
            self._complaint = str(error)
            log.warning("no certificate: TLS is not offered until there is one", reason=str(error))

    @property
    def ready(self) -> bool:
        """Whether there is a pair; no handshake can succeed before."""
        return self._current is not None

    @property
    def facts(self) -> CertificateFacts:
        """The certificate of handshakes from now on. Raises CertificateError where there is none."""
        if self._facts is None:
            raise CertificateError(self._complaint or "there is no certificate")
        return self._facts

    def look(self) -> bool:
        """Looks at the files; true if a new pair was taken. Blocking, some milliseconds at most.

        A pair that failed is tried again at every look, since the second of its files may have come
        meanwhile; the log repeats only what is new."""
        try:
            signature = self._signed()
            if signature == self._signature and self._complaint is None:
                return False
            context, facts = self._load()
        except (CertificateError, OSError) as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                if self._current is None:
                    log.error("there is still no usable certificate", reason=str(error))
                else:
                    log.error(
                        "new certificate is not usable, the old one is kept", reason=str(error)
                    )
            return False
        self._signature, self._complaint = signature, None
        if facts == self._facts:
            return False
        self._current, self._facts = context, facts
        log.info("new certificate taken", names=facts.names, not_after=facts.not_after.isoformat())
        return True

    async def watch(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Looks for ever, in a thread, so that a slow disk does not hold the loop."""
        while True:
            await sleep(self._settings.look_every)
            await asyncio.to_thread(self.look)

    def _take_current(
        self, handshake: ssl.SSLObject | ssl.SSLSocket, name: str | None, front: ssl.SSLContext
    ) -> None:
        if self._current is not None:
            handshake.context = self._current

    def _signed(self) -> Signature:
        """Read before the content: a change in between shows at the next look."""
        found = []
        for path in (self._settings.certificate, self._settings.key):
            try:
                status = path.stat()
            except OSError as error:
                raise _unreadable(path, error) from None
            found.append((status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size))
        return tuple(found)

    def _load(self) -> tuple[ssl.SSLContext, CertificateFacts]:
        chain, key = _content(self._settings.certificate), _content(self._settings.key)
        facts = _facts(self._settings.certificate, chain)
        context = _bare_context()
        try:
            # From memory: what was looked at is what is served, whatever happens to the files now.
            with _as_path(chain) as chain_path, _as_path(key) as key_path:
                context.load_cert_chain(chain_path, key_path, _no_passphrase)
        except _EncryptedKeyError:
            raise CertificateError(
                f"{self._settings.key}: the key has a passphrase; store it without one, mode 0600"
            ) from None
        except ssl.SSLError as error:
            reason = {
                "KEY_VALUES_MISMATCH": "the key does not belong to the certificate",
                "EE_KEY_TOO_SMALL": "the key is too short; at least RSA 2048 or ECDSA P-256",
            }.get(error.reason or "", f"not a usable pair ({error.reason or error})")
            raise CertificateError(
                f"{self._settings.certificate}, {self._settings.key}: {reason}"
            ) from None
        return context, facts


class _EncryptedKeyError(Exception):
    pass


def _no_passphrase() -> str:
    # Without this OpenSSL would ask at the terminal.
    raise _EncryptedKeyError


def _bare_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8996, RFC 8997
    context.set_ciphers(CIPHERS)
    # RFC 9325 §3.3 and §3.5: compression and renegotiation are attacks without use.
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    return context


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except OSError as error:
        raise _unreadable(path, error) from None
    if len(content) > MAX_FILE:
        raise CertificateError(f"{path}: longer than {MAX_FILE} bytes; is it a PEM file?")
    return content


def _unreadable(path: Path, error: OSError) -> CertificateError:
    return CertificateError(
        f"{path}: cannot be read ({error.strerror}); set tls.certificate and tls.key, or let "
        "`malleposte init` make a pair"
    )


def _facts(path: Path, chain: bytes) -> CertificateFacts:
    try:
        leaf = x509.load_pem_x509_certificates(chain)[0]
    except ValueError:
        raise CertificateError(f"{path}: no certificate in PEM form found") from None
    names: tuple[str, ...] = ()
    # ValueError: a broken extension; the certificate may serve all the same.
    with contextlib.suppress(x509.ExtensionNotFound, ValueError):
        alternatives = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = (
            *alternatives.get_values_for_type(x509.DNSName),
            *map(str, alternatives.get_values_for_type(x509.IPAddress)),
        )
    return CertificateFacts(
        names, leaf.not_valid_after_utc, leaf.fingerprint(hashes.SHA256()).hex()
    )


@contextlib.contextmanager
def _as_path(content: bytes) -> Iterator[str]:
    """A path to bytes that are in memory only (Python's ssl loads pairs from paths)."""
    descriptor = os.memfd_create("pair", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
