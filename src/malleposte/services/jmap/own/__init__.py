"""Extensions of this server, for its own client and whoever likes them: filters, labels, leaving of lists,
what was destroyed, mailboxes and address books as files (docs/jmap-extensions.md)."""

from typing import Any, Final

from malleposte.services.jmap.context import Method
from malleposte.services.jmap.own import filters, labels, recovery, unsubscribe, vcards
from malleposte.services.jmap.own.export import export
from malleposte.services.jmap.own.names import FILTERS, LABELS, RECOVERY, UNSUBSCRIBE, VCARD

__all__ = ["CAPABILITIES", "METHODS", "capabilities", "export"]

CAPABILITIES: Final = (FILTERS, LABELS, RECOVERY, UNSUBSCRIBE, VCARD)


def capabilities() -> dict[str, Any]:
    """Of an account."""
    return {
        FILTERS: {"maxRules": filters.MOST_RULES},
        LABELS: {"colours": list(labels.COLOURS), "maxLabels": labels.MAX_LABELS},
        RECOVERY: {},
        UNSUBSCRIBE: {},
        VCARD: {},
    }


METHODS: Final[dict[str, Method]] = (
    filters.METHODS | labels.METHODS | recovery.METHODS | unsubscribe.METHODS | vcards.METHODS
)
