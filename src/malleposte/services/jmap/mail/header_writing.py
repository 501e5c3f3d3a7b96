"""Header fields out of what a client gives (RFC 8621 §4.6), in the forms of ``header_forms``.

Nothing gets another field into a message, and no value is written that is not of its form.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Final

from malleposte.mime import compose
from malleposte.mime.compose import Mailbox, MailGroup
from malleposte.services.jmap.errors import invalid
from malleposte.services.jmap.mail import header_forms

LINE: Final = 998
"""RFC 5322 §2.1.1."""
MOST: Final = 2_000
"""Addresses, ids or values of one field."""
TEXT: Final = 50_000
"""Characters of one value."""
_RAW: Final = re.compile(r"(?:[\t -~]|\r?\n[\t ]+[!-~])*")
_ID: Final = re.compile(r"[!-;=?-~]{1,900}")
_URL: Final = re.compile(r"[!-;=?-~]{1,900}")
_DATE: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
NAMES: Final[Mapping[str, str]] = {
    "messageId": "Message-ID",
    "inReplyTo": "In-Reply-To",
    "references": "References",
    "sender": "Sender",
    "from": "From",
    "to": "To",
    "cc": "Cc",
    "bcc": "Bcc",
    "replyTo": "Reply-To",
    "subject": "Subject",
    "sentAt": "Date",
}
"""Properties that stand for a field, and its name as it is written."""


class Headers:
    """The fields of a message or of a part, each given once."""

    def __init__(self) -> None:
        self.fields: list[bytes] = []
        self.names: set[str] = set()
        """In lower case, of those given."""

    def put(self, property_: str, value: Any) -> bool:
        """Take a property that stands for a field; False: it does not. Null gives no field. Raises
        ``SetError``."""
        form = header_forms.CONVENIENT.get(property_)
        name = NAMES.get(property_, "")
        if form is None:
            form = header_forms.parsed(property_)
            if form is None:
                return False
            name = property_.split(":")[1]
        if name.lower() in self.names:
            raise invalid(f"The header field {name} is given twice", property_)
        self.names.add(name.lower())
        if value is None:
            return True
        write = WRITERS[form.form]
        values = value if form.all else [value]
        if not isinstance(values, list) or len(values) > MOST:
            raise invalid(f"This is a list of at most {MOST:,} values", property_)
        for one in values:
            try:
                field = write(name, one)
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise invalid(
                    f"This cannot be written as {form.form[2:]}: {error}", property_
                ) from None
            self.fields += [field] if field else []
        return True


def raw(name: str, value: Any) -> bytes:
    """Octets as they stand, after the colon: with the space before them."""
    text = _text(value)
    if _RAW.fullmatch(text) is None:
        raise ValueError("a raw value is ASCII, and a line that goes on begins with a space")
    octets = f"{name}:{text}\r\n".replace("\r\n", "\n").replace("\n", "\r\n").encode("ascii")
    if any(len(line) > LINE for line in octets.split(b"\r\n")):
        raise ValueError(f"a line has at most {LINE} octets")
    return octets


def text(name: str, value: Any) -> bytes:
    """Free text."""
    return compose.unstructured(name, _text(value))


def addresses(name: str, value: Any) -> bytes:
    """Mailboxes; none give no field."""
    found = [_mailbox(one) for one in _list(value)]
    return compose.address_list(name, found) if found else b""


def grouped(name: str, value: Any) -> bytes:
    """Groups; the one without a name is none."""
    found: list[Mailbox | MailGroup] = []
    for group in _list(value):
        title = group["name"]
        members = tuple(_mailbox(one) for one in _list(group["addresses"]))
        found += members if title is None else (MailGroup(_text(title), members),)
    return compose.address_list(name, found) if found else b""


def ids(name: str, value: Any) -> bytes:
    """Message ids, without their brackets."""
    found = [_fitting(_ID, one, "a message id is ASCII without spaces") for one in _list(value)]
    return compose.message_ids(name, found) if found else b""


def date(name: str, value: Any) -> bytes:
    """A Date of RFC 8620 §1.4, in its own zone."""
    written = _fitting(_DATE, value, "a date is written as 2026-12-01T08:30:00+01:00")
    plain = re.sub(r"\.[0-9]+", "", written).replace("Z", "+00:00")
    return compose.field(name, format_datetime(datetime.fromisoformat(plain)))


def urls(name: str, value: Any) -> bytes:
    """URLs in angle brackets."""
    found = [_fitting(_URL, one, "a URL is ASCII without spaces") for one in _list(value)]
    return compose.field(name, ", ".join(f"<{one}>" for one in found)) if found else b""


def _mailbox(value: Any) -> Mailbox:
    extra = value.keys() - {"name", "email"}
    if extra:
        raise ValueError(f"an address has a name and an email, and no {sorted(extra)[0]!r}")
    address = _text(value["email"]).strip()
    if not address:
        raise ValueError("the email of an address is empty")
    name = value.get("name")
    return Mailbox("" if name is None else _text(name), address)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("this is no text")
    if len(value) > TEXT:
        raise ValueError(f"a text in a header has at most {TEXT:,} characters")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("this is no list")
    if len(value) > MOST:
        raise ValueError(f"a field has at most {MOST:,} values")
    return value


def _fitting(form: re.Pattern[str], value: Any, words: str) -> str:
    if form.fullmatch(_text(value)) is None:
        raise ValueError(words)
    return _text(value)


WRITERS: Final[Mapping[str, Callable[[str, Any], bytes]]] = {
    "asRaw": raw,
    "asText": text,
    "asAddresses": addresses,
    "asGroupedAddresses": grouped,
    "asMessageIds": ids,
    "asDate": date,
    "asURLs": urls,
}
