"""Names that the modules of this package share."""

from typing import Final

SIEVE: Final = "urn:ietf:params:jmap:sieve"
SCRIPT_LETTER: Final = "Z"
