"""The name of the capability."""

from typing import Final

QUOTA: Final = "urn:ietf:params:jmap:quota"
