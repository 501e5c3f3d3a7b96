r"""Special uses and the roles they are in the store (RFC 6154 §2).

INBOX has its name and no attribute. ``\All``, ``\Flagged`` and ``\Important`` name no mailbox here.
"""

from typing import Final

ATTRIBUTES: Final[dict[str, bytes]] = {
    "drafts": b"\\Drafts",
    "sent": b"\\Sent",
    "archive": b"\\Archive",
    "junk": b"\\Junk",
    "trash": b"\\Trash",
}
"""Role to attribute."""

ROLES: Final[dict[str, str]] = {
    attribute.decode("ascii").lower(): role for role, attribute in ATTRIBUTES.items()
}
"""Attribute in lower case to role."""
