"""Delivery status notification parameters of MAIL and RCPT (RFC 3461 §4, RFC 6533 §3), typed.

Parses only; whether DSN is offered is the listener's setting, and what is sent is delivery's.
"""

import re
from dataclasses import dataclass
from enum import Enum, Flag, auto

from .reply import PeerError

_XTEXT = re.compile(rb"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_XTEXT_UTF8 = re.compile(rb"(?:[!-*,-<>-~\x80-\xff]|\+[0-9A-F]{2})*")
_HEXCHAR = re.compile(rb"\+([0-9A-F]{2})")
_EMBEDDED = re.compile(r"\\x\{([0-9A-F]{2,6})\}")
_ATOM = re.compile(rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+")

_ENVID_LENGTH = 100  # RFC 3461 §4.4: at most 100 characters before encoding
_ORCPT_LENGTH = 500  # RFC 3461 §4.2: at most 500 characters


class Ret(Enum):
    """How much of the message a failure report should carry (RFC 3461 §4.3)."""

    FULL = "FULL"
    HDRS = "HDRS"


class Notify(Flag):
    """When the sender wants a report about a recipient (RFC 3461 §4.1). NEVER stands alone."""

    NEVER = auto()
    SUCCESS = auto()
    FAILURE = auto()
    DELAY = auto()

    def __str__(self) -> str:
        """The value of the parameter, as it would be handed on."""
        return ",".join(flag.name or "" for flag in self)


@dataclass(frozen=True, slots=True)
class OriginalRecipient:
    """ORCPT: address type (lower case, mostly "rfc822" or "utf-8") and the decoded address."""

    addr_type: str
    address: str

    def __str__(self) -> str:
        """Type and address, as a report's Original-Recipient field has them."""
        return f"{self.addr_type};{self.address}"


_NOTIFY_WORDS = {
    b"SUCCESS": Notify.SUCCESS,
    b"FAILURE": Notify.FAILURE,
    b"DELAY": Notify.DELAY,
}


def decode_xtext(octets: bytes, *, utf8: bool = False) -> bytes:
    """RFC 3461 §4: `+HH` for what may not stand plainly. Raises PeerError 501."""
    if not (_XTEXT_UTF8 if utf8 else _XTEXT).fullmatch(octets):
        raise PeerError(501, "5.5.4", "Syntax error in xtext")
    if b"+" not in octets:
        return octets
    return _HEXCHAR.sub(lambda m: bytes((int(m[1], 16),)), octets)


def parse_ret(value: bytes) -> Ret:
    word = value.upper()
    if word == b"FULL":
        return Ret.FULL
    if word == b"HDRS":
        return Ret.HDRS
    raise PeerError(501, "5.5.4", "Syntax: RET=FULL or RET=HDRS")


def parse_envid(value: bytes) -> str:
    decoded = decode_xtext(value)
    # RFC 3461 §4.4: printable US-ASCII, it comes back in the report's Original-Envelope-Id.
    if not 0 < len(decoded) <= _ENVID_LENGTH or not decoded.isascii():
        raise PeerError(501, "5.5.4", "ENVID is empty, too long or not ASCII")
    text = decoded.decode("ascii")
    if not text.isprintable():
        raise PeerError(501, "5.5.4", "ENVID is not printable")
    return text


def parse_notify(value: bytes) -> Notify:
    words = value.upper().split(b",")
    if words == [b"NEVER"]:
        return Notify.NEVER
    notify = Notify(0)
    for word in words:
        flag = _NOTIFY_WORDS.get(word)
        if flag is None or flag in notify:
            raise PeerError(501, "5.5.4", "Syntax: NOTIFY=NEVER or SUCCESS,FAILURE,DELAY")
        notify |= flag
    return notify


def parse_orcpt(value: bytes, *, smtputf8: bool) -> OriginalRecipient:
    """`rfc822;user+2Bx@example.org`, `utf-8;…` (RFC 6533 §3: `\\x{…}` or, with SMTPUTF8, plain)."""
    addr_type, separator, encoded = value.partition(b";")
    if not separator or not encoded or not _ATOM.fullmatch(addr_type):
        raise PeerError(501, "5.5.4", "Syntax: ORCPT=type;address")
    kind = addr_type.decode("ascii").lower()
    try:
        address = decode_xtext(encoded, utf8=smtputf8 and kind == "utf-8").decode("utf-8")
        if kind == "utf-8":
            address = _EMBEDDED.sub(lambda m: chr(int(m[1], 16)), address)
    except (UnicodeDecodeError, ValueError, OverflowError):
        raise PeerError(501, "5.5.4", "ORCPT is not UTF-8") from None
    if (
        kind != "utf-8" and not address.isascii()
    ):  # RFC 3461 §4.2; RFC 6533 §3 has a type for others
        raise PeerError(501, "5.5.4", "ORCPT of this type is ASCII")
    # It comes back in a report's header: nothing that could break a line may get in.
    if len(address) > _ORCPT_LENGTH or not address.isprintable():
        raise PeerError(501, "5.5.4", "ORCPT is too long or not printable")
    return OriginalRecipient(kind, address)
