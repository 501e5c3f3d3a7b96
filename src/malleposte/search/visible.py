"""What a person reads of an email: the text of its parts, of HTML what is shown of it.

Text comes in windows: white space squeezed, ending between words where there are any, each with the end of
the one before, so that what is looked for stands whole in one of them. Attachments that are no text are
left out; of an embedded message the fields that are shown count as text.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from html import unescape
from typing import Final

from malleposte.mime import Part, decode_text
from malleposte.mime.charset import TextDecoder
from malleposte.mime.html_text import html_text_slices
from malleposte.mime.part import Kind
from malleposte.mime.transfer import decoder
from malleposte.search.contents import as_it_stands, chunks
from malleposte.search.headers import values_of
from malleposte.search.needle import Needle
from malleposte.store.opened import HEADER_BYTES, Opened

AT_ONCE: Final = 32 * 1024
"""Octets, and characters, that are looked at at once."""
HTML_OCTETS: Final = 2 << 20
"""Of an HTML part: what is past it is pictures within the text, or nothing that was written."""
LONGEST_WORD: Final = 1_000
"""How far back a window's end is looked for."""
PARTS: Final = 16
"""Parts between two looks at the clock."""

_SHOWN: Final = (b"from", b"to", b"cc", b"subject")
_SPACE: Final = re.compile(r"\s(?=\S*\Z)")


def read_parts(parts: Sequence[Part]) -> list[Part]:
    """Those that are text, plain ones first: they are the quicker to look through."""
    found = [part for part in parts if part.kind == Kind.LEAF and part.type in ("text", "message")]
    found.sort(key=_is_html)
    return found


def _is_html(part: Part) -> bool:
    return part.type == "text" and part.subtype == "html"


async def _decoded(opened: Opened, part: Part, most: int | None = None) -> AsyncIterator[str]:
    """The text of a part in pieces; of ``most`` octets of its body."""
    start, end = opened.body(part)
    if most is not None:
        end = min(end, start + most)
    undo, read = decoder(part.encoding), TextDecoder(part.charset)
    async for piece in chunks(opened, start, end):
        for at in range(0, len(piece), AT_ONCE):
            if text := read.feed(undo.feed(piece[at : at + AT_ONCE])):
                yield text
            await opened.pause()
    if text := read.feed(undo.end(), final=True):
        yield text


async def html_of(opened: Opened, part: Part) -> str:
    """The source of an HTML part, as much as is read."""
    return "".join([text async for text in _decoded(opened, part, HTML_OCTETS)])


async def _texts(opened: Opened, part: Part, html: str | None) -> AsyncIterator[str]:
    if html is None:
        async for text in _decoded(opened, part):
            yield text
        return
    for text in html_text_slices(html):
        for at in range(0, len(text), AT_ONCE):
            yield text[at : at + AT_ONCE]
        await opened.pause()


async def windows(
    opened: Opened, part: Part, overlap: int, html: str | None = None
) -> AsyncIterator[str]:
    """The text of a part in windows (see the module) that overlap by so many characters at least, where
    white space lets them. ``html``: its source, where it was read already."""
    if html is None and _is_html(part):
        html = await html_of(opened, part)
    raw = ""
    async for text in _texts(opened, part, html):
        raw += text
        if len(raw) < AT_ONCE:
            continue
        space = _SPACE.search(raw, len(raw) - LONGEST_WORD)
        end = len(raw) if space is None else space.start()
        window = squeezed(raw[:end])
        if window:
            yield window
        raw = _tail(window, overlap) + raw[end:]
    if window := squeezed(raw):
        yield window


def squeezed(text: str) -> str:
    """Each run of white space as one space, none at the ends, without soft hyphens."""
    if "\xad" in text:
        text = text.replace("\xad", "")
    return " ".join(text.split())


def _tail(window: str, overlap: int) -> str:
    """The end of a window, of whole words if it has several."""
    if not overlap or len(window) <= overlap:
        return window if overlap else ""
    tail = window[-overlap:]
    before = window[-overlap - 1]
    _, space, whole = tail.partition(" ")
    return tail if before == " " or not space else whole


async def found(opened: Opened, needles: Sequence[Needle]) -> AsyncGenerator[tuple[Needle, str]]:
    """Those of the needles that the text has, each when it is come upon, with the window that has it.
    Raises ``Damaged``."""
    left = list(needles)
    overlap = max((4 * len(needle.text) + 4 for needle in left), default=0)
    absent = _absent(opened, left)
    parts = await opened.parts()
    for n, part in enumerate(read_parts(parts), 1):
        if n % PARTS == 0:
            await opened.pause()
        html: str | None = None
        if _is_html(part):
            html = await html_of(opened, part)
            if not await _may_show(opened, html, left):
                continue
        elif absent and as_it_stands(part):
            continue
        async for window in windows(opened, part, overlap, html):
            for needle in tuple(left):
                if await needle.in_text(window, opened.pause):
                    left.remove(needle)
                    yield needle, window
            if not left:
                return
    for part in parts:
        if part.kind == Kind.MESSAGE and part.children and left:
            text = await _embedded(opened, parts[part.children[0]])
            for needle in tuple(left):
                if await needle.in_text(text, opened.pause):
                    left.remove(needle)
                    yield needle, text


def _absent(opened: Opened, needles: Sequence[Needle]) -> bool:
    """Whether a small message that is all ASCII has surely none of them but where it is encoded."""
    data = opened.data
    if data is None or not data.isascii() or any(needle.probe.octets is None for needle in needles):
        return False
    lower = data.lower()
    return not any((needle.probe.octets or b"") in lower for needle in needles)


async def _may_show(opened: Opened, html: str, needles: Sequence[Needle]) -> bool:
    """Whether a text may be among what HTML shows: it is in the source as references are read, with tags or
    without those that divide no words. To take out what is shown costs several times as much."""
    probes = [needle.probe for needle in needles]
    for at in range(0, len(html), AT_ONCE):
        some = html[max(0, at - BEFORE) : at + AT_ONCE]
        if _COMMENTED.search(some) is not None:
            return True
        if "&" in some:
            some = unescape(some)
        if "\xad" in some:
            some = some.replace("\xad", "")
        # As it stands, for what tags show themselves.
        for text in (some, _INLINE.sub("", some)) if "<" in some else (some,):
            for probe in probes:
                if await probe.in_text(text, opened.pause):
                    return True
        await opened.pause()
    return False


BEFORE: Final = 2_000
"""Characters of the slice before, for words that stand across: several tags, and a text."""
_INLINE: Final = re.compile(
    r"</?(?:a|abbr|acronym|b|bdi|bdo|big|cite|code|del|dfn|em|font|i|ins|kbd|mark|q|s|samp|small|span"
    r"|strike|strong|sub|sup|tt|u|var|wbr)(?=[\s/>])[^>]{0,500}>",
    re.IGNORECASE,
)
_COMMENTED: Final = re.compile(r"\w<!")


async def _embedded(opened: Opened, root: Part) -> str:
    """The fields of an embedded message that are shown with it."""
    start, end = opened.header(root)
    header = await opened.octets(start, min(end, start + HEADER_BYTES))
    values = [value for name in _SHOWN for value in values_of(header, name)]
    return squeezed(" ".join(decode_text(value) for value in values[:PARTS]))


async def file_names(opened: Opened) -> list[str]:
    """Names of the files that come with it."""
    return [part.name for part in await opened.parts() if part.name]
