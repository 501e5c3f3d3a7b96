"""Names of RFC 8621 that several modules use."""

from typing import Final

MAIL: Final = "urn:ietf:params:jmap:mail"
