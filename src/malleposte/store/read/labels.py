"""Labels of an account."""

from typing import Final, NamedTuple

from malleposte.store.dialect import Reader


class Label(NamedTuple):
    """A keyword that has a name to be shown."""

    keyword: str
    title: str
    colour: str
    sort_order: int


_LABELS: Final = (
    "SELECT name, title, colour, sort_order FROM keyword WHERE account = $1 AND title <> ''"
    " ORDER BY sort_order, name"
)


async def labels(reader: Reader, account: int) -> list[Label]:
    """In their order."""
    return [Label(*row) for row in await reader.rows(_LABELS, account)]


async def modseq(reader: Reader, account: int) -> int:
    """Of the last change of one; keywords that are new count as well."""
    row = await reader.row(
        "SELECT coalesce(max(modseq), 0) FROM keyword WHERE account = $1", account
    )
    return int(row[0]) if row else 0
