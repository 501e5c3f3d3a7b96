"""Header fields in the forms a client asks for (RFC 8621 §4.1.2, §4.1.3)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from malleposte.mime import DateTime, Group, addresses, date_time, decode_text, message_ids
from malleposte.mime.address import Address, display_name
from malleposte.mime.charset import plain_text
from malleposte.mime.headers import Field
from malleposte.normal_form import normal

EmailAddress = dict[str, str | None]

_NAME: Final = re.compile(r"[!-9;-~]{1,200}")
_URL: Final = re.compile(rb"<([^<>\s]+)>")


def raw(value: bytes) -> str:
    """§4.1.2.1: as it stands, folds too."""
    return value.replace(b"\0", b"").decode("utf-8", "replace")


def text(value: bytes) -> str:
    """§4.1.2.2."""
    return normal("NFC", decode_text(value))


def _address(one: Address) -> EmailAddress:
    raw_name, email = one.name or one.comment, one.addr_spec
    if not email and b" " not in raw_name:
        # A word alone, as cron writes it, is an address (as ENVELOPE has it).
        raw_name, email = b"", raw_name
    name = plain_text(display_name(raw_name)).strip()
    return {"name": name or None, "email": plain_text(display_name(email))}


def address_list(value: bytes) -> list[EmailAddress]:
    """§4.1.2.3: all mailboxes, those of groups too."""
    found: list[EmailAddress] = []
    for entry in addresses(value):
        members = entry.members if isinstance(entry, Group) else (entry,)
        found += map(_address, members)
    return found


def grouped(value: bytes) -> list[dict[str, Any]]:
    """§4.1.2.4: consecutive mailboxes outside groups are one of no name."""
    found: list[dict[str, Any]] = []
    loose: list[EmailAddress] | None = None
    for entry in addresses(value):
        if isinstance(entry, Group):
            name = plain_text(display_name(entry.name)).strip()
            found.append({"name": name or None, "addresses": list(map(_address, entry.members))})
            loose = None
            continue
        if loose is None:
            loose = []
            found.append({"name": None, "addresses": loose})
        loose.append(_address(entry))
    return found


def ids(value: bytes) -> list[str] | None:
    """§4.1.2.5."""
    return message_ids(value) or None


def date(value: bytes) -> str | None:
    """§4.1.2.6: in the zone it was written in."""
    found = date_time(value)
    return None if found is None else date_text(found)


def date_text(found: DateTime) -> str:
    """A Date of RFC 8620 §1.4."""
    day = f"{found.year:04}-{found.month:02}-{found.day:02}"
    clock = f"{found.hour:02}:{found.minute:02}:{found.second:02}"
    if not found.zone:
        return f"{day}T{clock}Z"
    hours, minutes = divmod(abs(found.zone), 60)
    return f"{day}T{clock}{'-' if found.zone < 0 else '+'}{hours:02}:{minutes:02}"


def urls(value: bytes) -> list[str] | None:
    """§4.1.2.7: those in angle brackets."""
    return [plain_text(raw(url)) for url in _URL.findall(value[:10_000])] or None


Form = Callable[[bytes], Any]
FORMS: Final[Mapping[str, Form]] = {
    "asRaw": raw,
    "asText": text,
    "asAddresses": address_list,
    "asGroupedAddresses": grouped,
    "asMessageIds": ids,
    "asDate": date,
    "asURLs": urls,
}

_ADDRESSES: Final = frozenset(("asAddresses", "asGroupedAddresses"))
_ALLOWED: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(("subject", "comments", "keywords", "list-id"), frozenset(("asText",))),
    **dict.fromkeys(
        ("from", "sender", "reply-to", "to", "cc", "bcc")
        + (
            "resent-from",
            "resent-sender",
            "resent-reply-to",
            "resent-to",
            "resent-cc",
            "resent-bcc",
        ),
        _ADDRESSES,
    ),
    **dict.fromkeys(
        ("message-id", "in-reply-to", "references", "resent-message-id"),
        frozenset(("asMessageIds",)),
    ),
    **dict.fromkeys(("date", "resent-date"), frozenset(("asDate",))),
    **dict.fromkeys(
        (
            "list-help",
            "list-unsubscribe",
            "list-subscribe",
            "list-post",
            "list-owner",
            "list-archive",
        ),
        frozenset(("asURLs",)),
    ),
    **dict.fromkeys(("received", "return-path"), frozenset[str]()),
}
"""Fields that RFC 5322 and RFC 2369 define, and the forms that fit them besides asRaw; any fits others."""


@dataclass(frozen=True, slots=True)
class HeaderProperty:
    """A property ``header:Name:asForm:all`` (§4.1.3)."""

    name: bytes
    """Of the field, in lower case."""
    form: str = "asRaw"
    all: bool = False

    def of(self, fields: list[Field]) -> Any:
        """Its value in a header."""
        make = FORMS[self.form]
        values = [one.value for one in fields if one.name.lower() == self.name]
        if self.all:
            return [make(value) for value in values]
        return make(values[-1]) if values else None


def parsed(property_: str) -> HeaderProperty | None:
    """The header property of a name; None: it is none, or of a form that does not fit."""
    prefix, _, rest = property_.partition(":")
    name, *more = rest.split(":")
    if prefix != "header" or _NAME.fullmatch(name) is None:
        return None
    every = more[-1:] == ["all"]
    if every:
        more.pop()
    form = more.pop(0) if more else "asRaw"
    if more or form not in FORMS:
        return None
    low = name.lower()
    if form != "asRaw" and form not in _ALLOWED.get(low, FORMS.keys()):
        return None
    return HeaderProperty(low.encode("ascii"), form, every)


CONVENIENT: Final[Mapping[str, HeaderProperty]] = {
    "messageId": HeaderProperty(b"message-id", "asMessageIds"),
    "inReplyTo": HeaderProperty(b"in-reply-to", "asMessageIds"),
    "references": HeaderProperty(b"references", "asMessageIds"),
    "sender": HeaderProperty(b"sender", "asAddresses"),
    "from": HeaderProperty(b"from", "asAddresses"),
    "to": HeaderProperty(b"to", "asAddresses"),
    "cc": HeaderProperty(b"cc", "asAddresses"),
    "bcc": HeaderProperty(b"bcc", "asAddresses"),
    "replyTo": HeaderProperty(b"reply-to", "asAddresses"),
    "subject": HeaderProperty(b"subject", "asText"),
    "sentAt": HeaderProperty(b"date", "asDate"),
}
"""Properties that stand for one of a header (§4.1.3)."""
