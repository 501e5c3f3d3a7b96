"""What the store keeps of a card: its content, photos apart, and what it is listed and found by."""

import base64
import binascii
import re
import secrets
import uuid
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from malleposte.groupware.vcard import Kept
from malleposte.groupware.vcard.writing import full_name
from malleposte.normal_form import normal
from malleposte.store.commands import CardChange, Media

_DATA: Final = re.compile(
    r"data:([a-z0-9.+-]+/[a-z0-9.+-]+|);base64,([A-Za-z0-9+/=]*)", re.IGNORECASE
)
_IMAGES: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
)
MOST_FOUND: Final = 128 * 1024
"""Characters by which a card is found; members stand last."""
MOST_TEXT: Final = 4_000
"""Of one text among them."""
_MARKS: Final = re.compile("[\u0300-\u036f]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")
"""What no column of a database holds."""

_decode = msgspec.json.Decoder(Kept).decode


@dataclass(frozen=True, slots=True)
class Prepared:
    """A card as the store takes it. ``kept``: numbers of media that it had already."""

    kept: Kept
    media: tuple[Media, ...]
    had: tuple[int, ...]

    def change(self, now: int, **more: Any) -> CardChange:
        """The command; ``more`` are the fields that say which card, and where."""
        card = self.kept.card
        given, surname, surname2 = (
            " ".join(_components(card, kind)) for kind in ("given", "surname", "surname2")
        )
        return CardChange(
            uid=card["uid"],
            kind=card.get("kind", "individual"),
            given=fold(given or full_name(card))[:200],
            surname=fold(surname or full_name(card))[:200],
            surname2=fold(surname2)[:200],
            created_at=_seconds(card.get("created"), now),
            updated_at=_seconds(card.get("updated"), now),
            found=found_by(card),
            content=msgspec.json.encode(self.kept),
            media=self.media,
            kept=self.had,
            **more,
        )


def opened(content: bytes) -> Kept:
    """A card from the store: of its media it has numbers alone (``blobId``)."""
    return _decode(content)


def prepared(kept: Kept) -> Prepared:
    """A card for the store: photos in it are put apart, and it has a uid."""
    card = deepcopy(kept.card)
    if not isinstance(card.get("uid"), str) or not card["uid"]:
        card["uid"] = f"urn:uuid:{uuid.uuid4()}"
    media: list[Media] = []
    had: list[int] = []
    for one in _objects(card, "media"):
        number = one.get("blobId")
        if isinstance(number, str) and number.isdigit():
            had.append(int(number))
            continue
        octets = _data(one.get("uri"))
        if octets is not None:
            kind = str(one.get("mediaType") or image_type(octets) or "application/octet-stream")
            media.append(Media(n=secrets.randbits(62) | 1, kind=kind, octets=octets))
            del one["uri"]
            one["blobId"] = str(media[-1].n)
    return Prepared(Kept(card, kept.instead), tuple(media), tuple(dict.fromkeys(had)))


def whole(kept: Kept, media: Mapping[int, tuple[str, bytes]]) -> Kept:
    """A card from the store with its media in it, as vCard has them."""
    if not isinstance(kept.card.get("media"), dict):
        return kept
    card = deepcopy(kept.card)
    for one in _objects(card, "media"):
        number = one.pop("blobId", None)
        if isinstance(number, str) and number.isdigit() and int(number) in media:
            kind, octets = media[int(number)]
            kind = str(one.get("mediaType", kind))
            one["uri"] = f"data:{kind};base64,{base64.b64encode(octets).decode()}"
    return Kept(card, kept.instead)


def image_type(octets: bytes) -> str:
    """The type of an image by its first octets; '' for what is none."""
    for first, kind in _IMAGES:
        if octets.startswith(first):
            return kind
    if octets[:4] == b"RIFF" and octets[8:12] == b"WEBP":
        return "image/webp"
    if octets[4:8] == b"ftyp":
        brand = octets[8:12]
        if brand in (b"avif", b"avis"):
            return "image/avif"
        if brand in (b"heic", b"heix", b"mif1", b"msf1"):
            return "image/heic"
    return ""


