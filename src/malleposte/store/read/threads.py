"""Which emails are in a thread, in the order they came."""

from collections.abc import Sequence

from malleposte.store.dialect import Reader
from malleposte.store.matching import Parameters, Writer, among


async def emails_of(
    reader: Reader,
    threads: Sequence[int],
    *,
    actor: int = 0,
    mailboxes: tuple[int, ...] | None = None,
) -> dict[int, list[int]]:
    """Emails of threads, by received date; a thread of which nothing is seen is left out. ``actor`` and
    ``mailboxes`` as ``matching.Writer`` has them."""
    parameters = Parameters()
    writer = Writer(reader.dialect, parameters, actor, mailboxes)
    where = among(reader.dialect, "e.thread", parameters.add(list(threads)))
    rows = await reader.rows(
        f"SELECT e.thread, e.id FROM email e WHERE {where} AND e.mailboxes > 0 AND {writer.visible()}"
        " ORDER BY e.thread, e.received_at, e.id",
        *parameters.values,
    )
    found: dict[int, list[int]] = {}
    for thread, email in rows:
        found.setdefault(thread, []).append(email)
    return found
