"""Uploads of an account, as emails without a prefix are read."""

from typing import Final

from malleposte.store.dialect import Reader
from malleposte.store.read.emails import Stored

_UPLOAD: Final = (
    "SELECT b.id, b.size, b.place, f.data FROM upload u JOIN blob b ON b.id = u.blob"
    " LEFT JOIN blob_frame f ON f.id = b.id * 4096 WHERE u.account = $1 AND u.id = $2"
)


async def upload(reader: Reader, account: int, number: int) -> Stored | None:
    """One upload by its number; None: there is none such, or not any more."""
    row = await reader.row(_UPLOAD, account, number)
    if row is None:
        return None
    blob, size, place, first = row
    return Stored(0, 0, size, b"", b"", blob, size, place, first)
