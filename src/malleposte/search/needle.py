"""What is searched for, in the forms it is compared in."""

import functools
import re
from typing import Final

from malleposte.search.folding import PIECE, Pause, fold, forms_of, holds, pieces

LOWERED: Final = 64 * 1024
"""Characters that are looked at at once as they stand: some 3 ms where they are no ASCII."""

_ASCII: Final = bytes(range(128))
_ASTRAL: Final = (
    "\U00010780-\U000107bf\U0001d400-\U0001d7ff\U0001f100-\U0001f1ff\U0001fbf0-\U0001fbff"
)
"""Where characters past the basic plane fold to ASCII (``folding``)."""

_UNSPACED: Final = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff]"
)
"""Scripts that put no space between words, and syllables that take endings."""


class Needle:
    """A text that is looked for: folded; as octets, if it is ASCII of one line; and, where it has a space,
    how it may be folded in a header.

    ``words``: whole words next to each other, one space between; what is searched through has its white
    space squeezed then, and ends between words.
    """

    def __init__(self, text: str, *, words: bool = False) -> None:
        self.text = fold(text.replace("\r\n", "\n"))
        self.words = _whole(self.text) if words else None
        self.octets: bytes | None = None
        self.folded: re.Pattern[bytes] | None = None
        if not self.text.isascii() or "\n" in self.text:
            return
        self.octets = self.text.encode("ascii")
        if b" " in self.octets:
            # A line end with a space or tab behind it is read as one space (RFC 5322 §2.2.3).
            parts = map(re.escape, self.octets.split(b" "))
            self.folded = re.compile(rb"(?: |\r?\n[ \t])".join(parts))

    @functools.cached_property
    def _forms(self) -> re.Pattern[str] | None:
        """What is no ASCII and may be part of it all the same; None where it is no ASCII itself."""
        if not self.text or not self.text.isascii():
            return None
        # Past the basic plane by ranges: a set of single ones there is gone through one by one.
        forms = [form for form in forms_of(self.text) if form < "\U00010000"]
        return re.compile(f"[{re.escape(''.join(forms))}{_ASTRAL}]")

    @functools.cached_property
    def probe(self) -> "Needle":
        """The longest of its words: text without that has not the whole either, however it is spaced."""
        longest = max(self.text.split(), key=len, default="")
        return self if longest == self.text else Needle(longest)

    def within(self, folded: str) -> bool:
        """Whether folded text holds it."""
        if self.words is not None:
            return self.words.search(folded) is not None
        return self.text in folded

    async def in_text(self, text: str, pause: Pause) -> bool:
        """Whether decoded text holds it; ``pause`` is awaited between pieces of work."""
        if self._forms is None:
            return await self._in_folded(text, pause)
        # Nearly all text that holds ASCII holds it in ASCII: folding is slow.
        otherwise = False
        for at in range(0, len(text) or 1, LOWERED):
            some = text[at : at + LOWERED + len(self.text)]
            if self.within(some.lower()):
                return True
            if not otherwise and not some.isascii():
                # What is no ASCII, taken out in C: most of a text is not looked at one by one.
                others = some.encode("utf-8", "replace").translate(None, _ASCII).decode("utf-8")
                otherwise = self._forms.search(others) is not None
            if len(text) > LOWERED:
                await pause()
        return otherwise and await self._in_folded(text, pause)

    async def _in_folded(self, text: str, pause: Pause) -> bool:
        if self.words is None:
            return await holds(text, self.text, pause)
        folded: list[str] = []
        for piece in pieces(text, PIECE):
            folded.append(fold(piece))
            await pause()
        return self.within("".join(folded))


def _whole(folded: str) -> re.Pattern[str]:
    """A phrase that no longer word begins or ends with, where its script sets words apart."""
    before = r"(?<!\w)" if folded and not _UNSPACED.match(folded[0]) else ""
    after = r"(?!\w)" if folded and not _UNSPACED.match(folded[-1]) else ""
    first, last = folded[:1], folded[-1:]
    return re.compile(
        f"{before if _is_word(first) else ''}{re.escape(folded)}{after if _is_word(last) else ''}"
    )


def _is_word(character: str) -> bool:
    return re.fullmatch(r"\w", character) is not None
