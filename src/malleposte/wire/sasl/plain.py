"""PLAIN (RFC 4616): `[authzid] NUL authcid NUL password` in one response."""

from .mechanism import MOST_OCTETS, Challenge, Credentials, SaslError
from .preparation import prepare_password


class Plain:
    """Client first: without an initial response one empty challenge asks for it."""

    name = "PLAIN"

    def step(self, response: bytes | None) -> Challenge | Credentials:
        if response is None:
            return Challenge(b"")
        # RFC 4616 §2: exactly two NULs, as no part can hold one.
        parts = response.split(b"\0", 3)
        if len(parts) != 3:
            raise SaslError("PLAIN needs an identity and a password")
        authzid, authcid, password = (decode_part(part) for part in parts)
        if not authcid:
            raise SaslError("Empty user name")
        return Credentials(
            authcid,
            prepare_password(password),
            authzid if authzid not in ("", authcid) else None,
        )


def decode_part(octets: bytes) -> str:
    """A name or password: UTF-8, bounded. Raises SaslError."""
    if len(octets) > MOST_OCTETS:
        raise SaslError("Name or password is too long")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        raise SaslError("Name or password is not UTF-8") from None
