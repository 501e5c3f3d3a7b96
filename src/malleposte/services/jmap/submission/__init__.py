"""Sending (RFC 8621 §6, §7) and replies while one is away (§8)."""

from typing import Any, Final

from malleposte.services.jmap.context import Method
from malleposte.services.jmap.settings import JmapSettings
from malleposte.services.jmap.submission import (
    identity_get,
    identity_set,
    submission_get,
    submission_query,
    submission_set,
    vacation,
)
from malleposte.services.jmap.submission.names import SUBMISSION, VACATION

__all__ = ["CAPABILITIES", "METHODS", "capabilities"]

CAPABILITIES: Final = (SUBMISSION, VACATION)


def capabilities(settings: JmapSettings) -> dict[str, Any]:
    """Of an account (RFC 8621 §1.3.2)."""
    delayed = settings.max_delayed_send
    extensions: dict[str, list[str]] = {"DSN": []}
    if delayed:
        extensions["FUTURERELEASE"] = []
    return {
        SUBMISSION: {"maxDelayedSend": delayed, "submissionExtensions": extensions},
        VACATION: {},
    }


METHODS: Final[dict[str, Method]] = (
    identity_get.METHODS
    | identity_set.METHODS
    | submission_get.METHODS
    | submission_query.METHODS
    | submission_set.METHODS
    | vacation.METHODS
)
