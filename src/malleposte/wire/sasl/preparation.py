"""Preparation of passwords, the same when they are set and when they are checked.

RFC 4616 §2 asks for SASLprep (RFC 4013), whose successor is the OpaqueString profile of RFC 8265
§4.2; this is the latter in what matters for passwords people type: NFC, other spaces to U+0020,
no control characters. Unassigned code points are let through and nothing else is mapped.
"""

import unicodedata

from malleposte.normal_form import normal

from .mechanism import MOST_OCTETS, SaslError


def prepare_password(password: str) -> str:
    """Raises SaslError if nothing is left, if it is too long or holds a control character."""
    # Before the work. What would be short enough composed is longer than anybody types.
    if len(password) > MOST_OCTETS:
        raise SaslError("Password is too long")
    if not password.isascii():
        password = "".join(" " if unicodedata.category(c) == "Zs" else c for c in password)
        password = normal("NFC", password)
    if not password:
        raise SaslError("Empty password")
    if any(unicodedata.category(c) == "Cc" for c in password):
        raise SaslError("Control character in password")
    if len(password.encode("utf-8", "surrogatepass")) > MOST_OCTETS:
        raise SaslError("Password is too long")
    return password
