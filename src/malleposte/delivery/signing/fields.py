"""Which header fields are signed, and why these.

**Signed, and signed against being added** (``SEALED``): what a mail program shows or acts upon, and what
says how the body is to be read. Each is named in ``h`` once more than it occurs (RFC 6376 §5.4.2), so
that another one put in on the way, which many programs would show in place of ours, breaks the signature;
one that is not there is named too. Of these a reply goes to ``Reply-To``, a thread hangs on
``References``, and another ``Content-Type`` makes another text of the same body.

**Signed if they are there** (``SIGNED``): lists put these on mail that they leave alone otherwise, so
that their being added must break nothing. ``List-Unsubscribe`` and its ``-Post`` must be covered for a
program to trust them (RFC 8058 §4).

**Not signed**: what changes on the way or is taken off (``Received``, ``Return-Path``, ``Bcc``,
``Authentication-Results``), other signatures, and all that nobody shows.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from malleposte.delivery.signing.canonical import HeaderField

SEALED: Final = (
    b"From",
    b"Reply-To",
    b"Subject",
    b"Date",
    b"To",
    b"Cc",
    b"Message-ID",
    b"In-Reply-To",
    b"References",
    b"MIME-Version",
    b"Content-Type",
    b"Content-Transfer-Encoding",
)
SIGNED: Final = (
    b"Sender",
    b"Content-ID",
    b"Content-Description",
    b"Content-Disposition",
    b"Resent-From",
    b"Resent-Sender",
    b"Resent-To",
    b"Resent-Cc",
    b"Resent-Date",
    b"Resent-Message-ID",
    b"List-Id",
    b"List-Post",
    b"List-Help",
    b"List-Owner",
    b"List-Archive",
    b"List-Subscribe",
    b"List-Unsubscribe",
    b"List-Unsubscribe-Post",
)
MOST: Final = 250
"""Fields that one signature names: their names make a header field of 4 kB."""


class Unfit(Exception):
    """The message cannot be signed as it is; the words say why."""


def names(present: Iterable[HeaderField], *, also: Sequence[bytes] = ()) -> list[bytes]:
    """The names for ``h``, each as often as it is to be signed. ``also``: further ones that are signed
    where they are there. Raises ``Unfit``."""
    counts = Counter(field.name for field in present)
    # A reader shows one of several, and nobody knows which (RFC 6376 §8.15).
    authors = counts[b"from"]
    if authors != 1:
        raise Unfit("it has no From" if not authors else f"it has {authors} From fields")
    chosen: list[bytes] = []
    for name in SEALED:
        chosen += [name] * (counts[name.lower()] + 1)
    for name in (*SIGNED, *also):
        chosen += [name] * counts[name.lower()]
    if len(chosen) > MOST:
        raise Unfit(f"it has {len(chosen)} fields to sign, more than {MOST}")
    return chosen


def selected(present: Sequence[HeaderField], chosen: Iterable[bytes]) -> bytes:
    """The canonical fields for these names, of several the lowest first (RFC 6376 §5.4.2), each with a
    line end; nothing for one that is not there."""
    left: dict[bytes, list[bytes]] = {}
    for field in present:
        left.setdefault(field.name, []).append(field.relaxed)
    found = []
    for name in chosen:
        fields = left.get(name.lower())
        if fields:
            found.append(fields.pop() + b"\r\n")
    return b"".join(found)
