"""What the items of FETCH are made of: which columns, and how they are written (RFC 9051 §6.4.5).

An item is a row of ``ITEMS``; an extension adds one. A list of items is planned once for all sessions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from malleposte.mime import body, load_structure
from malleposte.services.imapd.internal_date import internal_date
from malleposte.services.imapd.replies import Refuse
from malleposte.store import ids
from malleposte.wire.imap import codes, render
from malleposte.wire.imap.commands.fetch import (
    Attribute,
    Binary,
    BinarySize,
    Body,
    FetchItem,
    Preview,
)


@dataclass(frozen=True, slots=True)
class Item:
    """How an item is answered: its name with a format, the columns it needs (of the email; or
    ``UID``, ``FLAGS``, ``MODSEQ`` of the view; or ``SAVED`` of the membership), and what makes the
    value of them."""

    format: bytes
    columns: tuple[str, ...]
    make: Callable[..., object] | None = None
    slow: bool = False
    """Whether making it of a long column takes too long for the loop."""


PLANS: Final = 512
"""Plans remembered, of about 1 KB each."""

UID, FLAGS, MODSEQ, SAVED = "UID", "FLAGS", "MODSEQ", "SAVED"


def _structure(structure: bytes, *, utf8: bool = False) -> bytes:
    return body(load_structure(structure), utf8)


def _saved(seconds: int | None) -> bytes:
    """RFC 8514 §4; None for a message that has left the mailbox."""
    return render.NIL if seconds is None else internal_date(seconds)


def _previews(*, utf8: bool) -> dict[FetchItem, Item]:
    """PREVIEW (RFC 8970 §3): it is made when a message comes, so LAZY is answered like the other."""
    item = Item(b"PREVIEW %b", ("w.preview",), lambda p: render.string(p.encode("utf-8"), utf8))
    return {Preview(): item, Preview(lazy=True): item}


def _first(form: bytes | None, other: bytes) -> bytes:
    """The UTF-8 form where there is one of its own."""
    return other if form is None else form


ITEMS: Final[dict[FetchItem, Item]] = {
    Attribute.UID: Item(b"UID %d", (UID,)),
    Attribute.FLAGS: Item(b"FLAGS (%b)", (FLAGS,)),
    Attribute.MODSEQ: Item(b"MODSEQ (%d)", (MODSEQ,)),
    Attribute.INTERNALDATE: Item(b"INTERNALDATE %b", ("e.received_at",), internal_date),
    Attribute.RFC822_SIZE: Item(b"RFC822.SIZE %d", ("e.size",)),
    Attribute.ENVELOPE: Item(b"ENVELOPE %b", ("w.envelope",)),
    Attribute.BODYSTRUCTURE: Item(b"BODYSTRUCTURE %b", ("w.bodystructure",)),
    Attribute.BODY: Item(b"BODY %b", ("w.structure",), _structure, slow=True),
    Attribute.EMAILID: Item(b"EMAILID (%b)", ("e.id",), lambda e: ids.email_text(e).encode()),
    Attribute.THREADID: Item(
        b"THREADID (%b)", ("e.thread",), lambda t: ids.thread_text(t).encode()
    ),
    Attribute.SAVEDATE: Item(b"SAVEDATE %b", (SAVED,), _saved),
    **_previews(utf8=False),
}

UTF8_ITEMS: Final[dict[FetchItem, Item]] = {
    **ITEMS,
    Attribute.ENVELOPE: Item(b"ENVELOPE %b", ("w.envelope_utf8", "w.envelope"), _first),
    Attribute.BODYSTRUCTURE: Item(
        b"BODYSTRUCTURE %b", ("w.bodystructure_utf8", "w.bodystructure"), _first
    ),
    Attribute.BODY: Item(
        b"BODY %b", ("w.structure",), lambda s: _structure(s, utf8=True), slow=True
    ),
    **_previews(utf8=True),
}
"""The same for sessions that speak UTF-8 (RFC 9051 §6.3.1, RFC 9755 §3)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A list of FETCH items, made ready: values in the order of ``items``, bodies behind them."""

    items: tuple[Item, ...]
    formats: tuple[bytes, ...]
    columns: tuple[str, ...]
    """Of the email, without the view's and the membership's."""
    bodies: tuple[Body | Binary | BinarySize, ...]
    head: bytes
    """The beginning of a response, with a place for its number and for each item."""
    marks: bool
    r"""Whether it sets \Seen."""
    modseq: bool
    flags: bool
    saved: bool
    bare: bool
    """Whether nothing is asked but bodies and UID."""


_plans: dict[tuple[int, bool], tuple[tuple[FetchItem, ...], Plan]] = {}


def plan(items: tuple[FetchItem, ...], utf8: bool) -> Plan:
    """The plan for items; remembered, as clients ask the same all day.

    The engine remembers parsed items and hands out the same tuple again: found by identity, which
    spares hashing it.
    """
    key = (id(items), utf8)
    known = _plans.get(key)
    if known is not None and known[0] is items:
        return known[1]
    made = _plan(items, utf8)
    if len(_plans) >= PLANS:
        _plans.clear()
    _plans[key] = (items, made)
    return made


@lru_cache(maxsize=PLANS)
def with_news(items: tuple[FetchItem, ...], uid: bool) -> tuple[FetchItem, ...]:
    r"""The items and what goes with a change of flags: FLAGS, MODSEQ and perhaps UID."""
    news = (Attribute.UID, Attribute.FLAGS, Attribute.MODSEQ)[0 if uid else 1 :]
    return (*(item for item in news if item not in items), *items)


def _plan(items: tuple[FetchItem, ...], utf8: bool) -> Plan:
    table = UTF8_ITEMS if utf8 else ITEMS
    chosen: list[Item] = []
    bodies: list[Body | Binary | BinarySize] = []
    for item in items:
        if isinstance(item, Body | Binary | BinarySize):
            bodies.append(item)
        elif item in table:
            chosen.append(table[item])
        else:
            raise Refuse("This item is not supported", codes.CANNOT, bad=True)
    columns = dict.fromkeys(c for item in chosen for c in item.columns if c[1] == ".")
    formats = tuple(item.format for item in chosen)
    return Plan(
        tuple(chosen),
        formats,
        tuple(columns),
        tuple(bodies),
        b"* %%d FETCH (%b" % b" ".join(formats),
        any(isinstance(body, Body | Binary) and not body.peek for body in bodies),
        Attribute.MODSEQ in items,
        Attribute.FLAGS in items,
        Attribute.SAVEDATE in items,
        all(item.columns == (UID,) for item in chosen),
    )
