"""The name of this extension, which is ours alone."""

from typing import Final

VIEW: Final = "urn:malleposte:params:jmap:view"
