"""Emails of a mailbox by UID range: rendered columns, and content."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec

from malleposte.store import content
from malleposte.store.dialect import Reader, Row, Sql, any_of, both
from malleposte.store.execute.ranges import in_ranges
from malleposte.store.ids import frame_id

COLUMNS = frozenset(
    {
        "e.id",
        "e.size",
        "e.received_at",
        "e.sent_at",
        "e.thread",
        "e.modseq",
        "e.flags",
        "e.keywords",
        "e.attachment",
        "m.saved_at",
        "w.prefix",
        "w.structure",
        "w.envelope",
        "w.envelope_head",
        "w.bodystructure",
        "w.envelope_utf8",
        "w.bodystructure_utf8",
        "w.preview",
        "w.subject",
        "w.base_subject",
        "w.from_text",
        "w.to_text",
        "w.cc_text",
        "w.bcc_text",
        "w.message_id",
        "w.thread_key",
    }
)
"""What ``columns`` can give; e: email, w: its wide row, m: the membership."""

HEAD = 2_048
"""Octets of ``w.envelope_head``, the beginning of the envelope: subject and first addresses in common
mail, and never more than a page or two read."""

_EXPRESSIONS = {"w.envelope_head": f"substr(w.envelope, 1, {HEAD})"}


def _names(wanted: tuple[str, ...]) -> str:
    return "".join(f", {_EXPRESSIONS.get(name, name)}" for name in wanted)


async def columns(
    reader: Reader, mailbox: int, ranges: str, wanted: tuple[str, ...], limit: int
) -> list[Row]:
    """Rows (uid, wanted columns …) of a mailbox's messages in UID ranges, in UID order.

    ``ranges`` as by ``execute.ranges.encode``; at most ``limit`` rows: the caller goes on after the
    last UID, so that no statement runs long.
    """
    sql = _columns_sql(wanted)
    return await reader.rows(sql, ranges, mailbox, limit)


_cache: dict[tuple[str, ...], Sql] = {}


def _columns_sql(wanted: tuple[str, ...]) -> Sql:
    sql = _cache.get(wanted)
    if sql is None:
        if not COLUMNS.issuperset(wanted):
            raise ValueError(f"no such column in {wanted}")
        tables = {name[0] for name in wanted}
        joins = ""
        if "e" in tables:
            joins += " JOIN email e ON e.id = m.email"
        if "w" in tables:
            joins += " JOIN email_wide w ON w.id = m.email"
        sql = _cache[wanted] = in_ranges(
            f"SELECT m.uid{_names(wanted)} FROM {{ranges}} r JOIN membership m ON m.mailbox = $2"
            f" AND m.uid BETWEEN r.first AND r.last{joins} ORDER BY m.uid LIMIT $3"
        )
    return sql


class Stored(msgspec.Struct, frozen=True, gc=False):
    """An email's bytes as the store keeps them: a prefix, and content in a blob.

    ``first`` is the content's first frame, compressed, when the row was read with it.
    """

    uid: int
    email: int
    size: int
    prefix: bytes
    structure: bytes
    blob: int
    content_size: int
    place: str
    first: bytes | None


_STORED = (
    "SELECT m.uid, e.id, e.size, w.prefix, w.structure, b.id, b.size, b.place, f.data"
    " FROM {ranges} r JOIN membership m ON m.mailbox = $2 AND m.uid BETWEEN r.first AND r.last"
    " JOIN email e ON e.id = m.email JOIN email_wide w ON w.id = e.id JOIN blob b ON b.id = e.blob"
    " LEFT JOIN blob_frame f ON f.id = b.id * 4096 ORDER BY m.uid LIMIT $3"
)
_STORED_SQL = in_ranges(_STORED)
_STORED_BY_ID = (
    "SELECT 0, e.id, e.size, w.prefix, w.structure, b.id, b.size, b.place, f.data"
    " FROM email e JOIN email_wide w ON w.id = e.id JOIN blob b ON b.id = e.blob"
    " LEFT JOIN blob_frame f ON f.id = b.id * 4096 WHERE e.id = $1"
)


async def stored(reader: Reader, mailbox: int, ranges: str, limit: int) -> list[Stored]:
    """Emails with their first frame, in UID order, at most ``limit``."""
    return [Stored(*row) for row in await reader.rows(_STORED_SQL, ranges, mailbox, limit)]


async def stored_by_id(reader: Reader, email: int) -> Stored | None:
    """One email by id, also one that is only recoverable."""
    row = await reader.row(_STORED_BY_ID, email)
    return None if row is None else Stored(*row)


class Damaged(Exception):
    """Content cannot be read back: gone or damaged on disk. ``fsck`` names it."""


class Frame:
    """The frame of an email that was read last: its number (from 0; -1 for none) and its content."""

    __slots__ = ("data", "number")

    def __init__(self) -> None:
        self.number = -1
        self.data = b""


async def read(
    reader: Reader, folder: Path, email: Stored, start: int, end: int, last: Frame | None = None
) -> AsyncIterator[bytes]:
    """Octets ``start`` to ``end`` of an email (prefix and content), in pieces of at most a frame.

    ``last`` is kept by who reads many small ranges one after the other. Raises ``Damaged``.
    """
    last = last or Frame()
    prefix = len(email.prefix)
    if start < prefix:
        yield email.prefix[start:end]
        start = prefix
    start -= prefix
    end = min(end - prefix, email.content_size)
    if end <= start:
        return
    file: content.BlobFile | None = None
    try:
        for n, low, high in content.slices(start, end):
            if n == last.number and high <= len(last.data):
                yield last.data[low:high]
                continue
            if n == 0 and email.first is not None:
                frame = email.first
            elif email.place == "file":
                if file is None:
                    file = content.BlobFile.open(folder, email.blob)
                frame = file.frame(n)
            else:
                row = await reader.row(
                    "SELECT data FROM blob_frame WHERE id = $1", frame_id(email.blob, n)
                )
                if row is None:
                    raise Damaged(f"frame {n} of blob {email.blob} is missing")
                frame = row[0]
            data = content.decompress(frame)
            if len(data) < high:
                raise Damaged(f"frame {n} of blob {email.blob} is too short")
            last.number, last.data = n, data
            yield data if low == 0 and high == len(data) else data[low:high]
    except (OSError, ValueError, IndexError) as error:
        raise Damaged(f"blob {email.blob}: {error}") from error
    finally:
        if file is not None:
            file.close()


def _ids(account: int, numbers: Sequence[int]) -> list[int]:
    base = account << 32
    return [base | number for number in numbers]


_cache_of: dict[tuple[tuple[str, ...], bool], Sql] = {}


async def columns_of(
    reader: Reader, account: int, numbers: Sequence[int], wanted: tuple[str, ...]
) -> list[Row]:
    """Rows (email number, wanted columns …) of emails by number, in the order of their numbers.

    Also those that are only recoverable: a session may still show what was expunged. One that is gone
    for good is left out. ``wanted`` are columns of ``e`` and ``w``; the caller keeps ``numbers`` short.
    """
    run = _is_run(numbers)
    sql = _cache_of.get((wanted, run))
    if sql is None:
        if not COLUMNS.issuperset(wanted) or any(name[0] == "m" for name in wanted):
            raise ValueError(f"no such column of an email in {wanted}")
        first, source = _source(wanted)
        ids = f"{first}.id BETWEEN $1 AND $2"
        sql = _cache_of[wanted, run] = both(
            f"SELECT {first}.id & 4294967295{_names(wanted)} FROM {source} WHERE {{ids}}"
            f" ORDER BY {first}.id",
            ids=Sql(ids, ids) if run else any_of(f"{first}.id", 1),
        )
    if run:
        base = account << 32
        return await reader.rows(sql, base | numbers[0], base | numbers[-1])
    return await reader.rows(sql, _ids(account, numbers))


_RENDERED = frozenset(
    {
        "w.structure",
        "w.envelope",
        "w.bodystructure",
        "w.envelope_utf8",
        "w.bodystructure_utf8",
    }
)
"""Columns that a hostile message can make large: 10,000 parts, a thousand addresses."""

_cache_short: dict[tuple[tuple[str, ...], bool], Sql] = {}


async def short_columns_of(
    reader: Reader, account: int, numbers: Sequence[int], wanted: tuple[str, ...], most: int
) -> list[Row]:
    """``columns_of`` with one column more: whether the rendered columns of an email have more than
    ``most`` octets together; they are left out then, and to be read one email at a time."""
    run = _is_run(numbers)
    sql = _cache_short.get((wanted, run))
    if sql is None:
        if not COLUMNS.issuperset(wanted) or any(name[0] == "m" for name in wanted):
            raise ValueError(f"no such column of an email in {wanted}")
        rendered = [name for name in wanted if name in _RENDERED]
        lengths = " + ".join(f"coalesce(length({name}), 0)" for name in rendered) or "0"
        names = "".join(
            f", CASE WHEN {lengths} > $1 THEN NULL ELSE {name} END"
            if name in _RENDERED
            else f", {name}"
            for name in wanted
        )
        first, source = _source(wanted)
        ids = f"{first}.id BETWEEN $2 AND $3"
        sql = _cache_short[wanted, run] = both(
            f"SELECT {first}.id & 4294967295{names}, CASE WHEN {lengths} > $1 THEN 1 ELSE 0 END"
            f" FROM {source} WHERE {{ids}} ORDER BY {first}.id",
            ids=Sql(ids, ids) if run else any_of(f"{first}.id", 2),
        )
    if run:
        base = account << 32
        return await reader.rows(sql, most, base | numbers[0], base | numbers[-1])
    return await reader.rows(sql, most, _ids(account, numbers))


def _is_run(numbers: Sequence[int]) -> bool:
    """Whether numbers follow one another, as those of a mailbox that is only delivered to do: then a
    range takes the place of a list, which is a fifth quicker."""
    size = len(numbers)
    return (
        size > 1
        and numbers[-1] - numbers[0] == size - 1
        and list(numbers) == list(range(numbers[0], numbers[-1] + 1))
    )


def _source(wanted: tuple[str, ...]) -> tuple[str, str]:
    """The table that leads, and the join of all that some columns need."""
    first, *others = sorted({name[0] for name in wanted}) or ["e"]
    source = _TABLES[first]
    for other in others:
        source += f" JOIN {_TABLES[other]} ON {other}.id = {first}.id"
    return first, source


_TABLES = {"e": "email e", "w": "email_wide w"}

_NOTHING = Sql(sqlite="x''", postgres="''::bytea")


def _stored(where: str, **differing: Sql) -> Sql:
    return both(
        "SELECT 0, e.id, e.size, w.prefix,"
        " CASE WHEN length(w.structure) <= $1 THEN w.structure ELSE {nothing} END,"
        # The blob's own row would say no more: content without a frame in the rows is in a file.
        " e.blob, e.size - length(w.prefix), CASE WHEN f.id IS NULL THEN 'file' ELSE 'rows' END,"
        " CASE WHEN length(f.data) <= $1 THEN f.data END"
        " FROM email e JOIN email_wide w ON w.id = e.id"
        f" LEFT JOIN blob_frame f ON f.id = e.blob * 4096 WHERE {where}",
        nothing=_NOTHING,
        **differing,
    )


_STORED_OF = _stored("{ids} ORDER BY e.id", ids=any_of("e.id", 2))
_STORED_ONE = _stored("e.id = $2")

SMALL = 32 * 1024
"""Octets of stored content, and of structure, that ``stored_of`` reads along: 50 emails hold 3.2 MB at
the most."""


async def stored_of(reader: Reader, account: int, numbers: Sequence[int]) -> list[Stored]:
    """Emails by number, in the order of their numbers, as ``stored_by_id``; ``uid`` is 0.

    The first frame comes along where the content is small, and so does the structure (else b'').
    """
    if len(numbers) == 1:
        rows = await reader.rows(_STORED_ONE, SMALL, account << 32 | numbers[0])
    else:
        rows = await reader.rows(_STORED_OF, SMALL, _ids(account, numbers))
    return [Stored(*row) for row in rows]


TEXT_COLUMNS = frozenset(
    {"w.subject", "w.from_text", "w.to_text", "w.cc_text", "w.bcc_text", "w.message_id"}
)


async def texts_of(
    reader: Reader, account: int, numbers: Sequence[int], column: str, part: str, long: int
) -> list[Row]:
    """Rows (email number, text) of a text column of emails by number that may hold an ASCII ``part``.

    Left out is what surely does not: ASCII text without it in any case, and shorter than ``long``.
    NULL comes along, and perhaps emails whose numbers stand between. The database looks through the
    texts, which is quicker than to hand them out.
    """
    low, high = min(numbers, default=0), max(numbers, default=0)
    dense = high - low < 2 * len(numbers)
    sql = _cache_texts.get((column, dense))
    if sql is None:
        if column not in TEXT_COLUMNS:
            raise ValueError(f"no such text column: {column}")
        ids = "w.id BETWEEN $3 AND $4"
        sql = _cache_texts[column, dense] = both(
            f"SELECT w.id & 4294967295, {column} FROM email_wide w WHERE ({column} IS NULL"
            f" OR {{like}} OR octet_length({column}) <> length({column})"
            f" OR length({column}) >= $2) AND {{ids}}",
            ids=Sql(ids, ids) if dense else any_of("w.id", 3),
            like=Sql(
                sqlite=f"{column} LIKE $1 ESCAPE '!'", postgres=f"{column} ILIKE $1 ESCAPE '!'"
            ),
        )
    pattern = part.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    base = account << 32
    keys = (base | low, base | high) if dense else (_ids(account, numbers),)
    return await reader.rows(sql, f"%{pattern}%", long, *keys)


_cache_texts: dict[tuple[str, bool], Sql] = {}
