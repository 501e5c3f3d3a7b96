"""The web client: its built files, served to browsers as fast and as locked as they come.

``built`` reads the folder that `make web` fills, ``security`` is the header fields that bound what a page
may do, ``site`` which path gives which file.
"""

from malleposte.services.web.client.built import Built, NotBuiltError, read_built
from malleposte.services.web.client.site import ClientSite

__all__ = ["Built", "ClientSite", "NotBuiltError", "read_built"]
