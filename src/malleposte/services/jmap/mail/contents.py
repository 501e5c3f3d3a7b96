"""What of an email comes out of its content: header fields, parts, texts (RFC 8621 §4.1.2 to §4.1.4)."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from malleposte.mime import BodyLists, Part, body_lists, fields
from malleposte.mime.headers import Field
from malleposte.services.jmap.mail import body_parts, header_forms
from malleposte.services.jmap.mail.body_parts import BodyValues, PartsShown
from malleposte.services.jmap.mail.messages import Message
from malleposte.services.jmap.mail.plans import Plan
from malleposte.store.opened import HEADER_BYTES


class Fetch(Protocol):
    """Which texts are wanted (RFC 8621 §4.2)."""

    @property
    def fetch_text_body_values(self) -> bool:
        """Those of ``textBody``."""
        ...

    @property
    def fetch_html_body_values(self) -> bool:
        """Those of ``htmlBody``."""
        ...

    @property
    def fetch_all_body_values(self) -> bool:
        """All."""
        ...

    @property
    def max_body_value_bytes(self) -> int:
        """Octets of each, 0 for no bound."""
        ...


class Safely(Protocol):
    """Makes HTML safe (``view.safe_texts``)."""

    async def made(self, value: dict[str, Any], parts: tuple[Part, ...], blob: str) -> None:
        """Of an EmailBodyValue, in a message that is a blob."""
        ...


class Contents:
    """One call: what it asks for, and how much text it may still have."""

    def __init__(self, plan: Plan, fetch: Fetch, safely: Safely | None = None) -> None:
        self._plan = plan
        self._safely = safely
        self._fetch = fetch
        self._values = BodyValues(fetch.max_body_value_bytes)

    async def of(self, message: Message, blob: str) -> dict[str, Any]:
        """The properties of a message, which is a blob. Raises ``Damaged``."""
        plan = self._plan
        found: dict[str, Any] = {}
        if plan.headers:
            _, end = message.header((await message.parts())[0])
            header = fields(await message.octets(0, min(end, HEADER_BYTES)))
            for name in plan.names:
                if name == "headers":
                    found[name] = [_shown_field(one) for one in header]
                elif name in header_forms.CONVENIENT:
                    # Columns do not tell an empty list from none.
                    found[name] = header_forms.CONVENIENT[name].of(header) or None
                elif (wanted := header_forms.parsed(name)) is not None:
                    found[name] = wanted.of(header)
        if plan.structure:
            parts = await message.parts()
            found |= await self._bodies(
                PartsShown(message, blob, plan.parts), parts, body_lists(parts)
            )
        return found

    async def _bodies(
        self, shown: PartsShown, parts: tuple[Part, ...], lists: BodyLists
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in self._plan.names:
            match name:
                case "bodyStructure":
                    found[name] = await shown.tree(parts)
                case "textBody":
                    found[name] = [await shown.one(part) for part in lists.text]
                case "htmlBody":
                    found[name] = [await shown.one(part) for part in lists.html]
                case "attachments":
                    found[name] = [await shown.one(part) for part in lists.attachments]
                case "bodyValues":
                    found[name] = await self._texts(shown, parts, lists)
        return found

    async def _texts(
        self, shown: PartsShown, parts: tuple[Part, ...], lists: BodyLists
    ) -> dict[str, Any]:
        fetch = self._fetch
        wanted: list[Part] = []
        if fetch.fetch_all_body_values:
            wanted += parts
        if fetch.fetch_text_body_values:
            wanted += lists.text
        if fetch.fetch_html_body_values:
            wanted += lists.html
        found: dict[str, Any] = {}
        for part in wanted:
            id_ = body_parts.part_id(part)
            if (
                part.type == "text"
                and id_ is not None
                and id_ not in found
                and _is_own(parts, part)
            ):
                safely = self._safely if part.subtype == "html" else None
                most = body_parts.SAFE if safely else body_parts.TEXT
                found[id_] = await self._values.value(shown.message, part, most)
                if safely is not None:
                    await safely.made(found[id_], parts, shown.blob)
        return found


def _is_own(parts: tuple[Part, ...], part: Part) -> bool:
    """Whether a part is the message's, and not in one that is embedded."""
    while part.parent >= 0:
        part = parts[part.parent]
        if part.media in ("message/rfc822", "message/global"):
            return False
    return True


NOTHING: Final[Mapping[str, Any]] = {
    "bodyValues": {},
    "textBody": [],
    "htmlBody": [],
    "attachments": [],
    "headers": [],
}


def _shown_field(one: Field) -> dict[str, str]:
    return {"name": header_forms.raw(one.name), "value": header_forms.raw(one.value)}
