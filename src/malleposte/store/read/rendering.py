"""What rendering anew reads: emails in order, and one of them with content and all that was made of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from malleposte.store.commands import Rendered
from malleposte.store.dialect import Reader, Row
from malleposte.store.execute.filing import RENDERED_COLUMNS, rendered_row
from malleposte.store.ids import LOW
from malleposte.store.read.emails import Damaged, Stored

_IDS = (
    "SELECT e.id, CASE WHEN w.id IS NULL THEN 1 ELSE 0 END FROM email e"
    " LEFT JOIN email_wide w ON w.id = e.id WHERE e.id > $1 AND e.id <= $2 ORDER BY e.id LIMIT $3"
)
_KEPT = (
    "SELECT e.blob, e.size, b.id, b.size, b.place, b.digest, f.data, w.id, length(w.prefix),"
    " e.sent_at, e.attachment, "
    + ", ".join(f"w.{name}" for name in RENDERED_COLUMNS)
    + " FROM email e LEFT JOIN blob b ON b.id = e.blob"
    " LEFT JOIN blob_frame f ON f.id = b.id * 4096 LEFT JOIN email_wide w ON w.id = e.id"
    " WHERE e.id = $1"
)


async def ids(reader: Reader, account: int, limit: int) -> AsyncIterator[list[tuple[int, bool]]]:
    """Emails of an account, also those that are only recoverable, at most ``limit`` at a time; whether
    each lost its wide row.

    What comes after the first look is left out: else there might be no end.
    """
    at = account << 32
    row = await reader.row("SELECT max(id) FROM email WHERE id BETWEEN $1 AND $2", at, at + LOW)
    last = row[0] if row and row[0] else at
    while at < last:
        rows = await reader.rows(_IDS, at, last, limit)
        if not rows:
            return
        at = rows[-1][0]
        yield [(email, bool(lost)) for email, lost in rows]


@dataclass(frozen=True, slots=True)
class Kept:
    """One email. ``content``: as stored, without the prefix; ``digest``: what it must have."""

    content: Stored
    digest: bytes
    lost: bool
    """The wide row is gone."""
    right_size: bool
    """The email says the size that prefix and content have."""
    _columns: tuple[Any, ...]

    def differs(self, rendered: Rendered) -> bool:
        """Whether ``rendered`` is another than what the store keeps."""
        now = (rendered.sent_at, int(rendered.attachment), *rendered_row(rendered))
        return self.lost or not self.right_size or self._columns != now


async def kept(reader: Reader, email: int) -> Kept | None:
    """An email by id; None: it is gone. Raises ``Damaged`` where its content is."""
    row: Row | None = await reader.row(_KEPT, email)
    if row is None:
        return None
    named, email_size, blob, size, place, digest, first, wide, prefix, *columns = row
    if blob is None:
        raise Damaged(f"its content (blob {named}) is gone")
    return Kept(
        content=Stored(0, email, size, b"", b"", blob, size, place, first),
        digest=digest,
        lost=wide is None,
        right_size=email_size == size + (prefix or 0),
        _columns=tuple(columns),
    )
