"""Content signed with the server's certificate, as OpenSSL sees it."""

import subprocess
from pathlib import Path

import pytest
import structlog.testing
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from malleposte.runtime.tls import TlsSettings
from malleposte.runtime.tls_selfsigned import self_signed_pair
from malleposte.runtime.tls_signing import Signer
from support.certificates import Issued, issue

CONTENT = b"line\nline\r\n\0 \xff" * 100


def put(folder: Path, one: Issued) -> TlsSettings:
    (folder / "key.pem").write_bytes(
        one.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    chain = b"".join(each.pem for each in (one, *one.above))
    (folder / "chain.pem").write_bytes(chain)
    return TlsSettings(folder / "chain.pem", folder / "key.pem")


def verified(signed: bytes, authority: bytes, folder: Path) -> bytes:
    (folder / "ca.pem").write_bytes(authority)
    (folder / "signed").write_bytes(signed)
    done = subprocess.run(
        ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", "signed", "-CAfile",
         "ca.pem", "-purpose", "any"],
        cwd=folder, capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_the_whole_chain_is_in_it(tmp_path: Path) -> None:
    root = issue("root", authority=True)
    middle = issue("middle", by=root, authority=True)
    settings = put(tmp_path, issue("mail.example.org", by=middle))
    signed = Signer(settings).signed(CONTENT)
    assert signed != CONTENT
    assert verified(signed, root.pem, tmp_path) == CONTENT
    other = issue("root", authority=True)
    with pytest.raises(AssertionError, match="certificate"):
        verified(signed, other.pem, tmp_path)


def test_what_init_makes_signs(tmp_path: Path) -> None:
    self_signed_pair(tmp_path, "mail.example.org")
    signer = Signer(TlsSettings(tmp_path / "server.pem", tmp_path / "server.key"))
    authority = (tmp_path / "ca.pem").read_bytes()
    assert verified(signer.signed(CONTENT), authority, tmp_path) == CONTENT


def test_a_new_pair_is_taken(tmp_path: Path) -> None:
    old, new = issue("old", authority=True), issue("new", authority=True)
    settings = put(tmp_path, issue("mail.example.org", by=old))
    signer = Signer(settings)
    signer.signed(CONTENT)
    put(tmp_path, issue("mail.example.org", by=new))
    assert verified(signer.signed(CONTENT), new.pem, tmp_path) == CONTENT


@pytest.mark.parametrize("what", ["none", "half", "other", "passphrase", "ed25519", "nonsense"])
def test_what_cannot_sign_leaves_content_as_it_is_and_is_told_once(
    tmp_path: Path, what: str
) -> None:
    one = issue("mail.example.org")
    settings = put(tmp_path, one)
    key = settings.key
    match what:
        case "none":
            key.unlink()
            settings.certificate.unlink()
        case "half":
            key.unlink()
        case "other":
            other = rsa.generate_private_key(65537, 2048)
            key.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        case "passphrase":
            closed = BestAvailableEncryption(b"secret")
            key.write_bytes(one.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, closed))
        case "ed25519":
            young = ed25519.Ed25519PrivateKey.generate()
            key.write_bytes(young.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        case "nonsense":
            settings.certificate.write_bytes(b"no certificate")
    signer = Signer(settings)
    with structlog.testing.capture_logs() as logs:
        assert [signer.signed(CONTENT) for _ in range(3)] == [CONTENT] * 3
    assert [line["event"] for line in logs] == ["profiles go out unsigned"]
    # Once it is mended it signs.
    put(tmp_path, one)
    assert verified(signer.signed(CONTENT), one.pem, tmp_path) == CONTENT
