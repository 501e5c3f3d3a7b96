"""Base64 of challenges and responses, as SMTP (RFC 4954 §4) and IMAP (RFC 9051 §6.2.2) use it."""

import base64
import binascii

from .mechanism import SaslError


def encode_challenge(octets: bytes) -> bytes:
    return base64.b64encode(octets)


def decode_response(line: bytes) -> bytes:
    """A response line without CRLF. The caller has dealt with `*`, which cancels.

    Strict (RFC 4648 §3.3): nothing outside the alphabet, right padding, so that nobody sees two
    different things in one line. Raises SaslError.
    """
    try:
        return base64.b64decode(line, validate=True)
    except binascii.Error:
        raise SaslError("Response is not base64") from None


def decode_initial_response(argument: bytes) -> bytes:
    """The initial response in the command: `=` means that it is there and empty."""
    if argument == b"=":
        return b""
    return decode_response(argument)
