"""A vCard as a card that loses nothing: JSContact, and how lines stood that would come out otherwise.

What is read is written again at once, and compared. Lines that come out another way (parameters that
JSContact does not know, another case, a list in two lines) are kept beside the card, with what comes out in
their place: as long as that comes out, they stand there instead. So what somebody changes through JMAP
counts, and all else comes back as it was. It holds for the version that was read; the other one is made of
the card.
"""

from collections import Counter, deque
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from malleposte.groupware.content_lines import (
    Key,
    Line,
    NotReadableError,
    folded,
    lines,
    plain,
    text_of,
)
from malleposte.groupware.vcard import third
from malleposte.groupware.vcard.reading import read as read_lines
from malleposte.groupware.vcard.values import escaped
from malleposte.groupware.vcard.writing import full_name, write

Version = Literal["3.0", "4.0"]
MAX_CARD_LINES: Final = 2_000
MAX_KEPT: Final = 16 * 1024
"""Octets of a line that is kept as it stood; longer ones are pictures, which come out the same."""
_ALWAYS: Final = ("FN", "N")
"""What is written also where it was not read."""


class NotACardError(ValueError):
    """What came is no vCard; the words say why."""


class Instead(msgspec.Struct, frozen=True, array_like=True):
    """Lines of ``version`` that stand in the place of others, if those all come out."""

    version: Version
    out: tuple[str, ...]
    put: tuple[str, ...]


class Kept(msgspec.Struct, frozen=True):
    """A card as it is kept."""

    card: dict[str, Any]
    instead: tuple[Instead, ...] = ()


def read(octets: bytes) -> Kept:
    """The one card of a file. Raises ``NotACardError``."""
    found = read_all(octets)
    if len(found) != 1:
        raise NotACardError("one vCard is expected, and not several")
    if isinstance(found[0], NotACardError):
        raise found[0]
    return found[0]


def read_all(octets: bytes) -> list[Kept | NotACardError]:
    """The cards of a file in order, or why one is none. Raises ``NotACardError`` where there are none."""
    found: list[Kept | NotACardError] = []
    within: list[Line] | None = None
    depth = 0
    try:
        for line in lines(text_of(octets)):
            if line.name == "BEGIN" and line.value.strip().upper() == "VCARD":
                depth += 1
                if depth == 1:
                    within = []
                    continue
            if line.name == "END" and line.value.strip().upper() == "VCARD" and depth:
                depth -= 1
                if depth == 0:
                    found.append(_card(within or ()))
                    within = None
                    continue
            if within is not None:
                within.append(line)
    except NotReadableError as error:
        raise NotACardError(str(error)) from None
    if depth:
        raise NotACardError("its end is missing (END:VCARD)")
    if not found:
        raise NotACardError("there is no vCard in it (BEGIN:VCARD)")
    return found


def _card(within: Sequence[Line]) -> Kept | NotACardError:
    if len(within) > MAX_CARD_LINES:
        return NotACardError(f"a vCard has {MAX_CARD_LINES} lines at most")
    versions = [line.value.strip() for line in within if line.name == "VERSION"]
    if any(line.name == "BEGIN" for line in within):
        return NotACardError("a vCard stands in another")
    version: Version
    match versions:
        case ["4.0"]:
            version = "4.0"
        case ["3.0"]:
            version = "3.0"
        case _:
            return NotACardError("it is neither of version 3.0 nor of 4.0")
    given = [line for line in within if line.name != "VERSION"]
    card = read_lines([third.risen(line) for line in given] if version == "3.0" else given)
    return Kept(card, _instead(given, _out(card, version), version))


def _instead(given: Sequence[Line], out: Sequence[Line], version: Version) -> tuple[Instead, ...]:
    """Where lines differ from those that come out; by name, those alone that differ."""
    theirs, ours = [line.key for line in given], [line.key for line in out]
    missing, surplus = _beyond(given, theirs, ours), _beyond(out, ours, theirs)
    by_name, in_place = _by_name(missing), _by_name(surplus)
    found: list[Instead] = []
    for name, put in by_name.items():
        instead = in_place.get(name, [])
        if len(put) == len(instead):
            found += (
                Instead(version, (one,), (other,))
                for one, other in zip(instead, put, strict=True)
                if max(len(one), len(other)) <= MAX_KEPT
            )
        elif sum(map(len, (*put, *instead))) <= MAX_KEPT:
            found.append(Instead(version, tuple(instead), tuple(put)))
    return tuple(found)


def _by_name(lines_: Sequence[Line]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in lines_:
        found.setdefault(third.name(line.name), []).append(plain(line))
    return found


def _beyond(lines_: Sequence[Line], keys: Sequence[Key], others: Sequence[Key]) -> list[Line]:
    """The lines that are not among others, by their keys."""
    left = Counter(others)
    found = []
    for line, key in zip(lines_, keys, strict=True):
        if left[key]:
            left[key] -= 1
        else:
            found.append(line)
    return found


def _out(card: dict[str, Any], version: Version) -> list[Line]:
    """The lines of a card."""
    made = write(card)
    if version == "4.0":
        return made
    found = [third.fallen(line) for line in made]
    if not any(line.name == "N" for line in found):
        # RFC 2426 §3.1.2 wants it.
        at = next(at for at, line in enumerate(found) if line.name == "FN")
        found.insert(at + 1, Line("N", f"{escaped(full_name(card))};;;;"))
    return found


def written(kept: Kept, version: Version) -> str:
    """The vCard of a card."""
    texts = [plain(line) for line in _out(kept.card, version)]
    texts = _replaced(texts, [one for one in kept.instead if one.version == version])
    whole = ("BEGIN:VCARD", f"VERSION:{version}", *texts, "END:VCARD", "")
    return "\r\n".join(map(folded, whole))


def _replaced(texts: Sequence[str], every: Sequence[Instead]) -> list[str]:
    """All in one pass: a line is looked up, and not looked for."""
    places: dict[str, deque[int]] = {}
    for at, text in enumerate(texts):
        places.setdefault(text, deque()).append(at)
    put: dict[int, list[str]] = {}
    end: list[str] = []
    for instead in every:
        wanted = Counter(instead.out)
        if any(len(places.get(text, ())) < count for text, count in wanted.items()):
            continue
        gone = [places[text].popleft() for text in instead.out]
        put.update((at, []) for at in gone)
        if gone:
            put[min(gone)] = list(instead.put)
        else:
            end += instead.put
    found: list[str] = []
    for at, text in enumerate(texts):
        found += put.get(at, (text,))
    return found + end
