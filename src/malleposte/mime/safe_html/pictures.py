"""Pictures of a message: none has an address in the HTML, each is a number in a list that goes with it.

So that nothing is loaded by whatever shows the HTML; who shows it asks for what it wants of the list.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from malleposte.mime.safe_html.links import target

MOST: Final = 500
"""Pictures of one message."""
MOST_DATA: Final = 3_000_000
"""Characters of all that are within the HTML."""
_DATA: Final = re.compile(
    r"data:image/(?:png|jpe?g|gif|webp|bmp|avif|x-icon)(?:;[a-z]+=[-a-z0-9]+)*;base64,[A-Za-z0-9+/=%\s]+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Picture:
    """One of: ``remote``, an address of the web; ``blob``, a part of the message; ``data``, itself."""

    remote: str = ""
    blob: str = ""
    data: str = ""


def is_remote(source: str) -> bool:
    """Whether a picture would be fetched from elsewhere."""
    return (target(source) or "").startswith("http")


@dataclass(slots=True)
class Pictures:
    """Those of one message. ``parts``: blobs by Content-ID."""

    parts: Mapping[str, str]
    found: dict[Picture, int] = field(default_factory=dict)
    _data: int = 0

    def number(self, source: str) -> int | None:
        """The number of a picture; None where there is none that may be shown."""
        picture = self._picture(source)
        if picture is None or (picture not in self.found and len(self.found) >= MOST):
            return None
        return self.found.setdefault(picture, len(self.found))

    def _picture(self, source: str) -> Picture | None:
        source = source.strip()
        match source[:5].lower():
            case "cid:" | "cid":
                return None
            case start if start.startswith("cid:"):
                blob = self.parts.get(unquote(source[4:]).strip("<> "))
                return Picture(blob=blob) if blob else None
            case "data:":
                self._data += len(source)
                if self._data > MOST_DATA or _DATA.fullmatch(source) is None:
                    return None
                return Picture(data=source)
        url = target(source)
        return Picture(remote=url) if url is not None and url.startswith("http") else None
