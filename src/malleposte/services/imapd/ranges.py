"""UIDs cut into what one store command takes."""

from array import array

from malleposte.store.commands import MAX_ROWS, Ranges
from malleposte.wire.imap.sets import NumberSet


def slices(uids: "array[int]") -> list[Ranges]:
    """Ascending UIDs as the ranges of commands, each of ``MAX_ROWS`` messages at most."""
    return [
        NumberSet.from_sorted(uids[start : start + MAX_ROWS]).ranges
        for start in range(0, len(uids), MAX_ROWS)
    ]
