"""Whom a certificate is for, as mail between servers reads it (RFC 7672 §3.2.3).

By the DNS names in its subjectAltName; only where there are none by the name in its subject. A star is one
whole label, the first.
"""

from collections.abc import Sequence

from cryptography import x509
from cryptography.x509.oid import NameOID

MOST_SHOWN = 3
"""Names of a certificate that are shown."""


def why_not_named(
    own: x509.Certificate, chain: Sequence[x509.Certificate], names: Sequence[str]
) -> str:
    """What keeps a certificate from being for one of some names (A-labels), '' nothing. ``chain``: the way
    from it to an authority. Raises ``ValueError`` for what cannot be read."""
    found = _dns_names(own)
    if not found:
        found = [str(one.value) for one in own.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        if any(_limits_names(one) for one in chain):
            # Whoever verified the way held such limits against subjectAltName alone.
            return "its authority may sign for some names only, and it has none in subjectAltName"
    if any(_is_for(one, name) for one in found for name in names):
        return ""
    if not found:
        return "it has no name"
    shown = ", ".join(one[:100] for one in found[:MOST_SHOWN] if one.isprintable())
    return f"it is for {shown}{', …' if len(found) > MOST_SHOWN else ''}"


def _dns_names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return list(found.value.get_values_for_type(x509.DNSName))


def _limits_names(certificate: x509.Certificate) -> bool:
    try:
        certificate.extensions.get_extension_for_class(x509.NameConstraints)
    except x509.ExtensionNotFound:
        return False
    return True


def _is_for(presented: str, name: str) -> bool:
    presented, name = presented.lower().rstrip("."), name.lower().rstrip(".")
    if presented.startswith("*."):
        first, dot, rest = name.partition(".")
        return bool(first and dot) and "." in rest and rest == presented[2:]
    return presented == name
