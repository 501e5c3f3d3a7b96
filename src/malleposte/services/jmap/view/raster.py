"""What kind of picture some octets are, by how they begin; whatever a server said they were."""

import re
from typing import Final

_BEGINNINGS: Final = (
    ("image/png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("image/jpeg", re.compile(rb"\xff\xd8\xff")),
    ("image/gif", re.compile(rb"GIF8[79]a")),
    ("image/webp", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("image/avif", re.compile(rb"....ftypavi[fs]", re.DOTALL)),
    ("image/bmp", re.compile(rb"BM....\0\0\0\0", re.DOTALL)),
    ("image/x-icon", re.compile(rb"\0\0\x01\0[^\0]\0")),
)


def raster_kind(octets: bytes) -> str | None:
    """The media type of a picture made of points; None: anything else. A drawing (SVG) is a document, with
    scripts and addresses of its own."""
    for kind, begins in _BEGINNINGS:
        if begins.match(octets) is not None:
            return kind
    return None