def _data(uri: Any) -> bytes | None:
    found = _DATA.fullmatch(uri) if isinstance(uri, str) and uri[:5].lower() == "data:" else None
    if found is None:
        return None
    try:
        return base64.b64decode(found[2], validate=True)
    except (binascii.Error, ValueError):
        return None


def _seconds(date: Any, otherwise: int) -> int:
    try:
        return int(datetime.fromisoformat(str(date)).timestamp())
    except (ValueError, OverflowError):
        return otherwise


# What a card is found by ---------------------------------------------------------------------------

FIELDS: Final = {
    "name": "n",
    "name/given": "g",
    "name/surname": "s",
    "name/surname2": "t",
    "nickname": "k",
    "organization": "o",
    "email": "e",
    "phone": "p",
    "onlineService": "i",
    "address": "a",
    "note": "x",
}
"""Letters of the lines that a filter looks at (RFC 9610 §3.3.1)."""
OTHER: Final = "w"
"""What only a search in everything finds."""
MEMBER: Final = "m"
"""A uid, as it is."""


def fold(text: str) -> str:
    """Texts that look alike are the same: without case, accents and differences of form."""
    text = _CONTROL.sub(" ", text)
    if text.isascii():
        return text.lower()
    return normal("NFKC", _MARKS.sub("", normal("NFKD", text)).casefold())


def found_by(card: dict[str, Any]) -> str:
    """Lines of a letter and a folded text."""
    lines: list[str] = []
    size = 0
    for letter, text in _texts(card):
        shown = (
            _CONTROL.sub("", text) if letter == MEMBER else fold(" ".join(text[:MOST_TEXT].split()))
        )
        line = f"{letter}{shown}"
        size += len(line) + 1
        if size > MOST_FOUND:
            break
        if shown:
            lines.append(line)
    return "\n".join(dict.fromkeys(lines))


def _texts(card: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "n", full_name(card)
    for kind, letter in (("given", "g"), ("surname", "s"), ("surname2", "t")):
        yield letter, " ".join(_components(card, kind))
    yield "n", " ".join(_strings(_list(card.get("name"), "components"), "value"))
    for one in _objects(card, "emails"):
        yield "e", _string(one, "address")
    for one in _objects(card, "nicknames"):
        yield "k", _string(one, "name")
    for one in _objects(card, "organizations"):
        names = [_string(one, "name"), *_strings(_list(one, "units"), "name")]
        yield "o", " ".join(names)
    for one in _objects(card, "phones"):
        number = _string(one, "number")
        yield "p", number
        yield "p", re.sub(r"[^0-9+]", "", number)
    for one in _objects(card, "onlineServices"):
        yield "i", " ".join(_string(one, name) for name in ("service", "user", "uri"))
    for one in _objects(card, "addresses"):
        parts = _strings(_list(one, "components"), "value")
        yield "a", " ".join([_string(one, "full"), *parts])
    for one in _objects(card, "titles"):
        yield OTHER, _string(one, "name")
    for one in _objects(card, "links"):
        yield OTHER, _string(one, "uri")
    for one in _objects(card, "personalInfo"):
        yield OTHER, _string(one, "value")
    for word in _map(card, "keywords"):
        yield OTHER, word
    for one in _objects(card, "notes"):
        yield "x", _string(one, "note")
    for uid in _map(card, "members"):
        yield MEMBER, uid


def _map(found: Any, name: str) -> dict[str, Any]:
    value = found.get(name) if isinstance(found, dict) else None
    return value if isinstance(value, dict) else {}


def _list(found: Any, name: str) -> list[Any]:
    value = found.get(name) if isinstance(found, dict) else None
    return value if isinstance(value, list) else []


def _objects(card: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    return (one for one in _map(card, name).values() if isinstance(one, dict))


def _string(found: Any, name: str) -> str:
    value = found.get(name) if isinstance(found, dict) else None
    return value if isinstance(value, str) else ""


def _strings(found: Iterable[Any], name: str) -> list[str]:
    return [_string(one, name) for one in found if _string(one, name)]


def _components(card: dict[str, Any], kind: str) -> list[str]:
    components = _list(card.get("name"), "components")
    return [
        _string(one, "value")
        for one in components
        if isinstance(one, dict) and one.get("kind") == kind
    ]
