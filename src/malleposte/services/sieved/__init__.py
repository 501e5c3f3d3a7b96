"""ManageSieve: the engine of ``wire.managesieve`` joined to the store, the directory and sign-in.

``service`` is what a listener serves, ``session`` one connection, ``scripts`` what a client can do with its
scripts. Form filters and vacation are not shown here: they have a store of their own.
"""

from malleposte.services.sieved.service import Observer, SieveService
from malleposte.services.sieved.settings import SieveSettings

__all__ = ["Observer", "SieveService", "SieveSettings"]
