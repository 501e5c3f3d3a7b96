"""Arguments of commands to typed events: MAIL, RCPT, BDAT, EHLO and their ESMTP parameters.

Each parser takes the octets after the verb and raises PeerError with the reply to give. Order of
commands, limits of a connection and the transaction are the engine's.
"""

import re

from .dsn import decode_xtext, parse_envid, parse_notify, parse_orcpt, parse_ret
from .events import Body, MailFrom, RcptTo
from .limits import Limits
from .path import Path, is_address_literal, parse_path
from .release import hold_for, hold_until
from .reply import BAD_BDAT, BAD_HELLO, Disconnect, PeerError
from .settings import Mode, Settings

_KEYWORD = re.compile(rb"[A-Za-z0-9][A-Za-z0-9-]*")
_NAME = re.compile(r"[!#$%&'*+\-./0-9:=?A-Z_`a-z{|}~\[\]^]+")
_SIZE_DIGITS = 20  # RFC 1870 §3: 1*20DIGIT

_BODIES = {b"7BIT": Body.SEVEN_BIT, b"8BITMIME": Body.EIGHT_BIT_MIME}


def parse_hello(octets: bytes, settings: Settings, limits: Limits) -> str:
    """The client's name (RFC 5321 §4.1.1.1). Odd names of real machines are kept as they are.

    Programs that submit mail often announce the bare name of a PC, umlauts included; those
    octets are shown as `?` there. From other servers they are refused.
    """
    if octets.startswith(b"[") and is_address_literal(octets):
        return octets.decode("ascii")
    name = octets.decode("ascii", "replace")
    if settings.mode is Mode.SUBMISSION:
        name = name.replace("\ufffd", "?")
    if len(name) > limits.domain or not _NAME.fullmatch(name):
        raise PeerError.of(BAD_HELLO)
    return name


def parse_mail(octets: bytes, settings: Settings, limits: Limits, now: float = 0.0) -> MailFrom:
    """`FROM:<path> [parameters]` (RFC 5321 §4.1.1.2)."""
    if octets[:5].upper() != b"FROM:":
        raise PeerError(501, "5.5.4", "Syntax: MAIL FROM:<address>")
    path, rest = parse_path(octets[5:], limits, "5.1.7")
    if not path.domain and not path.is_null:
        raise PeerError(501, "5.1.7", "Sender address needs a domain")
    if not rest:
        mail = MailFrom(path)
    else:
        mail = _mail_parameters(path, rest, settings, limits, now)
    if not mail.smtputf8 and not path.is_ascii:
        raise PeerError(550, "5.6.7", "SMTPUTF8 is needed for this address")  # RFC 6531 §3.5
    return mail


def _mail_parameters(
    path: Path, rest: bytes, settings: Settings, limits: Limits, now: float
) -> MailFrom:
    size = auth = ret = envid = release = None
    body = Body.SEVEN_BIT
    smtputf8 = False
    for keyword, value in _parameters(rest).items():
        if keyword == b"SIZE":
            size = _parse_size(_needed(keyword, value), limits)
        elif keyword == b"BODY":
            # RFC 3030 §3: BINARYMIME is not offered, so it is a value we do not implement.
            known = _BODIES.get(_needed(keyword, value).upper())
            if known is None:
                raise PeerError(504, "5.5.4", "BODY is 7BIT or 8BITMIME here")
            body = known
        elif keyword == b"SMTPUTF8":
            if value is not None:
                raise PeerError(501, "5.5.4", "SMTPUTF8 takes no value")
            smtputf8 = True
        elif keyword == b"AUTH" and settings.offers_auth:
            auth = _parse_auth(_needed(keyword, value))
        elif keyword == b"RET" and settings.dsn:
            ret = parse_ret(_needed(keyword, value))
        elif keyword == b"ENVID" and settings.dsn:
            envid = parse_envid(_needed(keyword, value))
        elif keyword in (b"HOLDFOR", b"HOLDUNTIL") and settings.offers_release:
            if release is not None:
                raise PeerError(501, "5.5.4", "HOLDFOR and HOLDUNTIL exclude each other")
            parse = hold_for if keyword == b"HOLDFOR" else hold_until
            release = parse(_needed(keyword, value), settings.future_release, now)
        else:
            raise _unknown(keyword)
    return MailFrom(path, size, body, smtputf8, auth, ret, envid, release)


