"""DKIM signatures (RFC 6376), one for each key given: RSA and Ed25519 side by side (RFC 8463).

Relaxed for header and body: servers on the way fold anew and change white space, and a signature that
breaks of it helps nobody. No ``l=`` (what is added behind would pass for signed), no ``x=`` (mail is read
and sent on weeks later), no ``i=`` (it says nothing that ``From`` does not).
"""

import base64
import textwrap
from collections.abc import Iterable, Sequence

from malleposte.delivery.signing.canonical import BodyHash, header_fields, relaxed_field
from malleposte.delivery.signing.fields import names, selected
from malleposte.delivery.signing.keys import SigningKey

WIDTH = 76
"""Octets of a line that we fold; RFC 5322 §2.1.1 wants at most 78."""


def sign(header: bytes, body: Iterable[bytes], keys: Sequence[SigningKey], now: int) -> bytes:
    """The DKIM-Signature fields for a message, with line ends; '' without keys.

    ``header``: its fields, with the empty line after them or without; ``body`` in pieces of any size.
    The first key's signature stands first. Raises ``fields.Unfit``.
    """
    body_hash = BodyHash()
    for piece in body:
        body_hash.add(piece)
    return sign_hashed(header, body_hash.digest(), keys, now)


def sign_hashed(header: bytes, body_digest: bytes, keys: Sequence[SigningKey], now: int) -> bytes:
    """``sign``, for who hashed the body (``BodyHash``) while it went by."""
    present = list(header_fields(header))
    chosen = names(present)
    signed = selected(present, chosen)
    lines = []
    for key in keys:
        value = signature_value("v=1", key, chosen, body_digest, now)
        lines.append(completed(b"DKIM-Signature", value, signed, key))
    return b"".join(lines)


def signature_value(
    first: str, key: SigningKey, chosen: Sequence[bytes], body_digest: bytes, now: int
) -> bytes:
    """The tags of a DKIM-Signature or ARC-Message-Signature up to the empty ``b=``, folded."""
    listed = b":".join(chosen)
    body = base64.b64encode(body_digest)
    return (
        f" {first}; a={key.algorithm}; c=relaxed/relaxed; d={key.domain};\r\n"
        f"\ts={key.selector}; t={now};\r\n".encode()
        + folded_names(b"\th=" + listed)
        + b";\r\n\tbh="
        + body
        + b";\r\n\tb="
    )


def completed(name: bytes, value: bytes, signed: bytes, key: SigningKey) -> bytes:
    """The whole field: ``value`` ends with an empty ``b=``, ``signed`` is what goes before it
    (RFC 6376 §3.7)."""
    signature = key.signature(signed + relaxed_field(name.lower(), value))
    lines = textwrap.wrap(base64.b64encode(signature).decode(), WIDTH - 2)
    return name + b":" + value + "\r\n\t ".join(lines).encode() + b"\r\n"


def folded_names(line: bytes) -> bytes:
    """A list of names, folded behind colons."""
    lines = [b""]
    for part in line.split(b":"):
        if len(lines[-1]) + len(part) + 1 > WIDTH:
            lines.append(b"\t ")
        lines[-1] += part + b":"
    return b"\r\n".join(lines)[:-1]
