"""What became of emails, threads and mailboxes since a point in an account's change log (RFC 8620 §5.2).

A point is how far somebody has been told: everything of earlier modseqs, and of this one the objects up to
an id, for one change may touch more objects than are told at once. Nothing of an older change can come to
stand behind a point: an object that changes again gets a new modseq. For that very reason one that changed
while it was being told of comes later than it was made; so a point half way also says up to which modseq
all had been told before.
"""

from dataclasses import dataclass, field
from typing import Final

from malleposte.store.dialect import Reader, Row, any_of, both
from malleposte.store.matching import Parameters, Writer, among
from malleposte.store.read import email_changes, thread_mailboxes

LAST: Final = (1 << 63) - 1
"""Past every id: all objects of a modseq are known."""


@dataclass(frozen=True, slots=True)
class Point:
    """``base``: everything up to this modseq was known when the telling began."""

    modseq: int
    id: int = LAST
    base: int = -1

    @property
    def known(self) -> int:
        """What was made later than this modseq may be new to who is told."""
        return self.modseq if self.base < 0 else self.base

    def reached(self, modseq: int, id_: int) -> "Point":
        """The point at an object, on the way to the end."""
        return Point(modseq, id_, self.known)


@dataclass(slots=True)
class Changes:
    """Ids, each in one list; ``point`` is how far they go, ``more`` whether there are others."""

    created: list[int] = field(default_factory=list)
    updated: list[int] = field(default_factory=list)
    destroyed: list[int] = field(default_factory=list)
    point: Point = Point(0)
    more: bool = False


_GONE: Final = (
    "SELECT modseq, first, last FROM tombstone WHERE account = $1 AND kind = $2 AND container = 0"
    " AND modseq >= $3 AND (modseq, last) > ($3, $4) ORDER BY modseq, first LIMIT $5"
)


async def emails(
    reader: Reader,
    account: int,
    since: Point,
    most: int,
    *,
    actor: int = 0,
    mailboxes: tuple[int, ...] | None = None,
) -> Changes | None:
    """Emails since a point, as ``matching.Writer`` has ``actor`` and ``mailboxes``. None: so long ago that
    it cannot be told."""
    head = await email_changes.head(reader, account)
    if head is None or since.known < head.floor or since.modseq > head.modseq:
        return None
    sources = [
        await reader.rows(*_changed(reader, account, since, most + 1, actor, mailboxes)),
        await gone(reader, account, "email", since, most + 1),
    ]
    if actor:
        sources.append(
            await reader.rows(*_marked(reader, account, since, most + 1, actor, mailboxes))
        )
    found = told(sources, since, most, head.modseq)
    if mailboxes is not None and since.base < 0:
        # What came since, and is not for this reader, is none of his business.
        found.destroyed = await _older(reader, found.destroyed, since)
    return found


async def _older(reader: Reader, ids: list[int], since: Point) -> list[int]:
    if not ids:
        return ids
    made: dict[int, int] = dict(await reader.rows(_CREATED, ids))
    return [id_ for id_ in ids if made.get(id_, 0) <= since.known]


def told(sources: list[list[Row]], since: Point, most: int, modseq: int) -> Changes:
    """Of rows (modseq, id, created, whether it is there) in order, at most ``most`` + 1 of a source, the
    first ``most`` together. Of an object that went and came back in between both are rows: the one of
    what is there is right."""
    entries = sorted((row for rows in sources for row in rows), key=lambda row: (row[0], row[1]))
    # Behind the last row of a source that has more nothing is known of what else stands there.
    ends = [(rows[-1][0], rows[-1][1]) for rows in sources if len(rows) > most]
    end = min(ends, default=(modseq, LAST))
    found = Changes(more=bool(ends) or len(entries) > most)
    last = since.modseq, since.id
    told: dict[int, Row] = {}
    for row in entries:
        place = row[0], row[1]
        if place > end or (len(told) == most and row[1] not in told):
            break
        if row[1] not in told or row[3]:
            told[row[1]] = row
        last = place
    else:
        last = end
    for id_, (_, _, created, there) in told.items():
        if not there:
            # Perhaps nobody was told that it was made, which may be told all the same (§5.2).
            found.destroyed.append(id_)
        elif created > since.known:
            found.created.append(id_)
        else:
            found.updated.append(id_)
    found.point = since.reached(*last) if found.more else Point(modseq)
    return found


def _changed(
    reader: Reader,
    account: int,
    since: Point,
    most: int,
    actor: int,
    mailboxes: tuple[int, ...] | None,
) -> tuple[str, ...]:
    parameters = Parameters()
    writer = Writer(reader.dialect, parameters, actor, mailboxes)
    add = parameters.add
    visible = writer.visible()
    where = (
        f"e.account = {add(account)} AND (e.modseq, e.id) > ({add(since.modseq)}, {add(since.id)})"
    )
    sql = (
        "SELECT e.modseq, e.id, e.created_modseq,"
        f" CASE WHEN e.mailboxes > 0 AND {visible} THEN 1 ELSE 0 END FROM email e"
        f" WHERE {where} ORDER BY e.modseq, e.id LIMIT {add(most)}"
    )
    return (sql, *parameters.values)


