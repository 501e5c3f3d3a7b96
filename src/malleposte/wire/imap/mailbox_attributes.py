r"""Attributes of a mailbox in LIST (RFC 9051 §7.3.1, RFC 5258, RFC 6154)."""

from __future__ import annotations

from typing import Final

NONEXISTENT: Final = b"\\NonExistent"
NOSELECT: Final = b"\\Noselect"
NOINFERIORS: Final = b"\\Noinferiors"
HAS_CHILDREN: Final = b"\\HasChildren"
HAS_NO_CHILDREN: Final = b"\\HasNoChildren"
MARKED: Final = b"\\Marked"
UNMARKED: Final = b"\\Unmarked"
SUBSCRIBED: Final = b"\\Subscribed"
REMOTE: Final = b"\\Remote"
NO_ACCESS: Final = b"\\NoAccess"  # RFC 5465 §3.1

ALL: Final = b"\\All"
ARCHIVE: Final = b"\\Archive"
DRAFTS: Final = b"\\Drafts"
FLAGGED: Final = b"\\Flagged"
IMPORTANT: Final = b"\\Important"  # RFC 8457
JUNK: Final = b"\\Junk"
SENT: Final = b"\\Sent"
TRASH: Final = b"\\Trash"

SPECIAL_USES: Final = {
    use.decode("ascii").lower(): use
    for use in (ALL, ARCHIVE, DRAFTS, FLAGGED, IMPORTANT, JUNK, SENT, TRASH)
}
"""By lower case name, as CREATE … USE may spell them in any case."""
