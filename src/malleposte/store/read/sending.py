"""Reads for who sends: whether something is due, the content of a queued message, how much waits."""

from malleposte.store.dialect import Reader, Sql, both
from malleposte.store.ids import frame_id
from malleposte.store.read.emails import Stored
from malleposte.store.results import TakenMessage

_ANY_DUE = both(
    "SELECT 1 FROM queue_route WHERE due_at <= {now} LIMIT 1",
    # The database's clock, as that of the commands; on SQLite it is this machine's.
    now=Sql(sqlite="unixepoch()", postgres="floor(extract(epoch FROM now()))::bigint"),
)
_WAITING = (
    "SELECT count(*), coalesce(sum(q.size), 0) FROM"
    " (SELECT size FROM queue_message WHERE account = $1 LIMIT $2) AS q"
)


async def any_due(reader: Reader) -> bool:
    """Whether something of the queue is due now."""
    return await reader.row(_ANY_DUE) is not None


async def content_of(reader: Reader, message: TakenMessage) -> Stored:
    """A queued message for ``emails.read``: its prefix, and its content's first frame."""
    row = await reader.row("SELECT data FROM blob_frame WHERE id = $1", frame_id(message.blob, 0))
    return Stored(
        uid=0,
        email=0,
        size=message.size,
        prefix=message.prefix,
        structure=b"",
        blob=message.blob,
        content_size=message.size - len(message.prefix),
        place="file" if row is None else "rows",
        first=None if row is None else row[0],
    )


async def waiting(reader: Reader, sender: int, most: int) -> tuple[int, int]:
    """Messages of a sender (as in ``Handing.account``) in the queue, and their octets; it is not counted
    past ``most`` messages."""
    row = await reader.row(_WAITING, sender, most)
    return (int(row[0]), int(row[1])) if row is not None else (0, 0)
