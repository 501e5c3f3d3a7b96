"""Content that is uploaded before an email or a script uses it: a day long, and so much an account."""

from malleposte.store import dialect
from malleposte.store.commands import UPLOAD_KEPT, UPLOAD_SAFE, PutUpload
from malleposte.store.dialect import any_of, both
from malleposte.store.execute.filing import Known
from malleposte.store.execute.upkeep import delete_unused
from malleposte.store.results import Refused, Swept
from malleposte.store.work import Work

_UPLOAD = dialect.insert(
    "upload", {"account": "bigint", "id": "bigint", "blob": "bigint", "until": "bigint"}
)
_HELD = (
    "SELECT u.id, u.until, b.size, b.id FROM upload u JOIN blob b ON b.id = u.blob"
    " WHERE u.account = $1 ORDER BY u.until, u.id"
)
_DROP = both("DELETE FROM upload WHERE account = $1 AND {ids}", ids=any_of("id", 2))


async def put_upload(work: Work, command: PutUpload, known: Known) -> Refused | Swept:
    """Execute ``PutUpload``. RFC 8620 §6: where there is no room, the oldest go, once they are an hour
    old."""
    head = await work.head(command.account)
    if head is None:
        return Refused(reason="no-such-account")
    await work.flush()
    held = await work.tx.rows(_HELD, command.account)
    count, octets = len(held) + 1, sum(row[2] for row in held) + command.content.size
    dropped: list[int] = []
    blobs: set[int] = set()
    for number, until, size, blob in held:
        if count <= command.most and octets <= command.most_octets:
            break
        if until > work.now + UPLOAD_KEPT - UPLOAD_SAFE:
            break
        dropped.append(number)
        blobs.add(blob)
        count -= 1
        octets -= size
    if count > command.most or octets > command.most_octets:
        return Refused(reason="limit", text="too much was uploaded within an hour and not used")
    files: tuple[str, ...] = ()
    if dropped:
        await work.tx.run(_DROP, command.account, dropped)
        # At once, or who uploads without end fills the disk with what rests for the sweep; but for what
        # commands beside this one were told is here.
        blobs.difference_update(known.blobs.values())
        _, files = await delete_unused(work, sorted(blobs), work.now - UPLOAD_SAFE)
    blob = known.blob(work, head.organisation, command.content, id(command))
    work.add(_UPLOAD, (command.account, command.number, blob, work.now + UPLOAD_KEPT))
    return Swept(count=len(dropped), files=files, after=0, more=False)
