"""What every JMAP server has (RFC 8620): ``Core/echo``, and the capability itself."""

from typing import Any, Final

from malleposte.services.jmap.context import Answer, Context, Method
from malleposte.services.jmap.core import blob_copy
from malleposte.services.jmap.core.names import CORE
from malleposte.services.jmap.settings import JmapSettings

__all__ = ["CORE", "METHODS", "capability", "echo"]


async def echo(context: Context, arguments: dict[str, Any]) -> Answer:
    """RFC 8620 §4."""
    return arguments


def capability(settings: JmapSettings) -> dict[str, Any]:
    """RFC 8620 §2."""
    return {
        "maxSizeUpload": settings.max_size_upload,
        "maxConcurrentUpload": settings.max_concurrent_upload,
        "maxSizeRequest": settings.max_size_request,
        "maxConcurrentRequests": settings.max_concurrent_requests,
        "maxCallsInRequest": settings.max_calls_in_request,
        "maxObjectsInGet": settings.max_objects_in_get,
        "maxObjectsInSet": settings.max_objects_in_set,
        "collationAlgorithms": ["i;ascii-casemap", "i;unicode-casemap"],
    }


METHODS: Final = {"Core/echo": Method(CORE, None, echo)} | blob_copy.METHODS
