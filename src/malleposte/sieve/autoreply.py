"""Whether a message may be answered by a program (RFC 5230 §4.5, §4.6, RFC 3834 §2)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final

from malleposte.mime import addresses
from malleposte.mime.address import mailboxes
from malleposte.mime.charset import guess

from .address import split
from .header_view import HeaderView
from .run import Run

TO: Final = ("to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc")
"""Fields that name recipients."""
_ROBOTS: Final = re.compile(
    r"(?:mailer-daemon|listserv|majordomo|postmaster|(?:no|do-?not)[-_.]?reply|bounces?(?:[-+=].*)?"
    r"|owner-.*|.*-(?:request|owner|bounces?|relay))\Z",
    re.DOTALL,
)
_LIST_FIELDS: Final = (
    *("list-id", "list-help", "list-subscribe", "list-unsubscribe", "list-post", "list-owner"),
    *("list-archive", "mailing-list", "x-mailing-list"),
)
_BULK: Final = frozenset(("bulk", "list", "junk"))


def automatic(header: HeaderView) -> bool:
    """Whether Auto-Submitted says that a program sent it (RFC 3834 §5)."""
    return any(
        field.text.partition(";")[0].strip().lower() not in ("no", "")
        for field in header.named("auto-submitted")
    )


def unanswerable(sender: str, header: HeaderView) -> str:
    """Why no program may answer a sender of the envelope, whatever about; "" if one may."""
    if not sender:
        return "it comes from the null sender"
    if _ROBOTS.match(split(sender)[0].lower()):
        return f"{sender} is a program or a list"
    if automatic(header):
        return "Auto-Submitted says that a program sent it"
    for name in _LIST_FIELDS:
        if header.named(name):
            return f"it came over a list ({name})"
    for field in header.named("precedence"):
        if field.text.lower() in _BULK:
            return f"its precedence is {field.text.lower()}"
    for field in header.named("x-auto-response-suppress"):
        if {word.strip() for word in field.text.lower().split(",")} & {"all", "oof", "autoreply"}:
            return "X-Auto-Response-Suppress asks for none"
    return ""


def unfit(run: Run, own: Iterable[str]) -> str:
    """Why no reply may go to the sender of the envelope; "" if one may. `own` are addresses of the
    recipient, besides those that the delivery knows."""
    sender = run.delivery.sender
    mine = {address.lower() for address in (*own, *run.delivery.addresses, run.delivery.recipient)}
    mine.discard("")
    if sender.lower() in mine:
        return "it comes from the recipient"
    if why := unanswerable(sender, run.header):
        return why
    for name in TO:
        for field in run.header.named(name):
            run.charge(1 + (len(field.value) >> 8))
            if names_one(field.value, mine):
                return ""
    return "no address of the recipient is in To or Cc; :addresses names further ones"


def names_one(value: bytes, mine: Collection[str]) -> bool:
    """Whether a field of addresses has one of these, which are lower case."""
    return any(guess(one.addr_spec).lower() in mine for one in mailboxes(addresses(value)))
