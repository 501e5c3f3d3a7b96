"""Sharing (RFC 9670): who there is to share with, and what people are told of it."""

from typing import Final

from malleposte.services.jmap.context import Method
from malleposte.services.jmap.sharing import (
    notification_get,
    notification_query,
    notification_set,
    principal_get,
    principal_query,
)
from malleposte.services.jmap.sharing.accounts import accounts, own_capabilities
from malleposte.services.jmap.sharing.names import OWNER, PRINCIPALS

__all__ = ["METHODS", "OWNER", "PRINCIPALS", "accounts", "own_capabilities"]

METHODS: Final[dict[str, Method]] = (
    principal_get.METHODS
    | principal_query.METHODS
    | notification_get.METHODS
    | notification_query.METHODS
    | notification_set.METHODS
)
