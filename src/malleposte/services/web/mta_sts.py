"""The MTA-STS policies of our domains (RFC 8461 §3.3), at ``mta-sts.DOMAIN`` under TLS."""

from typing import Final

from malleposte.directory.addresses import BadAddressError, normalise_domain
from malleposte.directory.mta_sts import own_policy
from malleposte.services.web.messages import Request, Response
from malleposte.store.dialect import Reader

LABEL: Final = "mta-sts."
PATH: Final = "/.well-known/mta-sts.txt"


class MtaStsSite:
    """See the module. ``host``: this server's name, as MX records have it."""

    def __init__(self, reader: Reader, host: str) -> None:
        self._reader = reader
        self._host = host

    def in_clear(self, path: str) -> bool:
        """See ``Site``. Whoever could change a policy on the way could turn it off."""
        return False

    async def answer(self, request: Request) -> Response | None:
        """See ``Site``."""
        if request.path != PATH or not request.host.startswith(LABEL):
            return None
        request.allow("GET")
        try:
            domain = normalise_domain(request.host.removeprefix(LABEL))
        except BadAddressError:
            return None
        policy = await own_policy(self._reader, domain)
        if policy is None:
            return None
        # RFC 8461 §3.2 wants this very type.
        return Response(200, policy.text(self._host).encode(), "text/plain", route="mta-sts")
