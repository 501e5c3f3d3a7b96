"""HTML of messages made safe, in a thread, and its pictures as a client finds them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from malleposte.mime import Part
from malleposte.mime.message_id import id_text
from malleposte.mime.safe_html import Picture, SafeHtml, safe_html
from malleposte.mime.safe_html.links import host
from malleposte.services.jmap.mail.blobs import part_blob
from malleposte.services.jmap.view.images import Images

AT_ONCE: Final = 2
"""Texts in the making, in this process."""


@dataclass(slots=True)
class SafeTexts:
    """One for a process."""

    images: Images
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def of(self, account: int) -> "OfAccount":
        """Those of an account."""
        return OfAccount(self, self.images.signer(account))

    async def made(self, html: str, parts: Mapping[str, str]) -> SafeHtml:
        """In a thread: the loop goes on."""
        async with self._turns:
            return await asyncio.to_thread(safe_html, html, parts)


@dataclass(slots=True)
class OfAccount:
    """One call's. ``signed``: a path of ours for an address of the web; None: there is none."""

    texts: SafeTexts
    signed: Callable[[str], str | None]

    async def made(self, value: dict[str, Any], parts: tuple[Part, ...], blob: str) -> None:
        """An EmailBodyValue of HTML of a message, which is a blob: with safe HTML, and its pictures."""
        found = await self.texts.made(value["value"], _named(parts, blob))
        value["value"] = found.html
        value["isTruncated"] = value["isTruncated"] or found.cut
        value["pictures"] = [self._shown(one) for one in found.pictures]
        value["trackers"] = found.trackers

    def _shown(self, picture: Picture) -> dict[str, Any]:
        if picture.blob:
            return {"blobId": picture.blob}
        if picture.data:
            return {"data": picture.data}
        return {"url": self.signed(picture.remote), "host": host(picture.remote)}


def _named(parts: tuple[Part, ...], blob: str) -> dict[str, str]:
    """Blobs by Content-ID."""
    found: dict[str, str] = {}
    for part in parts:
        if part.content_id is not None and part.section:
            name = id_text(part.content_id.strip(b" \t<>"))
            if name and (id_ := part_blob(blob, part.section)) is not None:
                found.setdefault(name, id_)
    return found
