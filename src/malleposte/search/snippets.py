"""Where a text was found, shown: HTML in which what was looked for is marked (RFC 8621 §5).

Text is escaped first and last: nothing of a message is markup here but ``<mark>``.
"""

from collections.abc import Iterable, Sequence
from contextlib import aclosing
from html import escape
from typing import Final

from malleposte.search import visible
from malleposte.search.folding import Pause, fold, pieces
from malleposte.search.needle import Needle
from malleposte.store.opened import Opened

MOST_OCTETS: Final = 255
"""Of a section of the body (RFC 8621 §5)."""
BEFORE: Final = 60
"""Characters shown before what was found."""
AFTER: Final = 400
"""Characters looked at after its beginning: more than are shown."""
SLICE: Final = 1_000
"""Characters in which the place is looked for at once."""

_OPEN: Final = "<mark>"
_CLOSE: Final = "</mark>"
_MORE: Final = "…"

Span = tuple[int, int]


def marked(text: str, needles: Iterable[Needle]) -> str | None:
    """The whole of a short text with all needles marked; None where it has none of them."""
    text = visible.squeezed(text)
    spans = _spans(text, needles)
    return _rendered(text, spans, 0, None) if spans else None


async def section(opened: Opened, needles: Sequence[Needle]) -> str | None:
    """A section of the body with what was found in it marked, at most ``MOST_OCTETS`` long; None where
    nothing is. Raises ``Damaged``."""
    async with aclosing(visible.found(opened, needles)) as hits:
        async for needle, window in hits:
            at, end = await _place(window, needle, opened.pause)
            start = _word_start(window, max(0, at - BEFORE))
            region = window[start : end + AFTER]
            spans = _spans(region, needles)
            if not spans:
                continue
            first = _word_start(region, max(0, spans[0][0] - BEFORE))
            cut = start > 0 or first > 0
            room = MOST_OCTETS - (len(_MORE.encode()) if cut else 0)
            shown = _rendered(region, spans, first, room)
            return f"{_MORE}{shown}" if cut else shown
    return None


async def _place(window: str, needle: Needle, pause: Pause) -> Span:
    """The slice in which a window has a needle."""
    overlap = 4 * len(needle.text) + 4
    at = 0
    while True:
        end = _word_end(window, min(len(window), at + SLICE + overlap))
        if end >= len(window) or await needle.in_text(window[at:end], pause):
            return at, end
        at = _word_start(window, max(at + 1, end - overlap))
        await pause()


def _word_start(text: str, at: int) -> int:
    """The beginning of the word that stands there, if that is not far."""
    space = text.rfind(" ", max(0, at - BEFORE), at)
    if space >= 0:
        return space + 1
    return 0 if at <= BEFORE else at


def _word_end(text: str, at: int) -> int:
    space = text.find(" ", at, at + BEFORE)
    return at if space < 0 else space


def _spans(text: str, needles: Iterable[Needle]) -> list[Span]:
    """Where needles stand, in order, those that touch put together."""
    if text.isascii():
        folded, starts, ends = text.lower(), None, None
    else:
        folded, starts, ends = _folded(text)
    found: list[Span] = []
    for needle in needles:
        for start, end in _occurrences(folded, needle):
            if starts is None or ends is None:
                found.append((start, end))
            else:
                found.append((starts[start], ends[end - 1]))
    found.sort()
    together: list[Span] = []
    for start, end in found:
        if together and start <= together[-1][1]:
            together[-1] = (together[-1][0], max(end, together[-1][1]))
        else:
            together.append((start, end))
    return together


def _folded(text: str) -> tuple[str, list[int], list[int]]:
    """A text folded, and for each character of that where what it was made of begins and ends."""
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for piece in pieces(text, 1):
        folded = fold(piece)
        out.append(folded)
        starts += [at] * len(folded)
        at += len(piece)
        ends += [at] * len(folded)
    return "".join(out), starts, ends


def _occurrences(folded: str, needle: Needle) -> Iterable[Span]:
    if needle.words is not None:
        return [match.span() for match in needle.words.finditer(folded)]
    if not needle.text:
        return []
    found: list[Span] = []
    at = folded.find(needle.text)
    while at >= 0:
        found.append((at, at + len(needle.text)))
        at = folded.find(needle.text, at + len(needle.text))
    return found


def _rendered(text: str, spans: list[Span], start: int, room: int | None) -> str:
    """HTML of a text from a place on, in so many octets at most; what is cut ends with a sign."""
    runs = _runs(text, spans, start)
    whole = "".join(f"{_OPEN}{escape(run)}{_CLOSE}" if mark else escape(run) for run, mark in runs)
    if room is None or len(whole.encode("utf-8", "replace")) <= room:
        return whole
    out: list[str] = []
    left = room - len(_MORE.encode())
    for run, mark in runs:
        edge = len(_OPEN) + len(_CLOSE) if mark else 0
        taken: list[str] = []
        for character in run:
            shown = escape(character)
            size = len(shown.encode("utf-8", "replace"))
            if size > left - edge:
                break
            taken.append(shown)
            left -= size
        cut = len(taken) < len(run)
        if cut and not mark and " " in taken:
            del taken[len(taken) - 1 - taken[::-1].index(" ") :]
        if taken:
            shown = "".join(taken)
            out.append(f"{_OPEN}{shown}{_CLOSE}" if mark else shown)
            left -= edge
        if cut:
            break
    return "".join(out) + _MORE


def _runs(text: str, spans: list[Span], start: int) -> list[tuple[str, bool]]:
    """A text from a place on in runs, each with whether it is marked."""
    found: list[tuple[str, bool]] = []
    for first, end in spans:
        if end <= start:
            continue
        first = max(first, start)
        if first > start:
            found.append((text[start:first], False))
        found.append((text[first:end], True))
        start = end
    if start < len(text):
        found.append((text[start:], False))
    return found
