r"""Attributes of a mailbox in LIST (RFC 9051 §7.3.1, RFC 5258, RFC 6154)."""

from __future__ import annotations

from typing import Final

NONEXISTENT: Final = b"\\NonExistent"
NOSELECT: Final = b"\\Noselect"
HAS_CHILDREN: Final = b"\\HasChildren"
HAS_NO_CHILDREN: Final = b"\\HasNoChildren"
SUBSCRIBED: Final = b"\\Subscribed"
REMOTE: Final = b"\\Remote"
NO_ACCESS: Final = b"\\NoAccess"  # RFC 5465 §3.1

ARCHIVE: Final = b"\\Archive"
DRAFTS: Final = b"\\Drafts"
JUNK: Final = b"\\Junk"
SENT: Final = b"\\Sent"
TRASH: Final = b"\\Trash"
