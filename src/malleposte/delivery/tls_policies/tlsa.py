"""Certificates held against TLSA records, as mail between servers wants it (RFC 7672, RFC 7671).

Of the four usages two count here: *this key* (3, DANE-EE), for which neither names nor dates matter, and
*this authority* (2, DANE-TA), which needs a chain of good certificates up to it and one of our names in
the first. Usages 0 and 1 mean public authorities, which servers have not agreed on for mail: such records
are unusable (RFC 7672 §3.1.3), as are those with numbers or lengths that mean nothing.
"""

import datetime
import hashlib
import re
import ssl
from collections.abc import Sequence
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from malleposte.delivery.outbound.resolver import Tlsa

from .names import why_not_named

TRUST_ANCHOR: Final = 2
END_ENTITY: Final = 3
_DIGESTS: Final = {1: hashlib.sha256, 2: hashlib.sha512}
_NOISE: Final = re.compile(r"^validation failed: |\s*\(encountered processing .*\)", re.DOTALL)
MOST_CHAIN: Final = 10
"""Certificates of a server that are looked at, its own first."""


def usable(record: Tlsa) -> bool:
    """Whether a record can be held against a certificate."""
    if record.usage not in (TRUST_ANCHOR, END_ENTITY) or record.selector not in (0, 1):
        return False
    if record.matching == 0:
        return bool(record.data)
    digest = _DIGESTS.get(record.matching)
    return digest is not None and len(record.data) == digest().digest_size


def strongest(records: Sequence[Tlsa]) -> list[Tlsa]:
    """Without those whose digest is weaker than another's of the same usage and selector: who publishes
    both must not be had by the weaker one (RFC 7671 §9)."""
    best: dict[tuple[int, int], int] = {}
    for one in records:
        key = (one.usage, one.selector)
        best[key] = max(best.get(key, 0), one.matching)
    return [one for one in records if one.matching in (0, best[one.usage, one.selector])]


def why_wrong(
    chain: Sequence[bytes],
    records: Sequence[Tlsa],
    names: Sequence[str],
    now: datetime.datetime,
) -> str:
    """What is wrong with a server's certificates (DER, its own first), '' where a record is met.

    ``records``: usable ones; ``names``: of the server, one of which a DANE-TA certificate must have."""
    if not chain:
        return "it shows no certificate"
    records = strongest(records)
    own = _read(chain[0])
    if own is None:
        return "its certificate cannot be read"
    if any(_meets(own, one) for one in records if one.usage == END_ENTITY):
        return ""
    # What cannot be read is no part of a way; nor is it in the way of one.
    above = [one for one in map(_read, chain[1:MOST_CHAIN]) if one is not None]
    anchors = [
        one
        for one in above
        if any(_meets(one, record) for record in records if record.usage == TRUST_ANCHOR)
    ]
    anchors += _in_records(records)
    if not anchors:
        return "its certificate is none that the TLSA records name"
    return _path(own, above, anchors, names, now)


def _read(octets: bytes) -> x509.Certificate | None:
    try:
        return x509.load_der_x509_certificate(octets)
    except ValueError:
        return None


def _meets(certificate: x509.Certificate, record: Tlsa) -> bool:
    try:
        octets = (
            certificate.public_bytes(Encoding.DER) if record.selector == 0 else key_of(certificate)
        )
    except (ValueError, UnsupportedAlgorithm):
        return False  # a key of a kind that nobody knows
    digest = _DIGESTS.get(record.matching)
    return (digest(octets).digest() if digest else octets) == record.data


def key_of(certificate: x509.Certificate) -> bytes:
    """The public key with its kind, as selector 1 means it."""
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _in_records(records: Sequence[Tlsa]) -> list[x509.Certificate]:
    """Authorities that stand in the DNS themselves: a server need not send them."""
    whole = (TRUST_ANCHOR, 0, 0)
    found = (_read(one.data) for one in records if (one.usage, one.selector, one.matching) == whole)
    return [one for one in found if one is not None]


def _path(
    own: x509.Certificate,
    above: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    names: Sequence[str],
    now: datetime.datetime,
) -> str:
    """What is wrong with the way from the server's certificate to an authority of the records."""
    builder = PolicyBuilder().store(Store(list(anchors))).time(now).max_chain_depth(MOST_CHAIN)
    builder = builder.extension_policies(ca_policy=_AUTHORITY, ee_policy=_SERVER)
    why = ""
    try:
        # A server's verifier wants the names in subjectAltName; a client's leaves them to us.
        chain = builder.build_client_verifier().verify(own, list(above)).chain
        why = why_not_named(own, chain, names)
    except VerificationError as error:
        why = _NOISE.sub("", str(error)).strip()
    except (ValueError, UnsupportedAlgorithm) as error:
        why = str(error)
    if not why:
        return ""
    shown = " or ".join(names)
    return f"its certificate is not one for {shown} by the authority that the TLSA records name ({why})"


def _is_authority(
    policy: Policy, certificate: x509.Certificate, found: x509.BasicConstraints
) -> None:
    if not found.ca:
        raise ValueError("an issuer is no authority")


def _may_sign(policy: Policy, certificate: x509.Certificate, found: x509.KeyUsage | None) -> None:
    if found is not None and not found.key_cert_sign:
        raise ValueError("an issuer may not sign certificates")


# What public authorities demand of each other besides, an authority of one server need not keep.
_AUTHORITY: Final = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_authority)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign)
)
_SERVER: Final = ExtensionPolicy.permit_all()


def chain_of(session: ssl.SSLObject) -> list[bytes]:
    """What a server showed, DER, as it came."""
    public = getattr(session, "get_unverified_chain", None)
    if public is not None:  # from Python 3.13 on
        return list(public() or ())
    inner: Any = getattr(session, "_sslobj", None)
    if inner is None:
        return []
    found = inner.get_unverified_chain() or ()
    return [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in found]
