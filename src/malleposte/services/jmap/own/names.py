"""Names that the modules of this package share."""

from typing import Final

FILTERS: Final = "urn:malleposte:params:jmap:filters"
LABELS: Final = "urn:malleposte:params:jmap:labels"
RECOVERY: Final = "urn:malleposte:params:jmap:recovery"
UNSUBSCRIBE: Final = "urn:malleposte:params:jmap:unsubscribe"
VCARD: Final = "urn:malleposte:params:jmap:vcard"
