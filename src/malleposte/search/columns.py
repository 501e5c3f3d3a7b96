"""Header fields that the store keeps decoded in columns, looked through there.

A column is cut at a length (``mime.Summary``): where it is that long and does not hold the text, only the
header itself can tell.
"""

from collections.abc import Sequence
from typing import Final

from malleposte.search.folding import Pause
from malleposte.search.needle import Needle
from malleposte.store.dialect import Reader, Row
from malleposte.store.read import emails as read_emails

TEXT_COLUMNS: Final = {
    "from": ("w.from_text", 990),
    "to": ("w.to_text", 990),
    "cc": ("w.cc_text", 990),
    "bcc": ("w.bcc_text", 990),
    "subject": ("w.subject", 1_000),
    "message-id": ("w.message_id", 1 << 30),
}
"""Header to its column, and from which length on it may have been cut: an address that did not fit
into 4,000 characters has 3,010 at the most (a group's name, its own and the address)."""

ROWS: Final = 400
"""Rows a statement brings: some 1 ms."""
TEXT_ROWS: Final = 500
"""Rows a statement looks through: some 1 ms."""

_ADDRESSES: Final = frozenset(("from", "to", "cc", "bcc"))

Verdicts = dict[int, bool | None]
"""By email number: whether the column holds the text; None where it cannot tell."""


def has_column(name: str, text: str) -> bool:
    """Whether a column can answer. An empty text asks whether the header is there at all; the signs of
    an address list are not in the column as they are in the header."""
    if name not in TEXT_COLUMNS or not text:
        return False
    return name not in _ADDRESSES or not any(sign in text for sign in '<>"():;,')


class ColumnText:
    """A text that is looked for in the column of a header field."""

    def __init__(self, name: str, needle: Needle) -> None:
        self.column, self._cut_at = TEXT_COLUMNS[name]
        self._needle = needle
        self._brackets = name == "message-id"  # which the column leaves out
        part = needle.probe.text if needle.words else needle.text
        self._part = part
        self._asked = part.isascii() and not (self._brackets and ("<" in part or ">" in part))
        """The database hands out only what may hold it."""
        self.rows_at_once = TEXT_ROWS if self._asked else ROWS

    async def rows(self, reader: Reader, account: int, numbers: Sequence[int]) -> list[Row]:
        """Rows (email number, text) of emails by number, those left out that surely do not hold it."""
        if not self._asked:
            return await read_emails.columns_of(reader, account, numbers, (self.column,))
        return await read_emails.texts_of(
            reader, account, numbers, self.column, self._part, self._cut_at
        )

    async def verdicts(self, rows: list[Row], pause: Pause) -> Verdicts:
        """Of what ``rows`` brought; what is left out there does not hold it."""
        needle, verdicts = self._needle, Verdicts()
        for number, value in rows:
            if value is None:
                verdicts[number] = None  # no id that could be kept, perhaps something else
                continue
            text = f"<{value}>" if self._brackets else value
            if needle.words is not None:
                text = " ".join(text.split())
            if text.isascii():
                held = needle.within(text.lower())
            else:
                held = await needle.in_text(text, pause)
            verdicts[number] = held or (None if len(value) >= self._cut_at else False)
        return verdicts
