"""A pair to begin with: a certificate for this machine's name, and the authority that signed it.

Invariants: nothing is overwritten; the folder appears whole or not at all, whenever the process is
killed; private keys are readable by their owner only. The authority's key is thrown away after the
one signature: whoever trusts `ca.pem` trusts this one certificate, and no other can be made."""

import contextlib
import datetime
import ipaddress
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# Apple's clients accept no more from an authority that the user added.
VALID: Final = datetime.timedelta(days=825)
# Clocks of clients that are behind.
BACKDATED: Final = datetime.timedelta(hours=24)


class IncompletePairError(Exception):
    """The folder holds a part of the three files; the text says what to do. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class SelfSignedPair:
    """Paths of the three files; `made` is false if they were there before."""

    authority: Path
    certificate: Path
    key: Path
    made: bool


def self_signed_pair(
    folder: Path, hostname: str, now: datetime.datetime | None = None
) -> SelfSignedPair:
    """Makes `ca.pem`, `server.pem` and `server.key` in `folder`, which is created; or finds them.

    The certificate names `hostname` (ASCII), localhost, 127.0.0.1 and ::1. `now` is UTC.
    Raises IncompletePairError and OSError."""
    authority, certificate, key = (folder / n for n in ("ca.pem", "server.pem", "server.key"))
    present = [path for path in (authority, certificate, key) if path.exists()]
    if certificate in present and key in present:
        # An operator may have put a pair of his own here; it needs no ca.pem.
        return SelfSignedPair(authority, certificate, key, made=False)
    if present or (folder.exists() and any(folder.iterdir())):
        found = ", ".join(sorted(path.name for path in folder.iterdir()))
        raise IncompletePairError(
            f"{folder} holds {found}, but server.pem and server.key together are needed: add what "
            "is missing, or move the folder away and a new pair is made"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    # mkdtemp: mode 0700, beside the folder, so that the rename is atomic.
    building = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for path, (content, mode) in zip(
            (authority, certificate, key),
            _files(hostname, now or datetime.datetime.now(datetime.UTC)),
            strict=True,
        ):
            _write(building / path.name, content, mode)
        building.chmod(0o755)  # ca.pem is for every client on this machine
        _flush_folder(building)
        building.rename(folder)  # fails if the folder was filled meanwhile
        _flush_folder(folder.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            shutil.rmtree(building)
        raise
    return SelfSignedPair(authority, certificate, key, made=True)


def _files(hostname: str, now: datetime.datetime) -> tuple[tuple[bytes, int], ...]:
    authority_key = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    # X.520: a common name has at most 64 characters; clients read the alternative names only.
    common = hostname if len(hostname) <= 64 else "malleposte"
    authority_name = _name(f"Malleposte, {common}"[:64])
    authority_id = x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())

    def begun(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(authority_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(now - BACKDATED + VALID)
        )

    authority = (
        begun(authority_name, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .add_extension(authority_id, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    names: list[x509.GeneralName] = [
        x509.DNSName(name) for name in dict.fromkeys((hostname.lower(), "localhost"))
    ]
    names += [x509.IPAddress(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1")]
    certificate = (
        begun(_name(common), key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority_id),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (
        (authority.public_bytes(pem), 0o644),
        (certificate.public_bytes(pem), 0o644),
        (private, 0o600),
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    """RFC 5280 §4.2.1.3: an authority signs certificates, a server its handshakes."""
    return x509.KeyUsage(
        digital_signature=not certificates,
        key_cert_sign=certificates,
        crl_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _write(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fchmod(descriptor, mode)  # whatever the umask
        os.fsync(descriptor)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
