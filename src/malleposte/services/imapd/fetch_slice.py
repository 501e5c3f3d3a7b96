"""A slice of the messages a FETCH names: their columns, read by email, and their flags, from the view.

Messages that are gone but not yet expunged in the client's eyes are answered from their email, which
stays for a while.
"""

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from malleposte.services.imapd.fetch_plan import FLAGS, MODSEQ, UID, Plan
from malleposte.services.imapd.selected import Chosen, Selected
from malleposte.store import flags as store_flags
from malleposte.store.dialect import Row
from malleposte.store.ids import LOW
from malleposte.store.read import emails as read_emails

if TYPE_CHECKING:
    from malleposte.services.imapd.session import Session


class Slice:
    """Some of the chosen messages with what a plan needs of them; those gone for good left out."""

    __slots__ = ("_columns", "emails", "gone", "seqs", "uids")

    def __init__(
        self,
        uids: "array[int]",
        emails: "array[int]",
        seqs: Sequence[int],
        columns: dict[str, Sequence[Any]],
        gone: int,
    ) -> None:
        self.uids = uids
        self.emails = emails
        self.seqs = seqs
        self.gone = gone
        self._columns = columns

    def values(self, made: Plan) -> list[Sequence[object]]:
        """A column of values for each item of the plan."""
        found: list[Sequence[object]] = []
        for item in made.items:
            columns = [self._columns[name] for name in item.columns]
            found.append(columns[0] if item.make is None else list(map(item.make, *columns)))
        return found


async def read_slice(
    session: "Session", made: Plan, chosen: Chosen, start: int, stop: int
) -> Slice:
    """Messages ``start`` to ``stop`` of the chosen, with the columns of a plan."""
    selected = session.mailbox
    view = selected.view
    uids, emails = chosen.uids[start:stop], chosen.emails[start:stop]
    seqs = chosen.seqs[start:stop]
    gone = 0
    columns: dict[str, Sequence[Any]] = {}
    if made.columns:
        reader = session.service.store.reader
        rows = await session.reading(
            read_emails.columns_of(reader, view.account, emails, made.columns)
        )
        if [row[0] for row in rows] != emails.tolist():
            # Filed in another order than their emails were made, or some are gone.
            by_email = {row[0]: row for row in rows}
            kept = [at for at, email in enumerate(emails) if email in by_email]
            gone = len(emails) - len(kept)
            uids = array("I", [uids[at] for at in kept])
            seqs = [seqs[at] for at in kept]
            emails = array("I", [emails[at] for at in kept])
            rows = [by_email[email] for email in emails]
        columns.update(_transposed(rows, made.columns))
    columns[UID] = uids
    if made.flags or made.modseq:
        flags, modseqs = await flags_of(session, selected, uids, emails)
        columns[FLAGS], columns[MODSEQ] = flags, modseqs
    return Slice(uids, emails, seqs, columns, gone)


def _transposed(rows: list[Row], names: tuple[str, ...]) -> dict[str, Sequence[Any]]:
    if not rows:
        return dict.fromkeys(names, ())
    return dict(zip(names, list(zip(*rows, strict=True))[1:], strict=True))


async def flags_of(
    session: "Session", selected: Selected, uids: "array[int]", emails: "array[int]"
) -> tuple[Sequence[bytes], Sequence[int]]:
    """Flag lists and modseqs of messages the client knows; a ghost's are those of its email."""
    view = selected.view
    places = selected.where(uids)
    if isinstance(places, range):
        sets = view.sets[places.start : places.stop]
        return list(map(view.wire_flags, sets)), view.modseqs[places.start : places.stop]
    lost = [email for email, at in zip(emails, places, strict=True) if at is None]
    shown: dict[int, tuple[bytes, int]] = {}
    if lost:
        reader = session.service.store.reader
        for number, flags, keywords, modseq in await session.reading(
            read_emails.columns_of(
                reader, view.account, lost, ("e.flags", "e.keywords", "e.modseq")
            )
        ):
            words = [name for bit, name in store_flags.WIRE if flags & bit]
            words.append(b"\\Deleted")
            words += [view.shown.get(w, w).encode() for w in (keywords or "").split()]
            shown[number] = b" ".join(words), modseq
        places = selected.where(uids)
    flag_lists: list[bytes] = []
    modseqs: list[int] = []
    for at, email in zip(places, emails, strict=True):
        if at is None:
            flag_list, modseq = shown.get(email & LOW, (b"\\Deleted", view.highest))
        else:
            flag_list, modseq = view.wire_flags(view.sets[at]), view.modseqs[at]
        flag_lists.append(flag_list)
        modseqs.append(modseq)
    return flag_lists, modseqs
