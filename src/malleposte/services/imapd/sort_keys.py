"""What messages are sorted by: stored columns, made octets that compare as RFC 5256 §3 has it.

Texts compare by i;unicode-casemap (RFC 5051), as their UTF-8; of addresses the first one of the
ENVELOPE counts, its local part or what is displayed (RFC 5957 §3). A key of a message is one after
the other of its criteria, then its position: no two are equal, and equal messages stay in order.
"""

from array import array
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import structlog

from malleposte.mime import decode_text
from malleposte.mime.address import display_name
from malleposte.services.imapd.envelope_first import CC, FROM, TO, First, Incomplete, first_address
from malleposte.services.imapd.replies import Refuse
from malleposte.services.imapd.sort_runs import Runs
from malleposte.store.dialect import Row
from malleposte.store.ordered import octets
from malleposte.store.read import emails as read_emails
from malleposte.wire.imap import codes
from malleposte.wire.imap.commands.sort import Criterion, SortKey

if TYPE_CHECKING:
    from malleposte.services.imapd.search_program import Evaluation, Positions

log = structlog.get_logger(__name__)

ROWS: Final = 100
"""Messages whose keys are made at a time: some 1 ms."""

_HEAD: Final = "w.envelope_head"


class _Source(NamedTuple):
    """Which columns a criterion needs, and what it makes of them."""

    columns: tuple[str, ...]
    make: Callable[..., int | str]


def sent(sent_at: int | None, received_at: int) -> int:
    """§2.2: without a date that can be read, the one of arrival."""
    return received_at if sent_at is None else sent_at


def _mailbox_of(field: int) -> Callable[[bytes], str]:
    def make(envelope: bytes) -> str:
        first = first_address(envelope, field)
        return decode_text(first.mailbox) if first and first.mailbox else ""

    return make


def _displayed_of(field: int) -> Callable[[bytes], str]:
    def make(envelope: bytes) -> str:
        first = first_address(envelope, field)
        return displayed(first) if first else ""

    return make


def displayed(first: First) -> str:
    """RFC 5957 §3: the name, or else the address."""
    if first.name:
        name = display_name(first.name)
        if name:
            return name
    mailbox = decode_text(first.mailbox) if first.mailbox else ""
    if first.mailbox is not None and first.host is not None:
        return f"{mailbox}@{decode_text(first.host)}"
    return mailbox


_SOURCES: Final[dict[SortKey, _Source]] = {
    SortKey.ARRIVAL: _Source(("e.received_at",), int),
    SortKey.DATE: _Source(("e.sent_at", "e.received_at"), sent),
    SortKey.SIZE: _Source(("e.size",), int),
    SortKey.SUBJECT: _Source(("w.base_subject",), str),
    SortKey.FROM: _Source((_HEAD,), _mailbox_of(FROM)),
    SortKey.TO: _Source((_HEAD,), _mailbox_of(TO)),
    SortKey.CC: _Source((_HEAD,), _mailbox_of(CC)),
    SortKey.DISPLAYFROM: _Source((_HEAD,), _displayed_of(FROM)),
    SortKey.DISPLAYTO: _Source((_HEAD,), _displayed_of(TO)),
}


class _Maker:
    """Makes keys of rows."""

    def __init__(self, criteria: Sequence[Criterion]) -> None:
        self.columns = tuple(dict.fromkeys(c for k, _ in criteria for c in _SOURCES[k].columns))
        place = {name: n for n, name in enumerate(self.columns)}
        self._steps = [
            (_SOURCES[key].make, tuple(place[c] for c in _SOURCES[key].columns), reverse)
            for key, reverse in criteria
        ]

    def key(self, values: Sequence[Any], at: int) -> bytes:
        """The key of the message at a position. Raises ``Incomplete``."""
        parts = [
            octets(make(*[values[n] for n in places]), reverse)
            for make, places, reverse in self._steps
        ]
        return b"".join(parts) + at.to_bytes(4, "big")


async def in_order(
    run: "Evaluation", criteria: Sequence[Criterion], hits: "Positions"
) -> "array[int]":
    """The positions sorted; those whose email is gone for good are left out. Raises ``Refuse`` where the
    disk is full."""
    maker = _Maker(criteria)
    runs = Runs(run.session.service.store.blobs)
    try:
        for start in range(0, len(hits), ROWS):
            part = hits[start : start + ROWS]
            runs.add(await _keys(run, maker, part))
            await run.pause(start, len(hits))
        merged = runs.merged() if hits else iter(())
        found = array("I")
        while some := list(islice(merged, 2_000)):
            found.extend([int.from_bytes(key[-4:], "big") for key in some])
            await run.pause()
        return found
    except OSError as error:
        log.warning("imap_sort_file", error=str(error))
        raise Refuse("The server has no room to sort so many messages", codes.UNAVAILABLE) from None
    finally:
        runs.close()


async def _keys(run: "Evaluation", maker: _Maker, part: "Positions") -> list[bytes]:
    session = run.session
    reader = session.service.store.reader
    numbers = [run.emails[at] for at in part]
    rows: list[Row] = await session.reading(
        read_emails.columns_of(reader, run.account, numbers, maker.columns)
    )
    by_number = {row[0]: row for row in rows}
    keys: list[bytes] = []
    for at, number in zip(part, numbers, strict=True):
        row = by_number.get(number)
        if row is None:
            continue
        try:
            keys.append(maker.key(row[1:], at))
        except Incomplete:
            # A long subject, or many recipients: the whole envelope, one email at a time.
            names = tuple("w.envelope" if name == _HEAD else name for name in maker.columns)
            whole = await session.reading(
                read_emails.columns_of(reader, run.account, [number], names)
            )
            if whole:
                keys.append(maker.key(whole[0][1:], at))
            await run.pause()
    return keys