def _marked(
    reader: Reader,
    account: int,
    since: Point,
    most: int,
    actor: int,
    mailboxes: tuple[int, ...] | None,
) -> tuple[str, ...]:
    r"""Emails on which this reader's ``\Seen`` changed."""
    parameters = Parameters()
    add = parameters.add
    visible = Writer(reader.dialect, parameters, actor, mailboxes).visible()
    where = (
        f"s.reader = {add(actor)} AND s.email >> 32 = {add(account)}"
        f" AND (s.modseq, s.email) > ({add(since.modseq)}, {add(since.id)})"
    )
    sql = (
        "SELECT s.modseq, s.email, e.created_modseq,"
        f" CASE WHEN e.mailboxes > 0 AND {visible} THEN 1 ELSE 0 END"
        f" FROM reader_seen s JOIN email e ON e.id = s.email WHERE {where}"
        f" ORDER BY s.modseq, s.email LIMIT {add(most)}"
    )
    return (sql, *parameters.values)


async def gone(reader: Reader, account: int, kind: str, since: Point, most: int) -> list[Row]:
    """(modseq, id, 0, 0) of what has a tombstone, at most so many."""
    found: list[Row] = []
    for modseq, first, last in await reader.rows(
        _GONE, account, kind, since.modseq, since.id, most
    ):
        if modseq == since.modseq:
            first = max(first, since.id + 1)
        upto = min(last, first + most - len(found) - 1)
        found += ((modseq, one, 0, 0) for one in range(first, upto + 1))
        if len(found) >= most:
            break
    return found


_CREATED: Final = both("SELECT id, created_modseq FROM email WHERE {ids}", ids=any_of("id", 1))
_THREADS_OF: Final = both("SELECT id, thread FROM email WHERE {emails}", emails=any_of("id", 1))


async def threads(
    reader: Reader,
    account: int,
    since: Point,
    most: int,
    *,
    actor: int = 0,
    mailboxes: tuple[int, ...] | None = None,
) -> Changes | None:
    """Threads that have other emails since a point; as ``emails``."""
    changes = await emails(reader, account, since, most, actor=actor, mailboxes=mailboxes)
    if changes is None:
        return None
    touched = changes.created + changes.destroyed
    if mailboxes is not None:
        # Where it is moved to where this reader sees it, it is new to his thread.
        touched += changes.updated
    known: dict[int, int] = dict(await reader.rows(_THREADS_OF, touched))
    if any(email not in known for email in changes.destroyed):
        # Of what is gone for good nobody knows any more which thread it was in.
        return None
    found = Changes(point=changes.point, more=changes.more)
    parameters = Parameters()
    writer = Writer(reader.dialect, parameters, actor, mailboxes)
    visible = writer.visible()
    where = among(reader.dialect, "e.thread", parameters.add(sorted(set(known.values()))))
    rows = await reader.rows(
        "SELECT t.thread, min(CASE WHEN t.shown THEN t.created END) FROM (SELECT e.thread AS thread,"
        f" e.created_modseq AS created, e.mailboxes > 0 AND {visible} AS shown FROM email e"
        f" WHERE {where}) t GROUP BY t.thread",
        *parameters.values,
    )
    for thread, created in rows:
        if created is None:
            found.destroyed.append(thread)
        elif created > since.known:
            found.created.append(thread)
        else:
            found.updated.append(thread)
    return found


_MAILBOXES: Final = (
    "SELECT modseq, id, created_modseq, 1 FROM mailbox WHERE account = $1"
    " AND (modseq, id) > ($2, $3) ORDER BY modseq, id LIMIT $4"
)


async def mailboxes(
    reader: Reader,
    account: int,
    since: Point,
    most: int,
    *,
    threads: bool = False,
    actor: int = 0,
) -> Changes | None:
    """Mailboxes, also those of which messages alone changed; as ``emails``. ``threads``: also those that
    hold others of threads that changed, or on which ``actor`` set marks."""
    head = await email_changes.head(reader, account)
    if head is None or since.known < head.floor or since.modseq > head.modseq:
        return None
    sources = [
        await reader.rows(_MAILBOXES, account, since.modseq, since.id, most + 1),
        await gone(reader, account, "mailbox", since, most + 1),
    ]
    if threads:
        # All that changed since the telling began, for a mailbox told before may have changed again.
        rows = await thread_mailboxes.touched(reader, account, since.known, actor)
        if rows is None:
            return None
        sources.append([row for row in rows if (row[0], row[1]) > (since.modseq, since.id)])
    return told(sources, since, most, head.modseq)
