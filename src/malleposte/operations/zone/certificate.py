"""This server's certificate as the DNS names it (DANE)."""

from collections.abc import Collection, Sequence
from pathlib import Path

MOST = 1_000_000
"""Octets of the file."""


def chain_in(path: Path | None) -> tuple[bytes, ...]:
    """The certificates of a file (DER), the server's own first; none where there is none to be read."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        if path is None:
            return ()
        with path.open("rb") as file:
            found = x509.load_pem_x509_certificates(file.read(MOST))
    except (OSError, ValueError):
        return ()
    return tuple(one.public_bytes(Encoding.DER) for one in found)


def key_in(chain: Sequence[bytes]) -> bytes:
    """The server's public key, b'' without a certificate."""
    from cryptography import x509

    from malleposte.delivery.tls_policies.tlsa import key_of

    return key_of(x509.load_der_x509_certificate(chain[0])) if chain else b""


def names_in(chain: Sequence[bytes]) -> tuple[str, ...]:
    """The names that the server's certificate is for, in lower case; none where that is not known."""
    from cryptography import x509

    if not chain:
        return ()
    extensions = x509.load_der_x509_certificate(chain[0]).extensions
    try:
        found = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(name.lower() for name in found.get_values_for_type(x509.DNSName))


def covers(names: Collection[str], name: str) -> bool:
    """Whether a certificate for some names is for a host (RFC 9525 §6.3: a star is one whole label)."""
    known = {one.lower().rstrip(".") for one in names}
    name = name.lower().rstrip(".")
    return name in known or f"*.{name.partition('.')[2]}" in known


def why_wrong(values: Sequence[str], chain: Sequence[bytes], host: str) -> str:
    """What is wrong with the TLSA records of a server, as zones have them, '' nothing."""
    import datetime

    from malleposte.delivery.outbound.resolver import Tlsa
    from malleposte.delivery.tls_policies import tlsa

    records = []
    for value in values:
        usage, selector, matching, *data = value.split(" ")
        records.append(Tlsa(int(usage), int(selector), int(matching), bytes.fromhex("".join(data))))
    good = [one for one in records if tlsa.usable(one)]
    if not good:
        return "none of them is usable for mail: 3 or 2 must be the first number"
    return tlsa.why_wrong(chain, good, [host], datetime.datetime.now(datetime.UTC))
