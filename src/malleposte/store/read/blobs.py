"""Which files in the blob folder nothing needs: what a crash between link and commit left behind."""

from collections.abc import Sequence

from malleposte.store.dialect import Reader, Sql

_UNCLAIMED = Sql(
    sqlite="SELECT f.value FROM json_each($1) f WHERE f.value <"
    " (SELECT next FROM sequence WHERE name = 'blob')"
    " AND NOT EXISTS (SELECT 1 FROM blob b WHERE b.id = f.value AND b.place = 'file')",
    postgres="SELECT f.value FROM unnest($1::bigint[]) AS f(value)"
    " WHERE f.value < (SELECT last_value FROM seq_blob)"
    " AND NOT EXISTS (SELECT 1 FROM blob b WHERE b.id = f.value AND b.place = 'file')",
)


async def unclaimed(reader: Reader, blobs: Sequence[int]) -> list[int]:
    """Ids among ``blobs`` whose file may be removed: no row has it, and none ever will.

    A number not given out yet is left alone: the next large message may link its file under it between
    this look and the removal.
    """
    return [row[0] for row in await reader.rows(_UNCLAIMED, list(blobs))]
