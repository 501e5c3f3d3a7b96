"""Authorities and certificates of a test: chains, dates that are over, keys that DNS names."""

import datetime
import hashlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Issued:
    """A certificate with its key; ``above``: those that are shown with it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    above: Sequence["Issued"] = field(default=())

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def chain(self) -> list[bytes]:
        return [self.der, *(one.der for one in self.above)]

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def tlsa(self, usage: int, selector: int = 1, matching: int = 1) -> str:
        """The TLSA record that names it."""
        octets = self.public if selector else self.der
        digest = {1: hashlib.sha256, 2: hashlib.sha512}.get(matching)
        return (
            f"{usage} {selector} {matching} {(digest(octets).digest() if digest else octets).hex()}"
        )

    def context(self, folder: Path) -> ssl.SSLContext:
        """A server's, which shows it."""
        name = hashlib.sha256(b"".join(self.chain)).hexdigest()[:16]
        pair = folder / f"{name}.pem"
        private = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        pair.write_bytes(private + self.pem + b"".join(one.pem for one in self.above))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair)
        return context

    def trusted(self, folder: Path) -> Path:
        """A file of authorities that has it alone."""
        path = folder / f"{hashlib.sha256(self.der).hexdigest()[:16]}.ca.pem"
        path.write_bytes(self.pem)
        return path


def issue(
    *names: str,
    by: Issued | None = None,
    authority: bool = False,
    days: tuple[float, float] = (-1, 30),
    named: bool = True,
    constraints: x509.BasicConstraints | None = None,
    signs: bool = True,
    key: ec.EllipticCurvePrivateKey | None = None,
    alternative: Sequence[x509.GeneralName] = (),
    within: str = "",
) -> Issued:
    """A new one, signed by itself where nobody else does. ``days``: from when until when, from now;
    ``named``: its names stand where they are looked for; ``constraints``: in place of what it should say of
    itself; ``signs``: what an authority says its key is for. ``alternative``: in place of its names where
    they are looked for; ``within``: the domain that an authority may sign for."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=days[0]))
        .not_valid_after(now + datetime.timedelta(days=days[1]))
    )
    if authority or constraints is not None:
        found = constraints or x509.BasicConstraints(True, None)
        builder = builder.add_extension(found, critical=True)
    if not signs:
        use = x509.KeyUsage(True, *(False,) * 8)
        builder = builder.add_extension(use, critical=True)
    if within:
        limits = x509.NameConstraints([x509.DNSName(within)], None)
        builder = builder.add_extension(limits, critical=True)
    if named and not authority:
        where = x509.SubjectAlternativeName(alternative or [x509.DNSName(name) for name in names])
        builder = builder.add_extension(where, critical=False)
    signer = by.key if by else key
    above = [by, *by.above] if by else []
    return Issued(builder.sign(signer, hashes.SHA256()), key, above)
