"""Mail (RFC 8621): mailboxes, threads and emails over the store."""

from typing import Any, Final

from malleposte.services.jmap.context import Method
from malleposte.services.jmap.mail import (
    email_copy,
    email_get,
    email_import,
    email_parse,
    email_query,
    email_set,
    filters,
    mail_changes,
    mailbox_get,
    mailbox_query,
    mailbox_set,
    search_snippet,
    thread_get,
)
from malleposte.services.jmap.mail.names import MAIL
from malleposte.services.jmap.settings import JmapSettings
from malleposte.store.execute.mailboxes import MAX_DEPTH, MAX_NAME

__all__ = ["MAIL", "METHODS", "capability"]


def capability(settings: JmapSettings) -> dict[str, Any]:
    """Of an account (RFC 8621 §1.3.1)."""
    return {
        "maxMailboxesPerEmail": None,
        "maxMailboxDepth": MAX_DEPTH,
        "maxSizeMailboxName": MAX_NAME,
        "maxSizeAttachmentsPerEmail": settings.max_size_attachments,
        "emailQuerySortOptions": list(filters.SORTED_BY),
        "mayCreateTopLevelMailbox": True,
    }


METHODS: Final[dict[str, Method]] = (
    mailbox_get.METHODS
    | mailbox_query.METHODS
    | mailbox_set.METHODS
    | thread_get.METHODS
    | email_get.METHODS
    | email_query.METHODS
    | search_snippet.METHODS
    | email_set.METHODS
    | email_import.METHODS
    | email_parse.METHODS
    | email_copy.METHODS
    | mail_changes.METHODS
)
