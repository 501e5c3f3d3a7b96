"""Names of header fields in scripts: which can be, which hold addresses; fields by name and index."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from .header_view import HeaderField
from .run import Run
from .scope import Scope
from .signature import NUMBER, Bound, TagRule
from .text import Texts

_NAME: Final = re.compile(r"[!-9;-~]+\Z")  # RFC 5322 §2.2: printable ASCII but a colon
_ADDRESSES: Final = frozenset(
    (
        *("from", "sender", "reply-to", "to", "cc", "bcc", "author", "original-from"),
        *(
            "resent-from",
            "resent-sender",
            "resent-to",
            "resent-cc",
            "resent-bcc",
            "resent-reply-to",
        ),
        *("return-path", "delivered-to", "envelope-to", "apparently-to", "errors-to"),
        *("mail-followup-to", "mail-reply-to", "disposition-notification-to", "return-receipt-to"),
    )
)

INDEX_TAGS: Final = {
    "index": TagRule(NUMBER, "index"),
    "last": TagRule(capability="index"),
}
"""RFC 5260 §6."""

Fields = Callable[[Run], Iterator[HeaderField]]


def is_field_name(name: str) -> bool:
    """Whether a header field can have that name."""
    return len(name) <= 200 and _NAME.match(name) is not None


def has_addresses(name: str) -> bool:
    """Whether the address test may look into it (RFC 5228 §5.1); of those that are nobody's
    standard (`X-…`) nothing is known, so it may."""
    return name in _ADDRESSES or name.startswith("x-")


def field_names(scope: Scope, names: Texts, addresses: bool = False) -> Texts:
    """The names a test was given. One that no field can have is no mistake (RFC 5228 §2.4.2.2)."""
    for item in names.items:
        name = item.constant
        if name is None or not is_field_name(name):
            continue
        if addresses and not has_addresses(name.lower()):
            text = f"address looks into fields of addresses, {name} is none; use header for it"
            scope.wrong(item.at, text)
    return names


def chosen_fields(scope: Scope, bound: Bound, names: Texts, addresses: bool = False) -> Fields:
    """The fields of these names, in the order of the names; with `:index` one of all these
    (RFC 5260 §6)."""
    index, last = index_of(scope, bound)
    known = None if names.constant is None else tuple(name.lower() for name in names.constant)

    def all_of_them(run: Run) -> Iterator[HeaderField]:
        wanted = known if known is not None else [name.lower() for name in names.get(run)]
        for name in wanted:
            if known is None and addresses and not has_addresses(name):
                continue
            run.charge(1)
            yield from run.header.named(name)

    if not index:
        return all_of_them

    def one(run: Run) -> Iterator[HeaderField]:
        fields = list(all_of_them(run))
        if index <= len(fields):
            yield fields[-index if last else index - 1]

    return one


def index_of(scope: Scope, bound: Bound) -> tuple[int, bool]:
    """The number that `:index` gives, 0 if it is not there, and whether it counts from the end."""
    last = "last" in bound.tags
    if "index" not in bound.tags:
        if last:
            scope.wrong(bound.places["last"], ":last stands only beside :index")
        return 0, False
    index = scope.number(bound.tags["index"])
    if index == 0:
        scope.wrong(bound.places["index"], ":index counts from 1")
    return index, last
