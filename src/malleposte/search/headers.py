"""Fields of a header, as they stand."""

import re
from typing import Final

from malleposte.store.opened import HEADER_BYTES, Opened


def values_of(header: bytes, name: bytes) -> list[bytes]:
    """The raw values of a field, in order; ``name`` in lower case. Only the field is looked for: all
    fields of a header block of 1 MB would take too long."""
    if not name or not _NAME.fullmatch(name):
        return []
    # In front of the first line stands the end of none.
    lower = b"\n" + header.lower()
    found: list[bytes] = []
    at = lower.find(b"\n" + name)
    while at >= 0:
        # Offsets in `header` are one less: this is that of the name.
        value = _VALUE.match(header, at + len(name))
        if value is not None:
            found.append(value[1].removesuffix(b"\r"))
        at = lower.find(b"\n" + name, at + 1)
    return found


_NAME: Final = re.compile(rb"[!-9;-~]+")
# RFC 5322 §4.5.3 lets white space stand before the colon.
_VALUE: Final = re.compile(rb"[ \t]*:([^\n]*+(?:\n[ \t][^\n]*+)*+)")


async def field_values(opened: Opened, name: str) -> list[bytes]:
    """The raw values of a header field of an email, in order. Raises ``Damaged``."""
    _, end = opened.header((await opened.parts())[0])
    header = await opened.octets(0, min(end, HEADER_BYTES))
    return values_of(header, name.encode("ascii", "replace"))
