"""A slice of the messages a FETCH names: their columns, read by email, and their flags, from the view.

Messages that are gone but not yet expunged in the client's eyes are answered from their email, which
stays for a while.
"""

import asyncio
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from malleposte.services.imapd import updates
from malleposte.services.imapd.fetch_plan import FLAGS, MODSEQ, SAVED, UID, Plan
from malleposte.services.imapd.numbering import Chosen
from malleposte.services.imapd.selected import Selected
from malleposte.store import flags as store_flags
from malleposte.store.dialect import Row
from malleposte.store.execute.ranges import encode
from malleposte.store.ids import LOW
from malleposte.store.read import emails as read_emails
from malleposte.wire.imap.sets import NumberSet

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session


LONG: Final = 16 * 1024
"""Octets of the rendered columns of one email past which it is read alone: 500 emails are 8 MB."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Some of the chosen messages with what a plan needs of them; ``gone`` are those that are not
    there any more, ``stop`` is where the next slice begins."""

    uids: "array[int]"
    emails: "array[int]"
    seqs: Sequence[int]
    columns: dict[str, Sequence[Any]]
    gone: int
    stop: int

    async def values(self, made: Plan) -> list[Sequence[object]]:
        """A column of values for each item of the plan."""
        found: list[Sequence[object]] = []
        for item in made.items:
            columns = [self.columns[name] for name in item.columns]
            if item.make is None:
                found.append(columns[0])
            elif item.slow and len(self.uids) == 1 and len(columns[0][0]) > LONG:
                # Perhaps 10,000 parts: beside the loop.
                found.append([await asyncio.to_thread(item.make, *(c[0] for c in columns))])
            else:
                found.append(list(map(item.make, *columns)))
        return found


async def read_slice(
    session: "Session", made: Plan, chosen: Chosen, start: int, stop: int
) -> Slice:
    """Messages of the chosen from ``start``, at most up to ``stop``, with the columns of a plan."""
    selected = session.mailbox
    view = selected.view
    uids, emails = chosen.uids[start:stop], chosen.emails[start:stop]
    seqs = chosen.seqs[start:stop]
    gone = 0
    columns: dict[str, Sequence[Any]] = {}
    if made.columns:
        rows = await _rows(session, made, view.account, emails)
        if [row[0] for row in rows] != emails.tolist():
            # Filed in another order than their emails were made, or gone, or too long.
            by_email = {row[0]: row for row in rows}
            ends = [at for at, email in enumerate(emails) if by_email.get(email, _HERE)[-1]]
            if ends:
                del emails[ends[0] :]
            kept = [at for at, email in enumerate(emails) if email in by_email]
            stop = start + len(emails)
            gone = len(emails) - len(kept)
            uids = array("I", [uids[at] for at in kept])
            seqs = [seqs[at] for at in kept]
            emails = array("I", [emails[at] for at in kept])
            rows = [by_email[email] for email in emails]
        elif any(row[-1] for row in rows):
            count = next(at for at, row in enumerate(rows) if row[-1])
            uids, emails, seqs, rows = uids[:count], emails[:count], seqs[:count], rows[:count]
            stop = start + count
        if stop == start:
            # A long one comes first: it goes alone.
            return await _alone(session, made, chosen, start)
        columns.update(_transposed(rows, made.columns))
    return await _sliced(session, made, uids, emails, seqs, columns, gone, stop)


_HERE: Final = (0,)


async def _rows(session: "Session", made: Plan, account: int, emails: "array[int]") -> list[Row]:
    reader = session.service.store.reader
    return await session.reading(
        read_emails.short_columns_of(reader, account, emails, made.columns, LONG)
    )


async def _alone(session: "Session", made: Plan, chosen: Chosen, start: int) -> Slice:
    """One message whose columns are long."""
    reader, account = session.service.store.reader, session.mailbox.view.account
    stop = start + 1
    emails = chosen.emails[start:stop]
    rows = await session.reading(read_emails.columns_of(reader, account, emails, made.columns))
    if not rows:
        return Slice(array("I"), array("I"), (), dict.fromkeys(made.columns, ()), 1, stop)
    columns = {name: (value,) for name, value in zip(made.columns, rows[0][1:], strict=True)}
    uids, seqs = chosen.uids[start:stop], chosen.seqs[start:stop]
    return await _sliced(session, made, uids, emails, seqs, {**columns}, 0, stop)


async def _sliced(
    session: "Session",
    made: Plan,
    uids: "array[int]",
    emails: "array[int]",
    seqs: Sequence[int],
    columns: dict[str, Sequence[Any]],
    gone: int,
    stop: int,
) -> Slice:
    """With what the view and the memberships know."""
    columns[UID] = uids
    if made.flags or made.modseq:
        flags, modseqs = await flags_of(session, session.mailbox, uids, emails)
        updates.tell_keywords(session)
        columns[FLAGS], columns[MODSEQ] = flags, modseqs
    if made.saved:
        columns[SAVED] = await _saved_at(session, uids)
    return Slice(uids, emails, seqs, columns, gone, stop)


async def _saved_at(session: "Session", uids: "array[int]") -> Sequence[int | None]:
    """When messages came into the mailbox; None for a ghost, which is in it no more."""
    mailbox = session.mailbox.view.mailbox
    ranges = encode(NumberSet.from_sorted(uids).ranges)
    rows = await session.reading(
        read_emails.columns(
            session.service.store.reader, mailbox, ranges, ("m.saved_at",), len(uids)
        )
    )
    by_uid: dict[int, int] = dict(rows)
    return [by_uid.get(uid) for uid in uids]


def _transposed(rows: list[Row], names: tuple[str, ...]) -> dict[str, Sequence[Any]]:
    if not rows:
        return dict.fromkeys(names, ())
    return dict(zip(names, list(zip(*rows, strict=True))[1:-1], strict=True))


async def flags_of(
    session: "Session", selected: Selected, uids: "array[int]", emails: "array[int]"
) -> tuple[Sequence[bytes], Sequence[int]]:
    """Flag lists and modseqs of messages the client knows; a ghost's are those of its email."""
    view = selected.view
    places = selected.where(uids)
    if isinstance(places, range):
        flags = view.wire_lists(view.sets_of(places))
        if selected.recent is not None:
            flags = selected.recent.marked(uids, flags)
        return flags, view.modseqs_of(places)
    lost = [email for email, at in zip(emails, places, strict=True) if at is None]
    shown: dict[int, tuple[bytes, int]] = {}
    if lost:
        for number, flags, keywords, modseq in await session.reading(view.flags_of(lost)):
            words = [name for bit, name in store_flags.WIRE if flags & bit]
            words.append(b"\\Deleted")
            words += [view.shown.get(w, w).encode() for w in (keywords or "").split()]
            shown[number] = b" ".join(words), modseq
        places = selected.where(uids)
    there = [at for at in places if at is not None]
    found = zip(view.wire_lists(view.sets_of(there)), view.modseqs_of(there), strict=True)
    flag_lists: list[bytes] = []
    modseqs: list[int] = []
    for at, email in zip(places, emails, strict=True):
        if at is None:
            flag_list, modseq = shown.get(email & LOW, (b"\\Deleted", view.highest))
        else:
            flag_list, modseq = next(found)
        flag_lists.append(flag_list)
        modseqs.append(modseq)
    if selected.recent is not None:
        flag_lists = selected.recent.marked(uids, flag_lists)
    return flag_lists, modseqs