def parse_rcpt(octets: bytes, settings: Settings, limits: Limits, *, smtputf8: bool) -> RcptTo:
    """`TO:<path> [parameters]` (RFC 5321 §4.1.1.3). `smtputf8`: whether MAIL had it."""
    if octets[:3].upper() != b"TO:":
        raise PeerError(501, "5.5.4", "Syntax: RCPT TO:<address>")
    path, rest = parse_path(octets[3:], limits, "5.1.3")
    if not path.domain and path.local.lower() != "postmaster":  # RFC 5321 §4.1.1.3, §4.5.1
        raise PeerError(501, "5.1.3", "Recipient address needs a domain")
    if not smtputf8 and not path.is_ascii:
        raise PeerError(553, "5.6.7", "SMTPUTF8 is needed for this address")  # RFC 6531 §3.5
    if not rest:
        return RcptTo(path)
    notify = orcpt = None
    for keyword, value in _parameters(rest).items():
        if keyword == b"NOTIFY" and settings.dsn:
            notify = parse_notify(_needed(keyword, value))
        elif keyword == b"ORCPT" and settings.dsn:
            orcpt = parse_orcpt(_needed(keyword, value), smtputf8=smtputf8)
        else:
            raise _unknown(keyword)
    return RcptTo(path, notify, orcpt)


def parse_bdat(octets: bytes) -> tuple[int, bool]:
    """`size [LAST]` (RFC 3030 §2): the octets that follow, and whether they are the last.

    Raises Disconnect: how much content follows is unknown, and it must not be read as commands.
    """
    words = octets.split()
    last = len(words) == 2 and words[1].upper() == b"LAST"
    if not (len(words) == 1 or last) or not _is_number(words[0]):
        raise Disconnect.of(BAD_BDAT)
    return int(words[0]), last


def _parameters(rest: bytes) -> dict[bytes, bytes | None]:
    """` KEY=value KEY …` (RFC 5321 §4.1.2), keywords in upper case, each at most once."""
    if not rest.startswith(b" "):
        raise PeerError(501, "5.5.4", "Syntax error after address")
    found: dict[bytes, bytes | None] = {}
    for word in rest.split():
        keyword, equals, value = word.partition(b"=")
        keyword = keyword.upper()
        if not _KEYWORD.fullmatch(keyword) or (equals and not value):
            raise PeerError(501, "5.5.4", "Syntax error in parameter")
        if keyword in found:
            raise PeerError(501, "5.5.4", f"{keyword.decode('ascii')} is given twice")
        found[keyword] = value if equals else None
    return found


def _needed(keyword: bytes, value: bytes | None) -> bytes:
    if value is None:
        raise PeerError(501, "5.5.4", f"{keyword.decode('ascii')} needs a value")
    return value


def _unknown(keyword: bytes) -> PeerError:
    return PeerError(555, "5.5.4", f"Parameter {keyword.decode('ascii')} is not supported")


def _is_number(octets: bytes) -> bool:
    return octets.isdigit() and len(octets) <= _SIZE_DIGITS


def _parse_size(value: bytes, limits: Limits) -> int:
    if not _is_number(value):
        raise PeerError(501, "5.5.4", "Syntax error in SIZE")
    size = int(value)
    if size > limits.message:
        raise PeerError(552, "5.3.4", f"Message too large, {limits.message} octets are the limit")
    return size


def _parse_auth(value: bytes) -> str:
    if value == b"<>":
        return ""
    try:
        return decode_xtext(value).decode("utf-8")
    except UnicodeDecodeError:
        raise PeerError(501, "5.5.4", "Syntax error in AUTH") from None
