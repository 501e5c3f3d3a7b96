"""Quotas (RFC 9425): what an account takes up of what it may."""

from typing import Final

from malleposte.services.jmap.context import Method
from malleposte.services.jmap.quota import quotas
from malleposte.services.jmap.quota.names import QUOTA

__all__ = ["METHODS", "QUOTA"]

METHODS: Final[dict[str, Method]] = quotas.METHODS
