"""Which version of the program this is, as it was installed."""

import functools
from importlib import metadata


@functools.cache
def version() -> str:
    """Such as ``0.1.0``."""
    return metadata.version("malleposte")
