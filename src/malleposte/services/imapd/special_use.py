r"""Special uses and the roles they are in the store (RFC 6154 §2).

INBOX has its name and no attribute. ``\All``, ``\Flagged`` and ``\Important`` name no mailbox here.
"""

from typing import Final

from malleposte.wire.imap import mailbox_attributes

ATTRIBUTES: Final[dict[str, bytes]] = {
    "drafts": mailbox_attributes.DRAFTS,
    "sent": mailbox_attributes.SENT,
    "archive": mailbox_attributes.ARCHIVE,
    "junk": mailbox_attributes.JUNK,
    "trash": mailbox_attributes.TRASH,
}
"""Role to attribute."""

ROLES: Final[dict[str, str]] = {
    attribute.decode("ascii").lower(): role for role, attribute in ATTRIBUTES.items()
}
"""Attribute in lower case to role."""
