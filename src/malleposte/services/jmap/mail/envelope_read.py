"""Addresses, date and subject out of a stored ENVELOPE: what a list shows, without a message's header.

The envelope is read as it was rendered (``mime.envelope``); only our own renderings come here.
"""

import re
from typing import Any, Final

from malleposte.mime import date_time, decode_text
from malleposte.mime.address import display_name
from malleposte.mime.charset import plain_text
from malleposte.normal_form import normal
from malleposte.services.jmap.mail.header_forms import EmailAddress, date_text

_TOKEN: Final = re.compile(rb'NIL|"(?:[^"\\]++|\\.)*+"|[()]', re.DOTALL)
_LITERAL: Final = re.compile(rb"\{(\d+)\}\r\n")
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
FIELDS: Final = ("date", "subject", "from", "sender", "replyTo", "to", "cc", "bcc")
SHOWN: Final = frozenset(("sentAt", "subject", "from", "to", "cc", "bcc"))
"""Properties that an envelope has; it shows the author where there is no sender or reply-to."""


def read(envelope: bytes) -> dict[str, Any]:
    """The properties of ``SHOWN``. Raises ``ValueError`` where it is no envelope."""
    tree = _tree(envelope)
    if len(tree) != 10:
        raise ValueError("an envelope has ten parts")
    named = dict(zip(FIELDS, tree, strict=False))
    found: dict[str, Any] = {name: _addresses(named[name]) for name in ("from", "to", "cc", "bcc")}
    subject, sent = named["subject"], named["date"]
    found["subject"] = None if subject is None else normal("NFC", decode_text(subject))
    date = date_time(sent) if sent else None
    found["sentAt"] = None if date is None else date_text(date)
    return found


def _addresses(entries: Any) -> list[EmailAddress] | None:
    if entries is None:
        return None
    found: list[EmailAddress] = []
    for name, _, mailbox, host in entries:
        if host is None:
            continue  # where a group begins or ends
        shown = plain_text(display_name(name)).strip() if name else ""
        email = mailbox + b"@" + host if host else mailbox or b""
        found.append({"name": shown or None, "email": plain_text(display_name(email))})
    return found or None


def _tree(envelope: bytes) -> list[Any]:
    """Lists of nstrings."""
    stack: list[list[Any]] = [[]]
    at, end = 0, len(envelope)
    while at < end:
        token = _TOKEN.match(envelope, at)
        if token is None:
            literal = _LITERAL.match(envelope, at)
            if literal is None:
                at += 1  # the space between two
                continue
            start = literal.end()
            at = start + int(literal[1])
            stack[-1].append(envelope[start:at])
            continue
        at = token.end()
        sign = token[0]
        if sign == b"(":
            stack.append([])
        elif sign == b")":
            whole = stack.pop()
            if not stack:
                raise ValueError("a list ends that did not begin")
            stack[-1].append(whole)
        elif sign == b"NIL":
            stack[-1].append(None)
        else:
            inner = sign[1:-1]
            stack[-1].append(_ESCAPED.sub(rb"\1", inner) if b"\\" in inner else inner)
    if len(stack) != 1 or len(stack[0]) != 1 or not isinstance(stack[0][0], list):
        raise ValueError("it is no list")
    return stack[0][0]
