"""Which features an organisation has: asked here, wherever a feature may depend on a licence.

Every feature is there for everybody until the issue on licensing fills this in; and receiving,
sending, reading and exporting mail will never be asked."""

from typing import NewType

Feature = NewType("Feature", str)


def entitled(organisation: int, feature: Feature) -> bool:
    """Whether the organisation may use the feature: yes."""
    return True
