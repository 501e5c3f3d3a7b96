"""Sieve scripts (RFC 9661): the same that ManageSieve has, under the same limits, with the same audit."""

from typing import Any, Final

from malleposte.services.jmap.context import Method
from malleposte.services.jmap.sieve import script_get, script_query, script_set, script_validate
from malleposte.services.jmap.sieve.names import SIEVE
from malleposte.sieve import CAPABILITIES, DEFAULT_LIMITS
from malleposte.store.execute.sieve import MAX_NAME, MAX_SCRIPT, MAX_SCRIPTS

__all__ = ["METHODS", "SIEVE", "capability", "of_service"]


def of_service() -> dict[str, Any]:
    """RFC 9661 §1.2.1."""
    return {"implementation": "Malleposte"}


def capability() -> dict[str, Any]:
    """Of an account (RFC 9661 §1.2.1)."""
    return {
        "maxSizeScriptName": 4 * MAX_NAME,
        "maxSizeScript": MAX_SCRIPT,
        "maxNumberScripts": MAX_SCRIPTS,
        "maxNumberRedirects": DEFAULT_LIMITS.redirects,
        "sieveExtensions": sorted(CAPABILITIES),
        "notificationMethods": None,
        "externalLists": None,
    }


METHODS: Final[dict[str, Method]] = (
    script_get.METHODS | script_set.METHODS | script_query.METHODS | script_validate.METHODS
)
