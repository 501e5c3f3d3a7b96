"""Search keys that a stored column answers: sizes, dates, addresses, subject (RFC 9051 §6.4.4).

Columns of text are asked by ``search.columns``. A Date in the header counts in its own zone, which the
column has lost: near the boundary of a day the header is asked as well.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from malleposte.mime import date_time
from malleposte.search import columns
from malleposte.search.columns import ROWS, ColumnText, Verdicts
from malleposte.search.needle import Needle
from malleposte.services.imapd import search_content
from malleposte.store.dialect import Row
from malleposte.store.execute.ranges import compact, encode
from malleposte.store.ids import EMAIL_LETTER, LOW, THREAD_LETTER, account_of, id_number
from malleposte.store.read import emails as read_emails
from malleposte.wire.imap.commands import search_keys as keys
from malleposte.wire.imap.commands.search_keys import SearchKey, When

if TYPE_CHECKING:
    from malleposte.services.imapd.search_program import Evaluation

Positions = Sequence[int]
now = time.time

_DAY: Final = 86_400
_ZONE: Final = 15 * 3_600
"""More than any zone is from Greenwich."""


def has_column(key: keys.Header) -> bool:
    """Whether a column can answer."""
    return columns.has_column(key.name, key.text)


async def _through(
    run: "Evaluation",
    among: Positions,
    size: int,
    read: Callable[[list[int]], Awaitable[list[Row]]],
    judge: Callable[[list[Row]], Awaitable[Verdicts]],
) -> tuple[list[int], list[int]]:
    """Positions whose row passes, and those of which it cannot tell; ``size`` rows at a time."""
    found: list[int] = []
    unsure: list[int] = []
    for start in range(0, len(among), size):
        part = among[start : start + size]
        numbers = [run.emails[at] for at in part]
        rows = await run.session.reading(read(numbers))
        if rows:
            verdicts = await judge(rows)
            for at, number in zip(part, numbers, strict=True):
                verdict = verdicts.get(number, False)
                if verdict:
                    found.append(at)
                elif verdict is None:
                    unsure.append(at)
        await run.pause(start, len(among))
    return found, unsure


async def sort_out(
    run: "Evaluation", among: Positions, column: str, test: Callable[[Any], bool | None]
) -> tuple[list[int], list[int]]:
    """Positions whose column passes a test, and those of which the column cannot tell (None)."""

    async def judge(rows: list[Row]) -> Verdicts:
        return {number: test(value) for number, value in rows}

    return await _through(run, among, ROWS, _reader_of(run, column), judge)


def _reader_of(run: "Evaluation", column: str) -> Callable[[list[int]], Awaitable[list[Row]]]:
    reader = run.session.service.store.reader
    return lambda numbers: read_emails.columns_of(reader, run.account, numbers, (column,))


async def select(
    run: "Evaluation", among: Positions, column: str, test: Callable[[Any], bool]
) -> list[int]:
    """Positions whose column passes a test."""
    return (await sort_out(run, among, column, test))[0]


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


async def _larger(run: "Evaluation", key: keys.Larger, among: Positions) -> Positions:
    return await select(run, among, "e.size", lambda size: size > key.octets)


async def _smaller(run: "Evaluation", key: keys.Smaller, among: Positions) -> Positions:
    return await select(run, among, "e.size", lambda size: size < key.octets)


async def _internal_date(run: "Evaluation", key: keys.InternalDate, among: Positions) -> Positions:
    return await select(run, among, "e.received_at", _by_day(key.when, key.day))


def _by_day(when: When, day: date) -> Callable[[int], bool]:
    start = _midnight(day)
    if when is When.BEFORE:
        return lambda seconds: seconds < start
    if when is When.SINCE:
        return lambda seconds: seconds >= start
    return lambda seconds: start <= seconds < start + _DAY


async def _older(run: "Evaluation", key: keys.Older, among: Positions) -> Positions:
    limit = int(now()) - key.seconds
    return await select(run, among, "e.received_at", lambda seconds: seconds <= limit)


async def _younger(run: "Evaluation", key: keys.Younger, among: Positions) -> Positions:
    limit = int(now()) - key.seconds
    return await select(run, among, "e.received_at", lambda seconds: seconds >= limit)


async def _sent_date(run: "Evaluation", key: keys.SentDate, among: Positions) -> Positions:
    """Sure where the day is far enough from its boundaries; else by the header."""
    start = _midnight(key.day)
    boundaries = {
        When.BEFORE: (start,),
        When.SINCE: (start,),
        When.ON: (start, start + _DAY),
    }[key.when]
    test = _by_day(key.when, key.day)

    def sure(seconds: int | None) -> bool | None:
        if seconds is None:
            return False
        if any(abs(seconds - boundary) <= _ZONE for boundary in boundaries):
            return None
        return test(seconds)

    found, unsure = await sort_out(run, among, "e.sent_at", sure)
    if unsure:
        in_header = search_content.values_test("date", _day_test(key))
        found += await search_content.over_content(run, unsure, in_header)
    return sorted(found)


def _day_test(key: keys.SentDate) -> Callable[[list[bytes]], bool]:
    def test(values: list[bytes]) -> bool:
        found = date_time(values[-1]) if values else None
        if found is None:
            return False
        day = (found.year, found.month, found.day)
        wanted = (key.day.year, key.day.month, key.day.day)
        if key.when is When.BEFORE:
            return day < wanted
        return day >= wanted if key.when is When.SINCE else day == wanted

    return test


async def header(run: "Evaluation", key: keys.Header, among: Positions) -> Positions:
    """FROM, TO, CC, BCC, SUBJECT and Message-ID, as far as the column can tell."""
    text = ColumnText(key.name, Needle(key.text))
    reader = run.session.service.store.reader
    found, unsure = await _through(
        run,
        among,
        text.rows_at_once,
        lambda numbers: text.rows(reader, run.account, numbers),
        lambda rows: text.verdicts(rows, run.session.pause),
    )
    if unsure:
        in_header = search_content.header_test(key)
        found += await search_content.over_content(run, unsure, in_header)
    return sorted(found)


async def _saved_date(run: "Evaluation", key: keys.SavedDate, among: Positions) -> Positions:
    """By the membership: a copy was saved when it was made (RFC 8514 §4.2)."""
    reader = run.session.service.store.reader
    test = _by_day(key.when, key.day)
    found: list[int] = []
    for start in range(0, len(among), ROWS):
        part = among[start : start + ROWS]
        uids = [run.uids[at] for at in part]
        rows = await run.session.reading(
            read_emails.columns(
                reader, run.mailbox, encode(compact(uids)), ("m.saved_at",), len(uids)
            )
        )
        saved: dict[int, int] = dict(rows)
        found += [
            at for at, uid in zip(part, uids, strict=True) if uid in saved and test(saved[uid])
        ]
        await run.pause(start, len(among))
    return found


async def _email_id(run: "Evaluation", key: keys.EmailId, among: Positions) -> Positions:
    wanted = id_number(EMAIL_LETTER, key.object_id)
    if account_of(wanted) != run.account:
        return []
    number, emails = wanted & LOW, run.emails
    found: list[int] = []
    for start in range(0, len(among), 10 * ROWS):
        found += [at for at in among[start : start + 10 * ROWS] if emails[at] == number]
        await run.pause()
    return found


async def _thread_id(run: "Evaluation", key: keys.ThreadId, among: Positions) -> Positions:
    wanted = id_number(THREAD_LETTER, key.object_id)
    if account_of(wanted) != run.account:
        return []
    return await select(run, among, "e.thread", lambda thread: thread == wanted)


Leaf = Callable[["Evaluation", Any, Positions], Awaitable[Positions]]

LEAVES: Final[dict[type[SearchKey], Leaf]] = {
    keys.Larger: _larger,
    keys.Smaller: _smaller,
    keys.InternalDate: _internal_date,
    keys.SentDate: _sent_date,
    keys.SavedDate: _saved_date,
    keys.Older: _older,
    keys.Younger: _younger,
    keys.Header: header,
    keys.EmailId: _email_id,
    keys.ThreadId: _thread_id,
}
