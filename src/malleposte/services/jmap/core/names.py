"""The name of the capability."""

from typing import Final

CORE: Final = "urn:ietf:params:jmap:core"
